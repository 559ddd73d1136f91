"""The examples, run as they are written: images, the published port and the engine's socket are others, by the variables in them.

In a copy, the port of the application is that of the test's, and times for which one would have to wait are shorter.
"""

import io
import json
import shutil
import subprocess
import tarfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from tests.engines.daemon import Dockerd
from tests.engines.images import NAME as APPLICATION
from tests.packaging import image
from tests.support import free_port

NGINX = "127.0.0.1:1/nginx:local"
CHANGED = {
    "port: 80 ": "port: 8000 ",
    'ecluse.port: "80"': 'ecluse.port: "8000"',
    "stable_window: 20s": "stable_window: 7s",
    "stabilization_window: 30s": "stabilization_window: 1s",
}


class Example:
    """A Compose example that is up. port: where Écluse listens, on 127.0.0.1."""

    def __init__(self, engine: Dockerd, folder: Path, file: str, variables: Mapping[str, str]) -> None:
        self.engine = engine
        self.port = free_port()
        self._folder = folder
        self._file = file
        self._environment = engine.environment | variables | {"PUBLISH": f"127.0.0.1:{self.port}"}

    def compose(self, *words: str) -> str:
        """What `docker-compose` prints. Raises AssertionError with what it complained about."""
        command = ["docker-compose", "--ansi=never", "--project-name=shop", f"--file={self._file}", *words]
        done = subprocess.run(command, cwd=self._folder, env=self._environment, capture_output=True, text=True, check=False)
        assert done.returncode == 0, f"{' '.join(command)}: {done.stderr}"
        return done.stdout.strip()

    def down(self) -> None:
        """Écluse first: Compose ends with an error where a container is made or removed while it looks for it."""
        for service in ("ecluse", "autoscaler"):
            with suppress(AssertionError):  # there is one of them only
                self.engine.docker("kill", f"shop_{service}_1")
        self.compose("down", "--timeout=5", "--volumes")

    def ecluse(self, service: str, *words: str) -> str:
        """What `ecluse WORDS...` prints in the container of a service."""
        return self.engine.docker("exec", f"shop_{service}_1", "ecluse", *words)

    def status(self, service: str) -> dict[str, Any]:
        """The one service that is scaled, by `ecluse status`."""
        said: dict[str, Any] = json.loads(self.ecluse(service, "status", "web", "--json"))["services"][0]
        return said


@contextmanager
def example(engine: Dockerd, folder: Path, file: str, **variables: str) -> Iterator[Example]:
    """`docker-compose up` of a file in examples/compose, until it is taken down again."""
    shutil.copytree(image.ROOT / "examples" / "compose", folder, dirs_exist_ok=True)
    change(folder)
    one = Example(engine, folder, file, images(engine) | variables)
    try:
        one.compose("up", "--detach")
        yield one
    finally:
        print(one.compose("logs", "--tail=200"))  # pytest shows it with a failure
        one.down()


def images(engine: Dockerd) -> dict[str, str]:
    """What takes the places of images that are to be had from a registry."""
    return {
        "ECLUSE_IMAGE": image.NAME,
        "APP_IMAGE": f"{APPLICATION}:1",
        "NGINX_IMAGE": NGINX,
        "DOCKER_SOCKET": str(engine.socket),
    }


def change(folder: Path) -> None:
    """What the other application needs in the files of an example, and what would be waited for."""
    for path in folder.iterdir():
        text = path.read_text()
        for there, here in CHANGED.items():
            text = text.replace(there, here)
        path.write_text(text)


def load_nginx(engine: Dockerd) -> None:
    """An image with this machine's nginx, started as the official one."""
    octets = io.BytesIO()
    program = Path(shutil.which("nginx") or "nginx").resolve()
    with tarfile.open(fileobj=octets, mode="w") as tar:
        for path in {program, *image.libraries([program])}:
            tar.add(Path(path).resolve(), str(path))
        for name in ("var/log/nginx", "var/lib/nginx", "tmp"):
            folder = tarfile.TarInfo(name)
            folder.type, folder.mode = tarfile.DIRTYPE, 0o755
            tar.addfile(folder)
        image.add(tar, "etc/passwd", "root:x:0:0::/root:/bin/sh\n")
        image.add(tar, "etc/group", "root:x:0:\n")
    command = json.dumps([str(program), "-c", "/etc/nginx/nginx.conf", "-g", "daemon off;"])
    engine.docker("import", "--change", f"CMD {command}", "-", NGINX, stdin=octets.getvalue())
