"""Snapshots from JSON and to JSON. What is written reads back as the same snapshot; what is left out is what a quiet service has."""

import json
import math
from collections.abc import Mapping
from dataclasses import MISSING, asdict, fields, is_dataclass
from enum import Enum
from typing import Any, Final

from pydantic import ValidationError

from autoscaler.memory import Memory
from autoscaler.portable import to_json
from autoscaler.snapshot import Allowance, ReplicaSample, Sample, Snapshot
from sidecar.configuration.problems import nearest
from sidecar.deciding.forms import SnapshotForm, sample_of, samples_of

PROBLEMS: Final = 5  # told of one snapshot
SINGLE: Final = ("waiting", "backlog", "attempts", "failures")
SAME: Final = (
    *("now_s", "service", "waiting_now", "looks", "latency_s", "idle_s", "data_age_s", "override", "full", "wall_s", "values"),
    *("missing", "pause", "start_s", "forecasts", "performance"),
)


class NotASnapshot(ValueError):  # noqa: N818 - it says what was read
    """What was read is none; the message says where in it, and why."""


def read(text: str) -> SnapshotForm:
    """The form that is written there. Raises NotASnapshot."""
    try:
        return SnapshotForm.model_validate_json(text)
    except ValidationError as error:
        told = [_problem(each) for each in error.errors(include_url=False)]
        more = [f"and {len(told) - PROBLEMS} more"] if len(told) > PROBLEMS else []
        raise NotASnapshot("; ".join([*dict.fromkeys(told[:PROBLEMS]), *more])) from error


def snapshot_of(form: SnapshotForm, asked: int | None) -> Snapshot:
    """The snapshot. asked: what the story's last decision asked for, None at its beginning."""
    given = form.desired if form.desired is not None else asked
    replicas = form.replica_samples(given)
    same: dict[str, Any] = {name: getattr(form, name) for name in SAME}
    measured: dict[str, Any] = {name: sample_of(getattr(form, name)) for name in SINGLE}
    return Snapshot(
        **same,
        **measured,
        replicas=replicas,
        desired=len(replicas) if given is None else given,
        departed=samples_of(form.departed),
        allowance=Allowance(form.allowance.most, form.allowance.why) if form.allowance else None,
        seen_s=math.inf if form.seen_s is None else form.seen_s,
    )


def written(snapshot: Snapshot, memory: Memory | None = None) -> dict[str, Any]:
    """The snapshot as JSON-ready data. memory: what the decision on it began with."""
    usual = {field.name: _default(field) for field in fields(Snapshot)}
    found = {name: getattr(snapshot, name) for name in usual}
    told = {name: _plain(value) for name, value in found.items() if name == "replicas" or value != usual[name]}
    return told if memory is None else {**told, "memory": to_json(memory)}


def _default(field: Any) -> Any:
    return field.default_factory() if field.default_factory is not MISSING else field.default


def _plain(value: Any) -> Any:
    match value:
        case Sample():
            return value.stable if value.stable == value.burst else value._asdict()
        case Allowance() | ReplicaSample():
            return _plain(value._asdict())
        case Enum():
            return value.value
        case Mapping():
            return {str(key): _plain(each) for key, each in value.items()}
        case tuple():
            return [_plain(each) for each in value]
    return asdict(value) if is_dataclass(value) and not isinstance(value, type) else value


def _problem(error: Any) -> str:
    """One of pydantic's problems in our words."""
    *above, last = error["loc"] or ("",)
    place = ".".join(str(part) for part in error["loc"] if part not in ("Windows", "float"))
    match error["type"]:
        case "extra_forbidden":
            near = nearest(str(last), list(SnapshotForm.model_fields)) if not above else ""
            return f"{place}: unknown key{f'; did you mean {near}?' if near else ''}"
        case "missing":
            return f"{place}: is needed"
        case "json_invalid":
            return f"is not JSON: {error['ctx']['error']}"
    got = json.dumps(error["input"], default=str)
    message = error["msg"].removeprefix("Value error, ")
    return f"{place}: {message}; got {got[:60]}" if place else message
