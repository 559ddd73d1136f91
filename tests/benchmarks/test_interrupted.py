"""An interrupted run leaves nothing behind: no process, no file."""

import signal
from contextlib import suppress
from pathlib import Path

import pytest

from tests.benchmarks.runs import NEEDED, benchmarking, descendants, path_with, runs
from tests.support import wait_until_blocking


def _loading(pid: int) -> bool:
    """Whether wrk loads a peer by now."""
    with suppress(FileNotFoundError):  # something ended meanwhile
        return any(b"\x0060s\0" in Path(f"/proc/{each}/cmdline").read_bytes() for each in descendants(pid))
    return False


@pytest.mark.parametrize(
    ("work", "number"),
    [
        pytest.param("small", signal.SIGINT, id="Ctrl-C while peers are under load"),
        pytest.param("idle", signal.SIGTERM, id="SIGTERM before connections are opened"),
        pytest.param("tables", signal.SIGTERM, id="SIGTERM while a worker without a controller is under load"),
    ],
)
def test_what_was_started_is_ended_and_nothing_is_written(tmp_path: Path, work: str, number: signal.Signals) -> None:
    path = path_with(tmp_path / "bin", *NEEDED)
    with benchmarking(tmp_path, path, work, "--seconds", "60", "--peers", "nginx,interpreted") as process:
        wait_until_blocking(lambda: _loading(process.pid), 30.0)
        started = descendants(process.pid)
        process.send_signal(number)
        _, told = process.communicate()
    assert process.returncode == 130
    assert told.endswith("interrupted; everything that was started has been ended, nothing is written\n")
    wait_until_blocking(lambda: not any(map(runs, started)), 1.0)
    assert list((tmp_path / "temporary").iterdir()) == []
    assert not (tmp_path / "results").exists()
