"""What control groups let a process use, cgroup v1 and v2: the tightest limit from its own group up to the root.

A process in a container sees its group either as "/" or as its machine names it, which leads nowhere in the container; then the root
counts, where the container's own group is mounted. Formats: proc_pid_cgroup(5); "cpu.max" and "memory.max" in the kernel's
cgroup-v2.rst; "cpu.cfs_quota_us" and "memory.limit_in_bytes" in its cgroup-v1 pages. Reads files, asks nothing else.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple, TypeVar

MOUNT = Path("/sys/fs/cgroup")
Number = TypeVar("Number", int, float)


class Limits(NamedTuple):
    """cpus: cores; memory: octets. None: no group limits it. (cgroup v1 writes "none" as more octets than any machine has.)"""

    cpus: float | None
    memory: int | None


def limits(memberships: str, mount: Path = MOUNT) -> Limits:
    """memberships: the text of the process's /proc/PID/cgroup."""
    cpus: list[float] = []
    memory: list[int] = []
    for line in memberships.splitlines():
        _, names, path = line.split(":", 2)
        controllers = names.split(",")
        if not names:
            cpus += _found(_quota_v2(group / "cpu.max") for group in _groups(mount, path))
            memory += _found(_number(group / "memory.max") for group in _groups(mount, path))
        if "cpu" in controllers:
            cpus += _found(_quota_v1(group) for group in _groups(mount / "cpu", path))
        if "memory" in controllers:
            memory += _found(_number(group / "memory.limit_in_bytes") for group in _groups(mount / "memory", path))
    return Limits(min(cpus, default=None), min(memory, default=None))


def _groups(mount: Path, path: str) -> Iterator[Path]:
    """The group and all above it, with the root at last."""
    inside = mount / path.lstrip("/")
    yield from (group for group in (inside, *inside.parents) if group.is_relative_to(mount))


def _found(values: Iterator[Number | None]) -> list[Number]:
    return [value for value in values if value is not None]


def _quota_v2(file: Path) -> float | None:
    """ "50000 100000": half a core; "max 100000": all there are."""
    quota, _, period = _text(file).partition(" ")
    return int(quota) / int(period) if quota.isdecimal() and period.strip().isdecimal() else None


def _quota_v1(group: Path) -> float | None:
    """A quota of -1 is none."""
    quota, period = _number(group / "cpu.cfs_quota_us"), _number(group / "cpu.cfs_period_us")
    return quota / period if quota is not None and period else None


def _number(file: Path) -> int | None:
    text = _text(file).strip()
    return int(text) if text.isdecimal() else None


def _text(file: Path) -> str:
    """ "" where there is none: the root group has no such file, and a controller may be off."""
    try:
        return file.read_text()
    except OSError:
        return ""
