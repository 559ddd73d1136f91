"""Who belongs to an instance: its first process, its session, and all that they started, as Linux shows it under /proc.

The keeper is a child subreaper (prctl(2)): a process whose parent ended becomes the keeper's child, so that a daemon that forked
twice and called setsid is still found; it is told apart by the ECLUSE_REPLICA in its environment. Nothing is signalled here.
"""

import os
from collections.abc import Collection, Iterator, Mapping
from contextlib import suppress
from typing import NamedTuple

REPLICA = "ECLUSE_REPLICA"  # in each instance's environment: its id
RUN = "ECLUSE_RUN"  # a token of the engine that started it, so that its processes are found when their keeper is gone
_ENDED = frozenset("ZX")  # zombies are gone but for their exit status


class Process(NamedTuple):
    """One line of /proc/PID/stat, as far as it matters here."""

    pid: int
    parent: int
    session: int


def processes(ended: bool = False) -> dict[int, Process]:
    """All that run now, by pid. ended: those too that have ended and that their parents have not waited for."""
    found = {}
    for pid in _pids():
        with suppress(OSError):  # it ended meanwhile
            with open(f"/proc/{pid}/stat", "rb") as file:  # noqa: PTH123 - for hundreds of files; a Path each costs more than the read
                state, parent, _, session = file.read().rpartition(b")")[2].split(None, 4)[:4]
            if ended or state.decode() not in _ENDED:
                found[pid] = Process(pid, int(parent), int(session))
    return found


def family(running: Mapping[int, Process], keeper: int, first: int, replica: str, known: Collection[int] = ()) -> set[int]:
    """The processes of one instance. first: the pid of its first process. known: pids that were found to belong to it before."""
    roots = {
        process.pid
        for process in running.values()
        if process.session == first
        or (process.parent == keeper and (process.pid in known or variable(process.pid, REPLICA) == replica))
    }
    return with_descendants(running, roots)


def families(running: Mapping[int, Process], keeper: int, firsts: Mapping[int, str]) -> dict[str, list[int]]:
    """The processes of many instances, each looked at once. firsts: the instance's id by the pid of its first process."""
    replicas = set(firsts.values())
    waiting = [(process.pid, _instance(process, keeper, firsts)) for process in running.values()]
    waiting = [(pid, replica) for pid, replica in waiting if replica in replicas]
    children, seen = _children(running), set[int]()
    found: dict[str, list[int]] = {replica: [] for replica in replicas}
    while waiting:
        pid, replica = waiting.pop()
        if pid not in seen:
            seen.add(pid)
            found[replica].append(pid)
            waiting += [(child, replica) for child in children.get(pid, [])]
    return found


def with_descendants(running: Mapping[int, Process], roots: Collection[int]) -> set[int]:
    """The roots that run, and all below them."""
    children = _children(running)
    found: set[int] = set()
    waiting = [pid for pid in roots if pid in running]
    while waiting:
        if (pid := waiting.pop()) not in found:
            found.add(pid)
            waiting += children.get(pid, [])
    return found


def variable(pid: int, name: str) -> str | None:
    """An environment variable a process was started with; None if it has none, ended, or may not be looked at."""
    try:
        with open(f"/proc/{pid}/environ", "rb") as file:  # noqa: PTH123 - as above
            entries = file.read().split(b"\0")
    except OSError:
        return None
    prefix = f"{name}=".encode()
    return next((os.fsdecode(entry[len(prefix) :]) for entry in entries if entry.startswith(prefix)), None)


def carrying(name: str, value: str) -> set[int]:
    """All processes that were started with this environment variable, wherever they are now."""
    return {pid for pid in _pids() if variable(pid, name) == value}


def _instance(process: Process, keeper: int, firsts: Mapping[int, str]) -> str:
    """Whose it is by itself, not by its parent; "" if that cannot be told."""
    if process.session in firsts:
        return firsts[process.session]
    return variable(process.pid, REPLICA) or "" if process.parent == keeper else ""


def _children(running: Mapping[int, Process]) -> dict[int, list[int]]:
    children: dict[int, list[int]] = {}
    for process in running.values():
        children.setdefault(process.parent, []).append(process.pid)
    return children


def _pids() -> Iterator[int]:
    return (int(name) for name in os.listdir("/proc") if name.isdecimal())  # noqa: PTH208 - names are all that is needed
