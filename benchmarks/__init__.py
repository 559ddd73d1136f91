"""How much a request costs, measured against named peers in one interleaved run. `python -m benchmarks --help`.

Invariants: a figure is a ratio between peers of the same run, a median of several rounds, never a bare number; everything runs on loopback,
bounded in count and time; what is started here is ended here, also on Ctrl-C. Nothing here is asserted on in tests.
"""
