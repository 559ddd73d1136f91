"""The TCP probe: a replica that accepts a connection passes. Unix sockets too."""

import asyncio
import socket
from contextlib import suppress

from probes.verdict import Outcome
from probes.words import UNIX, reason_of

FULL_S = 0.02  # between two tries while the queue of a Unix socket is full: no event tells when there is room


async def probe_tcp(address: str, timeout_s: float) -> Outcome:
    """Connect and close. Returns within timeout_s."""
    try:
        async with asyncio.timeout(timeout_s):
            await (try_unix(address, timeout_s) if address.startswith(UNIX) else _try_tcp(address))
    except TimeoutError:
        return Outcome(False, f"no connection within {timeout_s:g} s")
    except OSError as error:
        return Outcome(False, reason_of(error, address))
    return Outcome(True, "accepts connections")


async def try_unix(address: str, timeout_s: float) -> None:
    """Connect to a Unix socket and close. Raises OSError; BlockingIOError if its queue stays full.

    A full queue is told by EAGAIN, which asyncio 3.11 takes for a connection, and anyio tries again without a pause.
    """
    loop = asyncio.get_running_loop()
    end_s = loop.time() + timeout_s - FULL_S
    while True:
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM | socket.SOCK_NONBLOCK) as sock:
            try:
                return sock.connect(address.removeprefix(UNIX))
            except BlockingIOError:
                if loop.time() >= end_s:
                    raise
        await asyncio.sleep(FULL_S)


async def _try_tcp(address: str) -> None:
    host, port = address.rsplit(":", 1)
    _, writer = await asyncio.open_connection(host.strip("[]"), int(port))
    writer.close()
    with suppress(OSError):  # how the connection ends says nothing about readiness
        await writer.wait_closed()
