"""Carries requests: worker processes that accept connections, pick replicas and relay bytes.

Invariant: nothing here knows of Docker, probes or scaling. A worker acts on the last routing table it was given and never
waits for whoever gives it.
"""
