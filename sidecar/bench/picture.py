"""The steps as an SVG picture: latency above, answers per second below, over the same rates. Pure; no library is needed for it."""

import math
from collections.abc import Callable, Iterator, Sequence
from xml.sax.saxutils import escape

from sidecar.bench.scale import Scale, around
from sidecar.bench.step import Step
from sidecar.bench.words import fine, per_second

WIDTH, HEIGHT = 760, 560
LEFT, RIGHT = 74, 24
PANELS = ((56, 300), (344, 496))  # top and bottom of each
COLOURS = {"p50": "#2a9d8f", "p95": "#e07a00", "p99": "#c1121f", "answers": "#3361b8"}
STYLE = "text{font:12px sans-serif;fill:#333}.title{font-size:15px}.grid{stroke:#ddd}.knee{stroke:#555;stroke-dasharray:4 4}"
Points = list[tuple[float, float]]


def picture(title: str, steps: Sequence[Step], best: Step | None) -> str:
    """The whole file."""
    shown = sorted((step for step in steps if math.isfinite(step.latency_s("p99"))), key=lambda step: step.rate)
    body = "".join(_panels(shown, best)) if shown else ""
    head = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" role="img">'
    ground = f'<rect width="{WIDTH}" height="{HEIGHT}" fill="#fff"/>'
    return f"{head}<style>{STYLE}</style>{ground}{_text(LEFT, 24, title, 'title')}{body}</svg>\n"


def _panels(shown: Sequence[Step], best: Step | None) -> Iterator[str]:
    across = around([step.rate for step in shown], WIDTH - LEFT - RIGHT)
    (top, bottom), (low_top, low_bottom) = PANELS
    latency = around([step.latency_s(name) for step in shown for name in ("p50", "p95", "p99")], bottom - top)
    answers = around([max(step.measured.achieved_rate, step.rate / 100) for step in shown], low_bottom - low_top)
    yield from _frame(across, latency, PANELS[0], fine)
    yield from _frame(across, answers, PANELS[1], per_second)
    yield from (_text(LEFT + across.at(rate) - 8, low_bottom + 18, f"{rate:g}") for rate in across.ticks())
    yield _text(WIDTH / 2 - 60, HEIGHT - 16, "requests per second")
    for name in ("p50", "p95", "p99"):
        points = [(LEFT + across.at(step.rate), bottom - latency.at(step.latency_s(name))) for step in shown]
        yield from _curve(points, name)
    flow = [max(step.measured.achieved_rate, step.rate / 100) for step in shown]
    yield from _curve(
        [(LEFT + across.at(step.rate), low_bottom - answers.at(rate)) for step, rate in zip(shown, flow, strict=True)], "answers"
    )
    if best:
        at = LEFT + across.at(best.rate)
        yield f'<line class="knee" x1="{at:.1f}" y1="{top}" x2="{at:.1f}" y2="{low_bottom}"/>'
        yield _text(at + 4, top - 6, per_second(best.rate))


def _frame(across: Scale, up: Scale, panel: tuple[int, int], name: Callable[[float], str]) -> Iterator[str]:
    """Lines at round numbers, with the names of those at the side."""
    top, bottom = panel
    for rate in across.ticks():
        at = LEFT + across.at(rate)
        yield f'<line class="grid" x1="{at:.1f}" y1="{top}" x2="{at:.1f}" y2="{bottom}"/>'
    for value in up.ticks():
        at = bottom - up.at(value)
        yield f'<line class="grid" x1="{LEFT}" y1="{at:.1f}" x2="{WIDTH - RIGHT}" y2="{at:.1f}"/>'
        yield _text(4, at + 4, name(value))


def _curve(points: Points, name: str) -> Iterator[str]:
    """A line through the points, dots on them, and its name at the end."""
    colour = COLOURS[name]
    line = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
    yield f'<polyline points="{line}" fill="none" stroke="{colour}" stroke-width="2"/>'
    yield from (f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3" fill="{colour}"/>' for x, y in points)
    x, y = points[0]
    yield f'<text x="{x + 6:.1f}" y="{y - 6:.1f}" style="fill:{colour}">{name}</text>'


def _text(x: float, y: float, text: str, kind: str = "") -> str:
    mark = f' class="{kind}"' if kind else ""
    return f'<text{mark} x="{x:.1f}" y="{y:.1f}">{escape(text)}</text>'
