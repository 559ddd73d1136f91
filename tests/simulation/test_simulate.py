"""`ecluse simulate`: the same seed gives the same bytes, what came is accounted for, and what is wrong is said."""

import gzip
import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

PUSHED = "metrics: [{type: external, name: orders, target: 5}]\n"
RULES = "min_replicas: 1\nmax_replicas: 9\n"
TRACE = "timestamp,requests\n" + "".join(f"2026-11-25 10:{minute:02d}:00,{600 + 300 * (minute % 7)}\n" for minute in range(30))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "rules.yaml").write_text(RULES)
    (tmp_path / "other.yaml").write_text(RULES + "metrics: [{type: concurrency, target: 1}]\n")
    (tmp_path / "pushed.yaml").write_text(PUSHED)
    (tmp_path / "trace.csv").write_text(TRACE)
    return tmp_path


def simulate(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "sidecar.cli", "simulate", *words]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False, timeout=60)


def test_the_same_seed_gives_the_same_bytes_and_another_one_does_not(folder: Path) -> None:
    first, again, other = (simulate(folder, "rules.yaml", "--trace", "trace.csv", "--seed", seed).stdout for seed in "778")
    assert first == again
    assert first != other


def test_rules_are_compared_side_by_side(folder: Path) -> None:
    told = json.loads(simulate(folder, "rules.yaml", "other.yaml", "--trace", "trace.csv", "--json").stdout)
    few, many = told["rules"]
    assert few["replica_hours"] < many["replica_hours"]
    assert 0 <= few["violated_minutes"] <= 30


@pytest.mark.parametrize(
    ("name", "octets"),
    [
        pytest.param("trace.gz", gzip.compress(TRACE.encode()), id="gzip, whatever its name"),
        pytest.param(
            "epoch.csv", b"timestamp,requests\n1764064800,60\n1764064860,70\n1764064920,80\n", id="seconds since the epoch"
        ),
        pytest.param(
            "log.json",
            b"".join(b'{"time":"2026-11-25T10:00:%02d.000Z","status":200}\n' % second for second in range(60)),
            id="a JSON log",
        ),
        pytest.param(
            "access.log",
            b"".join(b'10.0.0.1 - - [25/Nov/2026:10:00:%02d +0000] "GET / HTTP/1.1" 200 5\n' % second for second in range(60)),
            id="the Common Log Format",
        ),
    ],
)
def test_traces_come_in_many_forms(folder: Path, name: str, octets: bytes) -> None:
    (folder / name).write_bytes(octets)
    done = simulate(folder, "rules.yaml", "--trace", name)
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize(
    ("words", "says"),
    [
        pytest.param(("missing.yaml", "--trace", "trace.csv"), "missing.yaml", id="no rules file"),
        pytest.param(("rules.yaml", "--trace", "missing.csv"), "missing.csv", id="no trace"),
        pytest.param(("bad.yaml", "--trace", "trace.csv"), "bad.yaml:1:1: max_replica", id="an unknown key, with its place"),
        pytest.param(("rules.yaml", "--trace", "empty.csv"), "empty.csv", id="an empty trace"),
        pytest.param(("rules.yaml", "rules.yaml", "--trace", "trace.csv"), "given twice", id="the same rules twice"),
        pytest.param(
            ("pushed.yaml", "--trace", "trace.csv"), "knows nothing of orders, and there is no other metric", id="only signals"
        ),
    ],
)
def test_what_is_wrong_is_said(folder: Path, words: tuple[str, ...], says: str) -> None:
    (folder / "bad.yaml").write_text("max_replica: 3\n")
    (folder / "empty.csv").write_text("timestamp,requests\n")
    done = simulate(folder, *words)
    assert done.returncode == 2
    assert says in done.stderr


def test_a_signal_is_left_out_where_there_is_an_objective_or_another_metric(folder: Path) -> None:
    (folder / "pushed.yaml").write_text(PUSHED + "slo: p95 under 300ms\n")
    done = simulate(folder, "pushed.yaml", "--trace", "trace.csv")
    assert (done.returncode, done.stderr) == (0, "")
    assert "orders is left out: a trace says nothing of it" in done.stdout


def test_the_page_needs_nothing_else_and_escapes_names(folder: Path) -> None:
    (folder / "<b>.csv").write_text(TRACE)
    assert simulate(folder, "rules.yaml", "other.yaml", "--trace", "<b>.csv", "--html", "page.html").returncode == 0
    page = (folder / "page.html").read_text("utf-8")
    assert "<b>" not in page
    assert "&lt;b&gt;.csv" in page
    assert page.count("<svg") == 4
    assert not re.search(r"<script|<link|src=|href=|@import|url\(", page)
