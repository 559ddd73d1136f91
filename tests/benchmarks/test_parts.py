"""The parts that a run is made of, each by itself: the sink, CPU accounting, installing, the counted hot path, perf's report."""

import os
import socket
import sys
import tempfile
from pathlib import Path

import pytest

from balancer.table import ReplicaState
from benchmarks import programs
from benchmarks.canned import WORKS, exchange
from benchmarks.direct import table_of
from benchmarks.instructions import driven, merged, table
from benchmarks.processes import Process, free_port
from benchmarks.profile import costs_of, grouped
from benchmarks.stand import running
from benchmarks.tables import changed
from tests.support import wait_until_blocking

CORES = sorted(os.sched_getaffinity(0))


def test_the_sink_reads_bodies_to_their_end_and_answers_then(tmp_path: Path) -> None:
    port, body = free_port(), b"x" * 3_000_000
    command = [sys.executable, "-m", "benchmarks.sink", str(port)]
    with running(command, CORES, tmp_path / "log", port), socket.create_connection(("127.0.0.1", port)) as client:
        for _ in range(2):
            client.sendall(b"POST / HTTP/1.1\r\nContent-")
            client.sendall(b"Length: %d\r\n\r\n" % len(body) + body[:-1])
            client.settimeout(0.05)
            with pytest.raises(TimeoutError):
                client.recv(1)
            client.settimeout(10.0)
            client.sendall(body[-1:])
            assert client.recv(1000).startswith(b"HTTP/1.1 200")


BURN = "import time\nwhile time.process_time() < 0.2: pass\n"


def test_the_time_of_children_that_have_ended_counts(tmp_path: Path) -> None:
    program = f"import subprocess, sys, time\nsubprocess.run([sys.executable, '-c', {BURN!r}])\nprint('done', flush=True)\ntime.sleep(60)"
    process = Process([sys.executable, "-c", program], CORES, tmp_path / "log")
    try:
        wait_until_blocking(lambda: "done" in (tmp_path / "log").read_text())
        assert len(process.pids()) == 1
        assert process.cpu_s() >= 0.2
    finally:
        process.end()


def test_the_time_of_children_that_run_counts(tmp_path: Path) -> None:
    program = f"import subprocess, sys\nsubprocess.run([sys.executable, '-c', {BURN + 'time.sleep(60)'!r}])"
    process = Process([sys.executable, "-c", program], CORES, tmp_path / "log")
    try:
        wait_until_blocking(lambda: process.cpu_s() >= 0.2)
        assert len(process.pids()) == 2
    finally:
        process.end()


def test_a_program_that_ends_is_not_taken_for_one_that_costs_nothing(tmp_path: Path) -> None:
    process = Process([sys.executable, "-c", "raise SystemExit('no licence')"], CORES, tmp_path / "peer.log")
    process.wait()
    with pytest.raises(RuntimeError, match="peer ended with 1; its log says:\nno licence"):
        process.cpu_s()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root installs")
def test_a_failed_installation_is_told_without_the_registrys_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    apt = tmp_path / "apt-get"
    apt.write_text("#!/bin/sh\necho 'E: Failed to fetch https://deb.example.org/x.deb' >&2\nexit 100\n")
    apt.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/bin")
    told: list[str] = []
    programs.provide(["no-such-program"], told.append)
    assert told == ["installing no-such-program", "update failed: E: Failed to fetch (registry)"]


@pytest.mark.parametrize("work", WORKS)
def test_the_counted_hot_path_carries_all_requests_and_ends_with_its_client(work: str) -> None:
    with tempfile.TemporaryFile() as log, driven("interpreted", log.fileno(), []) as (process, client, origin):
        exchange(WORKS[work], 20, client, origin)
        assert process.wait(10) == 0


def test_instructions_stand_beside_those_that_were_kept() -> None:
    old, new = {"small": {"interpreted": 200, "compiled": 100}}, {"small": {"compiled": 90}, "browser": {"compiled": 500}}
    assert table(old, new).splitlines()[2:] == ["| small, compiled | 100 | 90 | -10.0% |", "| browser, compiled | - | 500 | - |"]
    assert merged(old, new)["small"] == {"interpreted": 200, "compiled": 90}


REPORT = """
# Overhead|Shared Object|Symbol
    60.00%|[kernel.kallsyms]  |[k] tcp_sendmsg
    20.00%|libpython3.11.so.1.0  |[.] _PyObject_Malloc
     9.00%|relay.cpython-311-x86_64-linux-gnu.so|[.] pass_on
     6.00%|_socket.cpython-311-x86_64-linux-gnu.so|[.] sock_recv
     5.00%|libc.so.6|[.] __libc_recv
"""


def test_perfs_symbols_are_grouped_by_whose_they_are() -> None:
    lines = grouped(list(costs_of(REPORT))).splitlines()
    assert lines[2:6] == ["| kernel | 60.0 % |", "| interpreter | 26.0 % |", "| hot path | 9.0 % |", "| libc | 5.0 % |"]
    assert "| relay | 9.0 % |" in lines
    assert "| 6.00 % | interpreter | _socket.cpython-311-x86_64-linux-gnu.so | `sock_recv` |" in lines


def test_each_new_table_changes_some_services_and_never_the_busy_one() -> None:
    first = table_of(1_000, 10, "127.0.0.1:1")
    last = first
    for number in range(150):
        before, last = last, changed(last, number)
        assert sum(a is not b for a, b in zip(before.services, last.services, strict=True)) == 10
        assert last.services[0] is first.services[0]
    ready = [sum(replica.state is ReplicaState.READY for replica in service.replicas) for service in last.services]
    assert set(ready) == {9, 10}
