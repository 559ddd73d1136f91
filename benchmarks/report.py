"""Tables and files of results."""

import json
import platform
import subprocess
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from benchmarks.rounds import Figures

RESULTS = Path(__file__).parent / "results"
REFERENCES = ("nginx", "haproxy")


def table(results: Mapping[str, Mapping[str, Figures]]) -> str:
    """Each peer's median as a share of the better of nginx and HAProxy, with the lowest and highest round."""
    lines = [f"{'work':10} {'peer':12} {'of the better':>14} {'lowest':>8} {'highest':>8} {'requests/CPU-s':>15}  errors"]
    for work, peers in results.items():
        best = max((peers[name].median for name in REFERENCES if name in peers), default=0.0)
        for name, figures in peers.items():
            shares = [value / best if best else 0.0 for value in figures.per_cpu_s]
            middle = f"{figures.median / best:14.2f}" if best else f"{'-':>14}"
            errors = "; ".join(sorted(set(figures.errors))) or "none"
            lines.append(f"{work:10} {name:12} {middle} {min(shares):8.2f} {max(shares):8.2f} {figures.median:15,.0f}  {errors}")
    return "\n".join(lines)


def save(results: Mapping[str, Mapping[str, Figures]], command: str) -> Path:
    """Writes everything as JSON; returns the file."""
    RESULTS.mkdir(exist_ok=True)
    now = datetime.now(UTC)
    data: dict[str, Any] = {
        "command": command,
        "at": now.isoformat(timespec="seconds"),
        "commit": subprocess.run(
            ["git", "rev-parse", "--short", "HEAD"], capture_output=True, text=True, check=False
        ).stdout.strip(),
        "machine": platform.machine(),
        "python": platform.python_version(),
        "requests_per_cpu_s": {work: {name: f.per_cpu_s for name, f in peers.items()} for work, peers in results.items()},
        "errors": {work: {name: f.errors for name, f in peers.items() if f.errors} for work, peers in results.items()},
    }
    path = RESULTS / f"proxy-{now:%Y%m%d-%H%M%S}.json"
    path.write_text(json.dumps(data, indent=1) + "\n")
    return path
