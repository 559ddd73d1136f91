"""Slots of the scoreboard are handed out, rest, and come back."""

import pytest

from autoscaler.slots import Slots, SlotsFull


def test_slots_are_handed_out_once() -> None:
    slots = Slots("replicas", 3, lambda slot: False)
    assert [slots.take() for _ in range(3)] == [0, 1, 2]


def test_the_slot_that_rested_longest_comes_back_first() -> None:
    slots = Slots("replicas", 3, lambda slot: False)
    for _ in range(3):
        slots.take()
    for slot in (1, 0):
        slots.give_back(slot)
    assert [slots.take(), slots.take()] == [1, 0]


def test_a_busy_slot_is_passed_over() -> None:
    busy = {0}
    slots = Slots("replicas", 2, busy.__contains__)
    slots.give_back(slots.take())
    assert slots.take() == 1
    busy.clear()
    assert slots.take() == 0


def test_the_limit_is_named_when_it_is_reached() -> None:
    slots = Slots("replicas", 1, lambda slot: True)
    slots.give_back(slots.take())
    with pytest.raises(SlotsFull, match="all 1 replicas"):
        slots.take()
