"""The steps as an SVG picture: latency above, answers per second below, over the same rates. Pure; no library is needed for it."""

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from html import escape

from sidecar.bench.scale import Scale, around
from sidecar.bench.step import Step
from sidecar.bench.words import fine, per_second

WIDTH, HEIGHT = 760, 560
LEFT, RIGHT = 74, 24
COLOURS = {"p50": "#2a9d8f", "p95": "#e07a00", "p99": "#c1121f", "answers": "#3361b8"}
STYLE = "text{font:12px sans-serif;fill:#333}.title{font-size:15px}.grid{stroke:#ddd}.knee{stroke:#555;stroke-dasharray:4 4}"


@dataclass(frozen=True, slots=True)
class Panel:
    """One chart of the two. name: how its values are written."""

    top: int
    bottom: int
    across: Scale
    up: Scale
    name: Callable[[float], str]

    def point(self, rate: float, value: float) -> tuple[float, float]:
        """Where it stands in the picture."""
        return LEFT + self.across.at(rate), self.bottom - self.up.at(value)


def picture(title: str, steps: Sequence[Step], best: Step | None) -> str:
    """The whole file."""
    shown = sorted((step for step in steps if math.isfinite(step.latency_s("p99"))), key=lambda step: step.rate)
    body = "".join(_body(shown, best)) if shown else ""
    head = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" role="img">'
    ground = f'<rect width="{WIDTH}" height="{HEIGHT}" fill="#fff"/>'
    return f"{head}<style>{STYLE}</style>{ground}{_text(LEFT, 24, title, kind='title')}{body}</svg>\n"


def _body(shown: Sequence[Step], best: Step | None) -> Iterator[str]:
    across = around([step.rate for step in shown], WIDTH - LEFT - RIGHT)
    latencies = {name: [step.latency_s(name) for step in shown] for name in ("p50", "p95", "p99")}
    answers = {"answers": [max(step.measured.achieved_rate, step.rate / 100) for step in shown]}
    yield from _panel(shown, latencies, across, (72, 300), fine)
    yield from _panel(shown, answers, across, (352, 496), per_second)
    yield from (_text(LEFT + across.at(rate) - 8, 514, f"{rate:g}") for rate in across.ticks())
    yield _text(WIDTH / 2 - 60, HEIGHT - 16, "requests per second")
    if best:
        at = LEFT + across.at(best.rate)
        yield f'<line class="knee" x1="{at:.1f}" y1="72" x2="{at:.1f}" y2="496"/>'
        yield _text(at - 20, 64, per_second(best.rate))


def _panel(
    shown: Sequence[Step], curves: dict[str, list[float]], across: Scale, ends: tuple[int, int], name: Callable[[float], str]
) -> Iterator[str]:
    top, bottom = ends
    up = around([value for values in curves.values() for value in values], bottom - top)
    panel = Panel(top, bottom, across, up, name)
    yield from _grid(panel)
    for number, (title, values) in enumerate(curves.items()):
        points = [panel.point(step.rate, value) for step, value in zip(shown, values, strict=True)]
        yield from _curve(points, COLOURS[title])
        yield _text(LEFT + 46 * number, top - 26, title, f"fill:{COLOURS[title]}")


def _grid(panel: Panel) -> Iterator[str]:
    """Lines at round numbers, with the names of those at the side."""
    for rate in panel.across.ticks():
        at = LEFT + panel.across.at(rate)
        yield f'<line class="grid" x1="{at:.1f}" y1="{panel.top}" x2="{at:.1f}" y2="{panel.bottom}"/>'
    for value in panel.up.ticks():
        at = panel.bottom - panel.up.at(value)
        yield f'<line class="grid" x1="{LEFT}" y1="{at:.1f}" x2="{WIDTH - RIGHT}" y2="{at:.1f}"/>'
        yield _text(4, at + 4, panel.name(value))


def _curve(points: Sequence[tuple[float, float]], colour: str) -> Iterator[str]:
    """A line through the points, and dots on them."""
    line = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
    yield f'<polyline points="{line}" fill="none" stroke="{colour}" stroke-width="2"/>'
    yield from (f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3" fill="{colour}"/>' for x, y in points)


def _text(x: float, y: float, text: str, style: str = "", kind: str = "") -> str:
    return f'<text class="{kind}" style="{style}" x="{x:.1f}" y="{y:.1f}">{escape(text)}</text>'
