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


def test_an_owner_from_an_earlier_life_gets_its_slot_again_and_others_get_what_is_between() -> None:
    slots = Slots("replicas", 5, lambda slot: False)
    slots.keep({"web/a": 3, "web/b": 1})
    assert [slots.take(owner) for owner in ("web/new", "web/a", "web/other", "web/third")] == [0, 3, 2, 4]


def test_a_slot_kept_for_an_owner_that_does_not_come_is_given_out_last_and_only_when_nothing_counts_in_it() -> None:
    busy = {0}
    slots = Slots("replicas", 2, lambda slot: slot in busy)
    slots.keep({"web/a": 0})
    assert slots.take("web/b") == 1
    with pytest.raises(SlotsFull):
        slots.take("web/c")
    busy.clear()
    assert slots.take("web/c") == 0
