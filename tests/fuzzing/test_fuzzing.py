"""The kept corpus, and what Hypothesis makes of the same targets: a few hundred examples here, FUZZ_EXAMPLES of them when asked.

The corpus is what libFuzzer found worth keeping, minimised (`-merge=1`): every file covers something that no other one does.
"""

import os
from collections.abc import Callable, Iterator

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.fuzzing.connections import World, connections, worlds
from tests.fuzzing.corpus import kept
from tests.fuzzing.parsers import KINDS, parsers

TARGETS: dict[str, Callable[[bytes], None]] = {"parsers": parsers, "connections": connections}
EXAMPLES = int(os.environ.get("FUZZ_EXAMPLES", "300"))
LONG = settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=list(HealthCheck))

FRAGMENTS = st.sampled_from(
    [
        *(
            b"GET / HTTP/1.1\r\n",
            b"PUT /api HTTP/1.1\r\n",
            b"POST /x HTTP/1.0\r\n",
            b"HEAD /..%2f HTTP/1.1\r\n",
            b"HTTP/1.1 200 OK\r\n",
        ),
        *(
            b"HTTP/1.1 101 Switching\r\n",
            b"HTTP/1.0 204 No\r\n",
            b"HTTP/1.1 100 Continue\r\n",
            b"Host: a\r\n",
            b"Content-Length: 3\r\n",
        ),
        *(
            b"Content-Length: 03, 3\r\n",
            b"Transfer-Encoding: chunked\r\n",
            b"Transfer-Encoding : chunked\r\n",
            b"Connection: close\r\n",
        ),
        *(
            b"Connection: upgrade\r\n",
            b"Upgrade: websocket\r\n",
            b"Expect: 100-continue\r\n",
            b"Cookie: s=1\r\n",
            b"X-Key: 1\r\n",
        ),
        *(
            b"\r\n",
            b"\n",
            b"\r",
            b" ",
            b"\t",
            b"\0",
            b"abc",
            b"3\r\nabc\r\n",
            b"0\r\n\r\n",
            b"FFFFFFFFFFFFFFFFF\r\n",
            b"1;x=\r\n",
            b"-1\r\n",
        ),
    ]
)
OCTETS = st.lists(st.one_of(FRAGMENTS, st.binary(max_size=6)), max_size=24).map(b"".join)
PIECES = st.tuples(st.sampled_from([b"c", b"c", b"r", b"r", b"s", b"x", b"X", b"y", b"z", b"t", b"n"]), OCTETS).map(b"".join)


@pytest.fixture(scope="module", autouse=True)
def _the_end_of_the_world() -> Iterator[None]:
    yield
    while worlds:
        worlds.pop().close()


@pytest.mark.parametrize("target", TARGETS)
def test_what_was_found_once_still_holds(target: str) -> None:
    inputs = kept(target)
    assert len(inputs) > 100
    for octets in inputs:
        try:
            TARGETS[target](octets)
        except AssertionError as failure:
            raise AssertionError(f"{octets!r}: {failure}") from failure


@LONG
@given(st.integers(0, len(KINDS) - 1), st.integers(0, 255), OCTETS)
def test_any_script_of_the_parsers(kind: int, cut: int, octets: bytes) -> None:
    parsers(bytes([kind, cut]) + octets)


@LONG
@given(st.lists(PIECES, max_size=10).map(b"\xff".join))
def test_any_script_of_connections(script: bytes) -> None:
    connections(script)


def test_the_world_notices_what_is_left_of_a_request() -> None:
    world = World()
    world.run(b"cGET / HTTP/1.1\r\nHost: a\r\n\r\n")
    world.context.row.enter(0, 0)
    with pytest.raises(AssertionError):
        world.run(b"")
    world.close()
