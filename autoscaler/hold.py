"""Reasons not to go down, whatever the recommendation says.

- A replica that fails fast is less busy, not less needed: many failures forbid going down (the rules' `error_guard`).
- A metric without samples might have asked for more than the others did (HPA).
- A burst is not over before a whole stable window has passed without it (Knative).

It stands before stabilization, so that the doubted recommendation is not what is remembered.
"""

from autoscaler.decision import Recommendation, Stage, name_of
from autoscaler.memory import Mark
from autoscaler.recommend import blind
from autoscaler.rules import ErrorGuard, Rules
from autoscaler.snapshot import Snapshot


def hold(count: int, snapshot: Snapshot, rules: Rules, recommended: tuple[Recommendation, ...], burst: Mark | None) -> Stage:
    """The count, no lower than the one asked for last while there is a reason to doubt a lower one."""
    if count >= snapshot.desired:
        return Stage("hold", count, count, "steady", "nothing goes down")
    reason, why = _doubt(snapshot, rules, recommended, burst)
    return Stage("hold", count, snapshot.desired if why else count, reason, why or "nothing speaks against going down")


def _doubt(snapshot: Snapshot, rules: Rules, recommended: tuple[Recommendation, ...], burst: Mark | None) -> tuple[str, str]:
    """(reason, why); an empty why is no doubt."""
    if share := _failure_share(snapshot, rules.error_guard):
        return "errors", f"{share:.0%} of the requests failed, and failing fast looks like having little to do"
    failed = [name_of(each.metric) for each in recommended if each.replicas is None]
    if failed:
        return "missing_samples", f"{' and '.join(failed)} has no samples, and might ask for more"
    if burst is not None:
        return "burst", f"the burst that asked for {burst.value} is less than a stable window ago"
    return "steady", ""


def _failure_share(snapshot: Snapshot, guard: ErrorGuard | None) -> float:
    """The larger of the two windows' shares: the short one tells at once, the long one goes on telling. 0 where the guard lets it pass:
    one failed request in an idle hour says nothing."""
    if guard is None or blind(snapshot):
        return 0.0
    windows = (
        (snapshot.failures.stable, snapshot.attempts.stable),
        (snapshot.failures.burst, snapshot.attempts.burst),
    )
    share = max((failures / attempts for failures, attempts in windows if attempts and failures >= guard.least), default=0.0)
    return share if share >= guard.share else 0.0
