"""Each command says what it should, and its exit code says how it went."""

import json
import os
import pty
import signal
import socket
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest

from autoscaler.cluster.engine import Usage
from autoscaler.decision import Recommendation
from autoscaler.rules import MetricRule, MetricType
from balancer.scoreboard import ServiceReading
from sidecar.render import moment
from tests.admin.control import DECISION, FakeControl, replica, service
from tests.commands.conftest import DEADLINE_S, Ecluse, command, environment
from tests.support import free_port, wait_until_blocking


def test_status_shows_services_and_replicas(ecluse: Ecluse) -> None:
    shown = ecluse("status")
    assert shown.returncode == 0
    for words in ("ecluse 0.1.0 (compiled), pid 99", "1/2", "2 of 1-8", "12 ms", "keep 2: concurrency", "shop-2", "draining"):
        assert words in shown.stdout


@pytest.mark.parametrize("columns", [50, 80])
def test_on_a_terminal_status_keeps_within_its_width_and_elsewhere_nothing_is_cut(
    ecluse: Ecluse, admin: str, control: FakeControl, columns: int
) -> None:
    control.shown["shop"] = replace(control.shown["shop"], routes=("shop.example.com/" + "a" * 100,), last_decision="why " * 99)
    lines = on_terminal("status", "--admin", admin, NO_COLOR="1", COLUMNS=str(columns)).splitlines()
    assert max(map(len, lines)) <= columns
    piped = ecluse("status").stdout
    assert "/" + "a" * 100 in piped
    assert "why " * 98 + "why" in piped


def test_status_says_what_was_refused_and_what_failed(ecluse: Ecluse, control: FakeControl) -> None:
    assert "refused" not in ecluse("status").stdout
    cells = ServiceReading(7, 0, 27_212, 0, 3, 0, 0, (0, 0, 0, 0, 27_220), 0)
    control.shown["shop"] = replace(control.shown["shop"], reading=cells)
    shown = ecluse("status").stdout
    assert "7 waiting now; 27,212 refused: queue full; 3 refused: no replica ready; 5 other 5xx by ecluse" in shown
    assert "2 5xx by replicas; 2 answers broken off" in shown
    assert "4 requests matched no route (404); 2 bad requests (4xx); 1 connections over the limit" in shown


def test_status_shows_what_replicas_use_where_any_is_known(ecluse: Ecluse, control: FakeControl) -> None:
    assert "CPU" not in ecluse("status").stdout
    used = Usage(9.0, 12.5, 1.5, 340_000_000, 500_000_000)
    known, partly, unknown = replica("shop-1", usage=used, cpu=0.634), replica("shop-2", usage=used), replica("shop-3")
    control.shown["shop"] = service("shop", known, partly, unknown)
    titles, *rows = [
        line.split() for line in ecluse("status", "shop").stdout.splitlines() if line.startswith(("  REPLICA", "  shop-"))
    ]
    assert titles[-3:] == ["CPU", "MEM", "DETAIL"]
    assert [row[-2:] for row in rows] == [["63%", "340.0MB"], ["-", "340.0MB"], ["-", "-"]]


def test_explain_tells_shares_in_per_cent(ecluse: Ecluse, control: FakeControl) -> None:
    metric = MetricRule(MetricType.CPU, 0.7)
    control.decision = replace(DECISION, recommended=(Recommendation(metric, 0.634, 0.7, 0.9, 2, "steady", "as it should"),))
    (row,) = [line.split() for line in ecluse("explain", "shop").stdout.splitlines() if line.startswith("cpu")]
    assert row[:5] == ["cpu", "63%", "70%", "0.90", "2"]


def test_a_dry_run_and_a_held_count_are_marked(ecluse: Ecluse, control: FakeControl) -> None:
    control.shown["shop"] = replace(control.shown["shop"], override=2, dry_run=True)
    assert "2 of 1-8 (held) (dry run)" in ecluse("status").stdout


def test_status_as_json_is_what_the_admin_api_says(ecluse: Ecluse) -> None:
    shown = json.loads(ecluse("status", "--json", "shop").stdout)
    assert shown["overview"]["pid"] == 99
    assert [service["name"] for service in shown["services"]] == ["shop"]


def test_explain_gives_the_way_of_the_decision_uncut(ecluse: Ecluse) -> None:
    shown = ecluse("explain", "shop").stdout
    assert all(len(line) <= 80 for line in shown.splitlines())
    assert shown.startswith("shop goes from 2 to 3 replicas: ")
    for words in ("latency_p95", "310 ms", "concurrency", "28.5", "asks for", "recommend", "3 *"):
        assert words.lower() in shown.lower()
    assert "than this line has room for in any case" in " ".join(shown.split())
    assert json.loads(ecluse("explain", "shop", "--json").stdout)["desired"] == 3


