"""A snapshot as JSON, as pydantic models: what `ecluse decide` reads, and what docs/snapshot.schema.json is made from.

Whatever is left out has the value that a quiet service has, so that a line of a story can be as short as
`{"now_s": 15, "load": {"concurrency": 90}}`. An unknown key is an error. Times are seconds.
"""

from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, model_validator

from autoscaler.rules import Pause
from autoscaler.snapshot import Forecast, Look, Performance, ReplicaSample, Sample
from balancer.limits import REPLICAS
from balancer.table import ReplicaState

Number = Annotated[float, Field(allow_inf_nan=False)]
Count = Annotated[int, Field(ge=0, le=REPLICAS)]


class Form(BaseModel):
    """What all of them have in common."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True, allow_inf_nan=False)


class Windows(Form):
    """A number over the stable window and over the burst window."""

    stable: Number
    """Over the stable window."""
    burst: Number
    """Over the burst window."""


Measured = Number | Windows
"""One number stands for both windows."""


class ReplicaForm(Form):
    """One replica."""

    id: str
    """Its name."""
    state: ReplicaState = ReplicaState.READY
    """ready; starting: on its way; ejected: failing its probes; draining or gone: on its way out."""
    age_s: Number = 0.0
    """Since it was started."""
    samples: Mapping[str, Measured] = {}
    """By metric: concurrency, rps, cpu, memory (shares of what it may use), cpu_value (cores), memory_value (octets), or a signal's name.
    One that is not there is missing."""


class ScaleEvent(Form):
    """A change of the count that was made before the story begins. Policies count it."""

    at_s: Number
    """When, on the clock of `now_s`."""
    change: int
    """By how many replicas."""


class Allowed(Form):
    """Of a budget."""

    most: Count
    """So many replicas."""
    why: str = "the budget leaves no more"
    """In words."""


class Between(Form):
    """A count within bounds, which belong to it."""

    min: Count
    """At least so many."""
    max: Count
    """At most so many."""


class Expected(Form):
    """What a decision is to be. Where it is not, `ecluse decide` says so and ends with 1."""

    desired: Count | Between | None = None
    """The count."""
    reason: str | None = None
    """The reason's token, such as burst or limited_by_policy."""


class SnapshotForm(Form):
    """One service at one moment."""

    now_s: Number
    """The moment, on any clock that does not go back."""
    service: str = "app"
    """Its name: each service of a story has a memory of its own, and its own rules where RULES is a whole configuration."""
    desired: Count | None = None
    """The count asked for last. Default: the decision before this one in the story; at its beginning, as many replicas as there are."""
    replicas: tuple[ReplicaForm, ...] | None = None
    """Each replica. Instead of it, `ready`, `starting`, `load` and `each` make them."""
    ready: Count | None = None
    """So many are READY. Default: all that were asked for, less those that are `starting`."""
    starting: Count = 0
    """So many more are on their way."""
    load: Mapping[str, Measured] = {}
    """By metric, what the READY replicas carry together, shared evenly."""
    each: Mapping[str, Measured] = {}
    """By metric, what each of them carries."""
    waiting: Measured = 0.0
    """Requests that waited for a replica, on average."""
    waiting_now: Annotated[int, Field(ge=0)] = 0
    """Requests that wait at this moment."""
    departed: Mapping[str, Measured] = {}
    """By metric, what replicas carried that are not READY any more."""
    backlog: Measured = 0.0
    """The part of the concurrency that is only to be caught up with."""
    looks: Mapping[str, tuple[Look, ...]] = {}
    """By metric, the last few seconds beside what was usual: what a step is judged by."""
    latency_s: Mapping[float, Number] = {}
    """By percentile, over the stable window."""
    attempts: Measured = 0.0
    """Requests that ended within the windows."""
    failures: Measured = 0.0
    """Those of them that were answered 5xx or not at all."""
    idle_s: Number = 0.0
    """Since a request last ran, waited or ended."""
    data_age_s: Number | None = 0.0
    """Since the newest sample; null: there never was one."""
    seen_s: Number | None = None
    """How much of the stable window there are samples of. Default: all of it."""
    override: Count | None = None
    """The count set by hand."""
    full: str = ""
    """Why the engine has no place for more replicas, in words; empty while it has."""
    wall_s: Number = 0.0
    """The same moment in seconds since the epoch, for schedules."""
    values: Mapping[str, Number] = {}
    """By signal, what it says of the whole service."""
    missing: Mapping[str, str] = {}
    """By metric, why it has no samples, in words."""
    pause: Pause = Pause.NONE
    """What is held by hand: none, down or all."""
    start_s: Number | None = None
    """How long a replica usually takes to be READY; null while unknown."""
    forecasts: Mapping[str, Forecast] = {}
    """By metric."""
    performance: Performance | None = None
    """The whole service over a window, for the objective of `slo`."""
    allowance: Allowed | None = None
    """The most replicas that it may ask for, of a budget that it shares; null where nothing is shared."""
    scale_events: tuple[ScaleEvent, ...] = ()
    """Changes made before the story begins, the oldest first."""
    memory: Mapping[str, Any] | None = None
    """What earlier decisions left, as GET /api/services/{name}/snapshot gives it; instead of scale_events, at the beginning of a story."""
    expect: Expected | None = None
    """What the decision is to be."""

    @model_validator(mode="after")
    def _one_way(self) -> "SnapshotForm":
        short = self.model_fields_set & {"ready", "starting", "load", "each"}
        if self.replicas is not None and short:
            raise ValueError(f"give replicas, or {' and '.join(sorted(short))}; not both")
        if both := self.load.keys() & self.each.keys():
            raise ValueError(f"{' and '.join(sorted(both))} stands in load and in each; give one of them")
        return self

    def replica_samples(self, asked: int | None) -> tuple[ReplicaSample, ...]:
        """The replicas. asked: the count asked for last, None at the beginning."""
        if self.replicas is not None:
            return tuple(ReplicaSample(each.id, each.state, each.age_s, samples_of(each.samples)) for each in self.replicas)
        ready = self.ready if self.ready is not None else max(0, (1 if asked is None else asked) - self.starting)
        shared = {name: Sample(one.stable / ready, one.burst / ready) for name, one in samples_of(self.load).items() if ready}
        samples = {**shared, **samples_of(self.each)}
        made = [ReplicaSample(f"r{number}", ReplicaState.READY, 0.0, samples) for number in range(ready)]
        coming = [ReplicaSample(f"r{ready + number}", ReplicaState.STARTING) for number in range(self.starting)]
        return (*made, *coming)


def sample_of(given: Measured) -> Sample:
    """The sample that was meant."""
    return Sample(given.stable, given.burst) if isinstance(given, Windows) else Sample(given, given)


def samples_of(given: Mapping[str, Measured]) -> dict[str, Sample]:
    """Those that were meant, by metric."""
    return {name: sample_of(value) for name, value in given.items()}
