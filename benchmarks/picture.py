"""The result as a picture (SVG): for each row a bar for each peer, as a share of the row's reference, with the spread of the rounds."""

from collections.abc import Sequence
from html import escape
from textwrap import wrap

from benchmarks.ratios import Spread, compare
from benchmarks.rounds import Result
from benchmarks.row import ITSELF

COLOURS = {"forwarder": "#b8b8b8", "nginx": "#7fb08a", "haproxy": "#7a9cc6", "ecluse": "#c8553d", "interpreted": "#e3ab9a"}
WIDTH = 860
LEFT = 300  # where bars begin
BAR = 14
GAP = 18  # between rows
TOP = 94  # where the first bar begins
LABEL = 42  # characters in a line of a row's name
CAPTION = 130
TITLE = "Shares of the better of nginx and HAProxy; in the last rows, of the figure that is named"
STYLE = "text{font-family:sans-serif;font-size:12px;fill:#222}.small{font-size:11px;fill:#666}"


def picture(results: Sequence[Result], caption: str) -> str:
    """Rows whose figures are compared with a reference, or are shares themselves; others have no common scale."""
    shown = [(result, _bars(result)) for result in results if _is_share(result)]
    longest = max((bar.high for _, bars in shown for bar in bars.values()), default=1.0)
    scale = (WIDTH - LEFT - 60) / max(longest, 1.0)
    body, y = [], TOP
    for result, bars in shown:
        body += _label(result.row.meaning, y + BAR * len(bars) / 2)
        for peer, bar in bars.items():
            body += _bar(peer, bar, y, scale)
            y += BAR
        y += GAP
    one = LEFT + scale
    line = f'<line x1="{one:.1f}" y1="{TOP - 6}" x2="{one:.1f}" y2="{y - GAP + 4}" stroke="#222" stroke-dasharray="3 3"/>'
    head = [
        _text(10, 20, TITLE),
        *_caption(caption),
        *_legend(),
    ]
    size = f'width="{WIDTH}" height="{y}" viewBox="0 0 {WIDTH} {y}"'
    parts = [f'<svg xmlns="http://www.w3.org/2000/svg" {size}>', f"<style>{STYLE}</style>", *head, *body, line, "</svg>"]
    return "\n".join([*parts, ""])


def _is_share(result: Result) -> bool:
    return not result.row.difference and (result.row.against != ITSELF or result.row.unit == "share")


def _bars(result: Result) -> dict[str, Spread]:
    compared = {peer: compare(result.row, result.rounds, peer, result.row.against) for peer in result.rounds}
    return {peer: spread for peer, spread in compared.items() if spread}


def _bar(peer: str, bar: Spread, y: float, scale: float) -> list[str]:
    """The median as a bar, lowest and highest as a line in it."""
    middle, end = y + BAR / 2, LEFT + bar.high * scale
    colour = COLOURS.get(peer, "#999")
    return [
        f'<rect x="{LEFT}" y="{y + 1}" width="{bar.median * scale:.1f}" height="{BAR - 2}" fill="{colour}"/>',
        f'<line x1="{LEFT + bar.low * scale:.1f}" y1="{middle}" x2="{end:.1f}" y2="{middle}" stroke="#222"/>',
        _small(max(end, LEFT + bar.median * scale) + 4, y + BAR - 3, f"{bar.median:.2f}"),
    ]


def _label(words: str, middle: float) -> list[str]:
    """In as many lines as it takes, before the bars."""
    lines = wrap(words, LABEL)
    first = middle - (len(lines) - 1) * BAR / 2 + 4
    return [_text(LEFT - 10, first + BAR * number, line, 'text-anchor="end"') for number, line in enumerate(lines)]


def _caption(words: str) -> list[str]:
    return [_small(10, 36 + BAR * number, line) for number, line in enumerate(wrap(words, CAPTION)[:2])]


def _legend() -> list[str]:
    parts = []
    for number, (peer, colour) in enumerate(COLOURS.items()):
        x = LEFT + number * 100
        parts += [f'<rect x="{x}" y="{TOP - 20}" width="10" height="10" fill="{colour}"/>', _small(x + 14, TOP - 11, peer)]
    return parts


def _text(x: float, y: float, words: str, more: str = "") -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" {more}>{escape(words)}</text>'


def _small(x: float, y: float, words: str) -> str:
    return _text(x, y, words, 'class="small"')