def test_explain_leaves_out_what_made_no_difference_and_tells_the_hpas_conditions(ecluse: Ecluse) -> None:
    shown, whole = ecluse("explain", "shop").stdout, ecluse("explain", "shop", "--all").stdout
    assert len(shown.splitlines()) <= len(whole.splitlines())
    assert all(words in shown for words in ("AbleToScale", "SucceededRescale", "ScalingActive", "ScalingLimited"))


def test_push_tells_a_value(ecluse: Ecluse, control: FakeControl) -> None:
    done = ecluse("push", "shop", "jobs", "12.5")
    assert (done.returncode, done.stdout) == (0, "shop: jobs is 12.5 from now on (desired: 2)\n")
    assert control.asked == [("push", "shop", "jobs", 12.5)]
    assert ecluse("push", "shop", "jibs", "1").returncode == 4
    assert ecluse("push", "shop", "jobs", "nan").returncode == 2


def test_a_pause_is_asked_for_and_ended(ecluse: Ecluse, control: FakeControl) -> None:
    assert "nothing goes down by itself from now on" in ecluse("pause", "shop", "--down").stdout
    assert "nothing changes by itself from now on" in ecluse("pause", "shop").stdout
    assert "(paused)" in ecluse("status").stdout
    assert "scaled by its rules again" in ecluse("resume", "shop").stdout
    assert control.asked == [("pause", "shop", "down"), ("pause", "shop", "all"), ("pause", "shop", "none")]


def test_explain_of_a_moment_says_when_that_was_decided(ecluse: Ecluse, control: FakeControl) -> None:
    first, _, sentence, *_ = ecluse("explain", "shop", "--at", str(control.decided_at + 9)).stdout.splitlines()
    assert first == f"decided {moment(control.decided_at)}"
    assert sentence.startswith("shop goes from 2 to 3 replicas: ")
    first, *_ = ecluse("explain", "shop", "--at", str(control.decided_at + 3600)).stdout.splitlines()
    assert first == f"decided {moment(control.decided_at)}; nothing was decided in the 60 min after it"


def test_explain_since_a_moment_gives_each_change_one_line(ecluse: Ecluse, control: FakeControl) -> None:
    (line,) = ecluse("explain", "shop", "--since", "1h").stdout.splitlines()
    assert line == f"{moment(control.decided_at)}  {DECISION.sentence}"
    assert control.asked[0][-2:] == (True, 1000)
    assert json.loads(ecluse("explain", "shop", "--since", "1h", "--json").stdout)[0]["desired"] == 3


def test_scale_holds_and_gives_back(ecluse: Ecluse, control: FakeControl) -> None:
    assert "held at 5 replicas" in ecluse("scale", "shop", "5").stdout
    assert "between 1 and 8" in ecluse("scale", "shop", "auto").stdout
    assert control.asked == [("scale", "shop", 5), ("scale", "shop", None)]


def test_drain_reaches_the_controller(ecluse: Ecluse, control: FakeControl) -> None:
    assert ecluse("drain", "shop", "shop-2").returncode == 0
    assert control.asked == [("drain", "shop", "shop-2")]


def test_reload_says_what_is_wrong(ecluse: Ecluse, control: FakeControl) -> None:
    assert ecluse("reload").stdout == "reloaded\n"
    control.reload_errors = ["ecluse.yaml:3:1: services.shop.comand: unknown key"]
    refused = ecluse("reload")
    assert refused.returncode == 2
    assert "ecluse.yaml:3:1" in refused.stderr
    assert "nothing was changed" in refused.stderr


def test_logs_show_the_last_lines(ecluse: Ecluse) -> None:
    assert ecluse("logs", "shop", "-n", "1").stdout == "shop-1 | GET /\n"
    assert json.loads(ecluse("logs", "shop", "-n", "1", "--json").stdout) == {"replica": "shop-1", "line": "GET /"}


def test_events_show_the_newest_last(ecluse: Ecluse, control: FakeControl) -> None:
    control.happen("up to 3")
    control.happen("shop-3 is ready", "state")
    lines = ecluse("events").stdout.splitlines()
    assert [line.split("shop: ")[1] for line in lines] == ["up to 3", "shop-3 is ready"]
    assert json.loads(ecluse("events", "--json", "-n", "1").stdout)["message"] == "shop-3 is ready"


