"""Every operation of the admin API, as data: what the routes are made from and what the OpenAPI document says.

The shapes of answers are those of `sidecar.views`, turned into JSON Schema by pydantic, so that document and answers cannot
drift apart unnoticed. No handlers here.
"""

from dataclasses import dataclass
from typing import Any, Final, Literal

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter

from sidecar.views import Overview, ServiceView

LOG_LINES: Final = 10_000  # the most that one answer carries
EVENTS: Final = 1_000

EVENT_STREAM: Final = "text/event-stream"
METRICS: Final = "text/plain"


class Status(BaseModel):
    """One word."""

    status: str


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


class Scale(BaseModel):
    """How many replicas to hold, or "auto" for the autoscaler's own count again."""

    model_config = ConfigDict(extra="forbid", strict=True)
    replicas: int | Literal["auto"] = Field(examples=[3, "auto"])


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
    for kind in (Status, Error, Overview, Services, ServiceView, Explanation, Scale, Logs, Events, Reload)
}


@dataclass(frozen=True, slots=True)
class Parameter:
    """One parameter in the path or in the query."""

    name: str
    where: Literal["path", "query", "header"]
    meaning: str
    kind: str = "string"


@dataclass(frozen=True, slots=True)
class Operation:
    """One method on one path. answers: (status, shape or media type). body: the shape it takes, "" for an empty object."""

    id: str
    method: Literal["GET", "POST"]
    path: str
    summary: str
    answers: tuple[tuple[int, str], ...]
    parameters: tuple[Parameter, ...] = ()
    body: str = ""


_NAME = Parameter("name", "path", "A service's name.")
_FOLLOW = Parameter("follow", "query", "1: stay and send what comes as server-sent events.", "boolean")
_UNKNOWN = (404, "Error")
_UNSCALABLE = (409, "Error")
_INVALID = (400, "Error")

OPERATIONS: Final = (
    Operation("healthz", "GET", "/healthz", "Whether the controller runs. Open to all.", ((200, "Status"),)),
    Operation("readyz", "GET", "/readyz", "Whether every service is ready. Open to all.", ((200, "Status"), (503, "Status"))),
    Operation("metrics", "GET", "/metrics", "Metrics in Prometheus's text format.", ((200, METRICS),)),
    Operation("openapi", "GET", "/openapi.json", "This document.", ((200, "Document"),)),
    Operation("overview", "GET", "/api/overview", "The program as a whole.", ((200, "Overview"),)),
    Operation("services", "GET", "/api/services", "All services and their replicas.", ((200, "Services"),)),
    Operation("service", "GET", "/api/services/{name}", "One service.", ((200, "ServiceView"), _UNKNOWN), (_NAME,)),
    Operation(
        "explain",
        "GET",
        "/api/services/{name}/explain",
        "Why the service has as many replicas as it has.",
        ((200, "Explanation"), _UNKNOWN, _UNSCALABLE),
        (_NAME,),
    ),
    Operation(
        "scale",
        "POST",
        "/api/services/{name}/scale",
        "Hold the number of replicas, or give it back to the autoscaler.",
        ((200, "ServiceView"), _INVALID, _UNKNOWN, _UNSCALABLE),
        (_NAME,),
        body="Scale",
    ),
    Operation(
        "drain",
        "POST",
        "/api/services/{name}/replicas/{id}/drain",
        "Drain one replica and stop it. Another one is started if as many are still wanted.",
        ((202, "ServiceView"), _UNKNOWN, _UNSCALABLE),
        (_NAME, Parameter("id", "path", "A replica's name.")),
    ),
    Operation(
        "logs",
        "GET",
        "/api/services/{name}/logs",
        "What the service's replicas printed last.",
        ((200, "Logs"), (200, EVENT_STREAM), _INVALID, _UNKNOWN),
        (_NAME, Parameter("lines", "query", f"At most so many lines, 0 to {LOG_LINES}; 100 unless given.", "integer"), _FOLLOW),
    ),
    Operation(
        "events",
        "GET",
        "/api/events",
        "Decisions and changes of state, newest first; as a stream (follow=1 or Accept: text/event-stream) oldest first.",
        ((200, "Events"), (200, EVENT_STREAM), _INVALID),
        (
            Parameter("limit", "query", f"At most so many, 0 to {EVENTS}; 100 unless given.", "integer"),
            _FOLLOW,
            Parameter("Last-Event-ID", "header", "Of a stream: begin after this event.", "integer"),
        ),
    ),
    Operation(
        "reload",
        "POST",
        "/api/reload",
        "Read the configuration again, without losing a connection.",
        ((200, "Reload"), (422, "Reload")),
    ),
)

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
    if operation.method == "POST":
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
    if operation.method == "POST":
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
    return dict(sorted(found.items()))


def scale_request(body: bytes) -> int | None:
    """The count in a body of shape Scale, None for "auto". Raises pydantic.ValidationError (a ValueError)."""
    wanted = Scale.model_validate_json(body).replicas
    return None if wanted == "auto" else wanted
