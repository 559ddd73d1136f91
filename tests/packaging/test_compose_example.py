"""examples/compose as it is written, with the real docker-compose: Écluse scales its neighbour through the socket proxy."""

from pathlib import Path

from tests.engines.daemon import Daemon
from tests.engines.reach import reach
from tests.packaging.examples import Example, example
from tests.support import wait_until
from tests.system.load import wrk


def counts(one: Example, service: str, wanted: int) -> bool:
    """Whether all that are there are READY, and at least so many (of one: exactly), as Écluse's container says. Not while it starts."""
    try:
        said = one.status(service)
    except AssertionError:
        return False
    return said["ready"] == said["current"] and (said["ready"] == 1 if wanted == 1 else said["ready"] >= wanted)


def web(one: Example) -> set[str]:
    """The ids of the application's running containers, as Compose sees them."""
    return set(one.compose("ps", "--quiet", "web").split())


async def serves(one: Example) -> bool:
    """Whether the application answers through Écluse."""
    said = await reach(one.port)
    return said is not None and said.status == 200


async def test_ecluse_scales_a_service_of_its_own_project(examples_engine: Daemon, tmp_path: Path) -> None:
    with example(examples_engine, tmp_path / "compose", "docker-compose.yml") as one:
        await wait_until(lambda: serves(one), deadline_s=60)
        async with wrk(one.port, "/?ms=50", connections=32, pause_ms=0) as load:
            await wait_until(lambda: counts(one, "ecluse", 3), deadline_s=60)
            assert len(web(one)) >= 3
            one.ecluse("ecluse", "scale", "web", "1")
            await wait_until(lambda: counts(one, "ecluse", 1), deadline_s=60)
            outcome = await load.end()
        assert outcome.lost == 0, outcome
        assert len(web(one)) == 1
    assert examples_engine.docker("ps", "--all", "--quiet") == ""


async def test_a_proxy_without_the_socket_goes_on_while_its_autoscaler_is_started_again(
    examples_engine: Daemon, tmp_path: Path
) -> None:
    with example(examples_engine, tmp_path / "compose", "docker-compose.roles.yml", ECLUSE_TOKEN="secret") as one:  # noqa: S106
        await wait_until(lambda: serves(one), deadline_s=60)
        async with wrk(one.port, "/?ms=50", connections=32, pause_ms=0) as load:
            await wait_until(lambda: counts(one, "autoscaler", 3), deadline_s=60)
            before = web(one)
            one.compose("restart", "autoscaler")
            await wait_until(lambda: counts(one, "autoscaler", 3), deadline_s=60)
            assert before <= web(one)
            outcome = await load.end()
        assert outcome.lost == 0, outcome
        proxy = examples_engine.inspect("shop_proxy_1")
    assert [*proxy["NetworkSettings"]["Networks"]] == ["shop_default"]  # the socket proxy is in another one
    assert [mount["Destination"] for mount in proxy["Mounts"]] == ["/etc/ecluse/ecluse.yaml"]
