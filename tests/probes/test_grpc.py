"""The gRPC probe against a real gRPC server with a real health service, and against what is none."""

import socket
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import grpc
import pytest
from grpc_health.v1 import health, health_pb2, health_pb2_grpc

from probes.grpc import framed, probe_grpc, status_in
from probes.spec import ProbeSpec
from tests.support import free_port, tiny_app


@pytest.fixture(scope="module")
def server() -> Iterator[tuple[int, health.HealthServicer]]:
    made = grpc.server(ThreadPoolExecutor(2))
    servicer = health.HealthServicer()
    health_pb2_grpc.add_HealthServicer_to_server(servicer, made)
    port = made.add_insecure_port("127.0.0.1:0")
    made.start()
    yield port, servicer
    made.stop(None)


def spec(service: str = "", timeout_s: float = 5.0) -> ProbeSpec:
    return ProbeSpec(grpc=service, timeout_s=timeout_s)


@pytest.mark.parametrize(
    ("status", "passes", "reason"),
    [
        (health_pb2.HealthCheckResponse.SERVING, True, "answered SERVING in "),
        (health_pb2.HealthCheckResponse.NOT_SERVING, False, "answered NOT_SERVING instead of SERVING"),
        (health_pb2.HealthCheckResponse.UNKNOWN, False, "answered UNKNOWN instead of SERVING"),
    ],
)
@pytest.mark.parametrize("service", ["", "shop.v1.Orders", "s" * 200])
async def test_serving_passes_and_nothing_else(server, status: int, passes: bool, reason: str, service: str) -> None:
    port, servicer = server
    servicer.set(service, status)
    outcome = await probe_grpc(f"127.0.0.1:{port}", spec(service))
    assert (outcome.passed, outcome.reason[: len(reason)]) == (passes, reason)


async def test_a_service_that_the_server_does_not_know_fails(server) -> None:
    outcome = await probe_grpc(f"127.0.0.1:{server[0]}", spec("nobody"))
    assert (outcome.passed, outcome.reason) == (False, "answered UNKNOWN instead of SERVING")


async def test_a_server_without_a_health_service_fails() -> None:
    made = grpc.server(ThreadPoolExecutor(1))
    port = made.add_insecure_port("127.0.0.1:0")
    made.start()
    outcome = await probe_grpc(f"127.0.0.1:{port}", spec())
    made.stop(None)
    assert (outcome.passed, outcome.reason) == (False, "gRPC status 12: it has no health service")


async def test_who_speaks_no_http2_fails() -> None:
    with tiny_app() as (port, _):
        assert not (await probe_grpc(f"127.0.0.1:{port}", spec())).passed


async def test_who_says_nothing_fails_in_time() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        outcome = await probe_grpc(f"127.0.0.1:{listener.getsockname()[1]}", spec(timeout_s=0.1))
    assert (outcome.passed, outcome.reason) == (False, "no answer within 0.1 s")


async def test_where_nobody_listens_it_says_so() -> None:
    port = free_port()
    outcome = await probe_grpc(f"127.0.0.1:{port}", spec())
    assert (outcome.passed, outcome.reason) == (False, f"nothing listens on 127.0.0.1:{port}")


@pytest.mark.parametrize("service", ["", "shop.v1.Orders", "é" * 100])
def test_requests_are_written_as_protobuf_writes_them(service: str) -> None:
    message = health_pb2.HealthCheckRequest(service=service).SerializeToString()
    assert framed(service) == bytes([0, *len(message).to_bytes(4, "big")]) + message


@pytest.mark.parametrize("status", [0, 1, 2, 3])
def test_answers_are_read_as_protobuf_writes_them(status: int) -> None:
    message = health_pb2.HealthCheckResponse(status=status).SerializeToString()
    assert status_in(bytes([0, *len(message).to_bytes(4, "big")]) + message) == status


@pytest.mark.parametrize("body", [b"", b"\0\0\0\0", b"\1\0\0\0\0", b"\0\0\0\0\2\x08", b"\0\0\0\0\2\x10\1", b"\0\0\0\0\2\x08\xff"])
def test_what_is_no_answer_has_no_status(body: bytes) -> None:
    assert status_in(body) is None
