"""A real Docker engine that belongs to the test: its data, addresses, bridge and processes are its own and gone at the end.

Ports published on 127.0.0.1 are carried by Docker's own proxy processes, without iptables; they end with dockerd, while containers
go on when it is stopped and started again (live restore). Containers are also reached from here at their own addresses.
"""

import os
import signal
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.engines.api import ask
from tests.engines.certificates import Certificates
from tests.engines.machines import Machine
from tests.engines.plots import Plot, plot
from tests.support import free_port, wait_until_blocking

_START_S = 60


class Dockerd:
    """dockerd on a machine, with its files in a folder: what a single engine and a member of a Swarm have in common."""

    def __init__(self, machine: Machine, ground: Plot, folder: Path, options: tuple[str, ...]) -> None:
        self.plot = ground
        self.machine = machine
        self.folder = folder
        self.options = (f"--cgroup-parent=/{ground.bridge}", "--exec-opt=native.cgroupdriver=cgroupfs", *options)
        self.socket = folder / "docker.sock"
        folder.mkdir(exist_ok=True)
        self.start()

    def start(self) -> None:
        """Returns when it answers."""
        self.launch()
        self.wait()

    def launch(self) -> None:
        """Start it without waiting."""
        files = [f"--data-root={self.folder}/data", f"--exec-root={self.folder}/exec", f"--pidfile={self.folder}/pid"]
        (self.folder / "pid").unlink(missing_ok=True)  # the number may be another process's by now
        command = ["dockerd", *files, f"--host=unix://{self.socket}", *self.options]
        self.program = self.machine.start(command, self.folder / "log")

    def wait(self) -> None:
        """Until it answers."""
        wait_until_blocking(self._answers, deadline_s=_START_S)

    def _answers(self) -> bool:
        assert self.program.running, f"dockerd ended; the end of its log:\n{self.log()[-3000:]}"
        try:
            ask(self.socket, "GET", "/info")
        except OSError:
            return False
        return True

    def log(self) -> str:
        """All that dockerd said."""
        return (self.folder / "log").read_text(errors="replace")

    def stop(self) -> None:
        """SIGTERM, as an upgrade of Docker would."""
        self.program.end()

    def kill(self) -> None:
        """SIGKILL: as if it had crashed."""
        self.program.kill()

    def freeze(self) -> None:
        """It accepts connections and answers nothing, until `thaw`."""
        self.program.send(signal.SIGSTOP)

    def thaw(self) -> None:
        self.program.send(signal.SIGCONT)

    def api(self, method: str, target: str, body: object = None) -> Any:
        """Ask it directly; see `ask`."""
        return ask(self.socket, method, target, body)

    @property
    def environment(self) -> dict[str, str]:
        """What makes Docker's own programs speak to it, and to nothing that this machine's user has set up."""
        return {**os.environ, "DOCKER_HOST": f"unix://{self.socket}", "DOCKER_CONFIG": str(self.folder / "config")}

    def docker(self, *words: str, stdin: bytes | None = None) -> str:
        """What the `docker` program prints. Raises AssertionError with what it complained about."""
        done = subprocess.run(["docker", *words], input=stdin, env=self.environment, capture_output=True, check=False)
        assert done.returncode == 0, f"docker {' '.join(words)}: {done.stderr.decode()}"
        return done.stdout.decode().strip()

    def inspect(self, name: str) -> dict[str, Any]:
        """A container as the engine describes it."""
        described: dict[str, Any] = self.api("GET", f"/containers/{name}/json")
        return described

    def clean(self) -> None:
        """Without containers, volumes, and networks of its users."""
        for container in self.api("GET", "/containers/json?all=1"):
            self.api("DELETE", f"/containers/{container['Id']}?force=1&v=1")
        self.api("POST", "/networks/prune")
        for volume in self.api("GET", "/volumes")["Volumes"]:
            self.api("DELETE", f"/volumes/{volume['Name']}?force=1")


@contextmanager
def daemon(tls: bool = False, options: tuple[str, ...] = ()) -> Iterator["Daemon"]:
    """An engine for as long as the context lasts. options: further ones for dockerd."""
    with plot() as ground:
        machine = Machine(ground.bridge)
        try:
            yield Daemon(machine, ground, tls, options)
        finally:
            machine.off()


class Daemon(Dockerd):
    """An engine on one machine. certificates: with TLS, a folder as DOCKER_CERT_PATH names it; then `address` is its tcp:// endpoint."""

    def __init__(self, machine: Machine, ground: Plot, tls: bool, options: tuple[str, ...]) -> None:
        own = ("--live-restore", "--iptables=false", "--ip-masq=false", f"--bridge={ground.bridge}")
        self.certificates = Certificates(ground.folder / "tls") if tls else None
        self._port = free_port() if tls else 0
        self.address = f"tcp://127.0.0.1:{self._port}" if tls else ""
        listens = (f"--host={self.address}", *self.certificates.options) if self.certificates else ()
        super().__init__(machine, ground, ground.folder, (*own, f"--default-address-pool={ground.pool}", *listens, *options))

    def _answers(self) -> bool:
        return super()._answers() and (not self._port or _accepts(self._port))


def _accepts(port: int) -> bool:
    with socket.socket() as sock:
        return sock.connect_ex(("127.0.0.1", port)) == 0


def published(described: dict[str, Any], port: int = 8000) -> int:
    """The port on this machine that leads to a container's port."""
    return int(described["NetworkSettings"]["Ports"][f"{port}/tcp"][0]["HostPort"])
