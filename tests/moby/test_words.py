"""What is read in an engine's answers, and what is said of it: tables over answers of real engines."""

from typing import Any

import pytest

from autoscaler.cluster.docker import compose, frames
from autoscaler.cluster.docker.container import Container, Row, State, moment
from autoscaler.cluster.docker.lives import Life, asks_to_end, ended
from autoscaler.cluster.docker.progress import Progress
from autoscaler.cluster.engine import Clone, Usage
from autoscaler.cluster.restarts import RestartPolicy

POLICY = RestartPolicy(first_s=1.0, jitter=0.0, loop_after=3)


def over(**changes: Any) -> Container:
    return Container(
        "id", "web", {}, "app:1", "sha256:1", **{"state": State.EXITED, "started_s": 100.0, "finished_s": 101.0, **changes}
    )


@pytest.mark.parametrize(
    ("container", "words"),
    [
        pytest.param(over(exit_code=0), "exited with status 0", id="well"),
        pytest.param(over(exit_code=3), "exited with status 3", id="with-an-error"),
        pytest.param(over(exit_code=137), "was killed by SIGKILL", id="killed"),
        pytest.param(over(exit_code=255), "was killed by signal 127", id="by-no-signal-that-has-a-name"),
        pytest.param(over(exit_code=137, out_of_memory=True), "was killed for want of memory", id="out-of-the-machines-memory"),
        pytest.param(over(exit_code=137, out_of_memory=True, memory=64 << 20), "its limit is 64 MiB", id="or-of-its-own"),
        pytest.param(over(exit_code=127, error="no such file"), "could not be started: no such file", id="never-begun"),
        pytest.param(over(state=State.CREATED), "it was created and never started", id="only-created"),
    ],
)
def test_an_end_in_words(container: Container, words: str) -> None:
    assert words in ended(container)


def test_each_end_is_counted_once_and_waits_longer() -> None:
    life = Life(since_s=0.0)
    for number, expected_s in ((1, 1.0), (2, 2.0), (3, 4.0)):
        life.crashed(over(finished_s=100.0 + number), POLICY, now_s=10.0 * number, random=0.0)
        assert life.due_s == 10.0 * number + expected_s
        assert life.looping(POLICY, settled=False) is (number == 3)
    assert life.waits(30.5) == "exited with status 0 (3 times in 20 s), starts again in 4 s"
    life.crashed(over(finished_s=900.0), POLICY, now_s=900.0, random=0.0)
    assert life.crashes.count == 1, "it had run for long"


@pytest.mark.parametrize(
    ("number", "stop_signal", "ends"),
    [
        pytest.param("15", "", True, id="sigterm"),
        pytest.param("3", "SIGQUIT", True, id="the-images-own"),
        pytest.param("3", "QUIT", True, id="however-it-is-written"),
        pytest.param("3", "3", True, id="or-numbered"),
        pytest.param("15", "SIGQUIT", False, id="sigterm-is-another-one-then"),
        pytest.param("1", "", False, id="a-reload"),
        pytest.param("9", "", False, id="sigkill-is-like-a-crash"),
    ],
)
def test_which_signals_ask_to_end(number: str, stop_signal: str, ends: bool) -> None:
    assert asks_to_end(number, stop_signal) is ends


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        pytest.param("2026-11-25T01:39:53.925527586Z", 1795570793.925527, id="nanoseconds"),
        pytest.param("2026-11-25T02:39:53+01:00", 1795570793.0, id="another-zone"),
        pytest.param("0001-01-01T00:00:00Z", 0.0, id="never"),
        pytest.param("", 0.0, id="nothing"),
    ],
)
def test_moments(text: str, seconds: float) -> None:
    assert moment(text) == pytest.approx(seconds, abs=1e-5)


V1 = {
    "cpu_stats": {"cpu_usage": {"total_usage": 63506140, "percpu_usage": [7297078, 56209062]}, "online_cpus": 2},
    "memory_stats": {
        "usage": 11173888,
        "limit": 25276502016,
        "stats": {"total_inactive_file": 1000, "inactive_file": 7, "cache": 5},
    },
}
V2 = {
    "cpu_stats": {"cpu_usage": {"total_usage": 2_500_000_000}, "online_cpus": 4},
    "memory_stats": {"usage": 5000, "limit": 67108864, "stats": {"inactive_file": 2000, "file": 3000}},
}
STOPPED = {"cpu_stats": {"cpu_usage": {"total_usage": 0}}, "memory_stats": {}}


