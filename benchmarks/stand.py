"""The stand on which contestants are tried: a folder, cores, the origins, and peers that are started before them.

Invariant: whatever is started on the stand is gone when the block that it was started for ends, however it ends.
"""

import resource
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks.configurations import ORIGIN
from benchmarks.cores import Cores, of_this_machine
from benchmarks.peers import CONNECTIONS, PEERS, Place
from benchmarks.processes import Process, free_port

DESCRIPTORS = 65_536  # the most that we and what we start ask for


@dataclass(frozen=True, slots=True)
class Running:
    """A peer that listens."""

    process: Process
    port: int

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self.port}"


@dataclass(frozen=True, slots=True)
class Stand:
    """files: the origin that answers from memory and from files. socket: the same over a Unix socket. sink: reads and drops bodies."""

    folder: Path
    cores: Cores
    files: str
    socket: str
    sink: str

    @contextmanager
    def started(
        self,
        name: str,
        origin: str = "",
        workers: int = 1,
        connections: int = CONNECTIONS,
        cores: Sequence[int] = (),
    ) -> Iterator[Running]:
        """A peer before an origin (unless told, `files`), on the proxy's core unless told otherwise."""
        peer = PEERS[name]
        place = Place(self.folder, free_port(), origin or self.files, workers, connections)
        log = self.folder / f"{name}-{place.port}.log"
        with running(peer.command(place), cores or self.cores.proxy, log, place.port, peer.environment) as process:
            yield Running(process, place.port)


@contextmanager
def running(
    command: Sequence[str], cores: Sequence[int], log: Path, port: int, environment: Mapping[str, str] | None = None
) -> Iterator[Process]:
    """A program that accepts connections on the port."""
    process = Process(command, cores, log, environment)
    try:
        process.wait_for(port)
        yield process
    finally:
        process.end()


@contextmanager
def set_up() -> Iterator[Stand]:
    """A stand with both origins running."""
    cores = of_this_machine()
    with TemporaryDirectory(prefix="ecluse-bench-") as name, ExitStack() as stack:
        folder = Path(name)
        port, sink = free_port(), free_port()
        stack.enter_context(running(_origin(folder, port), cores.origin, folder / "origin.log", port))
        stack.enter_context(
            running([sys.executable, "-m", "benchmarks.sink", str(sink)], cores.origin, folder / "sink.log", sink)
        )
        yield Stand(folder, cores, f"127.0.0.1:{port}", f"unix:{folder}/origin.sock", f"127.0.0.1:{sink}")


def _origin(folder: Path, port: int) -> list[str]:
    files = folder / "files"
    files.mkdir()
    (files / "16k").write_bytes(b"x" * 16 * 1024)
    (files / "10m").write_bytes(b"x" * 10 * 1024 * 1024)
    path = folder / "origin.conf"
    path.write_text(ORIGIN.format(folder=folder, port=port, small="x" * 100))
    return ["nginx", "-c", str(path)]


def allow_descriptors(wanted: int = DESCRIPTORS) -> int:
    """Lets us and what we start open as many files, or as many as we may; returns how many."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft >= wanted:
        return soft
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, max(wanted, hard)))
    except (ValueError, OSError):  # only root may go beyond the hard limit
        resource.setrlimit(resource.RLIMIT_NOFILE, (min(wanted, hard), hard))
    return resource.getrlimit(resource.RLIMIT_NOFILE)[0]
