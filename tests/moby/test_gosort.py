"""Go's sort, equal elements included. The sums were printed by Go 1.19.8, and by the same with the shifts of 1.24."""

from zlib import crc32

import pytest

from autoscaler.cluster.swarm.gosort import go_sorted

# Elements, machines, sum with Go 1.19, sum with Go 1.24.
SUMS = [
    (12, 3, 0xBE6A35E0, 0xBE6A35E0),
    (13, 3, 0x6D732194, 0x6D732194),
    (13, 8, 0x829572D5, 0x829572D5),
    (16, 3, 0x11FF756D, 0x11FF756D),
    (20, 3, 0x4F4462EF, 0x4F4462EF),
    (24, 5, 0x9BB9EDBB, 0x9BB9EDBB),
    (31, 8, 0xF5912794, 0xF5912794),
    (40, 5, 0xD4E0B3BE, 0xD4E0B3BE),
    (50, 3, 0x1190FD27, 0x1190FD27),
    (64, 8, 0x22E54AF2, 0x22E54AF2),
    (100, 5, 0xE56D8868, 0xE56D8868),
    (100, 8, 0xAB2C7463, 0x80EB50A5),
    (200, 3, 0x5398228E, 0x5398228E),
    (200, 8, 0x8AEBD6EE, 0x8AEBD6EE),
]


def numbered(elements: int, machines: int) -> list[int]:
    """Each element's number among those of its machine; machines by a generator that was used in Go as well."""
    number, counts, keys = elements * 8 + machines, [0] * machines, []
    for _ in range(elements):
        number = (number * 1103515245 + 12345) % (1 << 31)
        machine = (number >> 16) % machines
        counts[machine] += 1
        keys.append(counts[machine])
    return keys


@pytest.mark.parametrize(("elements", "machines", "before", "since"), SUMS)
def test_equal_elements_are_left_as_go_leaves_them(elements: int, machines: int, before: int, since: int) -> None:
    keys = numbered(elements, machines)
    assert crc32(bytes(go_sorted(keys))) == before
    assert crc32(bytes(go_sorted(keys, since_1_24=True))) == since


@pytest.mark.parametrize("machines", [1, 3, 8])
@pytest.mark.parametrize("elements", [0, 1, 2, 12, 13, 60, 150])
def test_it_is_sorted_and_nothing_is_lost(elements: int, machines: int) -> None:
    keys = numbered(elements, machines)
    order = go_sorted(keys)
    assert sorted(order) == list(range(elements))
    assert [keys[place] for place in order] == sorted(keys)


def test_a_list_in_reverse_is_turned_round() -> None:
    assert go_sorted(list(range(100, 0, -1))) == list(range(99, -1, -1))


def test_a_long_list_with_few_faults_is_mended() -> None:
    keys = list(range(60))
    keys[30], keys[31] = keys[31], keys[30]
    assert go_sorted(keys) == [*range(30), 31, 30, *range(32, 60)]
