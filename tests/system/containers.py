"""Services in containers under load: the configuration that runs them, a program in front of them, and how they fared.

The services are called `web`, whatever engine they are on.
"""

import re
from collections import Counter
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from tests.engines.daemon import Dockerd
from tests.engines.images import NAME
from tests.engines.swarm import Node
from tests.system.apps import written
from tests.system.load import Outcome, wrk
from tests.system.program import Program, ecluse

IMAGE = {"image": f"{NAME}:1"}
COMPOSE = {"compose": "web"}
SWARM = {"swarm": "web"}

MAXIMUM = 5
TARGET = 6  # requests at once that a replica is meant to carry
CHANGE_S = 60.0  # for a change of the count on a busy machine; most take a second or two
Record = Mapping[str, Any]


def on_docker(engine: Dockerd | Path, owner: str = "ecluse") -> dict[str, Any]:
    """A file's keys for one engine, or for a socket that leads to it."""
    path = engine.socket if isinstance(engine, Dockerd) else engine
    return {"engine": "docker", "docker": {"host": f"unix://{path}", "owner": owner}}


def on_swarm(managers: Sequence[Node]) -> dict[str, Any]:
    """A file's keys for a Swarm. managers: asked in turn."""
    return {"engine": "swarm", "docker": {"host": [node.endpoint for node in managers]}}


def service(source: Record, **rules: Any) -> dict[str, Any]:
    """A service with quick probes, and rules by which its count follows its load as fast as may be."""
    at_once = [{"type": "replicas", "value": 10, "period": "1s"}]
    quick = {
        "min_replicas": 1,
        "max_replicas": MAXIMUM,
        "metrics": [{"type": "concurrency", "target": TARGET}],
        "stable_window": "6s",
        "burst": {"window": "2s"},
        "behavior": {"scale_up": {"policies": at_once}, "scale_down": {"stabilization_window": "0s", "policies": at_once}},
    }
    return {
        **source,
        "probes": {"readiness": {"path": "/healthz", "interval": "250ms"}},
        "balance": {"drain_timeout": "10s", "stop_grace": "5s"},
        "autoscale": {**quick, **rules},
    }


@asynccontextmanager
async def in_front_of(tmp_path: Path, source: Record, top: Record, **rules: Any) -> AsyncIterator[Program]:
    """A program that balances and scales the service. tmp_path: a folder, which a second program may share with the first."""
    file = written(tmp_path / "ecluse.yaml", {"web": service(source, **rules)}, **top)
    async with ecluse(tmp_path, str(file)) as program:
        yield program


class Seen:
    """What came of the requests of one story: sums over all the load there was."""

    def __init__(self) -> None:
        self.outcomes: list[Outcome] = []

    @property
    def requests(self) -> int:
        return sum(outcome.requests for outcome in self.outcomes)

    @property
    def lost(self) -> int:
        """Requests that failed, in whatever way."""
        return sum(outcome.status + outcome.socket_errors + outcome.timeout for outcome in self.outcomes)

    @property
    def words(self) -> str:
        longest_ms = max(outcome.longest_us for outcome in self.outcomes) / 1000
        return f"{self.requests} requests, {self.lost} failed, longest {longest_ms:.0f} ms"


@asynccontextmanager
async def under_load(program: Program, seen: Seen, path: str = "/?ms=20", connections: int = 8) -> AsyncIterator[None]:
    """wrk for as long as the context lasts, half of it on a new connection for each request."""
    half = connections // 2
    async with wrk(program.port, path, half) as kept, wrk(program.port, path, connections - half, close=True) as fresh:
        yield
        seen.outcomes += [await kept.end(), await fresh.end()]


def removed(program: Program) -> int:
    """Replicas that were drained to their end and are gone since. Names are given again."""
    drained, gone = (Counter(each["replica"] for each in program.events(kind)) for kind in ("drained", "gone"))
    return (drained & gone).total()


def turns(program: Program) -> tuple[int, int]:
    """How often it was decided to go up, and how often to go down."""
    ups, downs = 0, 0
    for message in (each["message"] for each in program.events("decision")):
        before, after = map(int, re.findall(r"goes from (\d+) to (\d+)", message)[0])
        ups, downs = (ups + 1, downs) if after > before else (ups, downs + 1)
    return ups, downs


def picks(program: Program, ids: set[str]) -> int:
    """How often these replicas have been picked so far."""
    cells = [each["reading"] for each in program.service()["replicas"] if each["id"] in ids]
    return sum(
        sum(cell["status"].values()) + cell["connect_errors"] + cell["broken"] + cell["timeouts"] + cell["in_flight"]
        for cell in cells
    )


def lives(engine: Dockerd) -> dict[str, str]:
    """All containers of an engine: since when each has been running, "" if it is not."""
    found = {one["Id"]: engine.inspect(one["Id"])["State"] for one in engine.api("GET", "/containers/json?all=1")}
    return {name: state["StartedAt"] if state["Running"] else "" for name, state in found.items()}
