"""Serves the admin API from inside the controller's event loop: opens the socket, runs uvicorn on it, ends it.

uvicorn is a guest here: it handles no signals, configures no logging and opens no socket of its own.
"""

import asyncio
import ipaddress
import socket
from collections.abc import Collection, Iterator
from contextlib import contextmanager, suppress

import uvicorn

from sidecar.admin.application import application, watch
from sidecar.admin.guard import CAREFUL, Gate, is_loopback
from sidecar.admin.patience import HEAD, Connection
from sidecar.admin.streams import Streams
from sidecar.ledger import Ledger
from sidecar.views import Control

STOP_S = 2.0  # answers under way get so long when the program ends


class AdminError(Exception):
    """The admin API cannot be served; the message says why and what to do."""


class _Guest(uvicorn.Server):
    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.up = asyncio.Event()

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self.up.set()


class Admin:
    """The running admin API. address: "ADDRESS:PORT" as it really is, also where port 0 was asked for."""

    def __init__(
        self, address: str, guest: _Guest, streams: Streams, tasks: tuple[asyncio.Task[None], asyncio.Task[None]]
    ) -> None:
        self.address = address
        self._guest = guest
        self._streams = streams
        self._serving, self._watching = tasks

    async def close(self) -> None:
        """Stop listening, end the streams, let the other answers finish within STOP_S."""
        self._streams.close()
        self._watching.cancel()
        with suppress(asyncio.CancelledError):
            await self._watching
        self._guest.should_exit = True
        await self._serving


async def serve(control: Control, listen: str, token: str, hosts: Collection[str] = ()) -> Admin:
    """Begin to serve `control` on "ADDRESS:PORT" (port 0: any). hosts: other names it is known by. Returns when it answers.

    Raises AdminError where it cannot listen, or must not: beyond loopback without a token.
    """
    address, port = split(listen)
    if not token and not is_loopback(address):
        raise AdminError(
            f"the admin API would listen on {listen}, which others can reach: set admin.token, or listen on 127.0.0.1"
        )
    sock = _open(address, port)
    streams, ledger = Streams(), Ledger()
    guest = _Guest(_settings(control, Gate(address, token, frozenset(hosts)), ledger, streams))
    serving = asyncio.create_task(guest.serve([sock]), name="admin API")
    await guest.up.wait()
    watching = asyncio.create_task(watch(control, ledger), name="metrics ledger")
    return Admin(_name(sock), guest, streams, (serving, watching))


def split(listen: str) -> tuple[str, int]:
    """("ADDRESS", PORT) of "ADDRESS:PORT", the address without brackets. Raises AdminError."""
    address, _, port = listen.rpartition(":")
    if not address or not port.isdecimal() or int(port) > 65535:
        raise AdminError(f"admin.listen is {listen!r}; expected ADDRESS:PORT, such as 127.0.0.1:9090 or [::1]:9090")
    return address.removeprefix("[").removesuffix("]").lower(), int(port)


def _open(address: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    sock = socket.socket(family, socket.SOCK_STREAM)
    try:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        sock.bind((address, port))
    except OSError as error:
        sock.close()
        raise AdminError(
            f"the admin API cannot listen on {address} port {port}: {error.strerror}; choose another admin.listen"
        ) from error
    return sock


def _name(sock: socket.socket) -> str:
    address, port = sock.getsockname()[:2]
    return f"[{address}]:{port}" if ipaddress.ip_address(address).version == 6 else f"{address}:{port}"


def _settings(control: Control, gate: Gate, ledger: Ledger, streams: Streams) -> uvicorn.Config:
    return uvicorn.Config(
        application(control, gate, ledger, streams),
        http=Connection,
        h11_max_incomplete_event_size=HEAD,
        headers=[*CAREFUL],  # also on what uvicorn answers by itself
        ws="none",
        lifespan="off",
        log_config=None,
        log_level="error",
        access_log=False,
        server_header=False,
        proxy_headers=False,
        timeout_graceful_shutdown=round(STOP_S),
    )
