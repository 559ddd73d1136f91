"""The listening sockets: opened here, in the controller, and only lent to workers.

Each address has one socket per worker slot (SO_REUSEPORT), so that the kernel spreads connections over the workers, and a worker that
dies leaves its accept queue to its successor. The port is never closed while the controller lives.
"""

import socket
from collections.abc import Sequence, Set

BACKLOG = 4096  # the kernel's own limit (net.core.somaxconn) since Linux 5.4


class ListenError(OSError):
    """An address cannot be listened on; the message says which, why, and what to do."""


class Listeners:
    """The sockets of some addresses. `addresses`: as they really are, also where port 0 (any free one) was asked for."""

    def __init__(self, sockets: dict[str, list[socket.socket]], names: dict[str, str]) -> None:
        self._sockets = sockets
        self._names = names

    @property
    def addresses(self) -> tuple[str, ...]:
        return tuple(self._names.values())

    def of(self, row: int) -> list[int]:
        """The descriptors of one worker slot, one for each address."""
        return [sockets[row].fileno() for sockets in self._sockets.values()]

    def close(self, but: "Listeners | None" = None) -> None:
        """Close all sockets, except those that another set goes on using."""
        kept = {id(sock) for sockets in but._sockets.values() for sock in sockets} if but else set()
        for sockets in self._sockets.values():
            for sock in sockets:
                if id(sock) not in kept:
                    sock.close()


def open_listeners(addresses: Sequence[str], workers: int, former: Listeners | None = None) -> Listeners:
    """Listen on "ADDRESS:PORT" each, taking over what a former set has open already. Raises ListenError, with nothing opened."""
    made = Listeners({}, {})
    ours = {_split(name)[1] for name in former.addresses} if former else set()
    try:
        for address in addresses:
            if former and address in former._sockets:
                made._sockets[address], made._names[address] = former._sockets[address], former._names[address]
            else:
                made._sockets[address], made._names[address] = _open(address, workers, ours)
    except ListenError:
        made.close(but=former)
        raise
    return made


def _open(address: str, workers: int, ours: Set[int]) -> tuple[list[socket.socket], str]:
    """One socket per worker, and the address as it really is. ours: ports that need not be free, as we hold them ourselves."""
    sockets: list[socket.socket] = []
    try:
        host, port = _split(address)
        if port not in ours:
            _check_free(host, port)
        for _ in range(workers):
            sockets.append(_listening(host, port))
            port = sockets[0].getsockname()[1]
    except (OSError, ValueError) as error:
        for sock in sockets:
            sock.close()
        reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        raise ListenError(f"cannot listen on {address}: {reason.lower()}; {_advice(error)}") from error
    return sockets, f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def _split(address: str) -> tuple[str, int]:
    host, _, port = address.rpartition(":")
    return host.strip("[]"), int(port)


def _advice(error: Exception) -> str:
    if isinstance(error, PermissionError):
        return "choose a port from 1024 on, or allow this one (CAP_NET_BIND_SERVICE)"
    return "stop what listens there, or choose another address under `listen`"


def _socket(host: str) -> socket.socket:
    sock = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET, socket.SOCK_STREAM)
    if sock.family == socket.AF_INET6:
        sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)  # "[::]:80" must not collide with "0.0.0.0:80"
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    return sock


def _check_free(host: str, port: int) -> None:
    """With SO_REUSEPORT a second ecluse of the same user would bind as well and take half of the connections unnoticed."""
    with _socket(host) as sock:
        sock.bind((host, port))


def _listening(host: str, port: int) -> socket.socket:
    sock = _socket(host)
    try:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)  # accepted sockets inherit it
        sock.bind((host, port))
        sock.listen(BACKLOG)
    except OSError:
        sock.close()
        raise
    sock.setblocking(False)
    return sock