def test_version_says_how_the_hot_path_runs(ecluse: Ecluse) -> None:
    pure = subprocess.run(command("version"), env=environment(ECLUSE_PURE="1"), capture_output=True, text=True, check=True)
    assert "hot path interpreted" in pure.stdout
    assert ecluse("--version").stdout == ecluse("version").stdout
    assert json.loads(ecluse("version", "--json").stdout)["hot_path"] in {"compiled", "interpreted"}


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (("explain", "shep"), 4, "no service 'shep'; did you mean 'shop'?"),
        (("explain", "shop", "--at", "2001-01-01"), 1, "no decision of shop from then is kept"),
        (("explain", "shop", "--at", "soon"), 2, "'soon' is not a time such as 14:05"),
        (("logs", "x"), 4, "no service 'x'; there are: shop, legacy"),
        (("drain", "shop", "shop1"), 4, "shop has no replica 'shop1'; did you mean 'shop-1'?"),
        (("scale", "shop", "99"), 1, "99 is not between 1 and 8"),
        (("scale", "legacy", "2"), 1, "fixed endpoints"),
        (("scale", "shop", "many"), 2, "neither a number of replicas nor 'auto'"),
        (("logs", "shop", "-n", "99999"), 2, "argument -n/--number: '99999' is not a number from 0 to 10000"),
        (("logs", "shop", "-n", "-5"), 2, "argument -n/--number: '-5' is not a number"),
        (("events", "-n", "1000000"), 2, "argument -n/--number: '1000000' is not a number from 0 to 1000"),
        (("logs", "legacy"), 1, "legacy has no logs here: it is not started here"),
        (("scale", "shop"), 2, "usage:"),
        (("stauts",), 2, "no command 'stauts'; did you mean 'status'?"),
        (("status", "--jsn"), 2, "unrecognized arguments: --jsn"),
        (
            ("run", "--max", "4", "uvicorn", "app:app", "--port", "{port}"),
            2,
            "put -- before the command: ecluse run --max 4 -- uvicorn app:app --port {port}",
        ),
        (("run", "x.yaml", "--bogus"), 2, "unrecognized arguments: --bogus"),
        ((), 2, "exit codes:"),
        (("run", "--min", "2", "x.yaml"), 2, "--min goes with `-- COMMAND`"),
        (("run", "x.yaml", "--", "true"), 2, "not both"),
        (("run", "--"), 2, "no command after `--`"),
        (("check", "nowhere.yaml"), 2, "nowhere.yaml: cannot be read"),
        (("run", "nowhere.yaml"), 2, "nowhere.yaml: cannot be read"),
        (("status", "--admin", "http://["), 3, "no answer from the admin API"),
    ],
)
def test_what_went_wrong_is_said_with_an_exit_code(ecluse: Ecluse, words: tuple[str, ...], code: int, said: str) -> None:
    done = ecluse(*words)
    assert (done.returncode, done.stdout) == (code, "")
    assert said in done.stderr
    assert "Traceback" not in done.stderr


def test_without_a_running_ecluse_the_exit_code_is_3(ecluse: Ecluse) -> None:
    done = ecluse("status", ECLUSE_ADMIN=f"127.0.0.1:{free_port()}")
    assert done.returncode == 3
    assert "is ecluse running?" in done.stderr


