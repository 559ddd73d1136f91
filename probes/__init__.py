"""Knows how each replica is doing: asks it over HTTP or TCP and gives verdicts.

Invariant: verdicts, never actions. What follows from a verdict is decided elsewhere.
"""
