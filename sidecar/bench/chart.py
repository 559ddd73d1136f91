"""Latency over the rate of requests as characters, for a terminal. Pure.

Both axes are logarithmic: rates grow by a ratio from step to step, and latency explodes. Without Unicode other marks are used.
"""

import math
from collections.abc import Sequence

from sidecar.bench.scale import Scale, around
from sidecar.bench.step import Step
from sidecar.bench.words import fine, per_second

HEIGHT = 12
MARGIN = 9
MARKS = {True: {"p99": "△", "p95": "●", "p50": "○"}, False: {"p99": "^", "p95": "*", "p50": "o"}}
LINES = {True: ("│", "─", "└", "┊"), False: ("|", "-", "+", ":")}
Grid = list[list[str]]


def chart(steps: Sequence[Step], best: Step | None, width: int, unicode: bool = True) -> list[str]:
    """Lines of at most `width` columns. best: the step to point out. Nothing is drawn of steps without answers."""
    shown = [step for step in steps if math.isfinite(step.latency_s("p99"))]
    if not shown:
        return []
    columns = max(10, width - MARGIN - 4)
    across = around([step.rate for step in shown], columns - 1)
    up = around([step.latency_s(quantile) for step in shown for quantile in MARKS[unicode]], HEIGHT - 1)
    grid = [[" "] * columns for _ in range(HEIGHT)]
    if best:
        _point_out(grid, round(across.at(best.rate)), LINES[unicode][3])
    for quantile, mark in MARKS[unicode].items():
        for step in shown:
            grid[HEIGHT - 1 - round(up.at(step.latency_s(quantile)))][round(across.at(step.rate))] = mark
    return [*_legend(best, unicode), *_rows(grid, up, LINES[unicode][0]), *_axis(across, columns, LINES[unicode])]


def _point_out(grid: Grid, column: int, line: str) -> None:
    for row in grid:
        row[column] = line


def _legend(best: Step | None, unicode: bool) -> list[str]:
    marks = [f"{mark} {quantile}" for quantile, mark in reversed(MARKS[unicode].items())]
    marks += [f"{LINES[unicode][3]} {per_second(best.rate)}"] if best else []
    return [f"latency  {'   '.join(marks)}"]


def _rows(grid: Grid, up: Scale, line: str) -> list[str]:
    names = {HEIGHT - 1 - round(up.at(value)): fine(value) for value in up.ticks()}
    return [f"{names.get(number, ''):>{MARGIN - 1}} {line}{''.join(row).rstrip()}" for number, row in enumerate(grid)]


def _axis(across: Scale, columns: int, lines: tuple[str, ...]) -> list[str]:
    """The line below, and as many round numbers under it as there is room for."""
    text = [" "] * (columns + 4)
    free = 0
    for value in across.ticks():
        name, at = f"{value:g}", round(across.at(value))
        if at >= free and at + len(name) <= len(text):
            text[at : at + len(name)] = name
            free = at + len(name) + 1
    ruler = " " * MARGIN + lines[2] + lines[1] * columns
    return [ruler, (" " * (MARGIN + 1) + "".join(text)).rstrip(), " " * (MARGIN + 1) + "requests per second"]
