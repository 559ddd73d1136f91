"""`ecluse decide` as people run it, and a snapshot of a running program decided once more."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.support import wait_until
from tests.system.apps import ROOT, TINY, running, written
from tests.system.program import Program, ecluse

EXAMPLES = ROOT / "examples" / "decide"
RULES = str(EXAMPLES / "rules.yaml")


def decide(story: str, *words: str, hashes: str = "0") -> subprocess.CompletedProcess[str]:
    """hashes: by which seed the process orders what has no order."""
    command, around = [sys.executable, "-m", "sidecar.cli", "decide", *words], {**os.environ, "PYTHONHASHSEED": hashes}
    return subprocess.run(command, input=story, capture_output=True, text=True, check=False, timeout=60, env=around)


def line(**snapshot: object) -> str:
    return json.dumps({"now_s": 0, **snapshot}) + "\n"


@pytest.mark.parametrize("story", sorted(EXAMPLES.glob("*.jsonl")), ids=lambda file: file.stem)
def test_the_examples_go_as_they_say(story: Path) -> None:
    found = decide(story.read_text(), RULES)
    assert (found.returncode, found.stderr) == (0, "")


def test_a_story_goes_on_from_what_was_decided() -> None:
    found = decide(line(ready=2, load={"concurrency": 30}) + line(now_s=15, load={"concurrency": 30}), RULES)
    assert found.stdout.splitlines() == [
        "0 s  app goes from 2 to 3 replicas: concurrency is 30 over 2 ready, 15 each against a target of 10 (ratio 1.50).",
        "15 s  app stays at 3 replicas: concurrency is 30 over 3 ready, 10 each against a target of 10 (ratio 1.00).",
    ]


def test_every_process_decides_the_same() -> None:
    story = (EXAMPLES / "checkout.jsonl").read_text()
    first, second = (decide(story, RULES, "--jsonl", hashes=hashes).stdout for hashes in "12")
    assert first == second != ""


def test_one_snapshot_may_go_over_many_lines_and_is_told_whole_with_all() -> None:
    found = decide(json.dumps({"now_s": 0, "ready": 2, "load": {"concurrency": 40}}, indent=2), RULES, "--all")
    assert all(word in found.stdout for word in ("METRIC", "STAGE", "CONDITION", "placement"))


def test_jsonl_is_one_decision_on_each_line() -> None:
    found = decide(line(ready=2) + "\n" + line(now_s=1), RULES, "--jsonl")
    assert [json.loads(each)["now_s"] for each in found.stdout.splitlines()] == [0, 1]


def test_what_was_not_expected_is_told_and_fails() -> None:
    expected = {"desired": {"min": 5, "max": 6}, "reason": "burst"}
    found = decide(line(ready=2, load={"concurrency": 20}, each={"cpu": 0.7}, expect=expected), RULES)
    assert (found.returncode, found.stderr) == (
        1,
        "line 1: app at 0 s: expected 5 to 6, got 2 and expected the reason burst, got within_tolerance\n",
    )


def test_changes_from_before_the_story_count_against_the_policies() -> None:
    events = [{"at_s": -5, "change": 4}]
    fresh, limited = (
        json.loads(decide(line(ready=4, desired=4, load={"concurrency": 400}, **more), RULES, "--jsonl").stdout)["desired"]
        for more in ({}, {"scale_events": events})
    )
    assert (fresh, limited) == (8, 4)


@pytest.mark.parametrize(
    ("story", "message"),
    [
        pytest.param("", "there is no snapshot on the standard input; ecluse decide --help has an example", id="nothing"),
        pytest.param(line() + "{}", "line 2: now_s: is needed", id="a line that is no snapshot"),
        pytest.param(line(now_s=5) + line(now_s=4), "line 2: now_s: must not go back; got 4 after 5", id="back in time"),
        pytest.param(
            line() + line(now_s=1, scale_events=[{"at_s": 0, "change": 1}]),
            "line 2: scale_events and memory are for the beginning of a story; later ones go on from the decisions before them",
            id="events in the middle",
        ),
        pytest.param(line(memory={"highs": 3}), "line 1: memory: 3 is not what is kept there", id="no memory"),
        pytest.param(
            json.dumps({"now_s": 0, "full": "x" * (1 << 20)}),
            "line 1: a snapshot may have 1048576 characters; this one has more",
            id="a snapshot without end",
        ),
    ],
)
def test_what_is_wrong_is_said_with_its_line(story: str, message: str) -> None:
    found = decide(story, RULES)
    assert (found.returncode, found.stderr) == (2, f"ecluse: {message}\n")


def test_a_service_without_rules_is_said(tmp_path: Path) -> None:
    (tmp_path / "ecluse.yaml").write_text("services: {shop: {command: serve, autoscale: {max_replicas: 3}}}")
    found = decide(line(service="shpo"), str(tmp_path / "ecluse.yaml"))
    assert found.returncode == 2
    assert "no rules for a service 'shpo'; did you mean \"shop\"?" in found.stderr


async def test_what_a_running_program_saw_is_decided_the_same(tmp_path: Path) -> None:
    file = written(tmp_path / "ecluse.yaml", {"web": running(TINY, tmp_path)})
    async with ecluse(tmp_path, str(file)) as program:
        await program.up()
        seen, decided = await wait_until(lambda: of_one_moment(program))
        printed = (await program.command("explain", "web", "--snapshot")).out
    assert json.loads(printed).keys() == seen.keys()
    assert json.loads(decide(json.dumps(seen), str(file), "--jsonl").stdout) == decided


def of_one_moment(program: Program) -> tuple[dict[str, Any], dict[str, Any]] | None:
    """What was seen and what was decided on it; None where another decision came in between."""
    seen, decided = (program.client.get(f"/api/services/web/{what}") for what in ("snapshot", "explain"))
    return (seen, decided) if seen and seen["now_s"] == decided["now_s"] else None
