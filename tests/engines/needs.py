"""Whether the programs are there that real engines need: in CI they must be; elsewhere a test without them is skipped and says so."""

import os
import shutil

import pytest

DOCKER = (
    "dockerd",
    "docker",
    "docker-init",
    "docker-proxy",
    "containerd",
    "runc",
    "ip",
    "iptables",
    "nsenter",
    "unshare",
    "setpriv",
    "openssl",
)
COMPOSE = (*DOCKER, "docker-compose")
SSHD = (*DOCKER, "ssh", "ssh-keygen", "sshd")


def need(programs: tuple[str, ...]) -> None:
    """Skip the test that asks, or fail it in CI, if a program or root's rights are missing."""
    missing = [program for program in programs if not shutil.which(program)]
    if os.geteuid() != 0:
        missing.append("root's rights")
    if not missing:
        return
    reason = f"a real engine needs {', '.join(missing)} (.ci/run installs what is missing)"
    if os.environ.get("CI"):
        pytest.fail(reason)
    pytest.skip(reason)
