"""A run from its command to its files; what is left out is said."""

import json
import re
from pathlib import Path
from xml.etree import ElementTree as ET

from tests.benchmarks.runs import NEEDED, benchmarking, path_with


def test_a_run_measures_the_peers_in_turn_and_writes_table_figures_and_picture(tmp_path: Path) -> None:
    path = path_with(tmp_path / "bin", *NEEDED)
    words = ("small", "--rounds", "2", "--seconds", "1", "--peers", "nginx,haproxy,interpreted")
    with benchmarking(tmp_path, path, *words) as process:
        out, told = process.communicate()
    assert process.returncode == 0, told
    order = [line.split()[5] for line in told.splitlines() if line.startswith("small ")]
    assert order == ["interpreted", "nginx", "nginx", "interpreted"]

    endings = {file.suffix: file for file in (tmp_path / "results").iterdir()}
    data = json.loads(endings[".json"].read_text())
    row = data["rows"]["small"]
    assert set(row["peers"]) == {"nginx", "interpreted"}
    assert all(len(peer["figures"]) == 2 and min(peer["figures"]) > 0 and not peer["errors"] for peer in row["peers"].values())
    assert row["peers"]["nginx"]["compared"]["median"] == 1.0
    assert "| work | interpreted | nginx | goal | met |" in endings[".md"].read_text()
    assert ET.fromstring(endings[".svg"].read_text()).tag.endswith("svg")
    assert "at least 0.70 of nginx" in out


def test_a_peer_that_is_not_installed_is_left_out_and_named(tmp_path: Path) -> None:
    path = path_with(tmp_path / "bin", *NEEDED)
    with benchmarking(tmp_path, path, "small", "--rounds", "1", "--seconds", "1", "--peers", "nginx,haproxy") as process:
        _, told = process.communicate()
    assert process.returncode == 0, told
    assert "haproxy is left out: not installed: haproxy; as root: apt-get install haproxy" in told
    (file,) = (tmp_path / "results").glob("*.json")
    assert list(json.loads(file.read_text())["left_out"]) == ["haproxy"]


def test_without_a_load_generator_nothing_is_started_and_the_missing_is_named(tmp_path: Path) -> None:
    path = path_with(tmp_path / "bin", "nginx", "taskset", "setpriv")
    with benchmarking(tmp_path, path, "small") as process:
        _, told = process.communicate()
    assert process.returncode == 1
    assert told == "not installed: wrk; as root: apt-get install wrk\n"


def test_a_peer_that_does_not_start_is_told_with_its_own_words_and_costs_only_its_work(tmp_path: Path) -> None:
    path = path_with(tmp_path / "bin", *NEEDED)
    broken = tmp_path / "bin" / "haproxy"
    broken.write_text("#!/bin/sh\necho 'no such option' >&2; exit 1\n")
    broken.chmod(0o755)
    words = ("small", "unix", "--rounds", "1", "--seconds", "1", "--peers", "nginx,haproxy")
    with benchmarking(tmp_path, f"{path}:/bin", *words) as process:
        _, told = process.communicate()
    assert process.returncode == 0, told
    assert re.search(r"small is left out: haproxy-\d+ ended with 1; its log says:\nno such option\n", told)
    (file,) = (tmp_path / "results").glob("*.json")
    assert list(json.loads(file.read_text())["rows"]) == ["unix"]


def test_an_unknown_peer_is_refused_with_the_names_of_all(tmp_path: Path) -> None:
    with benchmarking(tmp_path, "", "--peers", "nginx,caddy") as process:
        _, told = process.communicate()
    assert process.returncode == 2
    assert "no such peer: caddy; there are ecluse, interpreted, nginx, haproxy, forwarder" in told


def test_the_list_names_every_work(tmp_path: Path) -> None:
    with benchmarking(tmp_path, "", "--list") as process:
        out, _ = process.communicate()
    names = list(dict.fromkeys(line.split()[0] for line in out.splitlines()))
    assert names == [
        "small",
        "browser",
        "16k",
        "post",
        "10m",
        "upload",
        "connect",
        "latency",
        "idle",
        "workers",
        "tables",
        "unix",
    ]
