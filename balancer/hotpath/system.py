"""The few calls to the operating system that the data path makes, on descriptors.

This is the interpreted build's side. Compiled modules take the functions of the same names from `system.pxd`, which call the C library
without objects, argument tuples or a change of the interpreter's lock in between; both behave alike, and every test of the proxy runs
on both. Invariants: nothing here blocks but `wait`; no policy, no state.
"""

import errno
import fcntl
import os
import select
import socket
from contextlib import suppress
from time import monotonic_ns

BLOCKED = -1  # nothing can be done now
BROKEN = -2  # the connection is broken

_PIPE_LEAST = 64 * 1024  # octets; moving less at a time costs more than copying
_READY_BITS = 5  # of an event: EPOLLIN, EPOLLOUT, EPOLLERR and EPOLLHUP are below 32
_ENDED = select.POLLIN | select.POLLERR | select.POLLHUP


def clock_us() -> int:
    """CLOCK_MONOTONIC in microseconds: the same clock in every process of this machine."""
    return monotonic_ns() // 1000


def register(epoll: select.epoll, _epoll_fd: int, fd: int, interest: int) -> None:
    """Be told of what a descriptor is ready for. Raises OSError."""
    epoll.register(fd, interest)


def modify(epoll: select.epoll, _epoll_fd: int, fd: int, interest: int) -> None:
    """Be told of something else. Raises OSError."""
    epoll.modify(fd, interest)


def unregister(epoll: select.epoll, _epoll_fd: int, fd: int) -> None:
    """Be told of nothing more. Raises OSError."""
    epoll.unregister(fd)


class _Events:
    """What a `wait` found. found: at least `count` events, each a descriptor, shifted left by five bits, and what it is ready for."""

    def __init__(self, found: list[int]) -> None:
        self.found = found
        self.count = len(found)


def wait(epoll: select.epoll, _epoll_fd: int, most: int, timeout_s: float, _alone: bool) -> _Events:
    """Events, at most so many. Compiled, they stand in one place that the next `wait` of the process writes over.

    timeout_s: below 0 is for ever. alone: no other thread wants the interpreter meanwhile, so it need not be given away and taken back.
    """
    return _Events([fd << _READY_BITS | ready & 31 for fd, ready in epoll.poll(timeout_s, most)])


def receive(fd: int, most: int) -> bytes | None:
    """What has arrived, at most so many octets; b"" is the end of the stream, None is nothing yet. Raises OSError."""
    try:
        return os.read(fd, most)
    except BlockingIOError:
        return None


def transmit(fd: int, data: bytes, start: int) -> int:
    """Send the octets from `start` on; returns how many were taken, or BLOCKED, or BROKEN."""
    try:
        return os.write(fd, data[start:] if start else data)
    except BlockingIOError:
        return BLOCKED
    except OSError:
        return BROKEN


def open_pipe(size: int) -> tuple[int, int]:
    """(reading end, writing end) of a pipe that holds so many octets, or at least a pipe's usual 64 KiB. Raises OSError."""
    ends = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
    with suppress(OSError):  # over the user's limit (pipe-user-pages-soft): it stays smaller
        fcntl.fcntl(ends[0], fcntl.F_SETPIPE_SZ, size)
    if fcntl.fcntl(ends[0], fcntl.F_GETPIPE_SZ) < _PIPE_LEAST:
        os.close(ends[0])
        os.close(ends[1])
        raise OSError(errno.ENFILE, "the user's pipes are too large together")
    return ends


def splice(source: int, sink: int, most: int) -> int:
    """Move octets between a connection and a pipe, at most so many; returns how many, 0 at the end of the source, BLOCKED or BROKEN."""
    try:
        return os.splice(source, sink, most, flags=os.SPLICE_F_MOVE | os.SPLICE_F_NONBLOCK)
    except BlockingIOError:
        return BLOCKED
    except OSError:
        return BROKEN


def silent(fd: int) -> bool:
    """Whether nothing has arrived, neither octets nor the end of the stream."""
    poll = select.poll()
    poll.register(fd, select.POLLIN)
    return not any(ready & _ENDED for _, ready in poll.poll(0))


def accept(listener: socket.socket) -> tuple[int, bytes] | None:
    """(descriptor, address as text) of the next connection; None: none waits. Raises OSError."""
    try:
        sock, address = listener.accept()
    except BlockingIOError:
        return None
    sock.setblocking(False)
    return sock.detach(), address[0].encode()


def shut(fd: int) -> None:
    """Say that nothing more will be sent. A connection that is broken already needs no telling."""
    borrowed = socket.socket(fileno=fd)
    try:
        borrowed.shutdown(socket.SHUT_WR)
    except OSError:
        return
    finally:
        borrowed.detach()


def reset_on_close(fd: int) -> None:
    """Let `close` cut the connection, so that the peer cannot take what it has for the whole."""
    borrowed = socket.socket(fileno=fd)
    borrowed.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\0\0\0\0\0\0\0")
    borrowed.detach()


def close(fd: int) -> None:
    """Close it."""
    os.close(fd)
