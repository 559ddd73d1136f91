"""The OpenAPI document and the answers are one and the same."""

import re
from dataclasses import replace
from typing import Any

import httpx
import jsonschema  # type: ignore[import-untyped]  # it comes without types
import pytest
from starlette.routing import Route

from sidecar.admin import openapi
from sidecar.admin.application import application
from sidecar.admin.guard import Gate
from sidecar.admin.streams import Streams
from sidecar.ledger import Ledger
from sidecar.metrics import STATUS_CLASSES
from tests.admin.control import FakeControl, service

JSON = {"content-type": "application/json"}
EXCHANGES = [
    ("GET", "/healthz", "/healthz", None, 200),
    ("GET", "/readyz", "/readyz", None, 200),
    ("GET", "/openapi.json", "/openapi.json", None, 200),
    ("GET", "/api/overview", "/api/overview", None, 200),
    ("GET", "/api/services", "/api/services", None, 200),
    ("GET", "/api/services/{name}", "/api/services/shop", None, 200),
    ("GET", "/api/services/{name}", "/api/services/shep", None, 404),
    ("GET", "/api/services/{name}/explain", "/api/services/shop/explain", None, 200),
    ("GET", "/api/services/{name}/explain", "/api/services/shep/explain", None, 404),
    ("GET", "/api/services/{name}/explain", "/api/services/legacy/explain", None, 409),
    ("GET", "/api/services/{name}/explain", "/api/services/shop/explain?at=1m", None, 200),
    ("GET", "/api/services/{name}/explain", "/api/services/shop/explain?at=2001-01-01", None, 404),
    ("GET", "/api/services/{name}/explain", "/api/services/shop/explain?at=soon", None, 400),
    ("GET", "/api/services/{name}/decisions", "/api/services/shop/decisions", None, 200),
    ("GET", "/api/services/{name}/decisions", "/api/services/shop/decisions?since=soon", None, 400),
    ("GET", "/api/services/{name}/decisions", "/api/services/shep/decisions", None, 404),
    ("GET", "/api/services/{name}/decisions", "/api/services/legacy/decisions", None, 409),
    ("POST", "/api/services/{name}/scale", "/api/services/shop/scale", {"replicas": 4}, 200),
    ("POST", "/api/services/{name}/scale", "/api/services/shop/scale", {"replicas": "auto"}, 200),
    ("POST", "/api/services/{name}/scale", "/api/services/shop/scale", {"replicas": "many"}, 400),
    ("POST", "/api/services/{name}/scale", "/api/services/shop/scale", {"replicas": True}, 400),
    ("POST", "/api/services/{name}/scale", "/api/services/shop/scale", {"replica": 4}, 400),
    ("POST", "/api/services/{name}/scale", "/api/services/shop/scale", {"replicas": 99}, 400),
    ("POST", "/api/services/{name}/scale", "/api/services/shep/scale", {"replicas": 4}, 404),
    ("POST", "/api/services/{name}/scale", "/api/services/legacy/scale", {"replicas": 4}, 409),
    ("POST", "/api/services/{name}/scale", "/api/services/shop/scale", {"replicas": "x" * 20_000}, 413),
    ("POST", "/api/services/{name}/signals/{signal}", "/api/services/shop/signals/jobs", {"value": 12.5}, 200),
    ("POST", "/api/services/{name}/signals/{signal}", "/api/services/shop/signals/jobs", {"value": "12.5"}, 400),
    ("POST", "/api/services/{name}/signals/{signal}", "/api/services/shop/signals/jobs", {}, 400),
    ("POST", "/api/services/{name}/signals/{signal}", "/api/services/shop/signals/jibs", {"value": 1}, 404),
    ("POST", "/api/services/{name}/signals/{signal}", "/api/services/shep/signals/jobs", {"value": 1}, 404),
    ("POST", "/api/services/{name}/signals/{signal}", "/api/services/legacy/signals/jobs", {"value": 1}, 409),
    ("POST", "/api/services/{name}/replicas/{id}/drain", "/api/services/shop/replicas/shop-1/drain", {}, 202),
    ("POST", "/api/services/{name}/replicas/{id}/drain", "/api/services/shop/replicas/shop-9/drain", {}, 404),
    ("GET", "/api/services/{name}/logs", "/api/services/shop/logs?lines=1", None, 200),
    ("GET", "/api/services/{name}/logs", "/api/services/shop/logs?lines=-1", None, 400),
    ("GET", "/api/services/{name}/logs", "/api/services/shep/logs", None, 404),
    ("GET", "/api/services/{name}/logs", "/api/services/shep/logs?follow=1", None, 404),
    ("GET", "/api/services/{name}/logs", "/api/services/legacy/logs", None, 409),
    ("GET", "/api/events", "/api/events?limit=3", None, 200),
    ("GET", "/api/events", "/api/events?limit=1001", None, 400),
    ("POST", "/api/reload", "/api/reload", {}, 200),
    ("GET", "/api/proxy/table", "/api/proxy/table", None, 409),
    ("PUT", "/api/proxy/table", "/api/proxy/table", {"epoch": 1, "table": {}}, 409),
    ("POST", "/api/proxy/readings", "/api/proxy/readings", {"epoch": 1}, 409),
]


