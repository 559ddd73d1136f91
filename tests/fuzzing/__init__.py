"""Fuzzing of the parsers and of whole connections: `python -m tests.fuzzing`, and the kept corpus in every `make test`.

`parsers.py` and `connections.py` are the targets: functions of some octets that raise AssertionError where an invariant does not hold.
`sanitized.py` makes a build of the hot path with AddressSanitizer and coverage counters; `engines.py` runs a target under libFuzzer (by
way of atheris) or Hypothesis; `corpus/` is what is kept of it.
"""
