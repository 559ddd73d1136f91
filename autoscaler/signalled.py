"""What signals say, put into a snapshot: a value of the service, or a sample of each replica, or why there is none.

Pure. No rule is applied here.
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Final

from autoscaler.snapshot import ReplicaSample, Sample, Snapshot
from probes.signals.source import Reading

SERVICE: Final = ""  # where the replica would stand: the service as a whole

Readings = Mapping[str, Mapping[str, Reading]]


def add(snapshot: Snapshot, readings: Readings) -> Snapshot:
    """The snapshot with the readings in it; by signal, then by replica or SERVICE."""
    if not readings:
        return snapshot
    values = {name: told[SERVICE].value for name, told in readings.items() if SERVICE in told}
    missing = {name: why for name, told in readings.items() if (why := _missing(snapshot, told))}
    return replace(
        snapshot,
        values={**snapshot.values, **{name: value for name, value in values.items() if value is not None}},
        missing={**snapshot.missing, **missing},
        replicas=tuple([_sampled(replica, readings) for replica in snapshot.replicas]),
    )


def _missing(snapshot: Snapshot, told: Mapping[str, Reading]) -> str:
    """Why a signal says nothing at all, in words; "" where it says something, or no replica is READY that could be asked."""
    if SERVICE in told:
        return told[SERVICE].why
    ready = {replica.id: told[replica.id] for replica in snapshot.serving if replica.id in told}
    if any(reading.value is not None for reading in ready.values()):
        return ""
    return next((f"{replica}: {reading.why}" for replica, reading in ready.items()), "")


def _sampled(replica: ReplicaSample, readings: Readings) -> ReplicaSample:
    """With the same number for both windows: a signal has no burst window."""
    said = {name: told[replica.id].value for name, told in readings.items() if replica.id in told}
    found = {name: Sample(value, value) for name, value in said.items() if value is not None}
    return replica._replace(samples={**replica.samples, **found}) if found else replica
