"""The socket proxies of the examples, run by the nginx of this machine in front of a test's engine."""

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from autoscaler.cluster.moby.where import Where
from tests.engines.daemon import Dockerd
from tests.packaging.image import ROOT
from tests.support import free_port, wait_until_blocking


@dataclass(frozen=True, slots=True)
class SocketProxy:
    """port: on 127.0.0.1. asked: a file with what was asked of it, a line each: status, method, target."""

    port: int
    asked: Path

    @property
    def where(self) -> Where:
        """The engine behind it."""
        return Where(f"tcp://127.0.0.1:{self.port}")

    def refused(self) -> list[str]:
        """What it did not let through."""
        return [line for line in self.asked.read_text().splitlines() if line.startswith("403 ")]


@contextmanager
def socket_proxy(example: str, engine: Dockerd, folder: Path) -> Iterator[SocketProxy]:
    """example: a file below examples/. Only its places are changed: port, socket, temporary files and the log."""
    port, asked = free_port(), folder / "asked"
    text = (ROOT / "examples" / example).read_text()
    for here, there in {
        "/tmp/": f"{folder}/",  # noqa: S108 - a place in the container
        "listen 2375": f"listen 127.0.0.1:{port}",
        "/var/run/docker.sock": str(engine.socket),
        "access_log off;": f"log_format asked '$status $request_method $request_uri'; access_log {asked} asked;",
    }.items():
        assert here in text
        text = text.replace(here, there)
    (folder / "nginx.conf").write_text(text)
    with subprocess.Popen(["nginx", "-c", str(folder / "nginx.conf"), "-g", "daemon off;"]) as nginx:
        try:
            wait_until_blocking(lambda: asked.exists() and (folder / "nginx.pid").exists())
            yield SocketProxy(port, asked)
        finally:
            nginx.terminate()
