"""Short scenes on real sockets that call what is in `system`, by the side of it that is passed in, and what has to come of each."""

import errno
import fcntl
import os
import select
import socket
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

from balancer.hotpath import system
from tests.hotpath.twins import Side


@contextmanager
def unix_pair() -> Iterator[tuple[socket.socket, socket.socket]]:
    near, far = socket.socketpair()
    with near, far:
        near.setblocking(False)
        far.setblocking(False)
        yield near, far


@contextmanager
def tcp_pair() -> Iterator[tuple[socket.socket, socket.socket]]:
    with socket.create_server(("127.0.0.1", 0)) as listener, socket.create_connection(listener.getsockname()) as far:
        near, _ = listener.accept()
        with near:
            near.setblocking(False)
            yield near, far


def reset(sock: socket.socket) -> None:
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\0\0\0\0\0\0\0")
    sock.close()


def outcome(call: Callable[..., Any], *arguments: Any) -> Any:
    """What it returns, or the error that it raises."""
    try:
        return call(*arguments)
    except OSError as failure:
        return type(failure), failure.errno


def arrived(sock: socket.socket) -> None:
    """Wait until there is something to read."""
    assert select.select([sock], [], [], 10)[0]


def fill(side: Side, fd: int) -> int:
    """Send until nothing more is taken; what the last call returned."""
    while (sent := side.transmit(fd, bytes(10_000), 0)) > 0:
        pass
    return int(sent)


def after_a_reset(side: Side) -> list[Any]:
    with tcp_pair() as (near, far):
        reset(far)
        arrived(near)
        fd = near.fileno()
        seen = [outcome(side.receive, fd, 10), outcome(side.receive, fd, 10), side.transmit(fd, b"x", 0)]
        side.shut(fd)  # says nothing
        return seen


def the_silence_of_a_reset(side: Side) -> list[Any]:
    with tcp_pair() as (near, far):
        before = side.silent(near.fileno())
        reset(far)
        arrived(near)
        return [before, side.silent(near.fileno())]


def after_octets_and_a_reset(side: Side) -> list[Any]:
    with tcp_pair() as (near, far):
        far.sendall(b"abc")
        arrived(near)
        reset(far)
        return [outcome(side.receive, near.fileno(), 2) for _ in range(3)]


def a_peer_that_reads_nothing(side: Side) -> list[Any]:
    with unix_pair() as (near, far):
        blocked = fill(side, near.fileno())
        far.close()
        return [blocked, side.transmit(near.fileno(), b"x", 0)]


def a_part_of_what_is_sent(side: Side) -> list[Any]:
    with unix_pair() as (near, far):
        sent = [side.transmit(near.fileno(), b"abcdef", start) for start in (0, 1, 5, 6)]
        return [sent, far.recv(100), side.transmit(near.fileno(), b"", 0)]


def more_than_fits(side: Side) -> list[Any]:
    with unix_pair() as (near, far):
        sent = side.transmit(near.fileno(), bytes(10_000_000), 0)
        return [0 < sent < 10_000_000, side.transmit(near.fileno(), bytes(10_000_000), 9_999_999), len(far.recv(1000))]


def the_end_of_what_the_peer_says(side: Side) -> list[Any]:
    with unix_pair() as (near, far):
        far.send(b"ab\0")
        far.shutdown(socket.SHUT_WR)
        fd = near.fileno()
        before = [side.silent(fd), side.receive(fd, 2), side.silent(fd), side.receive(fd, 65536), side.silent(fd)]
        return [before, side.receive(fd, 2), side.silent(fd), side.transmit(fd, b"x", 0)]


def the_end_of_what_we_say(side: Side) -> list[Any]:
    with unix_pair() as (near, far):
        side.shut(near.fileno())
        side.shut(near.fileno())
        ended = far.recv(1)
        far.send(b"still")
        return [ended, side.receive(near.fileno(), 10), side.transmit(near.fileno(), b"x", 0)]


