"""Decides how many replicas each service should have, then makes it so.

Invariant: deciding (`decide` and its stages) is pure: no clock, no I/O, no randomness. Acting is done through an engine in
`autoscaler/cluster`, which is the only writer of replica counts.
"""
