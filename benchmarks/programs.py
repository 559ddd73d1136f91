"""Programs that a benchmark needs: found on the PATH, or installed with apt-get where that can be done.

Installers name the registries they talk to; those names have no place in what is printed, so only failures show, without them.
"""

import os
import re
import shutil
import subprocess
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

# The package that brings a program, where it is not called like it.
PACKAGES = {"cc": "gcc libc6-dev", "taskset": "util-linux", "setpriv": "util-linux", "perf": "linux-perf"}
_APT = ("apt-get", "-qq", "-o", "Acquire::Retries=3", "-o", "Dpkg::Use-Pty=0")
_QUIET = {"DEBIAN_FRONTEND": "noninteractive", "RUNLEVEL": "1"}  # RUNLEVEL=1: no package starts a service of its own
_ADDRESS = re.compile(r"(https?|file)://[^ '\")]+")


def absent(programs: Iterable[str]) -> list[str]:
    """Those that are not on the PATH."""
    return [program for program in programs if shutil.which(program) is None]


def packages(programs: Iterable[str]) -> list[str]:
    """The packages that bring them."""
    return " ".join(dict.fromkeys(PACKAGES.get(program, program) for program in programs)).split()


def provide(programs: Iterable[str], tell: Callable[[str], None]) -> None:
    """Installs what is absent if we are root and there is an apt-get; says what is done, and what failed."""
    missing = absent(programs)
    if not missing or os.geteuid() != 0 or absent(["apt-get"]):
        return
    tell(f"installing {' '.join(packages(missing))}")
    for command in ([*_APT, "update"], [*_APT, "install", "--no-install-recommends", "-y", *packages(missing)]):
        failure = _failure(command)
        if failure:
            tell(f"{command[-1] if 'update' in command else 'the installation'} failed: {failure}")
            return


def advice(programs: Sequence[str]) -> str:
    """What to type to get them."""
    return f"not installed: {', '.join(programs)}; as root: apt-get install {' '.join(packages(programs))}"


def version(command: Sequence[str]) -> str:
    """The first version number that a program prints; "" if it prints none."""
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    found = re.search(r"\d+\.\d+[\w.]*", done.stdout + done.stderr)
    return found[0] if found else ""


def compiled(source: Path, folder: Path, *libraries: str) -> str:
    """A program of ours in C, compiled into the folder unless it is there: its path. Raises RuntimeError with the compiler's words."""
    program = folder / source.stem
    if not program.exists():
        command = ["cc", "-O2", "-o", str(program), str(source), *libraries]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode:
            raise RuntimeError(f"{source.name} cannot be compiled: {done.stderr.strip()}")
    return str(program)


def _failure(command: Sequence[str]) -> str:
    done = subprocess.run(command, env={**os.environ, **_QUIET}, capture_output=True, text=True, check=False)
    return _ADDRESS.sub("(registry)", (done.stdout + done.stderr).strip())[-500:] if done.returncode else ""