def a_connection_that_is_cut(side: Side) -> list[Any]:
    with tcp_pair() as (near, far):
        side.reset_on_close(near.fileno())
        side.close(near.detach())
        arrived(far)
        return [outcome(far.recv, 1)]


def a_connection_that_is_closed(side: Side) -> list[Any]:
    with tcp_pair() as (near, far):
        fd = near.detach()
        side.close(fd)
        arrived(far)
        return [outcome(far.recv, 1), outcome(os.fstat, fd)]


def a_descriptor_that_is_closed(side: Side) -> list[Any]:
    with select.epoll() as epoll:
        with unix_pair() as (near, _):
            fd = near.fileno()
        told = [outcome(ask, epoll, epoll.fileno(), fd, 1) for ask in (side.register, side.modify)]
        return [*told, outcome(side.receive, fd, 1), side.transmit(fd, b"x", 0)]


def what_is_watched_twice_or_not_at_all(side: Side) -> list[Any]:
    with select.epoll() as epoll, unix_pair() as (near, _):
        watching = (epoll, epoll.fileno(), near.fileno())
        told = [outcome(side.modify, *watching, 1), outcome(side.unregister, *watching)]
        told += [outcome(side.register, *watching, 1), outcome(side.register, *watching, 1)]
        return [*told, outcome(side.unregister, *watching), outcome(side.unregister, *watching)]


def events(side: Side, epoll: select.epoll, most: int, timeout_s: float) -> list[int]:
    waited = side.wait(epoll, epoll.fileno(), most, timeout_s, False)
    found: list[int] = waited.found[: waited.count]
    return found


def more_events_than_are_wanted(side: Side) -> list[Any]:
    with ExitStack() as stack:
        epoll = stack.enter_context(select.epoll())
        pairs = [stack.enter_context(unix_pair()) for _ in range(5)]
        for near, _ in pairs:
            side.register(epoll, epoll.fileno(), near.fileno(), select.EPOLLOUT)
        few, all_of_them = [events(side, epoll, most, 0.0) for most in (2, 256)]
        watched = {near.fileno() << 5 | select.EPOLLOUT for near, _ in pairs}
        return [len(few), set(few) < watched, set(all_of_them) == watched]


def a_wait_without_an_event(side: Side) -> list[Any]:
    with select.epoll() as epoll:
        return [events(side, epoll, 256, timeout_s) for timeout_s in (0.0, 0.000_001, 0.01)]


def a_wait_for_ever_with_an_event(side: Side) -> list[Any]:
    with select.epoll() as epoll, unix_pair() as (near, _):
        side.register(epoll, epoll.fileno(), near.fileno(), select.EPOLLOUT)
        return [events(side, epoll, 256, timeout_s) == [near.fileno() << 5 | 4] for timeout_s in (-1, 3600.0)]


def a_queue_of_connections(side: Side, address: str, dialled: str) -> list[Any]:
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    with socket.create_server((address, 0), family=family, dualstack_ipv6=address == "::") as listener:
        listener.setblocking(False)
        none = side.accept(listener)
        with socket.create_connection((dialled, listener.getsockname()[1])) as far:
            fd, peer = side.accept(listener)
            with socket.socket(fileno=fd) as near:
                told = [peer, near.getpeername()[1] == far.getsockname()[1], os.get_blocking(fd), os.get_inheritable(fd)]
            return [none, *told, side.accept(listener)]


def of_ipv4(side: Side) -> list[Any]:
    return a_queue_of_connections(side, "127.0.0.1", "127.0.0.1")


def of_ipv6(side: Side) -> list[Any]:
    return a_queue_of_connections(side, "::1", "::1")


def of_ipv4_to_a_listener_for_both(side: Side) -> list[Any]:
    return a_queue_of_connections(side, "::", "127.0.0.1")


def a_listener_that_does_not_listen(side: Side) -> list[Any]:
    with socket.socket() as idle:
        return [outcome(side.accept, idle)]


@contextmanager
def pipe_of(side: Side) -> Iterator[tuple[int, int]]:
    """(reading end, writing end)."""
    ends = side.open_pipe(1 << 17)
    try:
        yield ends
    finally:
        for end in ends:
            side.close(end)


