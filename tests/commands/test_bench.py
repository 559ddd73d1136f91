"""`ecluse bench` from its words to its exit code, against real applications."""

import json
import os
import pty
import signal
import subprocess
import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from sidecar import cli
from sidecar.bench import hold, runner
from sidecar.bench.stopping import stoppable
from sidecar.load.generator import Generator
from sidecar.load.request import build
from sidecar.load.target import parse
from sidecar.views import ServiceView, UnknownName
from tests.admin.control import FakeControl
from tests.commands.conftest import DEADLINE_S, Done, Ecluse, command, environment
from tests.load.listener import OK, Listener, Say, always, listener
from tests.support import free_port, wait_until_blocking

ONCE = ("--rate-from", "100", "--rate-to", "100", "--steps", "1", "--step-seconds", "0.2")
QUICK = ("--rate-from", "50", "--rate-to", "100", "--steps", "2", "--step-seconds", "0.3")


@pytest.fixture(autouse=True)
def quick_look(monkeypatch: pytest.MonkeyPatch) -> None:
    """A shorter first look and warm-up."""
    monkeypatch.setattr(runner, "LOOK_S", 0.1)
    monkeypatch.setattr(runner, "WARM_UP_S", (0.1, 0.5))


@pytest.fixture
def app() -> Iterator[Listener]:
    with listener(always(OK)) as (running, _):
        yield running


@pytest.fixture
def alone(capsys: pytest.CaptureFixture[str]) -> Ecluse:
    """Runs `ecluse` with some words where no admin API is needed."""

    def run(*words: str, **_: str) -> Done:
        try:
            code = cli.main(words)
        except SystemExit as ended:  # argparse's way to end
            code = int(ended.code or 0)
        return Done(code, *capsys.readouterr())

    return run


@pytest.fixture
def shop(control: FakeControl, app: Listener, monkeypatch: pytest.MonkeyPatch) -> Listener:
    """The application behind the service shop, as the admin API shows it."""
    seen = control.overview()
    monkeypatch.setattr(control, "overview", lambda: replace(seen, listen=(app.url.removeprefix("http://").rstrip("/"),)))
    control.shown["shop"] = replace(control.shown["shop"], routes=("shop.example.com/cart",), load=0.0)
    monkeypatch.setattr(hold, "WAIT_S", 2.0)
    return app


def test_a_real_application_is_measured_step_by_step(alone: Ecluse, tiny: int, tmp_path: Path) -> None:
    url, figures, drawing = f"http://127.0.0.1:{tiny}/slow?ms=5", tmp_path / "figures.json", tmp_path / "drawing.svg"
    done = alone("bench", url, *QUICK, "--json", str(figures), "--plot", str(drawing))
    assert done.returncode == 0, done.stderr
    assert f"sends GET /slow?ms=5 to 127.0.0.1:{tiny}; replicas behind it: 1" in done.stderr
    assert "at most 500,000 requests in 180 s, 512 connections" in done.stderr
    assert [line.split()[0] for line in done.stderr.splitlines()[3:]] == ["50/s:", "100/s:"]
    shown = json.loads(figures.read_text())
    assert [(step["rate"], step["bad"]) for step in shown["steps"]] == [(50, 0), (100, 0)]
    assert all(step["latency_s"]["p50"] >= 0.005 for step in shown["steps"])
    assert drawing.read_text().startswith("<svg")
    assert "requests per second" in done.stdout


def test_an_application_of_one_worker_gets_a_rule(alone: Ecluse) -> None:
    """It takes 10 ms for each request, one after the other, so it carries at most 100 per second."""
    with listener(lambda _: Say((OK,), stall_s=0.01)) as (app, _):
        done = alone(
            "bench", app.url, "--rate-from", "50", "--steps", "6", "--step-seconds", "0.4", "--replicas", "2", "--json", "-"
        )
    shown = json.loads(done.stdout)
    assert done.returncode == 0, done.stderr
    assert shown["bounded"] is True
    assert shown["knee"] < 100
    best = next(step for step in shown["steps"] if step["rate"] == shown["best"])
    assert shown["rule"]["target"] == pytest.approx(best["in_flight"] / 2, rel=0.06)
    assert max(step["rate"] for step in shown["steps"]) <= 400


def test_a_service_is_measured_through_its_route_with_its_replicas_held(
    ecluse: Ecluse, control: FakeControl, shop: Listener
) -> None:
    done = ecluse("bench", "shop", *ONCE)
    assert done.returncode == 0, done.stderr
    assert control.asked == [("scale", "shop", 1), ("scale", "shop", None)]
    assert "shop is held at 1 replica until the end" in done.stderr
    assert "sends GET /cart to 127.0.0.1:" in done.stderr
    assert "(the way to shop)" in done.stderr
    assert shop.requests > 0


