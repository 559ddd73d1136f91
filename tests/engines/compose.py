"""A Compose project on a private engine, run by the real `docker-compose` program."""

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.engines.daemon import Dockerd
from tests.engines.images import NAME

SHOP = f"""
services:
  web:
    image: {NAME}:1
    ports: ["127.0.0.1::8000"]
"""


class Project:
    """A folder with a Compose file. What it has started is ended by `down`, or by whoever cleans the engine."""

    def __init__(self, engine: Dockerd, folder: Path, name: str, text: str) -> None:
        self.engine = engine
        self.folder = folder
        self.name = name
        folder.mkdir(exist_ok=True)
        self.write(text)

    def write(self, text: str) -> None:
        """Change the Compose file."""
        (self.folder / "docker-compose.yaml").write_text(text)

    def run(self, *words: str) -> str:
        """What `docker-compose` prints. Raises AssertionError with what it complained about."""
        command = ["docker-compose", "--no-ansi", "--project-name", self.name, *words]
        done = subprocess.run(command, cwd=self.folder, env=self.engine.environment, capture_output=True, text=True, check=False)
        assert done.returncode == 0, f"{' '.join(command)}: {done.stderr}"
        return done.stdout.strip()

    def up(self, *words: str) -> None:
        """`docker-compose up -d`, which also resets the number of a service's containers."""
        self.run("up", "--detach", *words)

    def down(self) -> None:
        """`docker-compose down`: it stops and removes all that it takes for its own."""
        self.run("down", "--timeout", "5")

    def containers(self, service: str) -> list[str]:
        """The ids of a service's running containers, as Compose sees them."""
        return self.run("ps", "--quiet", service).split()


@contextmanager
def project(engine: Dockerd, text: str = SHOP, name: str = "shop") -> Iterator[Project]:
    """A project that is up for as long as the context lasts."""
    one = Project(engine, engine.folder / f"project-{name}", name, text)
    try:
        one.up()
        yield one
    finally:
        one.down()
