"""The command line against the running program, and the program without a file."""

import json
import sys
from pathlib import Path

from tests.support import get, wait_until
from tests.system.apps import SHOP, TINY, UVICORN_WORDS, running, written
from tests.system.program import command, ecluse

RUN = ("--min", "1", "--max", "3", "--listen", "127.0.0.1:0", "--admin", "127.0.0.1:0", "--workers", "1", "--")


async def test_a_command_needs_no_file(tmp_path: Path) -> None:
    words = [*UVICORN_WORDS, "--app-dir", str(SHOP)]
    async with ecluse(tmp_path, *RUN, *words) as program:
        await program.up(1, "app")
        assert (await get(program.port)).status == 200
        service = program.service("app")
        assert (service["min_replicas"], service["max_replicas"]) == (1, 3)
        assert (await program.command("reload")).code == 2
        assert "Application startup complete" in (await program.command("logs", "app")).out


async def test_people_and_scripts_are_told_what_runs(tmp_path: Path) -> None:
    file = written(tmp_path / "ecluse.yaml", {"web": running(TINY, tmp_path)})
    async with ecluse(tmp_path, str(file)) as program:
        await program.up()
        status = json.loads((await program.command("status", "--json")).out)
        assert status["overview"]["pid"] == program.process.pid
        assert [service["name"] for service in status["services"]] == ["web"]
        assert "web-1" in (await program.command("status", "web")).out
        usual_s = await wait_until(lambda: program.service("web")["start_s"])
        assert 0.0 < usual_s < program.service("web")["replicas"][0]["age_s"]
        explained = await wait_until(lambda: program.client.get("/api/services/web/explain"))
        assert set(explained) == set(json.loads((await program.command("explain", "web", "--json")).out))
        assert (await program.command("explain", "web")).out.startswith("web ")
        assert "web-1 | listening on" in (await program.command("logs", "web")).out
        assert [(await program.command(*words)).code for words in (("status", "wbe"), ("logs", "wbe"), ("version",))] == [4, 4, 0]
        events = [json.loads(line) for line in (await program.command("events", "--json")).out.splitlines()]
        assert [event["kind"] for event in events if event["replica"] == "web-1"] == ["starting", "ready"]
        assert (await program.command("check", str(file))).out.startswith(f"{file}: valid")
    assert (await program.command("status")).code == 3


async def test_a_bad_file_is_refused_with_line_and_column(tmp_path: Path) -> None:
    file = tmp_path / "ecluse.yaml"
    file.write_text("services:\n  web:\n    command: x\n    balence: {}\n")
    for words in (("run", str(file)), ("check", str(file))):
        said = await command(*words)
        assert said.code == 2
        assert f'{file}:4:5: services.web.balence: unknown key; did you mean "balance"?' in said.err
    assert sys.executable not in said.err
