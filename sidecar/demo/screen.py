"""Shows a demo while it runs: on a terminal a table that is drawn over itself, elsewhere a line now and then."""

import sys
from typing import TextIO

from sidecar.demo.story import STATES, Story, chart
from sidecar.render import WIDTH, Paint, cut, duration, has_colours, table

LINE_EVERY_S = 2.0
LOAD_TITLES = ("TIME", "LOAD/S", "REQ/S", "P50", "P95", "FAILED", "STARTING", "READY", "DRAINING", "EJECTED")


class Screen:
    """Draws the latest moment of a story."""

    def __init__(self, stream: TextIO = sys.stdout) -> None:
        self._stream = stream
        self._live = stream.isatty()
        self._paint = Paint(has_colours(stream))
        self._height = 0
        self._next_line_s = 0.0

    def draw(self, story: Story) -> None:
        """Show how it stands."""
        if self._live:
            self._over(block(story, self._paint))
        elif story.moments[-1].at_s >= self._next_line_s:
            self._next_line_s = story.moments[-1].at_s + LINE_EVERY_S
            self.say(line(story))

    def say(self, *lines: str) -> None:
        """Add lines below."""
        print(*lines, sep="\n", file=self._stream, flush=True)
        self._height = 0

    def _over(self, lines: list[str]) -> None:
        up = f"\x1b[{self._height}F\x1b[J" if self._height else ""
        print(up + "\n".join(lines), file=self._stream, flush=True)
        self._height = len(lines)


def cells(story: Story) -> tuple[str, ...]:
    """The numbers of the latest moment."""
    now = story.moments[-1]
    states = (str(now.replicas.get(state, 0)) for state in STATES)
    latencies = duration(now.latency_p50_s), duration(now.latency_p95_s)
    return (f"{now.at_s:.0f} s", f"{now.wanted_rate:.0f}", f"{now.rate:.0f}", *latencies, str(now.failed), *states)


def block(story: Story, paint: Paint) -> list[str]:
    """The table, the last decision and the chart so far."""
    total_s = sum(step.duration_s for step in story.steps)
    decision = cut(story.moments[-1].decision, WIDTH)
    return ["", *table(LOAD_TITLES, [cells(story)], paint), "", paint(decision, "cyan"), "", *chart(story.moments, total_s)]


def line(story: Story) -> str:
    """The same on one line."""
    named = zip(LOAD_TITLES, cells(story), strict=True)
    return "  ".join(f"{title.lower()} {value}" for title, value in named) + f"  | {story.moments[-1].decision}"
