"""The hot path may import nothing of the rest, so its limits stand there; `balancer.limits` names all of them in one place."""

import pytest

from balancer import limits
from balancer.hotpath import body, conduit, listener, octets, stream, values

PAIRS = {
    "RECEIVE": stream.RECEIVE,
    "ACCEPT_BATCH": listener.BATCH,
    "SPLICE_LEAST": body.LARGE,
    "SPARE_PIPES": conduit.SPARE_MOST,
    "FIELD_NAMES": values.NAMES_MOST,
    "FIELD_LINES": octets.LINES_MOST,
    "CHUNK_LINE": body.CHUNK_LINE,
    "TRAILERS": body.TRAILERS_MOST,
}


@pytest.mark.parametrize(("name", "used"), PAIRS.items(), ids=PAIRS)
def test_the_list_says_what_the_hot_path_uses(name: str, used: int) -> None:
    assert getattr(limits, name) == used


def test_a_pipe_holds_what_is_moved_at_once() -> None:
    assert limits.SPLICE_MOST == conduit.PIPE
