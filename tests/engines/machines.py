"""A machine of its own as far as an engine is concerned: namespaces for its processes, mounts, name and (if asked for) network.

They are held by one process: when it is killed, everything that runs in them ends at once, as when the power goes, and the mounts
with it. The kernel also kills it when the thread that switched it on ends, and so when the test's process does. The control groups
and /sys are this machine's.
"""

import os
import signal
import subprocess
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from autoscaler.cluster.processes.family import processes
from tests.support import wait_until_blocking

_NAMESPACES = ("--mount", "--uts", "--pid")


class Program:
    """A program in a machine, known by its pid out here; the process that was started is only the door it went in by."""

    def __init__(self, door: subprocess.Popen[bytes], name: str) -> None:
        self._door = door
        self.name = name
        self.pid = wait_until_blocking(self._find, deadline_s=30)

    def _find(self) -> int:
        assert self._door.poll() is None, f"{self.name} ended at once, with status {self._door.returncode}"
        inside = (process.pid for process in processes().values() if process.parent == self._door.pid)
        return next((pid for pid in inside if _name_of(pid) == self.name), 0)

    @property
    def running(self) -> bool:
        return self._door.poll() is None

    def send(self, number: signal.Signals) -> None:
        """Signal it; nothing happens if it has ended. The door stops with it (nsenter does so), but has to be woken by itself."""
        if self.running:
            with suppress(ProcessLookupError):
                os.kill(self.pid, number)
        if number in {signal.SIGCONT, signal.SIGKILL}:
            self._door.send_signal(signal.SIGCONT)

    def end(self, patience_s: float = 20) -> None:
        """SIGTERM, and SIGKILL if it is still there after that long."""
        self.send(signal.SIGTERM)
        try:
            self._door.wait(patience_s)
        except subprocess.TimeoutExpired:
            self.kill()

    def kill(self) -> None:
        self.send(signal.SIGKILL)
        self._door.wait()


class Machine:
    """One machine, on from the beginning; `on` again after `off`."""

    def __init__(self, name: str, network: bool = False) -> None:
        self.name = name
        self._namespaces = (*_NAMESPACES, "--net") if network else _NAMESPACES
        self.on()

    def on(self) -> None:
        """Namespaces with nothing in them but an init that reaps."""
        command = ["setpriv", "--pdeathsig", "KILL", "unshare", *self._namespaces, "--fork", "--kill-child", "--mount-proc"]
        command += ["docker-init", "--", "sleep", "infinity"]
        self._programs: list[Program] = []
        self.init = Program(
            subprocess.Popen(command, stderr=subprocess.DEVNULL), "docker-init"
        )  # unshare grumbles when it is killed
        self.run("hostname", self.name)

    def off(self) -> None:
        """Everything in it ends, without a warning."""
        self.init.kill()
        for program in self._programs:
            program.kill()

    def run(self, *words: str) -> str:
        """What a program prints that runs in here. Raises CalledProcessError."""
        return subprocess.run([*self._enter(), *words], check=True, stdout=subprocess.PIPE, text=True).stdout

    def start(self, words: Sequence[str], log: Path) -> Program:
        """Start a program in here. What it says is added to the log."""
        with log.open("ab") as file:
            door = subprocess.Popen([*self._enter(), *words], stdout=file, stderr=file)
        program = Program(door, words[0])
        self._programs.append(program)
        return program

    def _enter(self) -> list[str]:
        return ["nsenter", "--target", str(self.init.pid), *self._namespaces, "--"]


def _name_of(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/comm").read_text().strip()
    except OSError:
        return ""
