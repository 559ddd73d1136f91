"""The engine behind a real sshd: an endpoint ssh://USER@HOST:PORT, by way of the machine's own ssh program and its settings."""

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.engines.daemon import Daemon
from tests.engines.needs import SSHD, need
from tests.support import free_port, wait_until_blocking
from tests.system.containers import CHANGE_S, IMAGE, Seen, in_front_of, under_load

CLIENT = """\
IdentityFile {folder}/id
StrictHostKeyChecking accept-new
UserKnownHostsFile {folder}/known
LogLevel ERROR
"""
LISTENER = """\
Port {port}
ListenAddress 127.0.0.1
HostKey {folder}/host
AuthorizedKeysFile {folder}/id.pub
StrictModes no
PidFile none
SetEnv DOCKER_HOST=unix://{engine}
"""
SSH = """\
#!/bin/sh
PATH="${{PATH#*:}}" exec ssh -F {folder}/client "$@"
"""


@pytest.fixture
def endpoint(engine: Daemon, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """An sshd behind which `docker` means the engine, and an `ssh` that knows the way."""
    need(SSHD)
    folder, port = tmp_path, free_port()
    for name in ("host", "id"):
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", folder / name], check=True)
    (folder / "client").write_text(CLIENT.format(folder=folder))
    (folder / "listener").write_text(LISTENER.format(folder=folder, port=port, engine=engine.socket))
    (folder / "ssh").write_text(SSH.format(folder=folder))
    (folder / "ssh").chmod(0o755)
    monkeypatch.setenv("PATH", str(folder), prepend=":")
    Path("/run/sshd").mkdir(exist_ok=True)  # sshd does not begin without
    with subprocess.Popen(["/usr/sbin/sshd", "-D", "-e", "-f", folder / "listener"], stderr=subprocess.DEVNULL) as sshd:
        try:
            asked = ["ssh", "-p", str(port), "root@127.0.0.1", "docker", "version"]
            wait_until_blocking(lambda: subprocess.run(asked, capture_output=True, check=False).returncode == 0, CHANGE_S)
            yield f"ssh://root@127.0.0.1:{port}"
        finally:
            sshd.terminate()


async def test_replicas_come_and_go_on_an_engine_behind_ssh(tmp_path: Path, engine: Daemon, endpoint: str) -> None:
    seen = Seen()
    async with in_front_of(tmp_path, IMAGE, {"engine": "docker", "docker": {"host": endpoint}}) as program:
        await program.up()
        async with under_load(program, seen):
            for count in (3, 1):
                program.scale(count)
                await program.ready(count, deadline_s=CHANGE_S)
        assert len(engine.api("GET", "/containers/json")) == 1
    assert seen.requests > seen.lost == 0, seen.outcomes
