"""Images that are not there yet, from a real registry of our own: pulled by tag and digest, with credentials, and what it says if not."""

import asyncio
import base64
import io
import json
import subprocess
import tarfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from autoscaler.cluster.docker import pulls
from autoscaler.cluster.engine import EngineError, Image, Pull
from tests.engines.daemon import Daemon
from tests.engines.images import NAME, PORT
from tests.moby.conftest import SHOP, Yard, opened
from tests.moby.registry import Registry, registry
from tests.support import wait_until


@pytest.fixture(scope="module")
def saved(session_engine: Daemon) -> bytes:
    """A small image as `docker save` gives it: a pull of it fails or succeeds as one of a large one does."""
    session_engine.docker("import", "--change", 'CMD ["/none"]', "-", "small:1", stdin=_tar())
    command = ["docker", "save", "small:1"]
    return subprocess.run(command, env=session_engine.environment, capture_output=True, check=True).stdout


def _tar() -> bytes:
    octets = io.BytesIO()
    with tarfile.open(fileobj=octets, mode="w") as tar:
        entry = tarfile.TarInfo("data")
        entry.size = 1 << 20
        tar.addfile(entry, io.BytesIO(b"x" * entry.size))
    return octets.getvalue()


@pytest.fixture
def shelf(saved: bytes, engine: Daemon) -> Iterator[Registry]:
    """A registry with the image `app:1`, which the engine does not have."""
    with registry(saved) as one:
        yield one
        for image in engine.docker("images", "--quiet", "--filter", f"reference={one.name}").split():
            engine.docker("rmi", "--force", image)


async def ready(yard: Yard, image: Image) -> str:
    """The image's id, after whatever it takes; what is in it cannot be started."""
    described = await pulls.Pulls(yard.link, asyncio.get_running_loop().time).ready(
        image.name, image.pull, lambda kind, message: yard.told.append(("shop", kind, message))
    )
    return str(described["Id"])


async def test_what_is_missing_is_pulled_once_however_many_wait_for_it(yard: Yard, shelf: Registry) -> None:
    images = pulls.Pulls(yard.link, asyncio.get_running_loop().time)

    def told(kind: str, message: str) -> None:
        yard.told.append(("shop", kind, message))

    found = await asyncio.gather(*(images.ready(f"{shelf.name}:1", Pull.MISSING, told) for _ in range(3)))
    assert len({described["Id"] for described in found}) == 1
    once = shelf.manifests
    assert once
    assert [kind for _, kind, _ in yard.told] == ["pulling", "pulled"]
    await images.ready(f"{shelf.name}:1", Pull.MISSING, told)
    assert shelf.manifests == once
    await images.ready(f"{shelf.name}:1", Pull.ALWAYS, told)
    assert shelf.manifests > once


async def test_a_digest_says_exactly_which(yard: Yard, shelf: Registry) -> None:
    assert await ready(yard, Image(f"{shelf.name}@{shelf.digest}"))


@pytest.mark.parametrize(
    ("name", "pull", "words"),
    [
        pytest.param("{name}:2", Pull.MISSING, r"no such version here|not found|unknown", id="a-version-that-is-not-there"),
        pytest.param("{name}:1", Pull.NEVER, "`pull: never` does not get it", id="one-that-shall-not-be-pulled"),
        pytest.param("127.0.0.1:1/other:1", Pull.MISSING, "connection refused", id="a-registry-that-is-away"),
    ],
)
async def test_a_pull_that_fails_says_what_the_registry_said(
    yard: Yard, shelf: Registry, name: str, pull: Pull, words: str
) -> None:
    with pytest.raises(EngineError, match=words):
        await yard.start(replace(SHOP, source=Image(name.format(name=shelf.name), port=PORT, pull=pull)))
    assert yard.containers() == []


async def test_credentials_come_from_dockers_configuration_file(
    engine: Daemon, saved: bytes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with registry(saved, user="ada:secret") as shelf:
        monkeypatch.setenv("DOCKER_CONFIG", str(tmp_path))
        async with opened(engine) as stranger:
            with pytest.raises(EngineError, match="no basic auth credentials"):
                await ready(stranger, Image(f"{shelf.name}:1"))
        secret = {"auths": {shelf.host: {"auth": base64.b64encode(b"ada:secret").decode()}}}
        (tmp_path / "config.json").write_text(json.dumps(secret))
        async with opened(engine) as known:
            assert await ready(known, Image(f"{shelf.name}:1"))
        engine.docker("rmi", f"{shelf.name}:1")


async def test_a_registry_that_falls_silent_is_given_up(yard: Yard, shelf: Registry) -> None:
    shelf.silent.set()
    images = pulls.Pulls(yard.link, asyncio.get_running_loop().time, silence_s=0.5)
    with pytest.raises(EngineError, match=r"nothing was heard for 0\.5 s"):
        await images.ready(f"{shelf.name}:1", Pull.MISSING, lambda kind, message: None)
    shelf.silent.clear()
    shelf.freed.set()
    assert await ready(yard, Image(f"{shelf.name}:1"))


async def test_a_tag_that_moves_makes_containers_outdated(engine: Daemon, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("autoscaler.cluster.docker.engine.AROUND_S", 0.05)
    engine.docker("tag", f"{NAME}:1", "moving:latest")
    async with opened(engine) as yard:
        await yard.start(replace(SHOP, source=Image("moving:latest")))
        engine.docker("tag", f"{NAME}:2", "moving:latest")

        async def outdated() -> bool:
            return [one.outdated for one in await yard.docker.list("shop")] == [True]

        await wait_until(outdated, 30)
    engine.docker("rmi", "--force", "moving:latest")
