"""Processes of a benchmark: started on chosen cores, watched for the CPU time and memory they use, ended at the end.

CPU time is that of the program and all its descendants, those that have ended included. That of a living process is read from its own
clock, in nanoseconds (`clock_getcpuclockid(3)`): /proc/PID/stat rounds the same number to ticks of 10 ms.
"""

import os
import signal
import socket
import subprocess
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path

TICKS = os.sysconf("SC_CLK_TCK")
START_S = 20.0
END_S = 10.0
_PAUSE_S = 0.02


class Process:
    """One program and its descendants, on some cores. It ends with us, however we end."""

    def __init__(
        self,
        command: Sequence[str],
        cores: Sequence[int],
        log: Path,
        environment: Mapping[str, str] | None = None,
        keep: Sequence[int] = (),
    ) -> None:
        """log: where its outputs go. keep: descriptors that it inherits."""
        self.log = log
        with log.open("ab") as out:
            self._popen = subprocess.Popen(
                pinned(command, cores),
                stdout=out,
                stderr=out,
                stdin=subprocess.DEVNULL,
                env={**os.environ, **(environment or {})},
                start_new_session=True,
                pass_fds=keep,
            )

    @property
    def pid(self) -> int:
        """Of the program itself."""
        return self._popen.pid

    def pids(self) -> list[int]:
        """The process and its descendants."""
        found = [self.pid]
        for pid in found:
            with suppress(OSError):  # ended since
                found += [
                    int(child) for path in Path(f"/proc/{pid}/task").glob("*/children") for child in path.read_text().split()
                ]
        return found

    def cpu_s(self) -> float:
        """User and system time so far, descendants included. Raises RuntimeError if the program has ended."""
        self.must_run()
        return sum(cpu_of(pid) for pid in self.pids())

    def resident(self) -> int:
        """Octets of memory resident now, descendants included. Raises RuntimeError if the program has ended."""
        self.must_run()
        return sum(resident_of(pid) for pid in self.pids())

    def must_run(self) -> None:
        """Raises RuntimeError with the log if the program has ended."""
        if self._popen.poll() is not None:
            raise RuntimeError(
                f"{self.log.stem} ended with {self._popen.returncode}; its log says:\n{self.log.read_text()[-2000:]}"
            )

    def wait_for(self, port: int) -> None:
        """Until a GET on the port is answered 200. Raises RuntimeError with the log if that does not come."""
        end = time.monotonic() + START_S
        while not answers(port):
            self.must_run()
            if time.monotonic() > end:
                raise RuntimeError(f"no answer on port {port}; the log of {self.log.stem} says:\n{self.log.read_text()[-2000:]}")
            time.sleep(_PAUSE_S)

    def wait(self) -> None:
        """Until the program has ended by itself, or END_S are over."""
        with suppress(subprocess.TimeoutExpired):  # whoever started it ends it
            self._popen.wait(END_S)

    def end(self) -> None:
        """Stop it and what it started."""
        descendants = self.pids()[1:]
        self._popen.terminate()
        try:
            self._popen.wait(END_S)
        except subprocess.TimeoutExpired:
            self._popen.kill()
            self._popen.wait()
        for pid in descendants:
            with suppress(ProcessLookupError):  # as it should be
                os.kill(pid, signal.SIGKILL)


def pinned(command: Sequence[str], cores: Sequence[int]) -> list[str]:
    """The command, to be run on these cores. The kernel ends it with us, should we end without having done so."""
    return ["setpriv", "--pdeathsig", "TERM", "taskset", "-c", ",".join(map(str, cores)), *command]


def cpu_of(pid: int) -> float:
    """User and system time of one process and of its children that have ended, in seconds; 0 if it is gone itself."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
        return time.clock_gettime(~pid << 3 | 2) + (int(fields[13]) + int(fields[14])) / TICKS
    except OSError:
        return 0.0


def resident_of(pid: int) -> int:
    """Resident octets of one process; 0 if it is gone."""
    try:
        return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    except OSError:
        return 0


def answers(port: int) -> bool:
    """Whether a GET is answered 200."""
    try:
        with socket.create_connection(("127.0.0.1", port), 1.0) as sock:
            sock.sendall(b"GET / HTTP/1.1\r\nHost: bench\r\nConnection: close\r\n\r\n")
            return sock.recv(12) == b"HTTP/1.1 200"
    except OSError:
        return False


def free_port() -> int:
    """A loopback port that nothing used a moment ago."""
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return int(sock.getsockname()[1])
