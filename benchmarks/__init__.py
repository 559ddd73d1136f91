"""How much a request costs, measured against named peers in one interleaved run. `python -m benchmarks --help`; docs/benchmarks.md.

Start at `__main__.py`; `catalogue.py` lists the works. A work (`throughput.py`, `latency.py`, ...) sets contestants up, `rounds.py`
lets them take turns, `ratios.py` compares, `table.py`, `record.py` and `picture.py` tell.

Invariants: a figure is a ratio between peers of the same round, a median of several rounds, never a bare number; everything runs
on loopback, bounded in count and time; what is started here is ended here, also on Ctrl-C. Tests assert on no figure.
"""
