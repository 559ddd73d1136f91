"""A real Prometheus server that scrapes what a test tells it to, once a second."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

from tests.support import free_port, get, wait_until
from tests.system.tools import tool

CONFIG = """\
global: {{scrape_interval: 200ms, scrape_timeout: 200ms}}
scrape_configs:
  - job_name: tested
    static_configs: [{{targets: ["{target}"]}}]
"""


class Prometheus:
    """One server; `start` and `stop` as often as a story wants, on the same port."""

    def __init__(self, folder: Path, target: str) -> None:
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self._folder = folder
        self._process: asyncio.subprocess.Process | None = None
        folder.mkdir()
        (folder / "prometheus.yml").write_text(CONFIG.format(target=target))

    async def start(self) -> None:
        """Until it answers queries."""
        with (self._folder / "prometheus.log").open("a") as log:
            self._process = await asyncio.create_subprocess_exec(
                tool("prometheus"),
                f"--config.file={self._folder / 'prometheus.yml'}",
                f"--storage.tsdb.path={self._folder / 'data'}",
                f"--web.listen-address=127.0.0.1:{self.port}",
                stdout=log,
                stderr=log,
            )
        await wait_until(self._ready, 30)

    async def stop(self) -> None:
        """As a crash would end it."""
        if self._process and self._process.returncode is None:
            with suppress(ProcessLookupError):
                self._process.kill()
            await self._process.wait()

    async def knows(self, query: str) -> bool:
        """Whether a query finds anything."""
        answer = json.loads((await get(self.port, f"/api/v1/query?query={query}")).body)
        return bool(answer["data"]["result"])

    async def _ready(self) -> bool:
        try:
            return (await get(self.port, "/-/ready")).status == 200
        except OSError:
            return False


@asynccontextmanager
async def prometheus(folder: Path, target: str) -> AsyncIterator[Prometheus]:
    """A running one, killed at the end."""
    server = Prometheus(folder, target)
    try:
        await server.start()
        yield server
    finally:
        await server.stop()
