"""Load from wrk: closed-loop, as many requests as the connections allow. What it sends is data."""

import re
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks.processes import pinned

# wrk prints octets rounded to a hundredth of a gigabyte; this prints them as they are.
DONE = """
done = function(summary, latency, requests)
  local e = summary.errors
  io.write(string.format("done %.0f %.0f connect=%d read=%d write=%d status=%d timeout=%d\\n",
    summary.requests, summary.bytes, e.connect, e.read, e.write, e.status, e.timeout))
end
"""
_DONE = re.compile(r"^done (\d+) (\d+) (.*)$", re.MULTILINE)
_WRONG = re.compile(r"\w+=[1-9]\d*")


@dataclass(frozen=True, slots=True)
class Load:
    """What wrk sends: a path, on so many connections, changed by a script in Lua."""

    path: str = "/"
    connections: int = 64
    script: str = ""


@dataclass(frozen=True, slots=True)
class Count:
    """What came of it: answers, the octets of them, and errors by kind ("status=12")."""

    requests: int
    octets: int
    errors: tuple[str, ...]


def run(load: Load, url: str, seconds: float, cores: Sequence[int], folder: Path) -> Count:
    """Put the load on a URL for so long. Raises RuntimeError with wrk's own words if it cannot."""
    script = folder / "load.lua"
    script.write_text(load.script + DONE)
    threads = min(len(cores), load.connections)
    command = ["wrk", "-t", str(threads), "-c", str(load.connections), "-d", f"{max(1, round(seconds))}s", "-s", str(script)]
    done = subprocess.run(pinned([*command, url + load.path], cores), capture_output=True, text=True, check=False)
    found = _DONE.search(done.stdout)
    if not found:
        raise RuntimeError(f"wrk said nothing of what it did: {(done.stdout + done.stderr).strip()}")
    return Count(int(found[1]), int(found[2]), tuple(_WRONG.findall(found[3])))
