"""Numbers in sentences are for people: at most two decimals, however small or large a load is."""

from dataclasses import replace

import pytest

from autoscaler.decision import number
from autoscaler.rules import ScaleToZero
from tests.autoscaler.world import World, concurrency

SLEEPY = concurrency(min_replicas=0, scale_to_zero=ScaleToZero(120.0))


@pytest.mark.parametrize(
    ("value", "words"),
    [
        pytest.param(3.88e-05, "0", id="what is nothing to people is 0"),
        pytest.param(0.0049, "0", id="below half of a hundredth is 0"),
        pytest.param(0.006, "0.01", id="a hundredth is something"),
        pytest.param(10.5, "10.5", id="no zeros at the end"),
        pytest.param(100.0, "100", id="nor a point without decimals, and the zeros before it stay"),
        pytest.param(0.0, "0", id="zero is 0"),
        pytest.param(123456.789, "123456.79", id="large numbers have no exponent"),
    ],
)
def test_numbers_in_sentences(value: float, words: str) -> None:
    assert number(value) == words


def test_a_tiny_load_reads_as_none() -> None:
    sentence = World(concurrency(), 1).run(1e-5, 60).last.sentence
    assert "concurrency is 0 over 1 ready, 0 each against a target of 10 (ratio 0.00)" in sentence


def test_a_service_that_wakes_says_that_a_request_waits() -> None:
    world = World(SLEEPY, 1, start_s=5.0).run(0, 300).run(1, 1)
    assert world.last.sentence.startswith("shop goes from 0 to 1 replica: a request is waiting and no replica is ready")


def test_a_service_that_many_requests_wake_says_how_many_replicas_they_are_worth() -> None:
    world = World(replace(SLEEPY, burst=None), 1, start_s=60.0).run(0, 300).run(60, 15)
    assert any("no replica is ready and concurrency is already 1" in each.sentence for each in world.decisions)