@pytest.mark.parametrize(
    ("change", "words", "said"),
    [
        pytest.param({"override": 1}, (), "", id="is held by hand"),
        pytest.param({"dry_run": True}, (), "", id="is only thought about"),
        pytest.param({"scalable": False}, (), "", id="is not ours to scale"),
        pytest.param({}, ("--keep-autoscaling",), "shop stays autoscaled", id="is to be kept autoscaled"),
        pytest.param({"load": 3.2, "override": 1}, (), "shop carries 3.2 requests already", id="carries others' requests"),
    ],
)
def test_replicas_are_left_alone_where_the_service(
    ecluse: Ecluse, control: FakeControl, shop: Listener, change: dict[str, object], words: tuple[str, ...], said: str
) -> None:
    control.shown["shop"] = replace(control.shown["shop"], **change)
    done = ecluse("bench", "shop", *ONCE, *words)
    assert (done.returncode, control.asked) == (0, [])
    assert said in done.stderr


def test_replicas_are_given_back_though_it_fails(ecluse: Ecluse, control: FakeControl, shop: Listener) -> None:
    done = ecluse("bench", "shop", "--header", "no colon")
    assert done.returncode == 2
    assert control.asked == [("scale", "shop", 1), ("scale", "shop", None)]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_gives_the_replicas_back_and_prints_what_was_measured(
    admin: str, control: FakeControl, shop: Listener, number: signal.Signals
) -> None:
    words = command("bench", "shop", "--admin", admin, "--rate-from", "20", "--rate-to", "30", "--step-seconds", "30")
    with subprocess.Popen(words, env=environment(), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        wait_until_blocking(lambda: shop.requests > 25, DEADLINE_S)  # the first look and the warm-up are over
        process.send_signal(number)
        shown, complaints = process.communicate(timeout=DEADLINE_S)
    assert process.returncode == 130
    assert control.asked == [("scale", "shop", 1), ("scale", "shop", None)]
    assert "cut short" in shown
    assert "20/s" in shown
    assert "Traceback" not in complaints


def test_ctrl_c_ends_the_wait_for_a_replica(admin: str, control: FakeControl, shop: Listener) -> None:
    control.shown["shop"] = replace(control.shown["shop"], ready=0)
    words = command("bench", "shop", "--admin", admin)
    with subprocess.Popen(words, env=environment(), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        wait_until_blocking(lambda: shop.requests >= 5, DEADLINE_S)
        process.send_signal(signal.SIGINT)
        shown, _ = process.communicate(timeout=DEADLINE_S)
    assert (process.returncode, shown) == (130, "nothing was measured: it was ended before the first step\n")
    assert control.asked[-1] == ("scale", "shop", None)


def test_without_a_ready_replica_it_says_so(
    ecluse: Ecluse, control: FakeControl, shop: Listener, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hold, "WAIT_S", 0.0)
    control.shown["shop"] = replace(control.shown["shop"], ready=0)
    done = ecluse("bench", "shop")
    assert done.returncode == 1
    assert "no replica of shop became ready within 0 s; see `ecluse status shop`" in done.stderr
    assert control.asked[-1] == ("scale", "shop", None)


def test_a_service_that_cannot_be_given_back_is_said(
    ecluse: Ecluse, control: FakeControl, shop: Listener, monkeypatch: pytest.MonkeyPatch
) -> None:
    def scale(_: str, replicas: int | None) -> None:
        if replicas is None:
            raise ValueError("not now")

    monkeypatch.setattr(control, "scale", scale)
    done = ecluse("bench", "shop", *ONCE)
    assert done.returncode == 0
    assert "shop may still be held: not now; `ecluse scale shop auto` gives it back to its autoscaler" in done.stderr


def test_replicas_that_are_not_known_any_more_are_those_of_before(
    ecluse: Ecluse, control: FakeControl, shop: Listener, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The admin API fails from the second step on."""
    seen = control.service

    def service(name: str) -> ServiceView:
        if shop.requests > 10:
            raise UnknownName("gone")
        return seen(name)

    monkeypatch.setattr(control, "service", service)
    done = ecluse("bench", "shop", *QUICK, "--json", "-")
    assert "taking 1 for the number of ready replicas: gone" in done.stderr
    assert [step["replicas"] for step in json.loads(done.stdout)["steps"]] == [1, 1]


def test_a_second_ctrl_c_ends_everything() -> None:
    with Generator(parse("127.0.0.1:1"), build("a", "/"), 1) as generator, stoppable(generator):
        signal.raise_signal(signal.SIGINT)
        assert generator.stopped
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(signal.SIGINT)


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (("shep",), 4, "no service 'shep'; did you mean 'shop'?"),
        (("shop", "--path", "/x"), 2, "no route of shop leads to /x; there are: shop.example.com/cart"),
    ],
)
def test_what_is_wrong_with_a_service_is_said(
    ecluse: Ecluse, shop: Listener, words: tuple[str, ...], code: int, said: str
) -> None:
    done = ecluse("bench", *words)
    assert (done.returncode, done.stdout) == (code, "")
    assert said in done.stderr


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (("shop", "--replicas", "2"), 2, "--replicas goes with a URL"),
        (("https://127.0.0.1/",), 2, "TLS is not spoken here"),
        (("http://127.0.0.1:99999/",), 2, "out of range"),
        (("http://nowhere.invalid/",), 1, "the name nowhere.invalid has no address"),
        (("127.0.0.1:1", "--objective", "quick"), 2, "such as 'p95 under 300ms'"),
        (("127.0.0.1:1", "--max-latency", "long"), 2, "must be a duration"),
        (("127.0.0.1:1", "--max-errors", "some"), 2, "must be a share"),
        (("127.0.0.1:1", "--plot", "/nowhere/x.svg"), 2, "not a file in a directory that exists"),
        (("127.0.0.1:1", "--rate-from", "9", "--rate-to", "8"), 2, "--rate-to (8) is below --rate-from (9)"),
        (("127.0.0.1:1", "--body", "@nowhere"), 2, "--body: nowhere cannot be read"),
        (("shop", "--admin", "127.0.0.1:1"), 3, "is ecluse running?"),
        ((), 2, "usage:"),
    ],
)
def test_what_went_wrong_is_said_with_an_exit_code(alone: Ecluse, words: tuple[str, ...], code: int, said: str) -> None:
    done = alone("bench", *words)
    assert (done.returncode, done.stdout) == (code, "")
    assert said in done.stderr
    assert "Traceback" not in done.stderr


def test_where_nothing_listens_it_says_where_and_what_to_do(alone: Ecluse) -> None:
    port = free_port()
    done = alone("bench", f"http://127.0.0.1:{port}/")
    assert done.returncode == 1
    assert f"nothing accepts connections at 127.0.0.1:{port} (connection refused); is the application running" in done.stderr


def test_where_no_answer_is_good_it_says_which_came(alone: Ecluse, tiny: int) -> None:
    done = alone("bench", f"http://127.0.0.1:{tiny}/nowhere")
    assert (done.returncode, done.stdout) == (1, "")
    assert "none of the first 5 requests got a good answer (2xx or 3xx): 5 x 404; see what the application says" in done.stderr


def test_an_objective_that_no_rate_meets_fails(alone: Ecluse, tiny: int) -> None:
    done = alone("bench", f"http://127.0.0.1:{tiny}/slow?ms=20", *ONCE, "--objective", "p95 under 10ms")
    assert done.returncode == 1
    assert "No rate met the objective p95 under 10ms" in " ".join(done.stdout.split())
    assert "services:" not in done.stdout


def test_bounds_on_the_whole_are_kept(alone: Ecluse, app: Listener) -> None:
    done = alone("bench", app.url, *QUICK, "--max-requests", "40")
    assert "a step at 100/s would pass 40 requests (--max-requests)" in " ".join(done.stdout.split())
    assert app.requests <= 40


def test_fields_method_and_body_are_sent(alone: Ecluse, tiny: int, tmp_path: Path) -> None:
    (tmp_path / "body").write_text("four")
    words = ("--method", "POST", "--body", f"@{tmp_path}/body", "--header", "X-Test: 1", "--path", "/echo")
    done = alone("bench", f"http://127.0.0.1:{tiny}/", *ONCE, *words, "--json", "-")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["steps"][0]["statuses"].keys() == {"200"}


def test_on_a_narrow_terminal_it_keeps_within_it(app: Listener) -> None:
    ours, theirs = pty.openpty()
    shown: list[bytes] = []
    reading = threading.Thread(target=lambda: shown.extend(_pieces(ours)))
    reading.start()
    words = command("bench", app.url, *ONCE)
    subprocess.run(words, env=environment(COLUMNS="50"), stdout=theirs, stderr=subprocess.DEVNULL, timeout=DEADLINE_S, check=True)
    os.close(theirs)
    reading.join(DEADLINE_S)
    os.close(ours)
    lines = b"".join(shown).decode().splitlines()
    assert max(map(len, lines)) <= 60  # eight characters of it are colours
    assert any("●" in line for line in lines)


def _pieces(descriptor: int) -> Iterator[bytes]:
    try:
        while piece := os.read(descriptor, 65536):
            yield piece
    except OSError:  # Linux's way to say that the other end of a terminal is closed
        return


def test_a_terminal_without_unicode_gets_ascii(app: Listener) -> None:
    words = command("bench", app.url, *ONCE)
    more = environment(PYTHONIOENCODING="ascii:strict")
    done = subprocess.run(words, env=more, capture_output=True, timeout=DEADLINE_S, check=True)
    assert done.stdout.isascii()
    assert b"* p95" in done.stdout
