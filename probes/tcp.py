"""The TCP probe: a replica that accepts a connection passes. Unix sockets too."""

import asyncio
from contextlib import suppress

from probes.verdict import Outcome
from probes.words import reason_of

UNIX = "unix:"


async def connect(address: str) -> asyncio.StreamWriter:
    """An open connection to an endpoint. Raises OSError."""
    if address.startswith(UNIX):
        _, writer = await asyncio.open_unix_connection(address.removeprefix(UNIX))
    else:
        host, port = address.rsplit(":", 1)
        _, writer = await asyncio.open_connection(host.strip("[]"), int(port))
    return writer


async def probe_tcp(address: str, timeout_s: float) -> Outcome:
    """Connect and close. Returns within timeout_s."""
    try:
        async with asyncio.timeout(timeout_s):
            writer = await connect(address)
    except TimeoutError:
        return Outcome(False, f"no connection within {timeout_s:g} s")
    except OSError as error:
        return Outcome(False, reason_of(error, address))
    writer.close()
    with suppress(OSError):  # how the connection ends says nothing about readiness
        await writer.wait_closed()
    return Outcome(True, "accepts connections")
