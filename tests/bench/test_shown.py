"""What a bench shows: a chart that keeps within its width, a picture that is valid SVG, words that say what was found."""

from xml.etree import ElementTree as Xml

import pytest

from sidecar.bench import report as reports
from sidecar.bench.chart import chart
from sidecar.bench.knee import find
from sidecar.bench.objective import Objective
from sidecar.bench.picture import picture
from sidecar.bench.report import Report
from sidecar.bench.scale import Scale, around
from sidecar.bench.step import Bounds, Step
from sidecar.bench.words import fine, per_second
from sidecar.render import Paint
from tests.bench.steps import application, step

RATES = (10, 20, 40, 80, 160, 320)
STEPS = [application(rate, 4, 0.02) for rate in RATES]
ODD = [
    pytest.param([step(10, 0.01)], id="a single step"),
    pytest.param([step(10, 0.01), step(20, 0.01)], id="all the same"),
    pytest.param([step(10, None), step(20, 0.01)], id="one without answers"),
    pytest.param([step(10, None)], id="none with answers"),
    pytest.param([step(0.5, 0.00002), step(40_000, 900.0)], id="far apart"),
    pytest.param([step(10, 0.01, answered_rate=0.0)], id="all answers too late"),
]


def report(steps: list[Step], objective: Objective | None = None, ended: str = "") -> Report:
    bounds = Bounds()
    return Report("http://a/", "shop", tuple(steps), bounds, objective, find(steps, bounds, objective), ended)


def said(one: Report) -> str:
    return " ".join(" ".join(reports.finding_lines(one, 80)).split())


@pytest.mark.parametrize("unicode", [True, False])
@pytest.mark.parametrize("width", [40, 80, 100])
def test_the_chart_keeps_within_its_width(width: int, unicode: bool) -> None:
    lines = chart(STEPS, STEPS[3], width, unicode)
    assert max(map(len, lines)) <= width
    assert "".join(lines).isascii() is not unicode


def test_the_chart_shows_each_step_and_the_knee() -> None:
    lines = chart(STEPS[:5], STEPS[3], 80, unicode=False)
    rows = [line.partition("|")[2] for line in lines[1:-3]]
    assert {row.index("^") for row in rows if "^" in row}
    columns = sorted({at for row in rows for at, mark in enumerate(row) if mark in "o*^"})
    assert len(columns) == 5
    assert {row.index(":") for row in rows if ":" in row} == {columns[3]}
    assert "80/s" in lines[0]


@pytest.mark.parametrize("steps", ODD)
def test_odd_steps_are_drawn_too(steps: list[Step]) -> None:
    assert all(len(line) <= 80 for line in chart(steps, None, 80))
    Xml.fromstring(picture("odd", steps, None))


def test_the_picture_has_a_curve_for_each_quantile_and_the_answers() -> None:
    drawn = Xml.fromstring(picture("http://a/?b=1&c=<d>", STEPS, STEPS[3]))
    space = {"svg": "http://www.w3.org/2000/svg"}
    curves = drawn.findall("svg:polyline", space)
    assert [len(curve.attrib["points"].split()) for curve in curves] == [6, 6, 6, 6]
    words = [text.text for text in drawn.findall("svg:text", space)]
    assert {"http://a/?b=1&c=<d>", "p50", "p95", "p99", "answers", "80/s"} <= set(words)


def test_a_scale_holds_its_ends_and_names_round_numbers() -> None:
    scale = Scale(1.0, 100.0, 10.0)
    assert [scale.at(value) for value in (1, 10, 100)] == pytest.approx([0, 5, 10])
    assert scale.ticks() == [1, 2, 5, 10, 20, 50, 100]
    assert around([3.0, 3.0], 10).at(3.0) == pytest.approx(5)


def test_the_finding_says_the_knee_and_the_rule() -> None:
    words = said(report(STEPS))
    assert "The knee is at 160/s" in words
    assert "{type: concurrency, target: 5.4, target_utilization: 70%}" in words


@pytest.mark.parametrize(
    ("one", "words"),
    [
        pytest.param(report(STEPS, Objective("p95", 0.06, "60ms")), "p95 under 60ms holds up to 80/s", id="an objective"),
        pytest.param(report(STEPS, Objective("p95", 0.001, "1ms")), "No rate met the objective", id="one that no rate met"),
        pytest.param(report(STEPS[:3]), "no rule follows from that", id="that nothing showed a limit"),
        pytest.param(report([step(10, failed=90)]), "begin lower with --rate-from", id="that the first rate was too much"),
        pytest.param(report(STEPS, ended="it cost too much"), "It ended early: it cost too much.", id="what ended it"),
        pytest.param(report([*STEPS[:3], step(320, 5.0, replicas=2)]), "ready replicas changed meanwhile", id="other replicas"),
    ],
)
def test_the_finding_says(one: Report, words: str) -> None:
    assert words in said(one)


def test_with_replicas_the_rule_is_for_one() -> None:
    steps = [step(40, 0.05, replicas=2), step(80, 0.5, replicas=2)]
    words = said(report(steps))
    assert "2.0 requests in flight, 1.0 in each of 2 replicas" in words
    assert "concurrency, target: 1," in words


def test_the_table_marks_the_knee_and_says_what_spoke_against_more() -> None:
    lines = reports.step_table(report(STEPS[::-1]), Paint(on=False), None)
    assert [line.split()[0] for line in lines[1:]] == ["10/s", "20/s", "40/s", "80/s", "160/s", "320/s"]
    assert lines[5].endswith("knee")
    assert lines[6].endswith("answers came at 62% of the rate")


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0.000042, "0.04 ms"), (0.0042, "4.2 ms"), (0.0421, "42 ms"), (0.9996, "1.0 s"), (42.0, "42 s"), (None, "-")],
)
def test_latencies_have_two_digits(seconds: float | None, text: str) -> None:
    assert fine(seconds) == text


@pytest.mark.parametrize(("rate", "text"), [(0.5, "0.5/s"), (12.54, "12.5/s"), (1250.4, "1,250/s"), (3.0, "3/s")])
def test_rates_are_written_for_people(rate: float, text: str) -> None:
    assert per_second(rate) == text
