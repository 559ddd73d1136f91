"""Load and replicas over time as characters, for a terminal: one strip for the load, one for each set of rules. Pure.

All strips of replicas have the same height for the same number. Below a strip of replicas stands a mark where minutes missed the objective.
"""

from collections.abc import Sequence
from itertools import pairwise

from sidecar.render import count
from sidecar.simulation.report import Report
from sidecar.simulation.tally import Column
from sidecar.simulation.trace import moment

ROWS = 4
MARGIN = 9
BLOCKS = {True: " ▁▂▃▄▅▆▇█", False: " .:#"}
MISSED = {True: "▲", False: "^"}


def chart(report: Report, width: int, unicode: bool = True) -> list[str]:
    """Lines of at most `width` columns."""
    columns = max(10, width - MARGIN - 2)
    blocks = BLOCKS[unicode]
    first = [_merged(part) for part in _parts(report.played[0].tally.columns, columns)]
    lines = ["requests per second", *_strip([column.rate for column in first], blocks)]
    most = max(column.replicas for each in report.played for column in each.tally.columns)
    for each in report.played:
        merged = [_merged(part) for part in _parts(each.tally.columns, columns)]
        lines.append(f"replicas: {each.name}")
        lines += _strip([column.replicas for column in merged], blocks, most)
        marks = "".join(MISSED[unicode] if column.violated else " " for column in merged).rstrip()
        lines.append(f"{'missed':>{MARGIN - 1}} {marks}".rstrip())
    return [*lines, *_axis(report, len(first))]


def _parts(columns: Sequence[Column], most: int) -> list[Sequence[Column]]:
    parts = min(most, len(columns))
    edges = [len(columns) * number // parts for number in range(parts + 1)]
    return [columns[low:high] for low, high in pairwise(edges)]


def _merged(columns: Sequence[Column]) -> Column:
    return Column(
        arrived=sum(column.arrived for column in columns),
        replica_s=sum(column.replica_s for column in columns),
        seconds=sum(column.seconds for column in columns),
        low=min(column.low for column in columns),
        high=max(column.high for column in columns),
        violated=sum(column.violated for column in columns),
        slowest=max(column.slowest for column in columns),
    )


def _strip(values: Sequence[float], blocks: str, most: float = 0.0) -> list[str]:
    """Bars of ROWS rows, the highest value beside the top one."""
    most = max(most, *values, 1e-9)
    levels = len(blocks) - 1
    heights = [round(value / most * ROWS * levels) for value in values]
    heights = [max(height, int(value > 0)) for height, value in zip(heights, values, strict=True)]
    lines = []
    for row in reversed(range(ROWS)):
        name = count(most) if row == ROWS - 1 else "0" if row == 0 else ""
        bars = "".join(blocks[min(levels, max(0, height - row * levels))] for height in heights)
        lines.append(f"{name:>{MARGIN - 1}} {bars}".rstrip())
    return lines


def _axis(report: Report, columns: int) -> list[str]:
    trace = report.scenario.trace
    begin, end = moment(trace.start_s)[:16], moment(trace.start_s + trace.length_s)[:16]
    return [" " * MARGIN + begin + end.rjust(max(0, columns - len(begin)))]
