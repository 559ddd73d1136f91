"""Proxies and their autoscaler as processes of their own, and load through all proxies at once."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from tests.support import TINY_COMMAND, connect, free_port, wait_until
from tests.system.program import Program, ecluse

QUICK = {"readiness": {"path": "/healthz", "interval": "100ms", "rise": 1, "fall": 1}}


def started(minimum: int = 1, maximum: int = 4, **autoscale: Any) -> dict[str, Any]:
    """A service whose replicas the autoscaler starts here."""
    return {
        "command": [*TINY_COMMAND],
        "probes": QUICK,
        "balance": {"drain_timeout": "10s", "stop_grace": "2s"},
        "autoscale": {"min_replicas": minimum, "max_replicas": maximum, **autoscale},
    }


def fixed(*ports: int) -> dict[str, Any]:
    """A service of endpoints that nobody here starts or stops."""
    return {"endpoints": [f"127.0.0.1:{port}" for port in ports], "probes": QUICK}


@dataclass(frozen=True, slots=True)
class Place:
    """Where a proxy listens, also when it is started again."""

    port: int
    admin: str

    @classmethod
    def free(cls) -> "Place":
        return cls(free_port(), f"127.0.0.1:{free_port()}")


class Apart:
    """Runs any of them, of one configuration."""

    def __init__(self, directory: Path, service: dict[str, Any], proxies: int = 2) -> None:
        self.places = [Place.free() for _ in range(proxies)]
        self._directory = directory
        self._service = service

    @asynccontextmanager
    async def proxy(self, number: int = 0) -> AsyncIterator[Program]:
        place = self.places[number]
        file = self._written(f"proxy-{number}.yaml", listen=f"127.0.0.1:{place.port}", admin={"listen": place.admin}, workers=1)
        async with ecluse(self._directory, "--role", "proxy", str(file)) as program:
            yield program

    @asynccontextmanager
    async def autoscaler(self, names: Sequence[str] = ()) -> AsyncIterator[Program]:
        """names: of the proxies, instead of their addresses."""
        proxies = [*names] or [place.admin for place in self.places]
        file = self._written("autoscaler.yaml", admin={"listen": "127.0.0.1:0"}, proxies=proxies)
        async with ecluse(self._directory, "--role", "autoscaler", str(file)) as program:
            yield program

    def _written(self, name: str, **top: Any) -> Path:
        file = self._directory / name
        file.write_text(yaml.safe_dump({"shutdown_timeout": "5s", **top, "services": {"web": self._service}}))
        return file


async def in_step(autoscaler: Program, *proxies: Program) -> None:
    """Until every worker of these proxies uses the table that the autoscaler sent last."""

    def so() -> bool:
        overview = autoscaler.overview()
        known = {each["address"]: each["acknowledged"] for each in overview["proxies"]}
        return all(known[each.admin] == overview["generation"] == given(each) for each in proxies)

    def given(proxy: Program) -> int:
        table = proxy.client.get("/api/proxy/table")["table"]
        overview = proxy.overview()
        used = {worker["acknowledged"] for worker in overview["workers"]} == {overview["generation"]}
        return int(table["generation"]) if table and used else 0

    await wait_until(so, 30)


def requests(service: dict[str, Any]) -> int:
    """Whole answers that the replicas gave."""
    return sum(sum(replica["reading"]["status"].values()) for replica in service["replicas"])


@asynccontextmanager
async def load(*ports: int, clients: int = 2, ms: int = 20) -> AsyncIterator["Counter[int | str]"]:
    """Clients of each port that ask again as soon as they are answered. Gives what came: statuses, and faults by name."""
    came: Counter[int | str] = Counter()
    ending = asyncio.Event()

    async def client(port: int) -> None:
        while not ending.is_set():
            try:
                async with connect(port) as connection:
                    while not ending.is_set():
                        came[(await connection.request("GET", f"/slow?ms={ms}")).status] += 1
            except (OSError, EOFError) as error:
                came[type(error).__name__] += 1
                await asyncio.sleep(0.02)

    tasks = [asyncio.create_task(client(port)) for port in ports for _ in range(clients)]
    try:
        yield came
    finally:
        ending.set()
        await asyncio.gather(*tasks)