@pytest.mark.parametrize(
    ("frame", "cpus", "usage"),
    [
        pytest.param(V1, 0.0, Usage(9.0, 0.06350614, 2.0, 11172888, 25276502016), id="control-groups-1"),
        pytest.param(V1, 0.5, Usage(9.0, 0.06350614, 0.5, 11172888, 25276502016), id="with-a-limit-of-cores"),
        pytest.param(V2, 0.0, Usage(9.0, 2.5, 4.0, 3000, 67108864), id="control-groups-2"),
        pytest.param(STOPPED, 0.0, None, id="a-container-that-does-not-run"),
        pytest.param({}, 0.0, None, id="an-empty-frame"),
    ],
)
def test_frames_of_stats(frame: dict[str, Any], cpus: float, usage: Usage | None) -> None:
    assert frames.usage(frame, cpus, at_s=9.0) == usage


def test_a_pull_is_told_in_megabytes_and_layers() -> None:
    progress = Progress()
    assert progress.words() == "0 layers done"
    for message in (
        {"status": "Pulling from library/app", "id": "1.0"},
        {"status": "Downloading", "id": "aa", "progressDetail": {"current": 1_500_000, "total": 4_000_000}},
        {"status": "Downloading", "id": "bb", "progressDetail": {"current": 500_000, "total": 1_000_000}},
    ):
        assert progress.take(message) == ""
    assert progress.words() == "2.0 of 5.0 MB, 0 layers done"
    progress.take({"status": "Pull complete", "id": "aa", "progressDetail": {}})
    assert progress.words() == "4.5 of 5.0 MB, 1 layers done"
    assert progress.take({"errorDetail": {"message": "manifest unknown"}, "error": "manifest unknown"}) == "manifest unknown"


def row(name: str, project: str = "shop", service: str = "web", number: int = 1, **changes: Any) -> Row:
    labels = {
        "com.docker.compose.project": project,
        "com.docker.compose.service": service,
        "com.docker.compose.container-number": str(number),
        "com.docker.compose.oneoff": "False",
        **changes.pop("labels", {}),
    }
    return Row(name, name, labels, changes.get("state", State.RUNNING), ())


@pytest.mark.parametrize(
    ("clone", "rows", "own", "project", "trouble"),
    [
        pytest.param(Clone("web"), [row("a")], "", "shop", "", id="the-only-one"),
        pytest.param(Clone("web"), [row("a"), row("b", "other")], "other", "other", "", id="that-of-ecluse-itself"),
        pytest.param(
            Clone("web"), [row("a"), row("b", "other")], "third", "", "in several projects (other, shop)", id="not-one-of-many"
        ),
        pytest.param(Clone("web", "other"), [row("a")], "", "other", "", id="the-configured-one-even-if-it-is-not-there-yet"),
        pytest.param(Clone("cart"), [row("a")], "shop", "", 'no container of a Compose service "cart"', id="no-such-service"),
        pytest.param(
            Clone("web"),
            [row("a", labels={"com.docker.compose.oneoff": "True"})],
            "",
            "",
            "no container",
            id="compose-run-is-none",
        ),
    ],
)
def test_which_project(clone: Clone, rows: list[Row], own: str, project: str, trouble: str) -> None:
    found, words = compose.project_of(clone, rows, own)
    assert found == project
    assert trouble in words


def test_the_template_is_composes_own_and_runs_if_possible() -> None:
    ours = {"ecluse.managed-by": "lock"}
    there = [row("a", number=1, state=State.EXITED), row("b", number=2, labels=ours), row("c", number=3), row("d", number=4)]
    assert compose.template(there, "lock") == there[2]
    assert compose.template(there[:2], "lock") == there[0]
    assert compose.template(there[1:2], "lock") == there[1]
    assert compose.template([row("a", state=State.REMOVING)], "lock") is None


@pytest.mark.parametrize(
    ("template", "version", "name"),
    [
        pytest.param("shop_web_1", "1.29.2", "shop_web_3", id="compose-1"),
        pytest.param("shop-web-1", "2.24.0", "shop-web-3", id="compose-2"),
        pytest.param("shop_web_1", "2.24.0", "shop_web_3", id="compose-2-in-compatibility-mode"),
        pytest.param("frontend", "1.29.2", "shop_web_3", id="container-name-of-compose-1"),
        pytest.param("frontend", "2.24.0", "shop-web-3", id="container-name-of-compose-2"),
    ],
)
def test_names_are_composes(template: str, version: str, name: str) -> None:
    labels = {**row("a").labels, "com.docker.compose.version": version}
    assert compose.name_of(template, labels, 3) == name
