"""Programs of a run: what they cost counts to the last child, the sink does what it is for, installing says no registry's name."""

import os
import socket
import sys
from pathlib import Path

import pytest

from benchmarks import programs
from benchmarks.processes import Process, free_port
from benchmarks.stand import running
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
