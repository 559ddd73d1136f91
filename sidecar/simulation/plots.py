"""What was played as SVG pictures for a page: the load, the replicas of each set of rules, and what was paid for what. Pure.

Colours and type are the page's (`page.STYLE`), so that a picture follows it into the dark and onto paper.
"""

from collections.abc import Iterator, Sequence
from html import escape

from sidecar.render import count
from sidecar.simulation.axes import Axis, numbers, rounded_up, times
from sidecar.simulation.report import Played, Report
from sidecar.simulation.tally import Column

WIDTH, LEFT, RIGHT = 960, 56, 12
TOP, BOTTOM = 8, 22
MARKS = 10  # the height of the strip in which minutes stand that missed the objective
SCATTER = 300
TIME_TICKS, VALUE_TICKS = 10, 5
Point = tuple[float, float]


def load_plot(report: Report) -> str:
    """Requests per second."""
    columns = report.played[0].tally.columns
    up = _up(max(column.rate for column in columns), 150)
    across = _across(report)
    points = [(_middle(across, number, len(columns)), up.at(column.rate)) for number, column in enumerate(columns)]
    area = [(points[0][0], up.begin), *points, (points[-1][0], up.begin)]
    body = [*_grid(up), *_time_axis(report, across, up.begin), _shape("polygon", "load", area)]
    return _svg(up.begin + BOTTOM, "requests per second over time", body)


def replicas_plot(report: Report, each: Played) -> str:
    """The replicas of one set of rules: their mean in each part of the time, and from the fewest to the most; all plots to one scale."""
    columns = each.tally.columns
    up = _up(float(max(played.tally.peak for played in report.played)), 130)
    across = _across(report)
    at = [_middle(across, number, len(columns)) for number in range(len(columns))]
    highs = [(x, up.at(column.high)) for x, column in zip(at, columns, strict=True)]
    lows = [(x, up.at(min(column.low, column.high))) for x, column in zip(at, columns, strict=True)]
    means = [(x, up.at(column.replicas)) for x, column in zip(at, columns, strict=True)]
    foot = up.begin + MARKS + 4
    body = [*_grid(up), *_time_axis(report, across, foot), _shape("polygon", "band", [*highs, *reversed(lows)])]
    body += [_shape("polyline", "mean", means), *_missed(columns, across, up.begin + 3)]
    return _svg(foot + BOTTOM, f"replicas over time with {each.name}", body)


def price_plot(report: Report) -> str:
    """Minutes that missed the objective over replica-hours: the nearer to the corner, the better."""
    tallies = [each.tally for each in report.played]
    across = Axis(0.0, _top(max(tally.replica_hours for tally in tallies)), LEFT, WIDTH / 2)
    up = _up(float(max(1, *(tally.violated for tally in tallies))), SCATTER - BOTTOM)
    body = list(_grid(up, WIDTH / 2))
    body += [_text(across.at(hours), up.begin + 16, count(hours), "middle") for hours in numbers(across.high, VALUE_TICKS)]
    for each in report.played:
        x, y = across.at(each.tally.replica_hours), up.at(each.tally.violated)
        body.append(f'<circle class="dot" cx="{x:.1f}" cy="{y:.1f}" r="5"/>')
        body.append(_text(x + 9, y + 4, each.name))
    body.append(_text(across.end + 9, up.begin + 16, "replica-hours"))
    return _svg(SCATTER, "minutes that missed the objective over replica-hours", body)


def _missed(columns: Sequence[Column], across: Axis, top: float) -> Iterator[str]:
    width = (across.end - across.begin) / len(columns)
    for number, column in enumerate(columns):
        if column.violated:
            x = across.begin + width * number
            yield f'<rect class="missed" x="{x:.1f}" y="{top:.1f}" width="{max(1.0, width):.1f}" height="{MARKS}"/>'


def _across(report: Report) -> Axis:
    trace = report.scenario.trace
    return Axis(trace.start_s, trace.start_s + trace.length_s, LEFT, WIDTH - RIGHT)


def _up(most: float, height: float) -> Axis:
    return Axis(0.0, _top(most), TOP + height, TOP)


def _top(most: float) -> float:
    """The highest number of an axis: a whole number of steps."""
    step = rounded_up(max(most, 1e-9) / (VALUE_TICKS - 1))
    return step * -(-max(most, 1e-9) // step)


def _middle(across: Axis, number: int, columns: int) -> float:
    return across.begin + (number + 0.5) / columns * (across.end - across.begin)


def _grid(up: Axis, right: float = WIDTH - RIGHT) -> Iterator[str]:
    for value in numbers(up.high, VALUE_TICKS):
        y = up.at(value)
        yield f'<line class="grid" x1="{LEFT}" y1="{y:.1f}" x2="{right:.1f}" y2="{y:.1f}"/>'
        yield _text(LEFT - 8, y + 4, count(value), "end")


def _time_axis(report: Report, across: Axis, top: float) -> Iterator[str]:
    trace = report.scenario.trace
    for at_s, name in times(trace.start_s, trace.length_s, TIME_TICKS):
        x = across.at(at_s)
        yield f'<line class="grid" x1="{x:.1f}" y1="{top:.1f}" x2="{x:.1f}" y2="{top + 4:.1f}"/>'
        yield _text(x, top + 16, name, "middle")


def _shape(kind: str, name: str, points: Sequence[Point]) -> str:
    return f'<{kind} class="{name}" points="{" ".join(f"{x:.1f},{y:.1f}" for x, y in points)}"/>'


def _text(x: float, y: float, text: str, anchor: str = "start") -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}">{escape(text)}</text>'


def _svg(height: float, title: str, body: Sequence[str]) -> str:
    head = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height:.0f}" role="img" aria-label="{escape(title)}">'
    return f"{head}{''.join(body)}</svg>"