def resolved(schema: dict[str, Any], document: dict[str, Any]) -> dict[str, Any]:
    return {**schema, "components": document["components"]}


def media(document: dict[str, Any], path: str, method: str, status: int) -> dict[str, Any]:
    content: dict[str, Any] = document["paths"][path][method.lower()]["responses"][str(status)]["content"]
    return content


@pytest.mark.parametrize("exchange", EXCHANGES, ids=lambda exchange: f"{exchange[0]} {exchange[2][:60]} gives {exchange[4]}")
async def test_answers_have_the_documented_shape(
    api: httpx.AsyncClient, control: FakeControl, exchange: tuple[str, str, str, Any, int]
) -> None:
    method, path, target, body, status = exchange
    control.happen("up to 3")
    answer = await api.request(method, target, json=body)
    assert answer.status_code == status
    document = openapi.document("0.1.0")
    schema = media(document, path, method, status)["application/json"]["schema"]
    jsonschema.Draft202012Validator(resolved(schema, document)).validate(answer.json())


async def test_a_reload_that_failed_has_the_documented_shape(api: httpx.AsyncClient, control: FakeControl) -> None:
    control.reload_errors = ["ecluse.yaml:3:1: no such key"]
    answer = await api.post("/api/reload", json={})
    assert answer.status_code == 422
    assert answer.json() == {"reloaded": False, "errors": ["ecluse.yaml:3:1: no such key"]}
    assert "422" in openapi.document("")["paths"]["/api/reload"]["post"]["responses"]


async def test_not_ready_is_documented(api: httpx.AsyncClient, control: FakeControl) -> None:
    control.is_ready = False
    control.shown["cart"] = replace(service("cart"), min_replicas=2)
    answer = await api.get("/readyz")
    assert (answer.status_code, answer.json()) == (503, {"status": "not ready", "waiting_for": ["cart: 0 of 2 ready"]})
    assert "503" in openapi.document("")["paths"]["/readyz"]["get"]["responses"]


async def test_counts_by_status_class_have_names_and_buckets_are_left_to_the_metrics(api: httpx.AsyncClient) -> None:
    shop = (await api.get("/api/services/shop")).json()
    assert list(shop["reading"]["own_answers"]) == list(shop["replicas"][0]["reading"]["status"]) == list(STATUS_CLASSES)
    assert "latency" not in shop["replicas"][0]["reading"]
    assert "latency" not in openapi.document("")["components"]["schemas"]["ReplicaReading"]["properties"]


async def test_every_route_is_documented_and_every_documented_path_is_a_route(control: FakeControl) -> None:
    app = application(control, Gate("127.0.0.1", ""), Ledger(), Streams())
    routes = {(route.path, method) for route in app.routes if isinstance(route, Route) for method in route.methods or ()}
    paths = openapi.document("")["paths"]
    assert {entry for entry in routes if entry[1] != "HEAD"} == {(path, m.upper()) for path in paths for m in paths[path]}


async def test_the_served_document_is_openapi_3_1_and_has_no_loose_ends(api: httpx.AsyncClient) -> None:
    document = (await api.get("/openapi.json")).json()
    assert document["openapi"].startswith("3.1")
    names = [operation["operationId"] for path in document["paths"].values() for operation in path.values()]
    assert len(names) == len(set(names))
    assert all(operation["responses"] for path in document["paths"].values() for operation in path.values())
    references = set(re.findall(r"#/components/schemas/(\w+)", str(document)))
    assert references == set(document["components"]["schemas"])
    for schema in document["components"]["schemas"].values():
        jsonschema.Draft202012Validator.check_schema(schema)


@pytest.mark.parametrize("path", [path for path in openapi.document("")["paths"] if "{" in path])
def test_every_parameter_in_a_path_is_described(path: str) -> None:
    for operation in openapi.document("")["paths"][path].values():
        described = {parameter["name"] for parameter in operation["parameters"] if parameter["in"] == "path"}
        assert described == set(re.findall(r"{(\w+)}", path))
