"""From a file to the wire: sessions that survive a restart of the program, and limits that hold over its workers."""

import asyncio
from pathlib import Path

from tests.support import Answer, connect, wait_until
from tests.system.apps import TINY, running, written
from tests.system.program import Program, ecluse

ROUTES = [{"path": "/"}, {"path": "/echo", "body": 10, "rate_limits": [{"per": "all", "rate": "1/h", "burst": 5}]}]


async def pid(program: Program, cookie: str = "") -> Answer:
    async with connect(program.port) as client:
        return await client.request("GET", "/pid", fields={"Cookie": cookie} if cookie else {})


async def test_a_session_survives_a_restart_of_the_program(tmp_path: Path) -> None:
    scale = {"min_replicas": 3, "max_replicas": 3}
    service = running(TINY, tmp_path, autoscale=scale, balance={"sticky": True})
    file = written(tmp_path / "ecluse.yaml", {"web": service}, state=str(tmp_path / "state"))
    cookies = []
    for _ in range(2):
        async with ecluse(tmp_path, str(file)) as program:
            await program.up(3)
            began = await pid(program, cookies[0] if cookies else "")
            if cookies:  # replicas are called web-1, web-2, web-3 again, so the cookie means one of them
                assert "set-cookie" not in began.fields
            else:
                assert began.fields["set-cookie"].endswith("; Path=/; HttpOnly; SameSite=Lax")
                cookies.append(began.fields["set-cookie"].partition(";")[0])
                assert cookies[0].startswith("ecluse_web=")
            assert {(await pid(program, cookies[0])).body for _ in range(8)} == {began.body}


async def test_limits_of_a_route_hold_over_all_workers(tmp_path: Path) -> None:
    file = written(tmp_path / "ecluse.yaml", {"web": running(TINY, tmp_path, routes=ROUTES)}, workers=2)
    async with ecluse(tmp_path, str(file)) as program:
        await program.up()

        async def ask(size: int) -> int:
            async with connect(program.port) as client:
                return (await client.request("POST", "/echo", body=b"x" * size)).status

        assert sorted(await asyncio.gather(*[ask(10) for _ in range(20)])) == [200] * 5 + [429] * 15
        await wait_until(lambda: program.service("web")["ready"] == 1)
        async with connect(program.port) as client:
            assert (await client.request("POST", "/", body=b"x" * 100)).status in {200, 404}
