"""Rounds are compared with the reference of the same round; goals are held against the median, to two decimals."""

from dataclasses import astuple

import pytest

from benchmarks.ratios import Rounds, Spread, compare, verdicts
from benchmarks.row import BETTER, ITSELF, Goal, Row

SHARE = Row("small", "", "requests per CPU-second")
DISTANCE = Row("latency", "", "us", against="nginx", difference=True)
ROUNDS = {
    "nginx": [100.0, 200.0, 80.0],
    "haproxy": [80.0, 250.0, 100.0],
    "ecluse": [110.0, 200.0, 120.0],
    "forwarder": [200.0] * 3,
}


@pytest.mark.parametrize(
    ("row", "rounds", "peer", "against", "compared"),
    [
        pytest.param(SHARE, ROUNDS, "ecluse", BETTER, Spread(1.1, 0.8, 1.2), id="each round has its own better reference"),
        pytest.param(
            SHARE, ROUNDS, "nginx", BETTER, Spread(0.8, 0.8, 1.0), id="a reference is below 1 where it was not the better"
        ),
        pytest.param(SHARE, ROUNDS, "ecluse", "forwarder", Spread(0.6, 0.55, 1.0), id="one peer may be the reference"),
        pytest.param(
            SHARE, ROUNDS, "ecluse", ITSELF, Spread(120.0, 110.0, 200.0), id="without a reference the figure stands alone"
        ),
        pytest.param(SHARE, {"ecluse": [1.0]}, "ecluse", BETTER, None, id="nothing is said without both references"),
        pytest.param(
            SHARE, {"haproxy": [2.0], "ecluse": [1.0]}, "ecluse", BETTER, Spread(0.5, 0.5, 0.5), id="one reference is enough"
        ),
        pytest.param(SHARE, ROUNDS, "interpreted", BETTER, None, id="nothing is said of a peer that was left out"),
        pytest.param(SHARE, {"nginx": [0.0], "ecluse": [1.0]}, "ecluse", "nginx", None, id="no share of nothing"),
        pytest.param(
            DISTANCE,
            {"nginx": [0.0, 5.0], "ecluse": [3.0, 4.0]},
            "ecluse",
            "nginx",
            Spread(1.0, -1.0, 3.0),
            id="a distance from nothing",
        ),
    ],
)
def test_a_comparison(row: Row, rounds: Rounds, peer: str, against: str, compared: Spread | None) -> None:
    found = compare(row, rounds, peer, against)
    assert (astuple(found) if found else None) == (pytest.approx(astuple(compared)) if compared else None)


@pytest.mark.parametrize(
    ("goal", "compared", "met"),
    [
        pytest.param(Goal("ecluse", 1.0), 1.0, True, id="just reached"),
        pytest.param(Goal("ecluse", 1.0), 0.996, True, id="reached as it is printed"),
        pytest.param(Goal("ecluse", 1.0), 0.994, False, id="missed"),
        pytest.param(Goal("ecluse", 4.0, at_most=True), 4.004, True, id="just kept"),
        pytest.param(Goal("ecluse", 4.0, at_most=True), 4.01, False, id="passed over"),
    ],
)
def test_a_goal(goal: Goal, compared: float, met: bool) -> None:
    assert goal.met_by(compared) is met


def test_a_goal_whose_peer_was_left_out_is_neither_met_nor_missed() -> None:
    row = Row("small", "", "", (Goal("ecluse", 1.0), Goal("interpreted", 0.5)))
    assert [verdict.met for verdict in verdicts(row, ROUNDS)] == [True, None]
