"""What a demo comes to: it is a success only if nothing failed and replicas came and went."""

import io

import pytest

from sidecar.demo.load import Outcome, Step
from sidecar.demo.screen import Screen
from sidecar.demo.story import Moment, Story, chart, summary

STEPS = (Step(20, 10), Step(200, 10), Step(20, 10))


def at(at_s: float, ready: int, starting: int = 0, rate: float = 20) -> Moment:
    return Moment(at_s, rate, rate, 0.1, 0.12, 0, {"ready": ready, "starting": starting}, f"shop stays at {ready}")


def story(*moments: Moment, outcomes: tuple[Outcome, ...] = (Outcome(1.0, 0.1, "a", ""), Outcome(13.5, 0.1, "b", ""))) -> Story:
    return Story(STEPS, list(moments), outcomes, began=0.0, decided_s=11.2)


UP_AND_DOWN = (at(0, 1), at(12, 1, 3, rate=200), at(15, 4, rate=200), at(29, 1))


def test_a_demo_that_went_well_has_no_complaints() -> None:
    assert story(*UP_AND_DOWN).complaints() == []


@pytest.mark.parametrize(
    ("told", "complaint"),
    [
        pytest.param(story(*UP_AND_DOWN, outcomes=(Outcome(1, 0, "", "BadAnswer: 503"),)), "1 requests failed", id="a failure"),
        pytest.param(story(at(0, 1), at(20, 1)), "nothing was scaled up", id="nothing came"),
        pytest.param(story(at(0, 1), at(20, 4)), "nothing was scaled down again", id="nothing went"),
        pytest.param(story(*UP_AND_DOWN, outcomes=()), "no request was sent", id="no load"),
    ],
)
def test_what_the_demo_did_not_show_is_a_complaint(told: Story, complaint: str) -> None:
    assert any(complaint in said for said in told.complaints())


def test_the_first_answer_of_a_new_replica_is_that_of_one_that_is_new() -> None:
    old = tuple(Outcome(at, 0.1, "a", "") for at in (1.0, 9.0, 12.0))
    assert (
        story(*UP_AND_DOWN, outcomes=(*old, Outcome(13.5, 0.1, "b", ""), Outcome(12.9, 0.1, "c", ""))).first_new_answer_s == 12.9
    )
    assert story(*UP_AND_DOWN, outcomes=old).first_new_answer_s is None


def test_the_chart_shows_replicas_over_time() -> None:
    assert chart(UP_AND_DOWN, 30, width=10)[:5] == [
        "   4 |    :#",
        "   3 |    :#",
        "   2 |    :#",
        "   1 |#   ##   #",
        "     +----------",
    ]


def test_the_summary_says_how_long_it_took() -> None:
    said = "\n".join(summary(story(*UP_AND_DOWN)))
    for words in (
        "failures             0",
        "1.2 s after the load rose",
        "3.5 s after the load rose",
        "at most 4 ready, 1 at the end",
    ):
        assert words in said
    assert all(len(line) <= 80 for line in said.splitlines())


class Terminal(io.StringIO):
    """Says that it is one."""

    def isatty(self) -> bool:
        return True


def test_a_terminal_is_drawn_over_and_anything_else_gets_a_line_now_and_then() -> None:
    terminal, file = Terminal(), io.StringIO()
    screens = [Screen(terminal), Screen(file)]
    told = story()
    for moment in (at(0, 1), at(0.5, 1), at(1, 1), at(2.5, 2)):
        told.moments.append(moment)
        for screen in screens:
            screen.draw(told)
    assert terminal.getvalue().count("F\x1b[J") == 3
    assert "\x1b" not in file.getvalue()
    assert [line.split()[1] for line in file.getvalue().splitlines()] == ["0", "2"]
    assert file.getvalue().splitlines()[1].endswith("shop stays at 2")
