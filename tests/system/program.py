"""The program as users run it: `ecluse run FILE` in a process of its own, asked and told through its admin API and commands.

Invariant: every process that comes of it carries a mark in its environment, so that whatever is left over is found, and ended.
"""

import asyncio
import json
import os
import re
import signal
import sys
import threading
import time
import uuid
from collections.abc import AsyncIterator, Sequence
from contextlib import ExitStack, asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.request import urlopen

from sidecar.client import Client, Unreachable
from tests.support import wait_until
from tests.system.apps import ROOT

MARK = "ECLUSE_TEST_MARK"
ECLUSE = (sys.executable, "-m", "sidecar.cli")
START_S = 30.0
COLLECTED_S = 0.05  # well beyond the time for which the controller collects changes before it numbers a table
STATES = frozenset({"starting", "ready", "ejected", "draining", "gone"})
Event = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Said:
    """What a command printed, and its exit code."""

    code: int
    out: str
    err: str


class Events:
    """All events of one run, followed in a thread for as long as the admin API answers."""

    def __init__(self, admin: str) -> None:
        self.seen: list[Event] = []
        self._ended = False
        self._admin = admin
        self._thread = threading.Thread(target=self._follow, daemon=True)
        self._thread.start()

    def close(self) -> None:
        """The program has ended, and with it the stream."""
        self._ended = True
        self._thread.join(10)

    def _follow(self) -> None:
        """Again where the stream breaks off: a stopped controller sends no heartbeat."""
        while not self._ended:
            with Client(self._admin) as client, suppress(Unreachable):
                for message in client.follow("/api/events", limit=1000):
                    self._add(json.loads(message.data))
            if not self._ended:
                threading.Event().wait(0.1)

    def _add(self, event: Event) -> None:
        if not self.seen or event["id"] > self.seen[-1]["id"]:
            self.seen.append(event)


class Program:
    """A running ecluse. `said` is the file with what it says on stderr."""

    def __init__(self, process: asyncio.subprocess.Process, said: Path, mark: str) -> None:
        self.process = process
        self.port = 0
        self.admin = ""
        self.client: Client
        self._said = said
        self._mark = mark
        self._events: Events | None = None
        self._open = ExitStack()

    def said(self) -> str:
        """Everything so far."""
        return self._said.read_text()

    async def begin(self) -> None:
        """Until it says where it listens."""
        if found := await wait_until(self._started, START_S):
            self.port, self.admin = found
        self.client = self._open.enter_context(Client(self.admin))
        self._events = Events(self.admin)

    def _started(self) -> tuple[int, str] | None:
        found = re.search(r"started: (?:listens on \S+?:(\d+),)?.* admin API on (\S+),", self.said())
        assert found or self.process.returncode is None, f"it ended with {self.process.returncode}: {self.said()}"
        return (int(found[1] or 0), found[2]) if found else None  # an autoscaler listens nowhere

    def close(self) -> None:
        """Follow it no longer."""
        self._open.close()
        if self._events:
            self._events.close()

    # What is known of it.

    def events(self, kind: str = "", service: str = "") -> list[Event]:
        """What happened, oldest first."""
        seen = self._events.seen if self._events else []
        return [each for each in seen if kind in {"", each["kind"]} and service in {"", each["service"]}]

    def states(self, service: str = "web") -> dict[str, str]:
        """The state of each replica, by the events."""
        states = {each["replica"]: each["kind"] for each in self.events(service=service) if each["kind"] in STATES}
        return {replica: state for replica, state in states.items() if state != "gone"}

    async def ready(self, count: int = 1, service: str = "web", deadline_s: float = 30.0) -> None:
        """Until exactly so many replicas are there, all READY."""
        await wait_until(lambda: list(self.states(service).values()) == ["ready"] * count, deadline_s)

    async def up(self, count: int = 1, service: str = "web") -> None:
        """Until everything serves: replicas, workers, tables."""
        await self.ready(count, service)
        await self.up_to_date()

    async def up_to_date(self) -> None:
        """Until every worker uses a routing table that shows all that has happened."""
        await wait_until(self._is_up_to_date, START_S)

    def _is_up_to_date(self) -> bool:
        if time.time() - self.events()[-1]["at"] < COLLECTED_S:
            return False
        overview = self.overview()
        return {worker["acknowledged"] for worker in overview["workers"]} == {overview["generation"]}

    def overview(self) -> dict[str, Any]:
        """The program as a whole."""
        overview: dict[str, Any] = self.client.get("/api/overview")
        return overview

    def service(self, name: str = "web") -> dict[str, Any]:
        """One service."""
        service: dict[str, Any] = self.client.get(f"/api/services/{name}")
        return service

    def scale(self, replicas: int | str, service: str = "web") -> None:
        """Hold the count, or "auto"."""
        self.client.post(f"/api/services/{service}/scale", {"replicas": replicas})

    def metrics(self, family: str) -> dict[str, float]:
        """The series of one family: values by labels, written as /metrics writes them."""
        with urlopen(f"http://{self.admin}/metrics", timeout=10) as answer:
            text = answer.read().decode()
        return {labels: float(value) for labels, value in re.findall(f"^{family}({{.*}})? (.+)$", text, re.MULTILINE)}

    async def command(self, *words: str) -> Said:
        """`ecluse WORDS...`, to its end."""
        return await command(*words, admin=self.admin)

    # Its processes.

    def signal(self, number: signal.Signals) -> None:
        """To the controller."""
        self.process.send_signal(number)

    async def ended(self, deadline_s: float = 20.0) -> int:
        """Its exit status."""
        return await asyncio.wait_for(self.process.wait(), deadline_s)

    def family(self) -> dict[int, str]:
        """All processes that came of it, and their command lines."""
        found = {pid: _proc(pid, "cmdline").replace("\0", " ") for pid in _pids() if self._mark in _proc(pid, "environ")}
        return {pid: words for pid, words in found.items() if words}  # a zombie has none

    def pids(self, words: str) -> list[int]:
        """Of those whose command line has the words in it."""
        return [pid for pid, line in self.family().items() if words in line]


