"""From the outcomes of probes to a verdict: so many passes in a row make a replica ready, so many failures unready.

Pure: one frozen state in, one out. No clock, no sockets, no replicas' names.
"""

from dataclasses import dataclass, replace

from probes.spec import ProbeSpec


@dataclass(frozen=True, slots=True)
class Outcome:
    """What one probe found. reason: in words, "answered 200 in 3 ms" or "no answer within 1 s"."""

    passed: bool
    reason: str


@dataclass(frozen=True, slots=True)
class Health:
    """What is known of a replica. ready: None until the first verdict. in_a_row: equal outcomes up to now."""

    ready: bool | None = None
    passing: bool = False
    in_a_row: int = 0
    reason: str = "not probed yet"


def judge(health: Health, outcome: Outcome, spec: ProbeSpec) -> Health:
    """The health after one more outcome.

    A new replica becomes ready with its first pass: waiting for `rise` would only delay it. Failures before that are no
    verdict, for an application that starts is not yet a sick one.
    """
    in_a_row = health.in_a_row + 1 if health.in_a_row and outcome.passed == health.passing else 1
    now = replace(health, passing=outcome.passed, in_a_row=in_a_row, reason=outcome.reason)
    if outcome.passed and (health.ready is None or in_a_row >= spec.rise):
        return replace(now, ready=True)
    if health.ready and not outcome.passed and in_a_row >= spec.fall:
        return replace(now, ready=False, reason=f"{in_a_row} probes in a row failed, the last one: {outcome.reason}")
    return now
