"""Outcomes in, verdicts out: each line is the life of one replica."""

import pytest

from probes.spec import ProbeSpec
from probes.verdict import Health, Outcome, judge

SPEC = ProbeSpec(rise=2, fall=3)
PASS, FAIL = Outcome(True, "answered 200"), Outcome(False, "connection refused")


def verdicts(outcomes: str, spec: ProbeSpec = SPEC) -> str:
    """'+' is a pass, '-' a failure; the answer has R for ready, U for unready, '?' for no verdict yet."""
    health, seen = Health(), ""
    for outcome in outcomes:
        health = judge(health, PASS if outcome == "+" else FAIL, spec)
        seen += "?" if health.ready is None else "R" if health.ready else "U"
    return seen


@pytest.mark.parametrize(
    ("outcomes", "expected"),
    [
        pytest.param("+", "R", id="the first pass makes a new replica ready"),
        pytest.param("-----+", "?????R", id="failures while it starts are no verdict"),
        pytest.param("+--+--+", "RRRRRRR", id="a pass between failures starts their count again"),
        pytest.param("+---", "RRRU", id="fall failures in a row make it unready"),
        pytest.param("+---+", "RRRUU", id="one pass is not enough to come back"),
        pytest.param("+---+-++", "RRRUUUUR", id="rise passes in a row bring it back"),
    ],
)
def test_a_verdict_follows_from_outcomes_in_a_row(outcomes: str, expected: str) -> None:
    assert verdicts(outcomes) == expected


def test_rise_and_fall_of_one_follow_every_outcome() -> None:
    assert verdicts("+-+-", ProbeSpec(rise=1, fall=1)) == "RURU"


def test_an_unready_verdict_says_how_often_and_why() -> None:
    health = Health()
    for outcome in (PASS, FAIL, FAIL, FAIL):
        health = judge(health, outcome, SPEC)
    assert health.reason == "3 probes in a row failed, the last one: connection refused"
