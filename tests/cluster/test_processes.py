"""Local processes as instances: start, crash, restart, stop, and what is left afterwards (nothing)."""

import asyncio
import os
import random
import signal
import socket
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from autoscaler.cluster.engine import EngineError, Instance, InstanceSpec, InstanceStatus
from autoscaler.cluster.processes import socket_paths
from autoscaler.cluster.processes.engine import Processes
from tests.cluster.conftest import alive, descendants, keeper_of, name_of
from tests.support import TINY_COMMAND, get, wait_until

SLEEP = ("sleep", "1000")
STUBBORN = ("sh", "-c", "trap '' TERM; echo ready; while :; do sleep 1000; done")
TINY = InstanceSpec("shop", TINY_COMMAND)
TINY_ON_SOCKET = InstanceSpec("shop", (*TINY_COMMAND[:-1], "{socket}"))


def shell(script: str) -> InstanceSpec:
    return InstanceSpec("shop", ("sh", "-c", script))


def port_of(instance: Instance) -> int:
    return int(instance.address.rpartition(":")[2])


def path_of(instance: Instance) -> Path:
    return Path(instance.address.removeprefix("unix:"))


@asynccontextmanager
async def started(environment: Mapping[str, str]) -> AsyncIterator[Processes]:
    """An engine that was started with this environment."""
    engine = Processes(random.Random(7), environment=environment)
    await engine.open(lambda service: None)
    try:
        yield engine
    finally:
        await engine.close()


async def only(engine: Processes) -> Instance:
    (instance,) = await engine.list("shop")
    return instance


async def printed(engine: Processes, line: str) -> None:
    await wait_until(lambda: line in engine.outputs.tail("shop", 1000))


GLIBC_S_OWN = 0b11 << 31  # signals 32 and 33: no program can set them, and GNU make leaves them ignored in what it starts


class TestStart:
    async def test_an_instance_answers_on_its_address_and_knows_its_name_and_port(self, engine: Processes) -> None:
        instance = await engine.start(TINY)
        await wait_until(lambda: engine.owns_listener(instance.id))
        port = port_of(instance)
        assert (await get(port, "/env?name=ECLUSE_REPLICA")).body == b"shop-1"
        assert (await get(port, "/env?name=PORT")).body == str(port).encode()
        assert (await get(port, "/pid")).body == str(instance.pid).encode()

    async def test_placeholders_are_replaced_and_other_braces_are_left_alone(self, engine: Processes) -> None:
        instance = await engine.start(InstanceSpec("shop", ("echo", "{name} on {port}: {json}")))
        await printed(engine, f"shop-1 | shop-1 on {port_of(instance)}: {{json}}")

    async def test_the_services_environment_and_directory_are_used(self, engine: Processes, tmp_path: Path) -> None:
        command = ("sh", "-c", 'echo "$COLOUR in $(pwd)"')
        await engine.start(InstanceSpec("shop", command, environment={"COLOUR": "green"}, directory=str(tmp_path)))
        await printed(engine, f"shop-1 | green in {tmp_path}")

    async def test_ids_count_up_per_service_and_are_never_given_twice(self, engine: Processes) -> None:
        ids = []
        for service in ("shop", "shop", "cart"):
            ids.append((await engine.start(InstanceSpec(service, SLEEP))).id)
            await engine.stop(ids[-1], 1.0)
        assert ids == ["shop-1", "shop-2", "cart-1"]

    async def test_signals_that_the_keeper_ignores_are_not_ignored_by_instances(self, engine: Processes) -> None:
        instance = await engine.start(InstanceSpec("shop", ("grep", "SigIgn", "/proc/self/status")))
        await wait_until(lambda: engine.outputs.tail("shop", 1))
        line = engine.outputs.tail("shop", 1)[0]
        ignored = int(line.removeprefix(f"{instance.id} | SigIgn:"), 16)
        assert ignored & ~GLIBC_S_OWN == 0

    @pytest.mark.parametrize(
        ("spec", "words"),
        [
            pytest.param(
                InstanceSpec("shop", ("no-such-program",)), '"no-such-program" was not found in the PATH', id="not-in-path"
            ),
            pytest.param(InstanceSpec("shop", ("./nothing-here",)), '"./nothing-here" does not exist', id="no-such-file"),
            pytest.param(InstanceSpec("shop", ("/etc/passwd",)), "cannot be executed: Permission denied", id="not-executable"),
            pytest.param(InstanceSpec("shop", SLEEP, directory="/no/where"), '"/no/where" cannot be entered', id="no-directory"),
            pytest.param(InstanceSpec("shop", ()), "has no `command`", id="no-command"),
            pytest.param(InstanceSpec("shop", ("sleep", "a\0b")), "embedded null byte", id="nul-in-a-word"),
        ],
    )
    async def test_a_command_that_cannot_run_is_an_error_in_words(
        self, engine: Processes, spec: InstanceSpec, words: str
    ) -> None:
        with pytest.raises(EngineError, match="shop") as caught:
            await engine.start(spec)
        assert words in str(caught.value)
        assert await engine.list("shop") == []

    async def test_a_cancelled_start_leaves_no_process(self, engine: Processes) -> None:
        others = [await engine.start(InstanceSpec("cart", SLEEP))]
        cancelled = asyncio.create_task(engine.start(InstanceSpec("shop", SLEEP)))
        await asyncio.sleep(0)  # one turn of the loop: the keeper is told to start it
        cancelled.cancel()
        await asyncio.wait([cancelled])
        others.append(await engine.start(InstanceSpec("cart", SLEEP)))
        expected = {keeper_of(others[0]), *(one.pid for one in others)}
        await wait_until(lambda: descendants() == expected)
        assert cancelled.cancelled()

    async def test_nothing_starts_after_close(self, engine: Processes) -> None:
        await engine.close()
        with pytest.raises(EngineError, match="stopping"):
            await engine.start(TINY)


