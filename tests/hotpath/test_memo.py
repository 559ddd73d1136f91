"""The memo of header blocks: right, bounded, and of use under a flood of others."""

from hypothesis import given
from hypothesis import strategies as st

from balancer.hotpath.memo import Memo
from tests.hotpath.strategies import THOROUGH

ENTRIES = 4
LARGEST = 8
BLOCKS = st.sampled_from([b"%d" % number for number in range(12)] + [b"too large a block"])


@THOROUGH
@given(st.lists(st.tuples(st.booleans(), BLOCKS), max_size=60))
def test_it_returns_what_was_put_or_nothing_and_stays_small(steps: list[tuple[bool, bytes]]) -> None:
    memo, model = Memo(ENTRIES, LARGEST), {}
    for puts, block in steps:
        if puts:
            model[block] = object()
            memo.put(block, model[block])
        else:
            found = memo.get(block)
            assert found is None or found is model[block]
        assert len(memo.young) <= ENTRIES
        assert len(memo.old) <= ENTRIES


def test_what_was_put_last_is_there() -> None:
    memo = Memo(ENTRIES, LARGEST)
    for number in range(100):
        block = b"%d" % number
        memo.put(block, number)
        assert memo.get(block) == number


def test_a_block_in_use_survives_a_flood_of_others() -> None:
    memo = Memo(ENTRIES, LARGEST)
    memo.put(b"used", "parsed")
    for number in range(100):
        memo.put(b"%d" % number, number)
        assert memo.get(b"used") == "parsed"


def test_a_large_block_is_not_kept() -> None:
    memo = Memo(ENTRIES, LARGEST)
    memo.put(b"x" * LARGEST, 1)
    memo.put(b"x" * (LARGEST + 1), 2)
    assert memo.get(b"x" * LARGEST) == 1
    assert memo.get(b"x" * (LARGEST + 1)) is None


def test_a_memo_of_nothing_keeps_nothing() -> None:
    memo = Memo(1, 0)
    memo.put(b"x", 1)
    assert memo.get(b"x") is None
