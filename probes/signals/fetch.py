"""One bounded HTTP GET for a signal.

Invariants: nothing is kept between two (a kept connection would hide that the other side is gone), no redirect is followed, no proxy
settings of the environment are heeded, at most BODY octets are read, and it ends within its timeout. Certificates are checked against
the system's authorities (SSL_CERT_FILE is OpenSSL's own variable for others).
"""

import asyncio
import ssl
from collections.abc import Mapping
from functools import cached_property
from typing import Final

import httpx

from probes.signals.numbers import Unusable
from probes.tcp import try_unix
from probes.words import UNIX, reason_of

BODY: Final = 256 * 1024  # octets of an answer: one number is looked for
USER_AGENT: Final = "ecluse-signal"
_NO_KEEPALIVE: Final = httpx.Limits(max_connections=None, max_keepalive_connections=0)
_FIELDS: Final = {
    "User-Agent": USER_AGENT,
    "Accept": "application/json",
    "Accept-Encoding": "identity",  # a few octets could unpack to gigabytes
    "Connection": "close",
}


class Fetcher:
    """Any number at the same time; `close` when done."""

    async def get(self, url: str, headers: Mapping[str, str], timeout_s: float, socket: str = "") -> tuple[int, bytes]:
        """(status, body). socket: "unix:/path" to connect to instead of the URL's host. Raises Unusable."""
        place = socket or url.partition("://")[2].partition("/")[0].partition("?")[0]
        try:
            async with asyncio.timeout(timeout_s):
                return await self._get(url, headers, timeout_s, socket)
        except TimeoutError as error:
            raise Unusable(f"{place} gave no whole answer within {timeout_s:g} s") from error
        except (httpx.HTTPError, httpx.InvalidURL, OSError, ValueError) as error:  # ValueError: a header that cannot be sent
            raise Unusable(reason_of(error, place)) from error

    async def close(self) -> None:
        """Give back what httpx holds."""
        if "_shared" in self.__dict__:
            await self._shared.aclose()

    async def _get(self, url: str, headers: Mapping[str, str], timeout_s: float, socket: str) -> tuple[int, bytes]:
        if not socket:
            return await _exchange(self._shared, url, headers)
        await try_unix(socket, timeout_s)  # with a full queue, anyio would try without a pause
        path = socket.removeprefix(UNIX)
        async with httpx.AsyncHTTPTransport(verify=False, trust_env=False, uds=path, limits=_NO_KEEPALIVE) as transport:
            return await _exchange(transport, url, headers)

    @cached_property
    def _shared(self) -> httpx.AsyncHTTPTransport:
        """Made when it is needed first: reading the authorities' certificates takes a while."""
        return httpx.AsyncHTTPTransport(verify=ssl.create_default_context(), trust_env=False, limits=_NO_KEEPALIVE)


async def _exchange(transport: httpx.AsyncHTTPTransport, url: str, headers: Mapping[str, str]) -> tuple[int, bytes]:
    request = httpx.Request("GET", url, headers={**_FIELDS, **headers})
    response = await transport.handle_async_request(request)
    try:
        if response.is_redirect:
            raise Unusable(f"answered {response.status_code}, a redirect, which is not followed: name the place itself")
        return response.status_code, await _body(response)
    finally:
        await response.aclose()


async def _body(response: httpx.Response) -> bytes:
    if response.headers.get("content-encoding", "identity") != "identity":
        raise Unusable(f"the answer is encoded ({response.headers['content-encoding']}), which was not asked for")
    body = bytearray()
    async for part in response.aiter_raw():
        body += part
        if len(body) > BODY:
            raise Unusable(f"the answer is longer than {BODY} octets")
    return bytes(body)
