"""How a container is reached, chosen by where Écluse stands and what the container offers: tables."""

import pytest

from autoscaler.cluster.docker.container import Attachment, Container, Published, State
from autoscaler.cluster.docker.own import from_cgroups, from_mounts
from autoscaler.cluster.docker.reach import Ground, needs_publishing, reach

ID = "ab12" * 16
BRIDGE = {"bridge": Attachment("net0", "172.17.0.2")}
SHARED = {"back": Attachment("net1", "10.1.0.5"), "front": Attachment("net2", "10.2.0.5")}
LOOPED = {8000: (Published("127.0.0.1", 32768),)}
OPEN = {8000: (Published("0.0.0.0", 80),)}  # noqa: S104 - what an engine says of a port
AT_ONE = {8000: (Published("192.0.2.1", 80),)}
HERE = Ground(local=True)
INSIDE = Ground(local=True, networks={"front": "net2"})
AFAR = Ground(local=False, host="192.0.2.7")


def web(**changes: object) -> Container:
    given = {"exposed": (8000,), "attachments": BRIDGE, "published": {}, **changes}
    return Container(ID, "web", given.pop("labels", {}), "app:1", "sha256:1", State.RUNNING, **given)  # type: ignore[arg-type] - a table's


@pytest.mark.parametrize(
    ("container", "ground", "address", "way"),
    [
        pytest.param(web(published=LOOPED), HERE, "127.0.0.1:32768", "a port published on 127.0.0.1", id="a-published-port"),
        pytest.param(web(published=OPEN), HERE, "127.0.0.1:80", "127.0.0.1", id="published-everywhere"),
        pytest.param(web(published=AT_ONE), HERE, "192.0.2.1:80", "192.0.2.1", id="published-at-one-address"),
        pytest.param(web(), HERE, "172.17.0.2:8000", "own address in network bridge", id="its-own-address-on-this-machine"),
        pytest.param(
            web(host_network=True, attachments={}), HERE, "127.0.0.1:8000", "its machine's own network", id="its-machines-network"
        ),
        pytest.param(
            web(attachments=SHARED, published=LOOPED),
            INSIDE,
            "10.2.0.5:8000",
            "shared network front",
            id="a-shared-network-first",
        ),
        pytest.param(web(published=OPEN), AFAR, "192.0.2.7:80", "192.0.2.7", id="another-machines-port"),
        pytest.param(web(published={8000: (Published("::", 80),)}), AFAR, "192.0.2.7:80", "192.0.2.7", id="or-of-its-ipv6-too"),
        pytest.param(
            web(attachments={"v6": Attachment("n", "fd00::2")}), HERE, "[fd00::2]:8000", "network v6", id="an-ipv6-address"
        ),
    ],
)
def test_there_is_a_way(container: Container, ground: Ground, address: str, way: str) -> None:
    found = reach(container, 0, ground)
    assert found.address == address
    assert way in found.way
    assert found.trouble == ""


@pytest.mark.parametrize(
    ("container", "port", "ground", "trouble"),
    [
        pytest.param(web(exposed=()), 0, HERE, "exposes no port; say with `port`", id="no-port-exposed"),
        pytest.param(web(exposed=(80, 443)), 0, HERE, "exposes the ports 80, 443", id="several-exposed"),
        pytest.param(
            web(labels={"ecluse.port": "http"}), 0, HERE, 'label ecluse.port is "http", not a port', id="a-label-that-is-no-port"
        ),
        pytest.param(web(), 0, INSIDE, "is in no network that Écluse's own container is in (front)", id="no-network-shared"),
        pytest.param(web(), 0, AFAR, "publishes no port 8000", id="another-machines-container-without-a-published-port"),
        pytest.param(web(published=LOOPED), 0, AFAR, "publishes no port 8000", id="another-machines-loopback"),
        pytest.param(web(published=LOOPED, attachments={}), 9000, HERE, "publishes no port 9000", id="another-port-published"),
    ],
)
def test_there_is_none_and_it_is_said_why(container: Container, port: int, ground: Ground, trouble: str) -> None:
    found = reach(container, port, ground)
    assert found.address == ""
    assert trouble in found.trouble


@pytest.mark.parametrize(
    ("configured", "container", "port"),
    [
        pytest.param(7000, web(labels={"ecluse.port": "9000"}), 7000, id="what-is-configured-wins"),
        pytest.param(0, web(labels={"ecluse.port": "9000"}), 9000, id="then-the-label"),
        pytest.param(0, web(), 8000, id="then-the-only-exposed-port"),
    ],
)
def test_the_port(configured: int, container: Container, port: int) -> None:
    assert reach(container, configured, HERE).address.endswith(f":{port}")


@pytest.mark.parametrize(
    ("ground", "networks", "needed"),
    [
        pytest.param(HERE, {"front": "net2"}, True, id="on-the-machine-always"),
        pytest.param(AFAR, {}, True, id="from-another-machine-always"),
        pytest.param(INSIDE, {"front": "net2"}, False, id="not-in-a-shared-network"),
        pytest.param(INSIDE, {"other": "net9"}, True, id="but-outside-of-it"),
    ],
)
def test_own_containers_publish_their_port_where_needed(ground: Ground, networks: dict[str, str], needed: bool) -> None:
    assert needs_publishing(ground, networks) is needed


MOUNTS = f"""
623 605 254:0 /var/lib/docker/containers/{ID}/hostname /etc/hostname rw,relatime - ext4 /dev/vda rw
624 605 254:0 /var/lib/docker/containers/{ID}/hosts /etc/hosts rw,relatime - ext4 /dev/vda rw
"""
MACHINES = f"99 25 0:52 / /var/lib/docker/containers/{ID}/mounts/shm rw,nosuid - tmpfs shm rw,size=65536k"


@pytest.mark.parametrize(
    ("found", "ids"),
    [
        pytest.param(from_mounts(MOUNTS), {ID}, id="mounted-files-tell-a-container-its-id"),
        pytest.param(from_mounts(MACHINES), set(), id="mounts-of-others-on-the-machine-do-not"),
        pytest.param(from_cgroups(f"4:memory:/docker/{ID}\n"), {ID}, id="a-control-group-of-version-1"),
        pytest.param(from_cgroups(f"0::/system.slice/docker-{ID}.scope\n"), {ID}, id="a-control-group-of-systemd"),
        pytest.param(from_cgroups("0::/\n"), set(), id="a-control-group-of-its-own-says-nothing"),
    ],
)
def test_own_container(found: set[str], ids: set[str]) -> None:
    assert found == ids
