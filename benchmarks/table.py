"""The result as a table: for a terminal, and as Markdown to be pasted into a page."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from benchmarks.ratios import Spread, Verdict, compare, spread, verdicts
from benchmarks.rounds import Result
from benchmarks.row import BETTER, ITSELF, Goal

TITLES = ("work", "peer", "against", "median", "lowest", "highest", "figure", "goal", "met")
_MET = {True: "yes", False: "no", None: "not measured"}


@dataclass(frozen=True, slots=True)
class Line:
    """One line: a peer's comparison in one row, and a goal if there is one."""

    cells: tuple[str, ...]
    errors: str = ""


def lines(results: Sequence[Result]) -> Iterator[Line]:
    """One for each peer of each row; goals against something else than the row's own reference get lines of their own."""
    for result in results:
        row, judged = result.row, verdicts(result.row, result.rounds)
        for peer in result.rounds:
            own = next((verdict for verdict in judged if verdict.goal.peer == peer and verdict.goal.against == row.against), None)
            yield _line(result, peer, row.against, compare(row, result.rounds, peer, row.against), own)
        for verdict in judged:
            if verdict.goal.against != row.against and verdict.goal.peer in result.rounds:
                yield _line(result, verdict.goal.peer, verdict.goal.against, verdict.compared, verdict)


def _line(result: Result, peer: str, against: str, compared: Spread | None, verdict: Verdict | None) -> Line:
    shares = [f"{value:.2f}" for value in (compared.median, compared.low, compared.high)] if compared else ["-"] * 3
    figure = f"{number(spread(result.rounds[peer]).median)} {result.row.unit}"
    judged = (goal_text(verdict.goal), _MET[verdict.met]) if verdict else ("", "")
    return Line((result.row.name, peer, against, *shares, figure, *judged), wrong(result, peer))


def text(results: Sequence[Result]) -> str:
    """Columns for a terminal; what went wrong stands at the end of its line."""
    found = list(lines(results))
    widths = [max(map(len, column)) for column in zip(TITLES, *(line.cells for line in found), strict=True)]
    rows = [(TITLES, ""), *((line.cells, line.errors) for line in found)]
    padded = [("  ".join(cell.ljust(width) for cell, width in zip(cells, widths, strict=True)), errors) for cells, errors in rows]
    return "\n".join(f"{line}  {errors}".rstrip() for line, errors in padded)


def markdown(results: Sequence[Result], caption: str) -> str:
    """One line for each row, one column for each peer: medians of the comparison; and the goals with how they were met."""
    peers = list(dict.fromkeys(peer for result in results for peer in result.rounds))
    out = [caption, "", f"| work | {' | '.join(peers)} | goal | met |", f"|---|{'---|' * (len(peers) + 2)}"]
    for result in results:
        cells = [_cell(result, peer) for peer in peers]
        judged = [verdict for verdict in verdicts(result.row, result.rounds) if verdict.goal.peer in result.rounds]
        goals = "; ".join(f"{verdict.goal.peer} {goal_text(verdict.goal)}" for verdict in judged)
        met = "; ".join(_said(verdict) for verdict in judged)
        out.append(f"| {result.row.meaning}{_unit(result)} | {' | '.join(cells)} | {goals} | {met} |")
    return "\n".join([*out, ""])


def _cell(result: Result, peer: str) -> str:
    compared = compare(result.row, result.rounds, peer, result.row.against)
    if not compared:
        return "-"
    if result.row.difference:
        middle = number(spread(result.rounds[peer]).median)
        return f"{middle}, so {compared.median:+.0f} ({compared.low:+.0f} to {compared.high:+.0f})"
    return f"{compared.median:.2f} ({compared.low:.2f}-{compared.high:.2f})"


def _said(verdict: Verdict) -> str:
    value = f" ({verdict.compared.median:.2f})" if verdict.compared else ""
    return f"{_MET[verdict.met]}{value}"


def _unit(result: Result) -> str:
    return f" ({result.row.unit})" if result.row.against == ITSELF or result.row.difference else ""


def goal_text(goal: Goal) -> str:
    """A goal as the issue says it."""
    bound = f"at {'most' if goal.at_most else 'least'} {goal.bound:.2f}"
    if not goal.bound:
        return f"at most {goal.against}'s"
    return (
        bound if goal.against == ITSELF else f"{bound} of {goal.against}" if goal.against != BETTER else f"{bound} of the better"
    )


def wrong(result: Result, peer: str) -> str:
    """What went wrong, each thing once; "" for nothing."""
    return "; ".join(dict.fromkeys(result.errors.get(peer, ())))


def number(value: float) -> str:
    """With as many digits as mean something."""
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.2f}"
