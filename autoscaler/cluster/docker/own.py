"""Which container Écluse itself runs in, if any, as the kernel's files tell. No engine is asked: whoever has the list compares."""

import re
import socket
from contextlib import suppress
from pathlib import Path

_ID = re.compile(r"(?<![0-9a-f])[0-9a-f]{64}(?![0-9a-f])")
_SHORT = re.compile(r"[0-9a-f]{12}")
_FILES = frozenset(
    {"/etc/hostname", "/etc/hosts", "/etc/resolv.conf"}
)  # which an engine mounts into each container from its folder


def from_mounts(mountinfo: str) -> set[str]:
    """Ids in /proc/self/mountinfo: of the files alone that a container has from its own folder. On an engine's machine the mounts of
    all other containers stand there too."""
    lines = [fields for line in mountinfo.splitlines() if len(fields := line.split()) > 4]
    return {found for fields in lines if fields[4] in _FILES for found in _ID.findall(fields[3])}


def from_cgroups(cgroup: str) -> set[str]:
    """Ids in /proc/self/cgroup; there are none where the container has a view of its own."""
    return set(_ID.findall(cgroup))


def candidates() -> frozenset[str]:
    """Ids, or beginnings of ids, that may be our own container's."""
    name = socket.gethostname()
    short = {name} if _SHORT.fullmatch(name) else set()
    return frozenset(from_mounts(_read("/proc/self/mountinfo")) | from_cgroups(_read("/proc/self/cgroup")) | short)


def _read(path: str) -> str:
    with suppress(OSError):
        return Path(path).read_text("utf-8", errors="replace")
    return ""
