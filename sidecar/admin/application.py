"""The handlers: from a request to a call of `Control`, from what it gives to JSON."""

import asyncio
import json
import math
import time
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Sequence
from contextlib import aclosing
from dataclasses import asdict
from typing import Any

from prometheus_client.exposition import choose_encoder
from pydantic import ValidationError
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from sidecar.admin import openapi, operations, orders, problem, shapes, streams
from sidecar.admin.guard import Gate, Guard
from sidecar.admin.problem import Problem
from sidecar.ledger import Ledger
from sidecar.metrics import registry
from sidecar.moment import moment
from sidecar.views import DECISIONS, EVENTS, LOG_LINES, Control, NotScalable, Overview, Role, ServiceView

BODY = 16 * 1024  # a request body larger than this is refused; the largest that makes sense has twenty octets

Handler = Callable[[Request], Awaitable[Response]]


def application(control: Control, gate: Gate, ledger: Ledger, followers: streams.Streams) -> Starlette:
    """The admin API as an ASGI application. Must be made on the event loop that serves it."""
    handlers = Handlers(control, ledger, followers)
    routes = [Route(operation.path, handlers.of(operation.id), methods=[operation.method]) for operation in operations.OPERATIONS]
    failures = (Problem, *problem.REFUSALS, HTTPException, ClientDisconnect, Exception)
    return Starlette(
        routes=routes,
        middleware=[Middleware(Guard, gate=gate)],
        exception_handlers=dict.fromkeys(failures, problem.answer),
    )


class Handlers:
    """One method per operation, named as the operation is."""

    def __init__(self, control: Control, ledger: Ledger, followers: streams.Streams) -> None:
        self._control = control
        self._registry = registry(control, ledger)
        self._streams = followers

    def of(self, operation: str) -> Handler:
        """The handler of an operation of `operations.OPERATIONS`."""
        handler: Handler = getattr(self, operation)
        return handler

    async def healthz(self, _request: Request) -> Response:
        return JSONResponse({"status": "ok"})

    async def readyz(self, _request: Request) -> Response:
        if self._control.ready():
            return JSONResponse({"status": "ready"})
        return JSONResponse(
            {"status": "not ready", "waiting_for": _missing(self._control.overview(), self._control.services())}, 503
        )

    async def metrics(self, request: Request) -> Response:
        encode, media_type = choose_encoder(request.headers.get("accept", ""))
        return Response(encode(self._registry), media_type=None, headers={"content-type": media_type})

    async def openapi(self, _request: Request) -> Response:
        return JSONResponse(openapi.document(self._control.overview().version))

    async def overview(self, _request: Request) -> Response:
        return JSONResponse(asdict(self._control.overview()))

    async def services(self, _request: Request) -> Response:
        return JSONResponse({"services": [shapes.service_json(service) for service in self._control.services()]})

    async def service(self, request: Request) -> Response:
        return self._service(request, 200)

    async def explain(self, request: Request) -> Response:
        name = request.path_params["name"]
        if "at" in request.query_params:
            return JSONResponse(await self._control.explain_at(name, _moment(request, "at")))
        return JSONResponse(self._control.explain(name))

    async def snapshot(self, request: Request) -> Response:
        return JSONResponse(await self._control.snapshot(request.path_params["name"]))

    async def past_decisions(self, request: Request) -> Response:
        name, limit = request.path_params["name"], _number(request, "limit", 100, DECISIONS)
        since_s, until_s = _moment(request, "since", 0.0), _moment(request, "until", math.inf)
        found = await self._control.past_decisions(name, since_s, until_s, _flag(request, "changes"), limit)
        return JSONResponse({"decisions": found})

    async def scale(self, request: Request) -> Response:
        try:
            wanted = openapi.scale_request(await _body(request))
        except ValidationError as error:
            raise Problem(400, "invalid", 'send {"replicas": N} or {"replicas": "auto"}') from error
        try:
            self._control.scale(request.path_params["name"], wanted)
        except NotScalable:
            raise
        except ValueError as error:
            raise Problem(400, "out_of_bounds", str(error)) from error
        return self._service(request, 200)

    async def pause(self, request: Request) -> Response:
        try:
            what = openapi.Pausing.model_validate_json(await _body(request)).what
        except ValidationError as error:
            raise Problem(400, "invalid", 'send {"what": "all"}, {"what": "down"} or {"what": "none"}') from error
        self._control.pause(request.path_params["name"], what)
        return self._service(request, 200)

    async def push(self, request: Request) -> Response:
        try:
            value = openapi.push_request(await _body(request))
        except ValidationError as error:
            raise Problem(400, "invalid", 'send {"value": N}, a finite number') from error
        self._control.push(request.path_params["name"], request.path_params["signal"], value)
        return self._service(request, 200)

    async def drain(self, request: Request) -> Response:
        await _body(request)
        self._control.drain(request.path_params["name"], request.path_params["id"])
        return self._service(request, 202)

    async def reload(self, request: Request) -> Response:
        await _body(request)
        errors = await self._control.reload()
        return JSONResponse({"reloaded": not errors, "errors": errors}, 422 if errors else 200)

    async def logs(self, request: Request) -> Response:
        name = request.path_params["name"]
        lines = _number(request, "lines", 100, LOG_LINES)
        engine = self._control.service(name).engine
        if engine != "processes":
            kept = "its output is kept by Docker" if engine in {"docker", "swarm"} else "it is not started here"
            raise Problem(409, "no_logs", f"{name} has no logs here: {kept}")
        if not _follows(request):
            return JSONResponse({"lines": list(self._control.logs(name, lines))})
        return self._streams.response(self._log_messages(name, lines))

    async def _log_messages(self, name: str, lines: int) -> AsyncIterator[str]:
        def past() -> Sequence[str]:
            return self._control.logs(name, lines) if lines else ()

        async with aclosing(streams.joined(past, self._control.follow_logs(name))) as joined:
            async for line in joined:
                yield streams.message(line)

    async def events(self, request: Request) -> Response:
        follows = _follows(request)
        limit = _number(request, "limit", 0 if follows else 100, EVENTS)
        if not follows:
            return JSONResponse({"events": list(self._control.events(limit))})
        last = request.headers.get("last-event-id")
        if last is not None and not last.isdecimal():
            raise Problem(400, "invalid", "Last-Event-ID is not the id of an event")
        return self._streams.response(self._event_messages(limit, None if last is None else int(last)))

    async def _event_messages(self, limit: int, last: int | None) -> AsyncIterator[str]:
        sent = -1
        async with aclosing(streams.joined(lambda: self._past(limit, last), self._control.follow_events())) as joined:
            async for event in joined:
                notice = event["kind"] == "lost"  # it has the id of the event after it
                if notice or event["id"] > sent:
                    sent = sent if notice else event["id"]
                    yield streams.event_message(event)

    def _past(self, limit: int, last: int | None) -> list[dict[str, Any]]:
        """What a stream begins with, oldest first: what came after the event `last`, or as many as asked for."""
        if last is not None:
            return [event for event in self._control.events(EVENTS) if event["id"] > last][::-1]
        return list(self._control.events(limit))[::-1] if limit else []

    async def proxy_table(self, _request: Request) -> Response:
        return JSONResponse(self._control.proxy().held())

    async def take_table(self, request: Request) -> Response:
        proxy = self._control.proxy()
        try:
            epoch, table = orders.parsed(await _body(request, orders.BODY))
        except ValidationError as error:
            raise Problem(400, "invalid", f"this is no routing table: {error.errors()[0]['msg']}") from error
        return JSONResponse({"generation": proxy.take(epoch, table)})

    async def readings(self, request: Request) -> Response:
        proxy = self._control.proxy()
        try:
            epoch = orders.Reader.model_validate_json(await _body(request)).epoch
        except ValidationError as error:
            raise Problem(400, "invalid", 'send {"epoch": N}, the number of the autoscaler that asks') from error
        return self._streams.response(_reading_messages(proxy.readings(epoch)), reserved=True)

    def _service(self, request: Request, status: int) -> Response:
        return JSONResponse(shapes.service_json(self._control.service(request.path_params["name"])), status)


