"""The programs that are compared, as data: what each needs and how it is started as a proxy before an origin."""

import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from balancer.hotpath import build
from benchmarks.configurations import ECLUSE, HAPROXY, NGINX
from benchmarks.processes import free_port
from benchmarks.programs import absent, advice, compiled, version
from sidecar.commands.version import installed

CONNECTIONS = 10_000  # Écluse's own default


@dataclass(frozen=True, slots=True)
class Place:
    """Where and how large a peer is set up. origin: "127.0.0.1:8000" or "unix:/path"; connections: the most it must carry."""

    folder: Path
    port: int
    origin: str
    workers: int = 1
    connections: int = CONNECTIONS

    def write(self, name: str, text: str, **more: object) -> str:
        """A configuration file with the blanks filled in: its path."""
        blanks = {"folder": self.folder, "port": self.port, "origin": self.origin, "workers": self.workers}
        path = self.folder / f"{self.port}-{name}"
        path.write_text(text.format(**{**blanks, "connections": self.connections, **more}))
        return str(path)


@dataclass(frozen=True, slots=True)
class Peer:
    """program: what it needs on the PATH. command: writes what configuration it takes, gives what to run."""

    name: str
    program: str
    command: Callable[[Place], list[str]]
    version: Callable[[], str]
    environment: Mapping[str, str] = field(default_factory=dict)

    def lack(self) -> str:
        """Why it cannot take part; "" if it can."""
        if self.name == "ecluse" and build() == "interpreted":
            return "the hot path is not compiled here (unset ECLUSE_PURE; apt-get install gcc python3-dev; make install)"
        missing = absent([self.program])
        return advice(missing) if missing else ""


def _nginx(place: Place) -> list[str]:
    # A connection to a client and one to the origin count alike, and so do some of nginx's own.
    return ["nginx", "-c", place.write("nginx.conf", NGINX, connections=2 * place.connections)]


def _haproxy(place: Place) -> list[str]:
    return ["haproxy", "-f", place.write("haproxy.cfg", HAPROXY)]


def _ecluse(place: Place) -> list[str]:
    return [sys.executable, "-m", "sidecar.cli", "run", place.write("ecluse.yaml", ECLUSE, admin=free_port())]


def _forwarder(place: Place) -> list[str]:
    program = compiled(Path(__file__).parent / "forwarder.c", place.folder)
    return [program, str(place.port), place.origin.rpartition(":")[2]]


PEERS = {
    peer.name: peer
    for peer in (
        Peer("ecluse", sys.executable, _ecluse, installed),
        Peer("interpreted", sys.executable, _ecluse, installed, {"ECLUSE_PURE": "1"}),
        Peer("nginx", "nginx", _nginx, lambda: version(["nginx", "-v"])),
        Peer("haproxy", "haproxy", _haproxy, lambda: version(["haproxy", "-v"])),
        Peer("forwarder", "cc", _forwarder, lambda: "its own"),
    )
}
PROXIES = ("nginx", "haproxy", "ecluse")
