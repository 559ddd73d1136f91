"""The gRPC probe: `grpc.health.v1.Health/Check` over HTTP/2 without TLS, as Kubernetes' grpc probes ask it. SERVING passes.

The message has one field, so it is written and read here; HTTP/2 is httpx's. Invariants: as in `http.py`.
Sources: the gRPC health checking protocol, and gRPC over HTTP/2 (length-prefixed messages, `grpc-status`).
"""

import asyncio
import struct
import time

import httpx

from probes.spec import ProbeSpec
from probes.verdict import Outcome
from probes.words import UNIX, reason_of

ANSWER = 4096  # octets of an answer that are read; one has 7
STATUSES = {0: "UNKNOWN", 1: "SERVING", 2: "NOT_SERVING", 3: "SERVICE_UNKNOWN"}
SERVING = 1
_PATH = "/grpc.health.v1.Health/Check"
_CODES = {"5": "it knows no such service", "12": "it has no health service", "16": "it wants to know who asks"}


async def probe_grpc(address: str, spec: ProbeSpec) -> Outcome:
    """One Check. Returns within spec.timeout_s."""
    began = time.monotonic()
    try:
        async with asyncio.timeout(spec.timeout_s):
            body, code = await _check(address, spec.grpc or "")
    except TimeoutError:
        return Outcome(False, f"no answer within {spec.timeout_s:g} s")
    except (httpx.HTTPError, httpx.InvalidURL, OSError) as error:
        return Outcome(False, reason_of(error, address))
    if code not in ("", "0"):
        return Outcome(False, f"gRPC status {code}: {_CODES.get(code, 'it failed')}")
    return _outcome(body, time.monotonic() - began)


async def _check(address: str, service: str) -> tuple[bytes, str]:
    """The answer's message, and its status where there is no message."""
    path = address.removeprefix(UNIX) if address.startswith(UNIX) else None
    authority = "localhost" if path else address
    headers = {"Host": authority, "Content-Type": "application/grpc", "TE": "trailers"}
    request = httpx.Request("POST", f"http://{authority}{_PATH}", headers=headers, content=framed(service))
    async with httpx.AsyncHTTPTransport(http1=False, http2=True, trust_env=False, uds=path) as transport:
        response = await transport.handle_async_request(request)
        try:
            if response.status_code != 200:
                return b"", f"HTTP {response.status_code}"
            return await _some(response), response.headers.get("grpc-status", "")
        finally:
            await response.aclose()


async def _some(response: httpx.Response) -> bytes:
    read = b""
    async for part in response.aiter_raw():
        read += part
        if len(read) >= ANSWER:
            break
    return read


def framed(service: str) -> bytes:
    """A HealthCheckRequest (field 1, a string) as a length-prefixed message that is not compressed."""
    name = service.encode()
    message = b"\x0a" + _varint(len(name)) + name if name else b""
    return struct.pack(">BI", 0, len(message)) + message


def status_in(body: bytes) -> int | None:
    """The status in a HealthCheckResponse (field 1, a varint); an empty message is 0, as fields that are 0 are left out. None: none."""
    if len(body) < 5 or body[0] or len(body) < 5 + int.from_bytes(body[1:5], "big"):
        return None
    message = body[5 : 5 + int.from_bytes(body[1:5], "big")]
    if not message:
        return 0
    return message[1] if len(message) >= 2 and message[0] == 0x08 and message[1] < 0x80 else None


def _outcome(body: bytes, took_s: float) -> Outcome:
    status = status_in(body)
    if status is None:
        return Outcome(False, "answered with what is no HealthCheckResponse")
    said = STATUSES.get(status, str(status))
    if status == SERVING:
        return Outcome(True, f"answered {said} in {took_s * 1000:.0f} ms")
    return Outcome(False, f"answered {said} instead of SERVING")


def _varint(number: int) -> bytes:
    octets = []
    while number > 0x7F:
        octets.append(number & 0x7F | 0x80)
        number >>= 7
    return bytes((*octets, number))
