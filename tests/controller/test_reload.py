"""Reloads of a running program: what changes, what stays, what is refused."""

import asyncio
from dataclasses import replace
from pathlib import Path

import pytest

from sidecar.configuration import load
from sidecar.controller import Controller
from tests.controller.house import TINY, WEB, House, house, written
from tests.support import free_port, get, wait_until

OTHER = f"""\
  other:
    command: {TINY}
    routes: [{{path: /other}}]
    probes: {{readiness: {{path: /healthz}}}}
"""


async def reloaded(it: House, services: str, listen: str = "127.0.0.1:0") -> list[str]:
    written(it.file, services, listen)
    return await it.controller.reload()


async def test_a_bad_file_leaves_the_old_configuration_running_and_says_why(tmp_path: Path) -> None:
    async with house(tmp_path) as it:
        await it.ready()
        (error,) = await reloaded(it, WEB.replace("autoscale", "autoscaling"))
        assert f"{it.file}:11:" in error
        assert "autoscale" in error
        assert (await get(it.port)).status == 200
        overview = it.controller.overview()
        assert (overview.reloads, overview.reloads_failed) == (0, 1)
        assert overview.last_reload_error == error


async def test_a_changed_environment_replaces_replicas_without_a_failed_request(tmp_path: Path) -> None:
    async with house(tmp_path) as it:
        it.controller.scale("web", 2)
        await it.ready(2)
        assert await reloaded(it, WEB.replace("    probes", "    environment: {COLOUR: blue}\n    probes", 1)) == []
        statuses = set()

        async def replaced() -> bool:
            statuses.add((await get(it.port)).status)
            return it.states() == {"web-3": "ready", "web-4": "ready"}

        await wait_until(replaced, 20)
        assert statuses == {200}
        assert (await get(it.port, "/env?name=COLOUR")).body == b"blue"


async def test_changed_rules_apply_in_place(tmp_path: Path) -> None:
    async with house(tmp_path) as it:
        await it.ready()
        assert await reloaded(it, WEB.replace("min_replicas: 1", "min_replicas: 2")) == []
        await it.ready(2)
        assert "web-1" in it.states()
        assert it.web().min_replicas == 2


async def test_a_service_can_be_added_and_removed(tmp_path: Path) -> None:
    async with house(tmp_path) as it:
        await it.ready()
        assert await reloaded(it, WEB + OTHER) == []
        await it.ready(1, "other")
        other = (await get(it.port, "/other")).status
        assert other == 404  # of the application, which knows no such path
        assert await reloaded(it, WEB) == []
        await wait_until(lambda: "removed" in it.kinds("other"), 20)
        assert [service.name for service in it.controller.services()] == ["web"]
        assert (await get(it.port)).status == 200


async def test_a_removed_service_finishes_its_requests(tmp_path: Path) -> None:
    everywhere = OTHER.replace("routes: [{path: /other}]", "routes: [{path: /slow}]")
    async with house(tmp_path, WEB + everywhere) as it:
        await it.ready()
        await it.ready(1, "other")
        slow = asyncio.create_task(get(it.port, "/slow?ms=500"))
        await wait_until(lambda: it.controller.service("other").replicas[0].reading.in_flight == 1)
        assert await reloaded(it, WEB) == []
        (error,) = await reloaded(it, WEB + everywhere)
        assert "services.other was removed and is still draining" in error
        assert (await slow).status == 200
        await wait_until(lambda: "removed" in it.kinds("other"), 20)


async def test_other_addresses_are_listened_on_before_the_old_ones_close(tmp_path: Path) -> None:
    async with house(tmp_path) as it:
        await it.ready()
        old, new = it.port, free_port()
        assert await reloaded(it, WEB, f"127.0.0.1:{new}") == []
        assert (await get(new)).status == 200
        with pytest.raises(ConnectionError):
            await get(old)


async def test_an_address_that_is_taken_refuses_the_whole_reload(tmp_path: Path, tiny: int) -> None:
    async with house(tmp_path) as it:
        await it.ready()
        (error,) = await reloaded(it, WEB.replace("min_replicas: 1", "min_replicas: 3"), f"127.0.0.1:{tiny}")
        assert "address already in use" in error
        assert it.web().min_replicas == 1
        assert (await get(it.port)).status == 200


async def test_what_cannot_change_is_refused_in_words(tmp_path: Path) -> None:
    async with house(tmp_path) as it:
        it.file.write_text(it.file.read_text().replace("workers: 1", "workers: 2"))
        (error,) = await it.controller.reload()
        assert error == "workers cannot change while ecluse runs (1 -> 2): stop it and start it again"


async def test_without_a_file_there_is_nothing_to_read_again(tmp_path: Path) -> None:
    config = replace(load(written(tmp_path / "ecluse.yaml")), source="command line")
    controller = Controller(config)
    life = asyncio.create_task(controller.run())
    (error,) = await controller.reload()
    assert "nothing to read again" in error
    controller.stop()
    await life


async def test_a_service_can_move_to_fixed_endpoints(tmp_path: Path, tiny: int) -> None:
    async with house(tmp_path) as it:
        await it.ready()
        services = f'services:\n  web: {{endpoints: ["127.0.0.1:{tiny}"]}}\n'
        assert await reloaded(it, services) == []
        await it.ready()
        assert it.web().engine == "fixed"
        assert (await get(it.port)).status == 200
        await wait_until(lambda: "removed" in it.kinds(), 20)
        assert (await get(it.port)).status == 200
