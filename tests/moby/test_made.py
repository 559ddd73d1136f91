"""The spec of a Swarm service that is made from an image."""

from typing import Any

import pytest

from autoscaler.cluster.engine import Healthcheck, Image, InstanceSpec
from autoscaler.cluster.swarm.lookout import since_1_24
from autoscaler.cluster.swarm.made import service_spec

PLAIN = Image("shop:1", port=8000)


def made(image: Image = PLAIN, **spec: Any) -> dict[str, Any]:
    return service_spec(InstanceSpec("shop", source=image, **spec), image, "lock", 3)


def container(image: Image = PLAIN, **spec: Any) -> dict[str, Any]:
    said: dict[str, Any] = made(image, **spec)["TaskTemplate"]["ContainerSpec"]
    return said


def test_it_says_whose_it_is_and_from_which_configuration() -> None:
    assert made()["Labels"] == {
        "ecluse.managed-by": "lock",
        "ecluse.managed-service": "shop",
        "ecluse.spec": InstanceSpec("shop", source=PLAIN).version,
    }


def test_what_is_not_configured_is_left_to_the_image() -> None:
    assert container() == {
        "Image": "shop:1",
        "Env": ["PORT=8000", "ECLUSE_REPLICA={{.Task.Name}}"],
        "StopGracePeriod": 10_000_000_000,
    }


def test_a_command_gets_its_port_and_the_environment_stays() -> None:
    said = container(command=("serve", "--port={port}"), environment={"COLOUR": "green"}, directory="/srv")
    assert (said["Args"], said["Env"][0], said["Dir"]) == (["serve", "--port=8000"], "COLOUR=green", "/srv")


@pytest.mark.parametrize(
    ("networks", "ports"),
    [
        pytest.param(
            (), [{"Protocol": "tcp", "TargetPort": 8000, "PublishMode": "host"}], id="published where it has no network"
        ),
        pytest.param(("front",), [], id="not published where it has one"),
    ],
)
def test_a_port_is(networks: tuple[str, ...], ports: list[dict[str, Any]]) -> None:
    spec = made(Image("shop:1", port=8000, networks=networks))
    assert spec["EndpointSpec"]["Ports"] == ports
    assert spec["TaskTemplate"]["Networks"] == [{"Target": network} for network in networks]


@pytest.mark.parametrize(
    ("volume", "mount"),
    [
        ("data:/var/lib/app", {"Type": "volume", "Source": "data", "Target": "/var/lib/app"}),
        ("/srv/app:/app:ro", {"Type": "bind", "Source": "/srv/app", "Target": "/app", "ReadOnly": True}),
        ("/cache", {"Type": "volume", "Target": "/cache"}),
    ],
)
def test_volumes_as_in_compose(volume: str, mount: dict[str, Any]) -> None:
    assert container(Image("shop:1", port=1, volumes=(volume,)))["Mounts"] == [mount]


def test_limits_signal_and_healthcheck_in_swarms_units() -> None:
    image = Image(
        "shop:1", 8000, cpus=0.5, memory=64 << 20, stop_signal="SIGINT", healthcheck=Healthcheck(("CMD", "ok"), interval_s=0.5)
    )
    assert made(image)["TaskTemplate"]["Resources"] == {"Limits": {"NanoCPUs": 500_000_000, "MemoryBytes": 64 << 20}}
    said = container(image, stop_grace_s=2.5)
    assert (said["StopSignal"], said["StopGracePeriod"], said["Healthcheck"]["Interval"]) == (
        "SIGINT",
        2_500_000_000,
        500_000_000,
    )


@pytest.mark.parametrize(
    ("version", "since"),
    [("go1.19.8", False), ("go1.23", False), ("go1.24.3", True), ("go2.0", True), ("devel", True), ("", True)],
)
def test_go_versions(version: str, since: bool) -> None:
    assert since_1_24(version) is since
