"""Whose socket answers on a loopback port, as Linux shows it in /proc/net/tcp and /proc/PID/fd.

A replica's port could be taken by a stranger before the replica binds it; traffic must not go there. Reads only.
"""

import os
import socket
import sys
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

_LISTEN = "0A"  # include/net/tcp_states.h
_LOOPBACK = f"{int.from_bytes(socket.inet_aton('127.0.0.1'), sys.byteorder):08X}"  # the kernel prints words as they lie in memory
_MAPPED_PREFIX = f"{0:016X}{int.from_bytes(bytes.fromhex('0000ffff'), sys.byteorder):08X}"
# Which of several listening addresses gets a connection to 127.0.0.1: the most specific one, IPv4 before IPv6.
_RANKS = {_LOOPBACK: 0, _MAPPED_PREFIX + _LOOPBACK: 0, "0" * 8: 1, "0" * 32: 2}


def listening(port: int) -> frozenset[int]:
    """The inodes of the sockets that a connection to 127.0.0.1 and this port may reach; several with SO_REUSEPORT."""
    ranked: dict[int, set[int]] = {}
    for table in ("/proc/net/tcp", "/proc/net/tcp6"):
        for address, inode in _listeners(table, f"{port:04X}"):
            if address in _RANKS:
                ranked.setdefault(_RANKS[address], set()).add(inode)
    return frozenset(ranked[min(ranked)]) if ranked else frozenset()


def sockets(pids: Iterable[int]) -> set[int] | None:
    """The inodes of all sockets that these processes hold; None if they may not be looked at (another user's)."""
    found: set[int] = set()
    for pid in pids:
        try:
            found |= _sockets(pid)
        except PermissionError:
            return None
        except FileNotFoundError:  # it ended meanwhile
            continue
    return found


def _sockets(pid: int) -> set[int]:
    found = set()
    directory = f"/proc/{pid}/fd"
    for fd in os.listdir(directory):  # noqa: PTH208 - names are all that is needed
        with suppress(FileNotFoundError):  # closed meanwhile
            target = os.readlink(f"{directory}/{fd}")  # noqa: PTH115 - it is no path: "socket:[1234]"
            if target.startswith("socket:["):
                found.add(int(target[len("socket:[") : -1]))
    return found


def _listeners(table: str, port: str) -> Iterable[tuple[str, int]]:
    """(address, inode) of each. The columns: number, local, remote, state, queues, timer, retransmits, uid, timeout, inode."""
    path = Path(table)
    for line in path.read_text().splitlines()[1:] if path.exists() else ():
        columns = line.split()
        address, _, local_port = columns[1].partition(":")
        if columns[3] == _LISTEN and local_port == port:
            yield address, int(columns[9])
