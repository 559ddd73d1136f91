"""The whole report as one HTML page that needs nothing else: no script, no file, no network. Pure."""

from collections.abc import Iterator, Sequence
from html import escape

from sidecar.simulation.plots import load_plot, price_plot, replicas_plot
from sidecar.simulation.report import TITLES, Report, assumptions, recorded, row

STYLE = """
:root { color-scheme: light dark; --ground: #fff; --text: #1c2430; --faint: #68727f; --line: #dde2e8; --load: #8a97a8; --replicas: #1f6fb2;
  --missed: #c1121f; }
@media (prefers-color-scheme: dark) { :root { --ground: #14181e; --text: #e4e8ed; --faint: #98a2ae; --line: #2c343e; --load: #76828f;
  --replicas: #6cb2ee; --missed: #ff6b6b; } }
@media print { :root { --ground: #fff; --text: #000; --faint: #444; --line: #ccc; --load: #999; --replicas: #1f6fb2; --missed: #c1121f; }
  section { break-inside: avoid; } body { max-width: none; } }
body { background: var(--ground); color: var(--text); font: 15px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto;
  padding: 0 1rem; }
h1 { font-size: 1.5rem; margin-bottom: .3rem; } h2 { font-size: 1.05rem; margin: 1.6rem 0 .3rem; }
p { margin: .3rem 0; } .faint { color: var(--faint); }
.scrolled { overflow-x: auto; }
table { border-collapse: collapse; margin: 1rem 0; width: 100%; font-variant-numeric: tabular-nums; }
th, td { text-align: right; padding: .3rem .5rem; border-bottom: 1px solid var(--line); white-space: nowrap; }
th:first-child, td:first-child { text-align: left; } th { color: var(--faint); font-weight: 600; font-size: .8rem; }
svg { display: block; width: 100%; height: auto; } svg text { font: 12px system-ui, sans-serif; fill: var(--faint); }
.grid { stroke: var(--line); } .load { fill: var(--load); } .band { fill: var(--replicas); opacity: .25; }
.mean { fill: none; stroke: var(--replicas); stroke-width: 1.5; } .missed { fill: var(--missed); } .dot { fill: var(--replicas); }
"""


def page(report: Report) -> str:
    """The file. Names come from the command line and are escaped wherever they stand."""
    title = f"Rules on {report.scenario.trace.source}"
    head = f'<meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>{escape(title)}</title>'
    body = "\n".join(_body(report, title))
    return f'<!DOCTYPE html>\n<html lang="en">\n<head>{head}<style>{STYLE}</style></head>\n<body>\n{body}\n</body>\n</html>\n'


def _body(report: Report, title: str) -> Iterator[str]:
    yield f"<h1>{escape(title)}</h1>"
    yield f"<p>{escape(recorded(report))}.</p>"
    yield f'<p class="faint">Assumed: {escape(assumptions(report.scenario.application))}; seed {report.scenario.seed}.</p>'
    yield from (f'<p class="faint">{escape(note)}.</p>' for note in report.notes)
    yield _table([row(each) for each in report.played])
    yield _section("Requests per second", load_plot(report))
    for each in report.played:
        yield _section(f"Replicas: {each.name}", replicas_plot(report, each))
    yield (
        '<p class="faint">The line is the mean, the band reaches from the fewest to the most; red are the minutes that missed the '
        "objective. All times are UTC.</p>"
    )
    if len(report.played) > 1:
        yield _section("Minutes that missed the objective, over replica-hours", price_plot(report))


def _table(rows: Sequence[Sequence[str]]) -> str:
    head = "".join(f"<th>{escape(title.capitalize())}</th>" for title in TITLES)
    lines = "".join(f"<tr>{''.join(f'<td>{escape(cell)}</td>' for cell in cells)}</tr>" for cells in rows)
    return f'<div class="scrolled"><table><thead><tr>{head}</tr></thead><tbody>{lines}</tbody></table></div>'


def _section(title: str, plot: str) -> str:
    return f"<section><h2>{escape(title)}</h2>{plot}</section>"
