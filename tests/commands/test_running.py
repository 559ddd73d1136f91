"""The real program before the shop example, by the commands that people type."""

import asyncio
import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import jsonschema  # type: ignore[import-untyped]  # it comes without types
import pytest
from prometheus_client.parser import text_string_to_metric_families
from websockets.asyncio.client import connect

from sidecar.admin import openapi
from tests.commands.conftest import command, environment
from tests.support import free_port, get, wait_until_blocking

DEADLINE_S = 60.0
SHOP = Path(__file__).parents[2] / "examples" / "shop"


@dataclass(frozen=True, slots=True)
class Program:
    """`ecluse run` in a process of its own. port, admin: where it listens."""

    port: int
    admin: str
    process: "subprocess.Popen[str]"
    environment: dict[str, str]

    def ecluse(self, *words: str) -> str:
        """What another command says about it."""
        done = subprocess.run(
            command(*words), env=self.environment, capture_output=True, text=True, timeout=DEADLINE_S, check=False
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    def json(self, *words: str) -> Any:
        return json.loads(self.ecluse(*words, "--json"))

    def ready(self) -> int:
        return sum(replica["state"] == "ready" for replica in self.json("status", "shop")["services"][0]["replicas"])


def copy_of_the_shop(folder: Path, port: int, admin: int) -> Path:
    """The example as it stands, on ports that are free."""
    shutil.copy(SHOP / "app.py", folder)
    text = (SHOP / "ecluse.yaml").read_text()
    assert "listen: 0.0.0.0:8080\n" in text
    file = folder / "ecluse.yaml"
    file.write_text(text.replace("0.0.0.0:8080\n", f"127.0.0.1:{port}\nadmin: {{listen: '127.0.0.1:{admin}'}}\nworkers: 2\n"))
    return file


@pytest.fixture(scope="module")
def program(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Program]:
    folder, port, admin = tmp_path_factory.mktemp("shop"), free_port(), free_port()
    file = copy_of_the_shop(folder, port, admin)
    beside_us = Path(sys.executable).parent
    env = environment(PATH=f"{beside_us}{os.pathsep}{os.environ['PATH']}", ECLUSE_ADMIN=f"127.0.0.1:{admin}")
    with (
        (folder / "log").open("w") as log,
        subprocess.Popen(command("run", str(file)), env=env, stdout=log, stderr=log, text=True) as process,
    ):
        running = Program(port, f"http://127.0.0.1:{admin}", process, env)
        try:
            wait_until_blocking(lambda: process.poll() is not None or is_ready(running.admin), DEADLINE_S)
            assert process.poll() is None, (folder / "log").read_text()
            yield running
            process.send_signal(signal.SIGTERM)
            assert process.wait(DEADLINE_S) == 0, (folder / "log").read_text()
        finally:
            process.kill()


def is_ready(admin: str) -> bool:
    try:
        return httpx.get(f"{admin}/readyz", trust_env=False).status_code == 200
    except httpx.TransportError:
        return False


async def test_the_shop_answers_through_the_proxy(program: Program) -> None:
    answer = await get(program.port)
    assert answer.status == 200
    assert answer.body == f"Hello from replica {answer.fields['x-replica']}.\n".encode()
    assert (await get(program.port, "/upload", body=b"x" * 100_000)).body == b'{"bytes":100000}'
    assert (await get(program.port, "/cpu?ms=5")).status == 200
    assert (await get(program.port, "/stream?n=3&ms=1")).body.count(b"data: ") == 3


async def test_the_shop_talks_over_websockets_through_the_proxy(program: Program) -> None:
    async with connect(f"ws://127.0.0.1:{program.port}/ws", proxy=None) as socket:
        await socket.send("bonjour")
        assert await socket.recv() == "bonjour"


def test_scaling_by_hand_starts_replicas_and_draining_one_brings_another(program: Program) -> None:
    program.ecluse("scale", "shop", "3")
    wait_until_blocking(lambda: program.ready() == 3, DEADLINE_S)
    victim = program.json("status", "shop")["services"][0]["replicas"][0]["id"]
    program.ecluse("drain", "shop", victim)

    def replaced() -> bool:
        replicas = program.json("status", "shop")["services"][0]["replicas"]
        return victim not in [replica["id"] for replica in replicas] and program.ready() == 3

    wait_until_blocking(replaced, DEADLINE_S)
    program.ecluse("scale", "shop", "auto")


def test_every_command_that_reads_says_something_true(program: Program) -> None:
    assert f"listening on 127.0.0.1:{program.port}" in program.ecluse("status")
    assert program.ecluse("explain", "shop").startswith("shop ")
    assert "Uvicorn running" in program.ecluse("logs", "shop")
    assert "ready" in program.ecluse("events")
    assert program.ecluse("reload") == "reloaded\n"


@pytest.mark.parametrize(
    ("target", "shape"),
    [
        ("/api/overview", "Overview"),
        ("/api/services", "Services"),
        ("/api/services/shop", "ServiceView"),
        ("/api/services/shop/explain", "Explanation"),
        ("/api/services/shop/logs", "Logs"),
        ("/api/events", "Events"),
    ],
)
def test_what_the_real_controller_shows_has_the_documented_shape(program: Program, target: str, shape: str) -> None:
    answer = httpx.get(program.admin + target, trust_env=False)
    schemas = openapi.document("")["components"]
    jsonschema.Draft202012Validator({**schemas["schemas"][shape], "components": schemas}).validate(answer.json())


async def test_requests_of_a_replica_that_is_gone_stay_in_the_metrics(program: Program) -> None:
    def counted() -> float:
        families = text_string_to_metric_families(httpx.get(f"{program.admin}/metrics", trust_env=False).text)
        samples = [sample for family in families for sample in family.samples]
        return sum(
            sample.value for sample in samples if sample.name == "ecluse_requests_total" and sample.labels["service"] == "shop"
        )

    before = counted()
    answers = await asyncio.gather(*(get(program.port) for _ in range(20)))
    assert [answer.status for answer in answers] == [200] * 20
    assert counted() == before + 20
    await asyncio.to_thread(replace_all, program.json, program.ecluse)
    assert counted() == before + 20


def replace_all(shown: Callable[..., Any], ecluse: Callable[..., str]) -> None:
    """Drain every replica there is, and wait until they are gone."""
    victims = {replica["id"] for replica in shown("status", "shop")["services"][0]["replicas"]}
    for victim in victims:
        ecluse("drain", "shop", victim)
    wait_until_blocking(
        lambda: not victims & {replica["id"] for replica in shown("status", "shop")["services"][0]["replicas"]}, DEADLINE_S
    )
