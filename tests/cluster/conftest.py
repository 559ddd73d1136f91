"""Fixtures for the engines: a `processes` engine with short delays, and the proof that no test leaves a process behind."""

import os
import random
import secrets
import signal
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from autoscaler.cluster.engine import Instance
from autoscaler.cluster.processes.engine import Processes
from autoscaler.cluster.processes.family import carrying, processes, with_descendants
from autoscaler.cluster.restarts import RestartPolicy
from tests.support import wait_until_blocking

MARK = "ECLUSE_TEST"


@pytest.fixture(autouse=True)
def nothing_left(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """Marks every process that comes from the test, however it detaches itself, and waits until all are gone."""
    mark = secrets.token_hex(8)
    monkeypatch.setenv(MARK, mark)
    yield mark
    try:
        wait_until_blocking(lambda: not carrying(MARK, mark))
    finally:
        for pid in carrying(MARK, mark):  # the test failed; it must not disturb the next ones
            os.kill(pid, signal.SIGKILL)


@pytest.fixture
async def engine() -> AsyncIterator[Processes]:
    """The engine under test, with delays between crashes of hundredths of a second."""
    one = Processes(random.Random(7), restarts=RestartPolicy(first_s=0.01, longest_s=0.05))
    one.changes = []  # type: ignore[attr-defined] - what was told, for the tests that ask
    await one.open(one.changes.append)  # type: ignore[attr-defined] - as above
    yield one
    await one.close()


def alive(pid: int) -> bool:
    """Whether the process is there and no zombie."""
    return pid in processes()


def descendants() -> set[int]:
    """All processes below this one. The keeper takes in those whose parents ended, so nothing that it keeps can leave."""
    return with_descendants(processes(), {os.getpid()}) - {os.getpid()}


def name_of(pid: int) -> str:
    """The program's name; "" if it is gone."""
    try:
        return Path(f"/proc/{pid}/comm").read_text().strip()
    except OSError:
        return ""


def keeper_of(instance: Instance) -> int:
    """The pid of its parent."""
    return processes()[instance.pid].parent
