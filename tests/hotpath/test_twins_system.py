"""Both sides of `system` behave alike on real sockets: the interpreted one (.py) and the compiled one (.pxd)."""

import socket
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from balancer.hotpath import system
from tests.hotpath.scenes import SCENES, outcome, unix_pair
from tests.hotpath.strategies import THOROUGH
from tests.hotpath.twins import Side, compiled_functions, interpreted_functions


@pytest.fixture(params=["interpreted", "compiled"])
def side(request: pytest.FixtureRequest) -> Side:
    return system if request.param == "interpreted" else request.getfixturevalue("compiled")["system"]


@pytest.mark.parametrize("scene", SCENES, ids=lambda scene: scene.__name__)
def test_on_this_side(side: Side, scene: Callable[[Side], list[Any]]) -> None:
    assert scene(side) == SCENES[scene]


def test_every_function_and_constant_has_two_sides(compiled: dict[str, Side]) -> None:
    assert interpreted_functions(system) == set(compiled_functions("system"))
    assert (compiled["system"].BLOCKED, compiled["system"].BROKEN) == (system.BLOCKED, system.BROKEN)


STEPS = st.one_of(
    st.tuples(st.just("receive"), st.sampled_from([1, 10, 65536])),
    st.tuples(st.just("transmit"), st.sampled_from([b"", b"a\0b", bytes(65536)]), st.sampled_from([0, 1, 65535])),
    st.just(("shut",)),
    st.tuples(st.just("peer sends"), st.sampled_from([b"\0", b"abc\xff", bytes(70_000)])),
    st.tuples(st.just("peer reads"), st.sampled_from([1, 1_000_000])),
    st.sampled_from([("peer shuts",), ("peer leaves",)]),
)


def told(side: Side, steps: list[tuple[Any, ...]]) -> list[Any]:
    """What one side returns at each step of a connection's life."""
    with unix_pair() as (near, far):
        peer: dict[str, Callable[..., Any]] = {
            "peer sends": far.send,
            "peer reads": far.recv,
            "peer shuts": lambda: far.shutdown(socket.SHUT_WR),
            "peer leaves": far.close,
        }
        seen = []
        for name, *arguments in steps:
            if name in peer:
                seen.append(outcome(peer[name], *arguments))
            elif name == "transmit":
                seen.append(side.transmit(near.fileno(), arguments[0], min(arguments[1], len(arguments[0]))))
            else:
                seen.append(outcome(getattr(side, name), near.fileno(), *arguments))
        return [*seen, side.silent(near.fileno())]  # last: it may take an error away that the next call would have told


@THOROUGH
@given(steps=st.lists(STEPS, max_size=12))
def test_both_sides_tell_the_same_of_a_connection(compiled: dict[str, Side], steps: list[tuple[Any, ...]]) -> None:
    assert told(compiled["system"], steps) == told(system, steps)
