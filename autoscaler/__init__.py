"""Decides how many replicas each service should have, then makes it so.

Invariant: deciding (`decide` and its stages) is pure: no clock, no I/O, no randomness. Acting is done through an engine in
`autoscaler/cluster`, which is the only writer of replica counts.

What runs for every service in every tick is compiled where that can be done (setup.py lists it), from the same sources that run
interpreted; ECLUSE_PURE=1 forces these, as for the hot path.
"""

import sys

from balancer.hotpath import PURE, SourceOnly

if PURE:
    sys.meta_path.insert(0, SourceOnly(__name__, __path__[0]))