def a_pipe(side: Side) -> list[Any]:
    with pipe_of(side) as ends:
        room = fcntl.fcntl(ends[0], fcntl.F_GETPIPE_SZ)
        os.write(ends[1], b"ab")
        return [room, [(os.get_blocking(end), os.get_inheritable(end)) for end in ends], os.read(ends[0], 10)]


def octets_moved_through_a_pipe(side: Side) -> list[Any]:
    with unix_pair() as (near, far), pipe_of(side) as (outlet, inlet):
        source = near.fileno()
        none = side.splice(source, inlet, 10)
        far.send(b"abc\0d")
        moved = [side.splice(source, inlet, 2), side.splice(source, inlet, 10), side.splice(outlet, source, 4)]
        far.shutdown(socket.SHUT_WR)
        return [none, moved, far.recv(10), os.read(outlet, 10), side.splice(source, inlet, 10)]


def a_sink_that_is_full_and_then_gone(side: Side) -> list[Any]:
    with unix_pair() as (near, far), pipe_of(side) as (outlet, inlet):
        fill(side, near.fileno())
        os.write(inlet, b"abc")
        full = side.splice(outlet, near.fileno(), 3)
        far.close()
        return [full, side.splice(outlet, near.fileno(), 3)]


def a_source_that_was_reset(side: Side) -> list[Any]:
    with tcp_pair() as (near, far), pipe_of(side) as (_, inlet):
        reset(far)
        arrived(near)
        return [side.splice(near.fileno(), inlet, 10)]


def the_clock_of_every_process(side: Side) -> list[Any]:
    before, now_us, after = system.clock_us(), side.clock_us(), system.clock_us()
    return [before <= now_us <= after]


SCENES: dict[Callable[[Side], list[Any]], list[Any]] = {
    after_a_reset: [(ConnectionResetError, errno.ECONNRESET), b"", system.BROKEN],
    after_octets_and_a_reset: [b"ab", b"c", (ConnectionResetError, errno.ECONNRESET)],
    the_silence_of_a_reset: [True, False],
    a_peer_that_reads_nothing: [system.BLOCKED, system.BROKEN],
    a_part_of_what_is_sent: [[6, 5, 1, 0], b"abcdefbcdeff", 0],
    more_than_fits: [True, system.BLOCKED, 1000],
    the_end_of_what_the_peer_says: [[False, b"ab", False, b"\0", False], b"", False, 1],
    the_end_of_what_we_say: [b"", b"still", system.BROKEN],
    a_connection_that_is_cut: [(ConnectionResetError, errno.ECONNRESET)],
    a_connection_that_is_closed: [b"", (OSError, errno.EBADF)],
    a_descriptor_that_is_closed: [(OSError, errno.EBADF)] * 3 + [system.BROKEN],
    what_is_watched_twice_or_not_at_all: [
        (FileNotFoundError, errno.ENOENT), (FileNotFoundError, errno.ENOENT), None, (FileExistsError, errno.EEXIST),
        None, (FileNotFoundError, errno.ENOENT),
    ],
    more_events_than_are_wanted: [2, True, True],
    a_wait_without_an_event: [[], [], []],
    a_wait_for_ever_with_an_event: [True, True],
    of_ipv4: [None, b"127.0.0.1", True, False, False, None],
    of_ipv6: [None, b"::1", True, False, False, None],
    of_ipv4_to_a_listener_for_both: [None, b"::ffff:127.0.0.1", True, False, False, None],
    a_listener_that_does_not_listen: [(OSError, errno.EINVAL)],
    a_pipe: [1 << 17, [(False, False)] * 2, b"ab"],
    octets_moved_through_a_pipe: [system.BLOCKED, [2, 3, 4], b"abc\0", b"d", 0],
    a_sink_that_is_full_and_then_gone: [system.BLOCKED, system.BROKEN],
    a_source_that_was_reset: [system.BROKEN],
    the_clock_of_every_process: [True],
}  # fmt: skip
