"""Processes of a benchmark: started pinned to a core, watched for the CPU time they use, ended at the end."""

import os
import signal
import socket
import subprocess
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

TICKS = os.sysconf("SC_CLK_TCK")
START_S = 20.0
END_S = 10.0


class Process:
    """One program and its children, on one core."""

    def __init__(self, command: Sequence[str], core: int, log: Path, environment: dict[str, str] | None = None) -> None:
        self.log = log
        with log.open("ab") as out:
            self._popen = subprocess.Popen(
                ["taskset", "-c", str(core), *command],
                stdout=out,
                stderr=out,
                stdin=subprocess.DEVNULL,
                env={**os.environ, **(environment or {})},
                start_new_session=True,
            )

    def pids(self) -> list[int]:
        """The process and its descendants."""
        found = [self._popen.pid]
        for pid in found:
            with suppress(OSError):
                found += [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
        return found

    def cpu_s(self) -> float:
        """User and system time so far, descendants included."""
        return sum(cpu_of(pid) for pid in self.pids())

    def wait_for(self, port: int) -> None:
        """Until something accepts on the port. Raises RuntimeError with the log if nothing does."""
        end = time.monotonic() + START_S
        while time.monotonic() < end and self._popen.poll() is None:
            with suppress(OSError), socket.create_connection(("127.0.0.1", port), 1.0):
                return
            time.sleep(0.05)
        raise RuntimeError(f"nothing listens on port {port}; its log says:\n{self.log.read_text()[-2000:]}")

    def end(self) -> None:
        """Stop it and what it started."""
        if self._popen.poll() is None:
            self._popen.send_signal(signal.SIGTERM)
            try:
                self._popen.wait(END_S)
            except subprocess.TimeoutExpired:
                os.killpg(self._popen.pid, signal.SIGKILL)
                self._popen.wait()


def cpu_of(pid: int) -> float:
    """User and system time of one process in seconds; 0 if it is gone."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    except OSError:
        return 0.0
    return (int(fields[11]) + int(fields[12])) / TICKS


def free_port() -> int:
    """A loopback port that nothing used a moment ago."""
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return int(sock.getsockname()[1])