def test_an_admin_api_that_hangs_is_not_said_to_be_absent(ecluse: Ecluse, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sidecar.client.TIMEOUT_S", 0.1)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        done = ecluse("status", ECLUSE_ADMIN=f"127.0.0.1:{silent.getsockname()[1]}")
    assert done.returncode == 3
    assert "did not answer within 0.1 s" in done.stderr
    assert "is ecluse running?" not in done.stderr


@pytest.mark.parametrize("words", ["run", "check"])
def test_without_file_and_command_it_says_how_to_begin(
    ecluse: Ecluse, words: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    done = ecluse(words)
    assert done.returncode == 2
    assert "no ./ecluse.yaml here" in done.stderr


@pytest.mark.parametrize("option", ["--listen", "--admin"])
def test_run_says_where_it_cannot_listen(admin: str, option: str) -> None:
    free = {"--listen": "127.0.0.1:0", "--admin": "127.0.0.1:0"}
    options = [word for pair in {**free, option: admin}.items() for word in pair]
    words = command("run", *options, "--", "sleep", "60")
    done = subprocess.run(words, env=environment(), capture_output=True, text=True, timeout=DEADLINE_S, check=False)
    assert done.returncode == 1
    assert "ddress already in use" in done.stderr
    assert "Traceback" not in done.stderr


COMMANDS = (
    "run",
    "check",
    "status",
    "explain",
    "scale",
    "pause",
    "resume",
    "drain",
    "logs",
    "events",
    "reload",
    "bench",
    "version",
)
GOOD = "services:\n  shop:\n    command: ./serve {port}\n    autoscale: {max_replicas: 6, metrics: [{type: rps, target: 50}]}\n"
BAD = "services:\n  shop:\n    comand: ./serve\n    balance: {policy: fastest}\n"


def test_check_sums_up_what_would_run(tmp_path: Path, ecluse: Ecluse) -> None:
    file = tmp_path / "ecluse.yaml"
    file.write_text(GOOD)
    done = ecluse("check", str(file))
    assert done.returncode == 0
    for words in (
        f"{file}: valid",
        "listens on 0.0.0.0:8080",
        "runs ./serve '{port}'",
        "every 2 s",
        "1 to 6 replicas, by rps 50 per replica",
    ):
        assert words in done.stdout
    warnings = [f"services.shop.command: there is no program './serve' as seen from {tmp_path}"]
    assert json.loads(ecluse("check", "--json", str(file)).stdout) == {"valid": True, "problems": [], "warnings": warnings}


@pytest.mark.parametrize(
    ("rules", "said"),
    [
        ("{max_replicas: 1}", "always 1 replica, by concurrency"),
        ("{max_replicas: 3, metrics: [{type: latency, target: 300ms}]}", "1 to 3 replicas, by p95 latency 300 ms\n"),
        (
            "{max_replicas: 3, metrics: [{type: concurrency, target: 20, target_utilization: 70%}]}",
            "by concurrency 14 per replica (70 % of 20)\n",
        ),
        ("{max_replicas: 3, metrics: [{type: cpu, target: 70%}]}", "by cpu 70 % of what a replica needs or may use\n"),
        ("{max_replicas: 3, metrics: [{type: memory, average_value: 1GiB}]}", "by memory 1024 MiB per replica\n"),
        (
            "{max_replicas: 3, slo: p95 under 300ms, pause: down}",
            "1 to 3 replicas, by what keeps p95 under 300 ms (paused: down)\n",
        ),
        ("{metrics: [{type: external, name: jobs, value: 30}]}", "by jobs 30 for the whole service\n"),
        (
            "{metrics: [{type: schedule, start: 0 8 * * *, end: 0 9 * * *, min_replicas: 2}]}",
            "at least 2 from '0 8 * * *' to '0 9 * * *', UTC\n",
        ),
    ],
)
def test_check_says_rules_with_units_and_what_they_come_to(tmp_path: Path, ecluse: Ecluse, rules: str, said: str) -> None:
    file = tmp_path / "ecluse.yaml"
    file.write_text(f"services: {{shop: {{command: 'sleep {{port}}', autoscale: {rules}}}}}\n")
    assert said in ecluse("check", str(file)).stdout


@pytest.mark.parametrize(
    ("command_line", "said"),
    [
        ("sleep 60", "names no {port} or {socket}: that works only if the program reads PORT"),
        ("sleep {prt}", "{prt} is left as it is: only {port}, {socket} and {name} are replaced; did you mean {port}?"),
        ("sleep {sock}", "{sock} is left as it is: only {port}, {socket} and {name} are replaced; did you mean {socket}?"),
        (
            "sh -c 'exec sleep $SOCKET'",
            "names SOCKET, which is set only where {socket} stands in the command: write {socket} for it",
        ),
        ("sleep {socket}", ""),
        ("uvcorn --port {port}", "there is no program 'uvcorn' in PATH"),
        ("./serve {port}", "there is no program './serve' as seen from "),
        ("sleep {port}", ""),
        ("sh -c 'exec sleep $PORT'", ""),
        ("sh -c 'exec sleep $${PORT}'", ""),
    ],
)
def test_check_warns_of_commands_that_will_hardly_work(tmp_path: Path, ecluse: Ecluse, command_line: str, said: str) -> None:
    file = tmp_path / "ecluse.yaml"
    file.write_text(f"services:\n  shop:\n    command: {json.dumps(command_line)}\n")
    done = ecluse("check", str(file))
    assert done.returncode == 0
    assert said in done.stderr
    assert done.stderr.count("ecluse: warning: services.shop.command: ") == bool(said)


@pytest.mark.parametrize(
    ("lines", "warned"),
    [
        ("services: {shop: {command: 'sleep {port}', METRICS}}", False),
        ("engine: swarm\nservices: {shop: {swarm: {service: shop}, METRICS}}", True),
        ("engine: docker\nservices: {shop: {image: shop, METRICS}}", False),
    ],
    ids=["local processes are measured", "tasks are not", "containers are"],
)
def test_check_warns_of_rules_on_what_is_not_measured(tmp_path: Path, ecluse: Ecluse, lines: str, warned: bool) -> None:
    file = tmp_path / "ecluse.yaml"
    file.write_text(lines.replace("METRICS", "autoscale: {metrics: [{type: cpu, target: 70%}]}"))
    done = ecluse("check", str(file))
    assert done.returncode == 0
    assert ("warning: services.shop.autoscale.metrics: cpu: not measured with engine " in done.stderr) == warned


def test_check_warns_of_placeholders_in_variables(tmp_path: Path, ecluse: Ecluse) -> None:
    file = tmp_path / "ecluse.yaml"
    file.write_text(
        'services: {shop: {command: "sleep {socket}", environment: {ADDR: "unix:{socket}", FORMAT: "{name} {time}"}}}'
    )
    said = "{socket} is replaced in the command only: begin that with env ADDR=unix:{socket}"
    assert ecluse("check", str(file)).stderr == f"ecluse: warning: services.shop.environment.ADDR: {said}\n"


def test_check_says_everything_that_is_wrong(tmp_path: Path, ecluse: Ecluse) -> None:
    file = tmp_path / "ecluse.yaml"
    file.write_text(BAD)
    done = ecluse("check", str(file))
    assert done.returncode == 2
    assert f"{file}:3:5: " in done.stderr
    assert f"{file}:4:" in done.stderr
    problems = json.loads(ecluse("check", "--json", str(file)).stdout)["problems"]
    assert {problem["line"] for problem in problems} == {3, 4}


@pytest.mark.parametrize("file", sorted(Path("examples").glob("*/ecluse.yaml")), ids=str)
def test_the_examples_are_valid(ecluse: Ecluse, file: Path) -> None:
    assert ecluse("check", str(file)).returncode == 0


@pytest.mark.parametrize("name", ["logs", "events"])
def test_help_says_that_json_comes_in_lines(ecluse: Ecluse, name: str) -> None:
    assert "one JSON object per line" in ecluse(name, "--help").stdout


@pytest.mark.parametrize("words", [("--help",), *((name, "--help") for name in COMMANDS)], ids=" ".join)
def test_help_fits_a_terminal(ecluse: Ecluse, words: tuple[str, ...]) -> None:
    done = ecluse(*words)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("usage: ecluse")
    assert max(map(len, done.stdout.splitlines())) <= 80


def test_colours_are_for_terminals_only(ecluse: Ecluse, admin: str) -> None:
    assert "\x1b[" not in ecluse("status").stdout
    assert "\x1b[32m" in on_terminal("status", "--admin", admin)
    assert "\x1b[" not in on_terminal("status", "--admin", admin, NO_COLOR="1")


def on_terminal(*words: str, **more: str) -> str:
    """What the command writes to a terminal."""
    ours, theirs = pty.openpty()
    subprocess.run(command(*words), env=environment(**more), stdout=theirs, timeout=DEADLINE_S, check=True)
    os.close(theirs)
    written = b""
    try:
        while piece := os.read(ours, 65536):
            written += piece
    except OSError:  # Linux's way to say that the other end of a terminal is closed
        pass
    os.close(ours)
    return written.decode()


def test_following_shows_what_comes_and_ctrl_c_ends_it_quietly(admin: str, control: FakeControl) -> None:
    with subprocess.Popen(
        command("events", "-f", "--admin", admin), env=environment(), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout
        assert process.stderr
        control.happen("before")
        wait_until_blocking(lambda: control.new_events.queues, DEADLINE_S)
        process.send_signal(signal.SIGINT)
        assert process.wait(DEADLINE_S) == 130
        assert process.stderr.read() == ""


def test_a_reader_that_goes_away_ends_it_quietly(admin: str, control: FakeControl) -> None:
    for number in range(900):
        control.happen(f"event {number} " + "x" * 200)
    with subprocess.Popen(
        command("events", "-n", "900", "--admin", admin),
        env=environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout
        assert process.stderr
        process.stdout.close()
        assert process.wait(DEADLINE_S) == 141
        assert process.stderr.read() == ""