def _missing(overview: Overview, services: Sequence[ServiceView]) -> list[str]:
    """What readiness waits for, in words. A service without rules is to have one replica."""
    if overview.role is Role.PROXY and not services:
        return ["an autoscaler, for a routing table"]
    if overview.role is Role.AUTOSCALER and not any(proxy.acknowledged for proxy in overview.proxies):
        return ["a proxy that carries requests"]
    least = [(service, service.min_replicas if service.scalable else 1) for service in services]
    behind = [f"{service.name}: {service.ready} of {wanted} ready" for service, wanted in least if service.ready < wanted]
    whose = "proxies" if overview.role is Role.AUTOSCALER else "workers"
    return behind or [f"the {whose}, for their routing tables"]


async def _reading_messages(readings: AsyncGenerator[dict[str, Any], None]) -> AsyncIterator[str]:
    async with aclosing(readings):
        async for reading in readings:
            yield streams.message(json.dumps(reading, separators=(",", ":")))


def _follows(request: Request) -> bool:
    unsaid = not request.query_params.get("follow")
    return _flag(request, "follow") or (unsaid and streams.MEDIA_TYPE in request.headers.get("accept", ""))


def _flag(request: Request, name: str) -> bool:
    return request.query_params.get(name, "").lower() in {"1", "true"}


def _moment(request: Request, name: str, default: float = 0.0) -> float:
    given = request.query_params.get(name)
    try:
        return default if given is None else moment(given, time.time())
    except ValueError as error:
        raise Problem(400, "invalid", f"{name}: {error}") from error


def _number(request: Request, name: str, default: int, most: int) -> int:
    given = request.query_params.get(name, str(default))
    if not given.isdecimal() or int(given[:10]) > most:
        raise Problem(400, "invalid", f"{name} is a number from 0 to {most}")
    return int(given)


async def _body(request: Request, most: int = BODY) -> bytes:
    body = bytearray()
    async for octets in request.stream():
        body += octets
        if len(body) > most:
            raise Problem(413, "too_large", f"a request body here has at most {most} octets")
    return bytes(body)


async def watch(control: Control, ledger: Ledger, interval_s: float = 1.0) -> None:
    """Show the ledger all services again and again, until cancelled."""
    while True:
        ledger.observe(control.services())
        await asyncio.sleep(interval_s)
