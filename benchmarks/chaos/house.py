"""The program under test: started, killed, started again, reloaded, and looked at."""

import asyncio
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import httpx
import yaml

REPLICAS = 5
ROOT = Path(__file__).parents[2]
START_S = 60.0


class House:
    """One folder with a configuration, a state and a log; one port that stays."""

    def __init__(self, folder: Path, port: int, admin: int, log: Path) -> None:
        self.port = port
        self._folder = folder
        self._admin = admin
        self._log = log
        self._file = folder / "ecluse.yaml"
        self._process: asyncio.subprocess.Process | None = None
        self._odd = False
        self._api = httpx.AsyncClient(base_url=f"http://127.0.0.1:{admin}", timeout=5.0, trust_env=False)

    async def start(self) -> None:
        """Until every replica is ready."""
        self.write()
        said = (self._folder / "said").open("ab")
        words = [sys.executable, "-m", "sidecar.cli", "run", str(self._file)]
        self._process = await asyncio.create_subprocess_exec(*words, cwd=ROOT, stdin=subprocess.DEVNULL, stdout=said, stderr=said)
        said.close()
        async with asyncio.timeout(START_S):
            while len(await self.ready()) < REPLICAS:  # noqa: ASYNC110 - it is another process that gets ready
                await asyncio.sleep(0.05)

    async def stop(self) -> None:
        """In order."""
        if self._process is not None and self._process.returncode is None:
            self._process.terminate()
            await self._process.wait()
        await self._api.aclose()

    async def kill(self) -> None:
        """SIGKILL, and gone."""
        assert self._process is not None
        self._process.kill()
        await self._process.wait()

    def reload(self) -> None:
        """The file says something else, and SIGHUP says so."""
        self._odd = not self._odd
        self.write()
        if self._process is not None and self._process.returncode is None:
            self._process.send_signal(signal.SIGHUP)

    def write(self) -> None:
        """The configuration: the other one of two."""
        beside = self._file.with_suffix(".new")
        beside.write_text(yaml.safe_dump(self._configuration()), encoding="utf-8")
        beside.replace(self._file)

    def _configuration(self) -> dict[str, Any]:
        probe = {"path": "/healthz", "interval": "300ms", "timeout": "500ms", "fall": 2, "rise": 1}
        return {
            "listen": f"127.0.0.1:{self.port}",
            "admin": {"listen": f"127.0.0.1:{self._admin}"},
            "workers": 2,
            "state": str(self._folder / "state"),
            "access_log": {"file": str(self._log)},
            "limits": {"fields": 101 if self._odd else 100},
            "services": {
                "work": {
                    "command": [sys.executable, "-m", "benchmarks.chaos.app", "{port}"],
                    "directory": str(ROOT),
                    "balance": {
                        "queue": 1000,
                        "slow_start": "1s",
                        "retries": {"attempts": 5, "budget": "100%", "try_timeout": "1s"},
                        "ejection": {"time": "1s", "longest": "5s"},
                    },
                    "probes": {"readiness": probe, "liveness": _liveness(probe)},
                    "autoscale": {"min_replicas": REPLICAS, "max_replicas": REPLICAS},
                }
            },
        }

    async def replicas(self) -> list[dict[str, Any]]:
        """As the admin API shows them; none while it does not answer."""
        try:
            answer = await self._api.get("/api/services/work")
        except httpx.HTTPError:
            return []
        found: list[dict[str, Any]] = answer.json()["replicas"] if answer.status_code == 200 else []
        return found

    async def ready(self) -> list[dict[str, Any]]:
        """Those that get requests."""
        return [each for each in await self.replicas() if each["state"] == "ready"]

    async def processes(self) -> dict[str, int]:
        """The pids of the controller and of the workers."""
        assert self._process is not None
        try:
            workers = (await self._api.get("/api/overview")).json()["workers"]
        except (httpx.HTTPError, KeyError, ValueError):
            workers = []
        return {"controller": self._process.pid, **{f"worker {each['row']}": each["pid"] for each in workers if each["pid"]}}

    async def counted(self) -> dict[str, float]:
        """What /metrics says, by name, summed over labels."""
        try:
            lines = (await self._api.get("/metrics")).text.splitlines()
        except httpx.HTTPError:
            return {}
        sums: dict[str, float] = {}
        for line in lines:
            if line and line[0] != "#":
                name, value = line.partition("{")[0].partition(" ")[0], float(line.rpartition(" ")[2])
                sums[name] = sums.get(name, 0.0) + value
        return sums


def _liveness(probe: dict[str, Any]) -> dict[str, Any]:
    return {**{key: value for key, value in probe.items() if key != "rise"}, "fall": 5}


def resident(pid: int) -> int:
    """Octets in memory; 0: it is gone."""
    try:
        text = Path(f"/proc/{pid}/statm").read_text(encoding="ascii")
    except OSError:
        return 0
    return int(text.split()[1]) * os.sysconf("SC_PAGE_SIZE")


def descriptors(pid: int) -> int:
    """How many are open; 0: it is gone."""
    try:
        return len(os.listdir(f"/proc/{pid}/fd"))  # noqa: PTH208 - a count is all that is wanted
    except OSError:
        return 0
