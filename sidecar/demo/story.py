"""What happened during a demo, as data, and what it comes to. Pure: no clock, no sockets."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

from sidecar.demo.load import Outcome, Step, percentile
from sidecar.render import duration

CHART_WIDTH = 64
STATES = ("starting", "ready", "draining", "ejected")


@dataclass(frozen=True, slots=True)
class Moment:
    """One look at the program. at_s: since the load began. rates are per second; replicas: by state."""

    at_s: float
    wanted_rate: float
    rate: float
    latency_p50_s: float | None
    latency_p95_s: float | None
    failed: int
    replicas: dict[str, int]
    decision: str


@dataclass(slots=True)
class Story:
    """The whole demo. `step_s`, `decided_s`: when the load rose and when more replicas were decided on, since the load began."""

    steps: Sequence[Step]
    moments: list[Moment] = field(default_factory=list)
    outcomes: Sequence[Outcome] = ()
    began: float = 0.0
    decided_s: float | None = None

    @property
    def step_s(self) -> float:
        """When the load rises: after the first step."""
        return self.steps[0].duration_s

    @property
    def first_new_answer_s(self) -> float | None:
        """When a replica that had not answered before the rise gave its first answer."""
        rise = self.began + self.step_s
        old = {outcome.replica for outcome in self.outcomes if outcome.at < rise}
        new = (outcome.at for outcome in self.outcomes if outcome.replica and outcome.replica not in old)
        first = min(new, default=None)
        return None if first is None else first - self.began

    @property
    def failures(self) -> Counter[str]:
        """How often each kind of failure happened."""
        return Counter(outcome.failure for outcome in self.outcomes if outcome.failure)

    @property
    def most_ready(self) -> int:
        """The largest number of ready replicas that was seen."""
        return max((moment.replicas.get("ready", 0) for moment in self.moments), default=0)

    @property
    def last_count(self) -> int:
        """Replicas at the end, whatever their state."""
        return sum(self.moments[-1].replicas.values()) if self.moments else 0

    def complaints(self) -> list[str]:
        """Why the demo did not show what it should; empty if it did."""
        found = [f"{number} requests failed: {kind}" for kind, number in self.failures.most_common()]
        if not self.outcomes:
            found.append("no request was sent")
        if self.most_ready < 2:
            found.append("nothing was scaled up")
        if self.last_count >= self.most_ready:
            found.append("nothing was scaled down again")
        return found


def moment(at_s: float, wanted_rate: float, recent: Sequence[Outcome], failed: int, service: dict[str, object]) -> Moment:
    """A look at the program, from the answers of the last second and the service's view in the admin API."""
    latencies = [outcome.latency_s for outcome in recent]
    replicas = service["replicas"]
    assert isinstance(replicas, list)
    return Moment(
        at_s=at_s,
        wanted_rate=wanted_rate,
        rate=len(recent),
        latency_p50_s=percentile(latencies, 0.5),
        latency_p95_s=percentile(latencies, 0.95),
        failed=failed,
        replicas=dict(Counter(str(replica["state"]) for replica in replicas)),
        decision=str(service["last_decision"]),
    )


def chart(moments: Sequence[Moment], total_s: float, width: int = CHART_WIDTH) -> list[str]:
    """Replicas over time: # ready, : starting or leaving; below it the load, as a share of the highest one."""
    columns: list[Moment | None] = [None] * width
    for one in moments:
        columns[min(width - 1, int(one.at_s / total_s * width))] = one
    top = max((sum(one.replicas.values()) for one in moments), default=1)
    lines = [f"{row:>4} |{''.join(_cell(one, row) for one in columns)}".rstrip() for row in range(top, 0, -1)]
    peak = max((one.wanted_rate for one in moments), default=0.0) or 1.0
    load = "".join(" " if one is None else " .:-=+*#"[round(one.wanted_rate / peak * 7)] for one in columns)
    return [*lines, f"     +{'-' * width}", f"load  {load}".rstrip(), f"      0 s{f'{total_s:.0f} s':>{width - 3}}"]


def _cell(one: Moment | None, row: int) -> str:
    if one is None:
        return " "
    if one.replicas.get("ready", 0) >= row:
        return "#"
    return ":" if sum(one.replicas.values()) >= row else " "


def summary(story: Story) -> list[str]:
    """What it came to, for the end of the demo."""
    latencies = [outcome.latency_s for outcome in story.outcomes if not outcome.failure]
    total_s = sum(step.duration_s for step in story.steps)
    return [
        "replicas over time (# ready, : starting or leaving)",
        *chart(story.moments, total_s),
        "",
        f"requests             {len(story.outcomes)}",
        f"failures             {story.failures.total()}",
        f"latency              p50 {duration(percentile(latencies, 0.5))}, p95 {duration(percentile(latencies, 0.95))}",
        f"replicas             at most {story.most_ready} ready, {story.last_count} at the end",
        f"decision to scale    {_after(story.decided_s, story.step_s)}",
        f"a new one answered   {_after(story.first_new_answer_s, story.step_s)}",
    ]


def _after(at_s: float | None, step_s: float) -> str:
    return "never" if at_s is None else f"{at_s - step_s:.1f} s after the load rose"
