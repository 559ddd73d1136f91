"""Replicas that are only found (endpoints, a Unix socket, a DNS name) and the routes to them, through the whole program."""

import asyncio
import json
import sys
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import ExitStack, asynccontextmanager
from pathlib import Path

from tests.support import Answer, get, tiny_app, wait_until
from tests.system.apps import SHOP, written
from tests.system.program import Program, ecluse

QUICK = {"probes": {"readiness": {"path": "/healthz", "interval": "250ms"}}}
SPREAD = 40


@asynccontextmanager
async def shop_on(socket: Path) -> AsyncIterator[None]:
    """The example application on a Unix socket."""
    words = ("-m", "uvicorn", "app:app", "--uds", str(socket), "--no-access-log", "--log-level", "error")
    process = await asyncio.create_subprocess_exec(sys.executable, *words, cwd=SHOP)
    try:
        await wait_until(socket.exists)
        yield
    finally:
        process.terminate()
        await process.wait()


async def ask(program: Program, host: str, path: str = "/") -> Answer:
    return await get(program.port, path, {"host": host})


async def test_fixed_endpoints_a_unix_socket_and_a_name_behind_routes(tmp_path: Path) -> None:
    socket, log = tmp_path / "shop.sock", tmp_path / "access.log"
    with ExitStack() as stack:
        light, heavy, named = (stack.enter_context(tiny_app())[0] for _ in range(3))
        weighted = {
            "endpoints": [f"127.0.0.1:{light}", {"address": f"127.0.0.1:{heavy}", "weight": 3}],
            "routes": [{"host": "shop.example.com"}, {"host": "*.example.org", "path": "/api"}],
            "balance": {"policy": "round_robin"},
        }
        services = {
            "weighted": {**QUICK, **weighted},
            "on_socket": {**QUICK, "endpoints": [f"unix:{socket}"], "routes": [{"host": "*.example.org"}]},
            "by_name": {**QUICK, "dns": f"localhost:{named}", "routes": [{"path": "/pid"}]},
            "absent": {**QUICK, "endpoints": ["127.0.0.1:1"], "routes": [{"host": "absent.example.com"}]},
        }
        file = written(tmp_path / "ecluse.yaml", services, workers=1, access_log={"file": str(log)})
        async with shop_on(socket), ecluse(tmp_path, str(file)) as program:
            await program.ready(2, "weighted")
            await program.ready(1, "on_socket")
            await wait_until(lambda: "ready" in program.states("by_name").values())
            await program.up_to_date()

            shares = Counter([(await ask(program, "shop.example.com", "/pid")).body for _ in range(SPREAD)])
            assert sorted(shares.values()) == [SPREAD // 4, SPREAD * 3 // 4]
            assert (await ask(program, "www.example.org")).body.startswith(b"Hello from replica")
            assert (await ask(program, "a.b.example.org", "/api/users")).body == b"no such path"  # the tiny application's 404
            assert (await ask(program, "a.b.example.org", "/apis")).body == b"Not Found"  # uvicorn's
            assert (await ask(program, "anything", "/pid/")).body == b"no such path"
            assert (await ask(program, "anything", "/pid")).status == 200

            unknown = await ask(program, "anything", "/pids")
            assert (unknown.status, unknown.fields["content-type"]) == (404, "text/plain; charset=utf-8")
            absent = await get(program.port, "/", {"host": "absent.example.com", "accept": "application/json"})
            assert (absent.status, int(absent.fields["retry-after"]) > 0) == (503, True)
            assert "error" in json.loads(absent.body)
    lines = [json.loads(line) for line in log.read_text().splitlines()]
    assert Counter(line["status"] for line in lines) == {200: SPREAD + 2, 404: 4, 503: 1}
    assert {line["service"] for line in lines if line["status"] == 200} == {"weighted", "on_socket", "by_name"}