class TestUnixSockets:
    async def test_an_instance_gets_a_path_in_its_command_and_in_its_environment_and_no_port(self) -> None:
        """Not even one that Écluse was told itself, as platforms do that name the port to listen on in PORT."""
        async with started({**os.environ, "PORT": "8080", "SOCKET": "/run/outer.sock"}) as engine:
            instance = await engine.start(InstanceSpec("shop", ("sh", "-c", 'echo "{socket} $SOCKET ${PORT-none}"')))
            path = path_of(instance)
            await printed(engine, f"shop-1 | {path} {path} none")

    async def test_who_gets_a_port_is_told_no_socket(self) -> None:
        async with started({**os.environ, "PORT": "8080", "SOCKET": "/run/outer.sock"}) as engine:
            instance = await engine.start(shell('echo "$PORT ${SOCKET-none}"'))
            await printed(engine, f"shop-1 | {port_of(instance)} none")

    async def test_what_a_service_sets_itself_stays(self, engine: Processes) -> None:
        await engine.start(InstanceSpec("shop", ("sh", "-c", 'echo "{socket} $PORT"'), environment={"PORT": "none of yours"}))
        await wait_until(lambda: engine.outputs.tail("shop", 1))
        assert engine.outputs.tail("shop", 1)[0].endswith(".sock none of yours")

    async def test_it_owns_its_socket_once_it_listens(self, engine: Processes) -> None:
        instance = await engine.start(TINY_ON_SOCKET)
        assert engine.owns_listener(instance.id) is None
        await printed(engine, f"shop-1 | listening on {path_of(instance)}")
        assert engine.owns_listener(instance.id) is True

    async def test_a_killed_one_comes_back_on_another_path_and_leaves_no_socket(self, engine: Processes) -> None:
        first = await engine.start(TINY_ON_SOCKET)
        await printed(engine, f"shop-1 | listening on {path_of(first)}")
        os.kill(first.pid, signal.SIGKILL)
        await wait_until(lambda: _running_again(engine, first))
        second = await only(engine)
        await printed(engine, f"shop-1 | listening on {path_of(second)}")
        assert [*path_of(first).parent.iterdir()] == [path_of(second)]

    async def test_after_the_keepers_death_no_socket_of_the_former_ones_is_left(self, engine: Processes) -> None:
        first = await engine.start(TINY_ON_SOCKET)
        await printed(engine, f"shop-1 | listening on {path_of(first)}")
        os.kill(keeper_of(first), signal.SIGKILL)
        await wait_until(lambda: _running_again(engine, first))
        await printed(engine, f"shop-1 | listening on {path_of(await only(engine))}")
        assert [*path_of(first).parent.iterdir()] == [path_of(await only(engine))]

    async def test_with_the_engine_goes_the_folder(self) -> None:
        async with started(os.environ) as engine:
            folder = path_of(await engine.start(TINY_ON_SOCKET)).parent
            assert folder.is_dir()
        assert not folder.exists()

    async def test_where_no_folder_can_be_made_a_start_fails_in_words(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(socket_paths, "PARENTS", ("/proc",))
        async with started({**os.environ, "TMPDIR": "/proc"}) as engine:
            with pytest.raises(
                EngineError, match="service shop: shop-1 could not be started: no folder for the replicas' sockets"
            ):
                await engine.start(TINY_ON_SOCKET)


class TestStop:
    async def test_sigterm_lets_the_application_finish(self, engine: Processes) -> None:
        instance = await engine.start(TINY)
        await printed(engine, f"shop-1 | listening on {port_of(instance)}")
        await engine.stop(instance.id, 10.0)
        assert engine.outputs.tail("shop", 1) == ["shop-1 | stopping"]
        assert not alive(instance.pid)
        assert await engine.list("shop") == []

    async def test_who_ignores_sigterm_is_killed_after_the_grace(self, engine: Processes) -> None:
        instance = await engine.start(InstanceSpec("shop", STUBBORN))
        await printed(engine, "shop-1 | ready")
        stopping = asyncio.create_task(engine.stop(instance.id, 0.3))
        await wait_until(lambda: "shop" in engine.changes[1:])  # type: ignore[attr-defined] - set by the fixture
        assert (await only(engine)).status is InstanceStatus.STOPPING
        assert alive(instance.pid)
        await stopping
        assert not alive(instance.pid)

    async def test_a_second_stop_with_less_grace_hurries_the_first(self, engine: Processes) -> None:
        instance = await engine.start(InstanceSpec("shop", STUBBORN))
        await printed(engine, "shop-1 | ready")
        async with asyncio.timeout(20):
            await asyncio.gather(engine.stop(instance.id, 1000.0), engine.stop(instance.id, 0.1))
        assert not alive(instance.pid)

    @pytest.mark.parametrize(
        ("child", "sleeps"),
        [
            pytest.param("sleep 1000 &", 1, id="in-the-background"),
            pytest.param("trap '' TERM; sleep 1000 &", 1, id="in-the-background-ignoring-sigterm"),
            pytest.param("setsid sleep 1000 &", 1, id="in-a-session-of-its-own"),
            pytest.param("(setsid sh -c 'trap \"\" TERM; sleep 1000 & sleep 1000' &)", 2, id="as-a-daemon-with-children"),
            pytest.param("setsid env -i sleep 1000 &", 1, id="in-a-session-of-its-own-without-environment"),
        ],
    )
    async def test_nothing_that_it_started_is_left(self, engine: Processes, child: str, sleeps: int) -> None:
        await engine.start(InstanceSpec("other", SLEEP))
        before = descendants()
        instance = await engine.start(shell(f"{child}\nexec sleep 1000"))
        await wait_until(lambda: [name_of(pid) for pid in descendants() - before].count("sleep") == sleeps + 1)
        await engine.stop(instance.id, 0.5)
        assert descendants() == before

    async def test_unknown_ids_are_gone_already(self, engine: Processes) -> None:
        await engine.stop("shop-99", 1.0)

    async def test_close_stops_all(self, engine: Processes) -> None:
        specs = [InstanceSpec("shop", STUBBORN, stop_grace_s=0.2), InstanceSpec("shop", SLEEP), TINY]
        started = [await engine.start(spec) for spec in specs]
        await engine.close()
        assert [instance.id for instance in started if alive(instance.pid)] == []


class TestCrashes:
    async def test_a_crashed_instance_comes_back_under_its_id_with_a_fresh_port(self, engine: Processes) -> None:
        first = await engine.start(TINY)
        os.kill(first.pid, signal.SIGKILL)
        await wait_until(lambda: _running_again(engine, first))
        second = await only(engine)
        assert (second.id, second.restarts) == (first.id, 1)
        assert second.address != first.address
        assert second.detail == "runs again; before, it was killed by SIGKILL"
        await wait_until(lambda: engine.owns_listener(second.id))

    async def test_a_crash_loop_is_reported_with_the_status_and_the_last_output(self, engine: Processes) -> None:
        await engine.start(shell("echo no database >&2; exit 3"))
        await wait_until(lambda: _crash_looping(engine))
        instance = await only(engine)
        assert instance.restarts >= 2
        assert "exited with status 3 (" in instance.detail
        assert "no database" in instance.detail

    async def test_one_crash_is_no_loop(self, engine: Processes, tmp_path: Path) -> None:
        await engine.start(shell(f"test -e {tmp_path}/seen && exec sleep 1000; touch {tmp_path}/seen"))
        await wait_until(lambda: _restarts(engine, 1))
        assert not (await only(engine)).crash_looping

    async def test_what_a_crashed_one_left_is_ended_before_it_starts_again(self, engine: Processes) -> None:
        instance = await engine.start(shell("setsid sleep 1000 & echo child $!; sleep 1000"))
        await wait_until(lambda: engine.outputs.tail("shop", 1))
        child = int(engine.outputs.tail("shop", 1)[0].rpartition(" ")[2])
        os.kill(instance.pid, signal.SIGKILL)
        await wait_until(lambda: _running_again(engine, instance))
        assert not alive(child)

    async def test_a_command_that_vanished_is_tried_again(self, engine: Processes, tmp_path: Path) -> None:
        program = tmp_path / "program"
        program.write_text("#!/bin/sh\nexec sleep 1000\n")
        program.chmod(0o755)
        instance = await engine.start(InstanceSpec("shop", (str(program),)))
        moved = program.rename(tmp_path / "elsewhere")
        os.kill(instance.pid, signal.SIGKILL)
        await wait_until(lambda: _crash_looping(engine))
        assert "could not be started" in (await only(engine)).detail
        moved.rename(program)
        await wait_until(lambda: _running_again(engine, instance))

    async def test_an_instance_that_waits_for_its_next_start_can_be_stopped(self, engine: Processes) -> None:
        await engine.start(shell("exit 1"))
        await wait_until(lambda: _crash_looping(engine))
        await engine.stop("shop-1", 10.0)
        assert await engine.list("shop") == []


class TestRestart:
    async def test_a_sick_instance_is_replaced_under_its_id(self, engine: Processes) -> None:
        first = await engine.start(TINY)
        await engine.restart(first.id)
        second = await only(engine)
        assert (second.id, second.status, second.restarts) == (first.id, InstanceStatus.RUNNING, 1)
        assert second.pid != first.pid
        assert not alive(first.pid)
        assert not second.crash_looping

    async def test_an_instance_that_is_stopped_meanwhile_stays_stopped(self, engine: Processes) -> None:
        first = await engine.start(InstanceSpec("shop", STUBBORN, stop_grace_s=0.3))
        await printed(engine, "shop-1 | ready")
        restarting = asyncio.create_task(engine.restart(first.id))
        await wait_until(lambda: _status(engine, InstanceStatus.BACKOFF))
        await engine.stop(first.id, 0.1)
        with pytest.raises(EngineError, match="shop-1 could not be restarted"):
            await restarting
        assert await engine.list("shop") == []

    async def test_an_unknown_instance_cannot_be_restarted(self, engine: Processes) -> None:
        with pytest.raises(EngineError, match="no instance shop-99"):
            await engine.restart("shop-99")


class TestExecution:
    async def test_a_command_runs_as_the_instance_does(self, engine: Processes, tmp_path: Path) -> None:
        first = await engine.start(InstanceSpec("shop", TINY_COMMAND, {"CURRENCY": "EUR"}, directory=str(tmp_path)))
        script = "echo first; echo $CURRENCY {name} $PWD {port} $PORT; exit 3"
        status, line = await engine.execute(first.id, ("sh", "-c", script), 10.0)
        port = port_of(first)
        assert (status, line) == (3, f"EUR {first.id} {tmp_path} {port} {port}")

    async def test_one_that_does_not_end_is_ended_with_all_that_it_started(self, engine: Processes, tmp_path: Path) -> None:
        first = await engine.start(TINY)
        script = f"sleep 1000 & echo $! > {tmp_path}/pid; wait"
        with pytest.raises(EngineError, match=r"sh did not end within 0.5 s"):
            await engine.execute(first.id, ("sh", "-c", script), 0.5)
        await wait_until(lambda: not alive(int((tmp_path / "pid").read_text())))

    async def test_one_that_prints_without_end_is_ended_too(self, engine: Processes) -> None:
        first = await engine.start(TINY)
        with pytest.raises(EngineError, match="did not end"):
            await engine.execute(first.id, ("yes",), 0.3)

    async def test_one_that_is_not_there_is_told(self, engine: Processes) -> None:
        first = await engine.start(TINY)
        with pytest.raises(EngineError, match=r"nothing-like-this cannot be executed: .*No such file"):
            await engine.execute(first.id, ("nothing-like-this",), 1.0)

    async def test_of_an_unknown_instance_it_is_refused(self, engine: Processes) -> None:
        with pytest.raises(EngineError, match="no instance shop-99"):
            await engine.execute("shop-99", ("true",), 1.0)


class TestOwnership:
    async def test_nobody_listens_yet(self, engine: Processes) -> None:
        instance = await engine.start(InstanceSpec("shop", SLEEP))
        assert engine.owns_listener(instance.id) is None

    async def test_a_child_process_that_listens_counts_as_the_instance(self, engine: Processes) -> None:
        command = " ".join(TINY_COMMAND)
        instance = await engine.start(shell(f"setsid {command} & wait"))
        await wait_until(lambda: engine.owns_listener(instance.id) is not None)
        assert engine.owns_listener(instance.id) is True

    async def test_a_stranger_on_the_port_is_noticed(self, engine: Processes) -> None:
        instance = await engine.start(InstanceSpec("shop", SLEEP))
        with socket.create_server(("127.0.0.1", port_of(instance))):
            assert engine.owns_listener(instance.id) is False

    async def test_a_stranger_on_every_address_is_noticed(self, engine: Processes) -> None:
        instance = await engine.start(InstanceSpec("shop", SLEEP))
        with socket.create_server(("::", port_of(instance)), family=socket.AF_INET6, dualstack_ipv6=True):
            assert engine.owns_listener(instance.id) is False

    async def test_a_stranger_on_ipv6_only_does_not_matter(self, engine: Processes) -> None:
        instance = await engine.start(TINY)
        await wait_until(lambda: engine.owns_listener(instance.id))
        with socket.create_server(("::", port_of(instance)), family=socket.AF_INET6):
            assert engine.owns_listener(instance.id) is True

    async def test_a_stranger_that_shares_the_port_is_noticed(self, engine: Processes) -> None:
        script = "import socket,time; s=socket.create_server(('127.0.0.1',{port}),reuse_port=True); time.sleep(1000)"
        instance = await engine.start(InstanceSpec("shop", (sys.executable, "-c", script)))
        await wait_until(lambda: engine.owns_listener(instance.id))
        with socket.create_server(("127.0.0.1", port_of(instance)), reuse_port=True):
            assert engine.owns_listener(instance.id) is False

    async def test_a_listener_on_another_address_does_not_matter(self, engine: Processes) -> None:
        instance = await engine.start(TINY)
        await wait_until(lambda: engine.owns_listener(instance.id))
        with socket.create_server(("127.0.0.2", port_of(instance))):
            assert engine.owns_listener(instance.id) is True


class TestListing:
    async def test_services_do_not_see_each_other_and_the_oldest_comes_first(self, engine: Processes) -> None:
        for service in ("shop", "cart", "shop"):
            await engine.start(InstanceSpec(service, SLEEP))
        assert [instance.id for instance in await engine.list("shop")] == ["shop-1", "shop-2"]
        assert [instance.id for instance in await engine.list("cart")] == ["cart-1"]

    async def test_what_is_started_in_two_engines_does_not_meet(self, engine: Processes) -> None:
        other = Processes(random.Random(8))
        await other.open(lambda service: None)
        instance, namesake = await engine.start(TINY), await other.start(TINY)
        try:
            assert instance.id == namesake.id
            await wait_until(lambda: engine.owns_listener(instance.id) and other.owns_listener(namesake.id))
            await engine.stop(instance.id, 5.0)
            assert alive(namesake.pid)
        finally:
            await other.close()


async def _running_again(engine: Processes, before: Instance) -> bool:
    now = await only(engine)
    return now.status is InstanceStatus.RUNNING and now.pid not in {0, before.pid}


async def _crash_looping(engine: Processes) -> bool:
    now = await only(engine)
    return now.crash_looping and now.status is InstanceStatus.BACKOFF


async def _restarts(engine: Processes, count: int) -> bool:
    return (await only(engine)).restarts == count


async def _status(engine: Processes, status: InstanceStatus) -> bool:
    return (await only(engine)).status is status
