"""The OpenAPI document of the admin API, made from its operations and the shapes of what they take and answer.

The shapes of answers are those of `sidecar.views`, turned into JSON Schema by pydantic, so that document and answers cannot
drift apart unnoticed. No handlers here.
"""

from typing import Any, Final, Literal

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter

from autoscaler.rules import Pause
from sidecar.admin import shapes
from sidecar.admin.operations import EVENT_STREAM, OPERATIONS, Operation, Parameter
from sidecar.admin.orders import Held, Order, Reader, Taken
from sidecar.views import Overview, ServiceView


class Status(BaseModel):
    """One word."""

    status: str


class Readiness(BaseModel):
    """One word; where it is "not ready", waiting_for says for what."""

    status: str
    waiting_for: list[str] = []


class Error(BaseModel):
    """error: a word for programs. detail: a sentence for people, saying what to do where there is something to do."""

    error: str
    detail: str


class Services(BaseModel):
    """All services, in the configuration's order."""

    services: list[ServiceView]


class Explanation(BaseModel):
    """The last decision with every stage of it: what each changed and why."""

    model_config = ConfigDict(extra="allow")


class Snapshot(BaseModel):
    """One service at one moment: docs/snapshot.schema.json."""

    model_config = ConfigDict(extra="allow")


class Decisions(BaseModel):
    """Newest first. Each with "at", when it was made, and "changed", whether it differs from the one before in anything that matters."""

    decisions: list[Explanation]


class Pausing(BaseModel):
    """What may not change by itself: all of it, only downwards, or none any more."""

    model_config = ConfigDict(extra="forbid")

    what: Pause


class Scale(BaseModel):
    """How many replicas to hold, or "auto" for the autoscaler's own count again."""

    model_config = ConfigDict(extra="forbid", strict=True)
    replicas: int | Literal["auto"] = Field(examples=[3, "auto"])


class Push(BaseModel):
    """What a signal is now. A finite number."""

    model_config = ConfigDict(extra="forbid", strict=True)
    value: float = Field(allow_inf_nan=False, examples=[12.5])


class Logs(BaseModel):
    """Oldest first, each line with its replica's name before it."""

    lines: list[str]


class Event(BaseModel):
    """A decision or a change of state. at: seconds since the epoch. More fields depend on the kind."""

    model_config = ConfigDict(extra="allow")
    at: float
    kind: str
    message: str


class Events(BaseModel):
    """Newest first."""

    events: list[Event]


class Reload(BaseModel):
    """errors: what is wrong with the new file; then nothing was changed."""

    reloaded: bool
    errors: list[str]


_SHAPES: Final = {
    kind.__name__: TypeAdapter(kind)
    for kind in (
        *(
            Status,
            Readiness,
            Error,
            Overview,
            Services,
            ServiceView,
            Explanation,
            Snapshot,
            Decisions,
            Scale,
            Push,
            Pausing,
            Logs,
            Events,
            Reload,
        ),
        *(Held, Order, Reader, Taken),
    )
}


_MEANINGS: Final = {200: "As asked.", 202: "Begun.", 503: "Not now."}
_ANY_TIME: Final = ((401, "Error"), (421, "Error"))
_ANY_CHANGE: Final = ((400, "Error"), (403, "Error"), (413, "Error"), (415, "Error"))


def document(version: str) -> dict[str, Any]:
    """The OpenAPI 3.1 document."""
    paths: dict[str, dict[str, Any]] = {}
    for operation in OPERATIONS:
        paths.setdefault(operation.path, {})[operation.method.lower()] = _operation(operation)
    return {
        "openapi": "3.1.0",
        "info": {"title": "Écluse admin API", "version": version, "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"}},
        "servers": [{"url": "/"}],
        "security": [{}, {"token": []}],
        "paths": paths,
        "components": {"schemas": schemas(), "securitySchemes": {"token": {"type": "http", "scheme": "bearer"}}},
    }


def _operation(operation: Operation) -> dict[str, Any]:
    described: dict[str, Any] = {
        "operationId": operation.id,
        "summary": operation.summary,
        "parameters": [_parameter(parameter) for parameter in operation.parameters],
        "responses": _responses(operation),
    }
    if operation.method != "GET":
        schema = _reference(operation.body) if operation.body else {"type": "object", "maxProperties": 0}
        described["requestBody"] = {"required": True, "content": {"application/json": {"schema": schema}}}
    return described


def _parameter(parameter: Parameter) -> dict[str, Any]:
    return {
        "name": parameter.name,
        "in": parameter.where,
        "required": parameter.where == "path",
        "description": parameter.meaning,
        "schema": {"type": parameter.kind},
    }


def _responses(operation: Operation) -> dict[str, Any]:
    answers = operation.answers
    if operation.path not in {"/healthz", "/readyz"}:
        answers += _ANY_TIME
    if operation.method != "GET":
        answers += _ANY_CHANGE
    if any(shape == EVENT_STREAM for _, shape in answers):
        answers += ((503, "Error"),)
    responses: dict[str, Any] = {}
    for status, shape in answers:
        response = responses.setdefault(str(status), {"description": _MEANINGS.get(status, "Refused."), "content": {}})
        response["content"] |= _content(shape)
    return dict(sorted(responses.items()))


def _content(shape: str) -> dict[str, Any]:
    if "/" in shape:
        return {shape: {"schema": {"type": "string"}}}
    return {"application/json": {"schema": {"type": "object"} if shape == "Document" else _reference(shape)}}


def _reference(shape: str) -> dict[str, str]:
    return {"$ref": f"#/components/schemas/{shape}"}


def schemas() -> dict[str, Any]:
    """The shapes by name, as JSON Schema."""
    inputs = [(name, "serialization", adapter) for name, adapter in _SHAPES.items()]
    names, definitions = TypeAdapter.json_schemas(inputs, ref_template="#/components/schemas/{model}")  # type: ignore[arg-type]  # a list of this kind is invariant
    found: dict[str, Any] = definitions["$defs"]
    for (name, _mode), schema in names.items():
        if schema != _reference(str(name)):
            found.setdefault(str(name), schema)
    shapes.adjust(found)
    return dict(sorted(found.items()))


def scale_request(body: bytes) -> int | None:
    """The count in a body of shape Scale, None for "auto". Raises pydantic.ValidationError (a ValueError)."""
    wanted = Scale.model_validate_json(body).replicas
    return None if wanted == "auto" else wanted


def push_request(body: bytes) -> float:
    """The value in a body of shape Push. Raises pydantic.ValidationError (a ValueError)."""
    return Push.model_validate_json(body).value
