"""Real runs of `python -m benchmarks`, as processes of their own."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent.parent
NEEDED = ("nginx", "wrk", "taskset", "setpriv", "cc")


def path_with(folder: Path, *programs: str) -> str:
    """A PATH on which only these programs are, so that a run finds no other. Skips the test where one is missing."""
    folder.mkdir()
    for program in programs:
        (folder / program).symlink_to(_found(program))
    return str(folder)


def _found(program: str) -> str:
    for folder in [*os.environ["PATH"].split(":"), "/usr/sbin"]:
        if os.access(f"{folder}/{program}", os.X_OK):
            return f"{folder}/{program}"
    missing = f"{program} is missing; apt-get install nginx wrk util-linux gcc"
    if os.environ.get("CI") == "true" and program in {"nginx", "wrk"}:
        pytest.fail(missing)
    pytest.skip(missing)


@contextmanager
def benchmarking(folder: Path, path: str, *words: str) -> Iterator["subprocess.Popen[str]"]:
    """A run that is under way. Its temporary files are in `folder/temporary`, its results in `folder/results`."""
    temporary = folder / "temporary"
    temporary.mkdir()
    command = [sys.executable, "-m", "benchmarks", *words, "--results", str(folder / "results")]
    environment = {**os.environ, "PATH": path, "TMPDIR": str(temporary)}
    process = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    with process:
        try:
            yield process
        finally:
            process.send_signal(signal.SIGTERM)


def descendants(pid: int) -> list[int]:
    """The process and all that it has started, directly or not."""
    found = [pid]
    for each in found:
        with suppress(OSError):  # it has ended meanwhile
            for path in Path(f"/proc/{each}/task").glob("*/children"):
                found += [int(child) for child in path.read_text().split()]
    return found


def runs(pid: int) -> bool:
    """Whether there is such a process, and not merely its remains."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False
