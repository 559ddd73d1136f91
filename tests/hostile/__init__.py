"""Hostile clients and hostile replicas: tables of bad input, each with the section of the RFC it rests on and what must come of it.

`clients.py` and `replicas.py` are the tables, `test_*.py` runs every row whole and octet by octet, with a witness at the other end that
proves what was passed on; `test_differential.py` asks other parsers how they read what we pass on.
"""