def _pids() -> list[int]:
    return [int(path.name) for path in Path("/proc").iterdir() if path.name.isdecimal()]


def _proc(pid: int, name: str) -> str:
    try:
        return Path(f"/proc/{pid}/{name}").read_text(errors="replace")
    except OSError:  # it has ended
        return ""


async def command(*words: str, admin: str = "", directory: Path | None = None) -> Said:
    """`ecluse WORDS...`, to its end."""
    process = await asyncio.create_subprocess_exec(
        *ECLUSE,
        *words,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        env=environment(ECLUSE_ADMIN=admin),
        cwd=directory,
    )
    out, err = await asyncio.wait_for(process.communicate(), 30)
    return Said(process.returncode or 0, out.decode(), err.decode())


def environment(**more: str) -> dict[str, str]:
    """This process's, without what would change how ecluse behaves, and with more."""
    kept = {name: value for name, value in os.environ.items() if name in {"ECLUSE_PURE"} or not name.startswith("ECLUSE_")}
    return {**kept, "PYTHONPATH": str(ROOT), "NO_COLOR": "1", **more}


@asynccontextmanager
async def ecluse(tmp_path: Path, *words: str, program: Sequence[str] = ECLUSE) -> AsyncIterator[Program]:
    """`ecluse run WORDS...` from its first line to its last process; one that is still there afterwards fails the test."""
    mark = uuid.uuid4().hex
    with (tmp_path / f"said-{mark}").open("w") as stderr:
        process = await asyncio.create_subprocess_exec(
            *program, "run", *words, env=environment(**{MARK: mark}), stderr=stderr, stdout=stderr, cwd=tmp_path
        )
    running = Program(process, Path(stderr.name), mark)
    try:
        await running.begin()
        yield running
        await _end(running)
    except BaseException:
        print(running.said()[-20_000:])  # pytest shows it with the failure
        raise
    finally:
        await _clean_up(running)


async def _end(program: Program) -> None:
    """In order, unless the story has done so."""
    if program.process.returncode is None:
        program.signal(signal.SIGTERM)
        assert await program.ended() == 0
    await wait_until(lambda: not program.family(), 20)
    assert "Traceback" not in program.said()


async def _clean_up(program: Program) -> None:
    for pid in program.family():
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    with suppress(ProcessLookupError):
        program.process.kill()
    await program.process.wait()
    program.close()
