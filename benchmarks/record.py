"""What is written down of a run: JSON with every figure, Markdown to paste, a picture."""

import json
import os
import platform
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from benchmarks.picture import picture
from benchmarks.programs import absent
from benchmarks.ratios import compare, spread, verdicts
from benchmarks.rounds import Result
from benchmarks.table import goal_text, markdown, wrong

RESULTS = Path(__file__).parent / "results"
ROOT = Path(__file__).parent.parent


@dataclass(frozen=True, slots=True)
class Conditions:
    """Under which a run was made. versions: by program; left_out: why each peer or work that is absent is so."""

    command: str
    at: datetime
    rounds: int
    seconds: int
    versions: Mapping[str, str]
    left_out: Mapping[str, str]

    @property
    def caption(self) -> str:
        """What has to stand over a table of the result."""
        known = ", ".join(f"{name} {version}" for name, version in self.versions.items())
        return f"`{self.command}` on {self.at:%Y-%m-%d}, {self.rounds} rounds of {self.seconds} s, {known}; {processor()}"


def save(results: Sequence[Result], conditions: Conditions, folder: Path) -> list[Path]:
    """Writes the files; returns them."""
    folder.mkdir(parents=True, exist_ok=True)
    name = f"proxy-{conditions.at:%Y%m%d-%H%M%S}"
    contents = {
        "json": json.dumps(as_data(results, conditions), indent=1) + "\n",
        "md": markdown(results, conditions.caption),
        "svg": picture(results, conditions.caption),
    }
    paths = []
    for ending, content in contents.items():
        paths.append(folder / f"{name}.{ending}")
        paths[-1].write_text(content)
    return paths


def as_data(results: Sequence[Result], conditions: Conditions) -> dict[str, Any]:
    """Everything that was measured, and what it came to."""
    return {
        **asdict(conditions),
        "at": conditions.at.isoformat(timespec="seconds"),
        "commit": commit(),
        "machine": {"processor": processor(), "cores": os.cpu_count(), "kernel": platform.release()},
        "rows": {result.row.name: _row(result) for result in results},
    }


def _row(result: Result) -> dict[str, Any]:
    row = result.row
    peers = {}
    for peer, figures in result.rounds.items():
        compared = compare(row, result.rounds, peer, row.against)
        peers[peer] = {
            "figures": figures,
            **asdict(spread(figures)),
            "compared": asdict(compared) if compared else None,
            "errors": wrong(result, peer),
        }
    goals = [
        {
            "peer": verdict.goal.peer,
            "goal": goal_text(verdict.goal),
            "compared": asdict(verdict.compared) if verdict.compared else None,
            "met": verdict.met,
        }
        for verdict in verdicts(row, result.rounds)
    ]
    return {"meaning": row.meaning, "unit": row.unit, "against": row.against, "peers": peers, "goals": goals}


def commit() -> str:
    """The source's, with a plus if it was changed since; "" outside a repository, or without git."""
    if absent(["git"]):
        return ""
    command = ["git", "-C", str(ROOT), "describe", "--always", "--dirty=+", "--exclude=*"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return done.stdout.strip()


def processor() -> str:
    """Its name as the system has it."""
    names = [
        line.partition(":")[2].strip() for line in Path("/proc/cpuinfo").read_text().splitlines() if line.startswith("model name")
    ]
    return names[0] if names else platform.machine()


def now() -> datetime:
    """When a run is written down."""
    return datetime.now(UTC)
