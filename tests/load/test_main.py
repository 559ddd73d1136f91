"""`python -m sidecar.load` as scripts use it."""

import json
import signal
import subprocess
import sys

import pytest

from sidecar.load.__main__ import main
from tests.load.listener import OK, always, listener
from tests.support import free_port, wait_until_blocking

COMMAND = [sys.executable, "-m", "sidecar.load"]


def test_it_prints_json(tiny: int) -> None:
    words = [*COMMAND, f"http://127.0.0.1:{tiny}/", "--rate", "200", "--seconds", "0.5", "--warm-up", "0.1", "--json"]
    done = subprocess.run(words, capture_output=True, text=True, timeout=20, check=True)
    shown = json.loads(done.stdout)
    assert (shown["answered"], shown["bad"], shown["rate"]) == (shown["due"], 0, 200)
    assert {"p50", "p90", "p95", "p99", "p99.9", "max"} <= shown["latency_s"].keys() & shown["lag_s"].keys()
    assert {"errors", "statuses", "achieved_rate", "in_flight", "fell_behind"} <= shown.keys()


def test_ctrl_c_prints_what_was_measured() -> None:
    with listener(always(OK)) as (app, _):
        words = [*COMMAND, app.url, "--rate", "200", "--seconds", "60", "--json"]
        with subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
            wait_until_blocking(lambda: app.requests > 5)
            process.send_signal(signal.SIGINT)
            out, complaints = process.communicate(timeout=20)
    assert (process.returncode, complaints) == (130, "")
    assert json.loads(out)["good"] > 0


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["https://127.0.0.1/", "--rate", "1"], "TLS is not spoken here"),
        (["http://127.0.0.1/", "--rate", "0"], "'0' is not a number above 0"),
        (["http://127.0.0.1/"], "--rate"),
        (["http://127.0.0.1/", "--rate", "1", "--connections", "none"], "not a whole number"),
    ],
)
def test_wrong_arguments_are_said(words: list[str], said: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(words)
    assert ended.value.code == 2
    assert said in capsys.readouterr().err


def test_where_nothing_listens_it_says_so(capsys: pytest.CaptureFixture[str]) -> None:
    port = free_port()
    assert main([f"http://127.0.0.1:{port}/", "--rate", "1"]) == 1
    assert f"nothing accepts connections at 127.0.0.1:{port} (connection refused)" in capsys.readouterr().err
