"""The two sides of `octets` behave alike: the interpreted one (.py) and the compiled one (.pxd), which other modules inline.

Compared is what callers may pass: 0 <= start <= end, and start not beyond the data. What either makes of anything else is its own affair.
"""

import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from balancer.hotpath import fields, head, octets
from tests.hotpath.strategies import BAD_FIELDS, GOOD_FIELDS, HOSTS, THOROUGH
from tests.hotpath.twins import Side, compiled_functions, interpreted_functions

NOTED = {"requests": fields._NOTED_IN_REQUESTS, "answers": fields._NOTED_IN_ANSWERS, "all": fields._ALL}
BYTES = st.one_of(
    st.binary(max_size=40), st.text(alphabet="aA:/ \t\r\n\0\x7f\xff", max_size=60).map(lambda text: text.encode("latin-1"))
)
LINES = st.one_of(GOOD_FIELDS, HOSTS, GOOD_FIELDS, HOSTS, BAD_FIELDS, st.from_regex(rb"\A[A-Za-z!_8]{1,70}:[ -~]{0,4}\Z"))
ENDS = st.sampled_from([b"\r\n"] * 30 + [b"\n", b"\r", b"\r\r\n", b"\n\r", b""])
TABLES = st.sampled_from([bytes(octet in head.TCHAR for octet in range(256)), bytes(256), bytes([1]) * 256])
OCTETS = st.one_of(st.integers(0, 255), st.sampled_from(b"\r\n :aA\0\xff"))


@st.composite
def blocks(draw: st.DrawFn) -> bytes:
    """Header blocks: some valid, most nearly so."""
    return b"".join(line + draw(ENDS) for line in draw(st.lists(LINES, max_size=6)))


@st.composite
def parts(draw: st.DrawFn, data: st.SearchStrategy[bytes] = BYTES, beyond: int = 0) -> tuple[bytes, int, int]:
    """(data, start, end) with 0 <= start <= end. beyond: by how much the end may pass that of the data."""
    text = draw(data)
    end = draw(st.integers(0, len(text) + beyond))
    return text, draw(st.integers(0, min(end, len(text)))), end


@st.composite
def whole_lines(draw: st.DrawFn) -> tuple[bytes, int, int]:
    """A block and a part of it that begins and ends where lines do."""
    block = draw(blocks())
    cuts = [0, *(found.end() for found in re.finditer(b"\n", block)), len(block)]
    start, end = sorted((draw(st.sampled_from(cuts)), draw(st.sampled_from(cuts))))
    return block, start, end


@st.composite
def altered(draw: st.DrawFn) -> tuple[bytes, bytes]:
    """Two header blocks of which the second one has lines that the first one has not, or the other way round, or anything."""
    lines = draw(st.lists(st.tuples(LINES, ENDS).map(b"".join), max_size=6))
    others = list(lines)
    for _ in range(draw(st.integers(0, 2))):
        at = draw(st.integers(0, len(others)))
        others[at : at + draw(st.integers(0, 2))] = draw(st.lists(st.tuples(LINES, ENDS).map(b"".join), max_size=2))
    return b"".join(lines), b"".join(others)


def starts(data: st.SearchStrategy[bytes]) -> st.SearchStrategy[tuple[bytes, int]]:
    return data.flatmap(lambda text: st.tuples(st.just(text), st.integers(0, len(text))))


HEADS = st.tuples(BYTES, st.sampled_from([b"\r\n\r\n", b"\r\n", b"\r\n\r", b"\r\r\n\r\n", b"\0\r\n\r\n\0", b""]), BYTES).map(
    b"".join
)
SAME = st.one_of(
    st.tuples(parts(beyond=3), BYTES).map(lambda drawn: (*drawn[0], drawn[1])),
    parts(beyond=3).map(lambda part: (*part, part[0][part[1] : part[2]])),
    parts(beyond=3).map(lambda part: (*part, part[0][part[1] : part[2]].swapcase())),
)
ARGUMENTS: dict[str, st.SearchStrategy[tuple[Any, ...]]] = {
    "find": st.tuples(parts(beyond=3), OCTETS).map(lambda drawn: (drawn[0][0], drawn[1], drawn[0][1], drawn[0][2])),
    "count": st.tuples(BYTES, OCTETS),
    "find_head_end": starts(HEADS),
    "cut": parts(beyond=3),
    "lower": parts(),
    "trimmed": parts(),
    "same": SAME,
    "only": st.tuples(parts(), TABLES).map(lambda drawn: (*drawn[0], drawn[1])),
    "join": st.tuples(starts(BYTES), BYTES, BYTES).map(lambda drawn: (*drawn[0], drawn[1], drawn[2])),
    "append": st.tuples(BYTES, starts(BYTES)).map(lambda drawn: (drawn[0], *drawn[1])),
    "without": parts(),
    "changed_lines": st.one_of(altered(), st.tuples(BYTES, BYTES)),
    "noted_lines": st.tuples(st.one_of(whole_lines(), parts(blocks())), st.sampled_from(list(NOTED.values()))).map(
        lambda drawn: (*drawn[0], drawn[1])
    ),
}


def test_every_function_has_two_sides_and_is_compared_here() -> None:
    assert set(ARGUMENTS) == interpreted_functions(octets) == set(compiled_functions("octets"))


@pytest.mark.parametrize("name", ARGUMENTS)
def test_both_sides_of_octets_return_the_same(compiled: dict[str, Side], name: str) -> None:
    @THOROUGH
    @given(ARGUMENTS[name])
    def compare(arguments: tuple[Any, ...]) -> None:
        assert getattr(compiled["octets"], name)(*arguments) == getattr(octets, name)(*arguments)

    compare()


@pytest.mark.parametrize("noted", NOTED)
def test_both_sides_note_a_line_of_each_shape_alike(compiled: dict[str, Side], noted: str) -> None:
    tokens = [bytes([octet]) for octet in head.TCHAR]
    names = [initial + b"a" * further for initial in tokens for further in (*range(40), 62, 63, 64, 65, 127, 200)]
    for name in [*names, *(name.upper() for name in names)]:
        line = name + b": 1\r\n"
        arguments = (line, 0, len(line), NOTED[noted])
        assert compiled["octets"].noted_lines(*arguments) == octets.noted_lines(*arguments), name


def test_both_sides_take_the_same_octets_for_a_name_and_for_a_value(compiled: dict[str, Side]) -> None:
    for octet in range(256):
        for line in (
            b"a%cb: 1\r\n" % octet,
            b"a: b%cc\r\n" % octet,
            b"%c: 1\r\n" % octet,
            b"a: %c\r\n" % octet,
            b"a:1\r%c" % octet,
        ):
            arguments = (line, 0, len(line), fields._ALL)
            assert compiled["octets"].noted_lines(*arguments) == octets.noted_lines(*arguments), line


@THOROUGH
@given(altered())
def test_the_changed_lines_are_all_that_differs(pair: tuple[bytes, bytes]) -> None:
    old, new = pair
    start, old_end, new_end = octets.changed_lines(old, new)
    assert new[:start] + new[start:new_end] + old[old_end:] == new
    assert old[:start] == new[:start]
    assert all(end in (0, len(text)) or text[end - 1] == 0x0A for text, end in ((old, start), (old, old_end), (new, new_end)))
