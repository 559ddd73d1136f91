"""How a task is reached, chosen by itself."""

import pytest

from autoscaler.cluster.swarm import ways
from autoscaler.cluster.swarm.tasks import Attachment, MachineState
from autoscaler.cluster.swarm.ways import reach
from tests.moby.tasks import task

FRONT, BACK = Attachment("n1", "shop_front", "10.0.1.7/24"), Attachment("n2", "shop_back", "10.0.2.7/24")
MACHINE = MachineState("one", "alpha", True, "10.1.0.1")


@pytest.mark.parametrize(
    ("network", "on", "published", "address", "way"),
    [
        pytest.param(
            "shop_back", "", ((80, 32775),), "10.0.2.7:80", "over network shop_back", id="over the network that is named"
        ),
        pytest.param("n1", "", (), "10.0.1.7:80", "over network shop_front", id="also by its id"),
        pytest.param("", "10.0.2.7/24", ((80, 32775),), "10.0.2.7:80", "over network shop_back", id="over one that we are on"),
        pytest.param(
            "",
            "",
            ((443, 32774), (80, 32775)),
            "10.1.0.1:32775",
            "over port 80, published by each task's machine in host mode",
            id="over a published port where we are on none",
        ),
        pytest.param(
            "gone", "", ((80, 32775),), "", "it is not on network gone; attach its service to it", id="never another than named"
        ),
        pytest.param("", "", ((443, 32774),), "", "there is no way to its port 80", id="not over another port"),
    ],
)
def test_a_task_is_reached(network: str, on: str, published: tuple[tuple[int, int], ...], address: str, way: str) -> None:
    found = reach(task(1, attachments=(FRONT, BACK), published=published), MACHINE, 80, network, lambda cidr: cidr == on)
    assert found.address == address
    assert found.way.startswith(way)


def test_a_port_of_a_machine_whose_address_is_unknown_leads_nowhere() -> None:
    assert reach(task(1, published=((80, 32775),)), None, 80, "", lambda cidr: False).address == ""


def test_an_ipv6_network() -> None:
    six = task(1, attachments=(Attachment("n", "six", "fd00::7/64"),))
    assert reach(six, MACHINE, 80, "six", lambda cidr: False).address == "[fd00::7]:80"


@pytest.mark.parametrize(
    ("contained", "cidr", "on"),
    [
        pytest.param(True, "127.0.0.9/8", True, id="our own address on the way there is one of it"),
        pytest.param(True, "127.0.0.9/32", False, id="our own address is not one of it"),
        pytest.param(False, "127.0.0.9/8", False, id="outside of a container no overlay network can be ours"),
        pytest.param(True, "::1/64", True, id="by IPv6"),
    ],
)
def test_being_on_a_network(contained: bool, cidr: str, on: bool, tmp_path: ways.Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "mark").touch()
    monkeypatch.setattr(ways, "_CONTAINER", tmp_path / ("mark" if contained else "none"))
    assert ways.attached(cidr) is on
