"""Images without a registry: a root folder with this machine's own Python and the application beside this file, as a tar.

The interpreter, the modules that the application needs and their shared libraries are copied at the paths they have here; with them
comes a shell, for what an image's user would do with one (health checks in a line).
"""

import io
import json
import shutil
import subprocess
import sys
import tarfile
from pathlib import Path

from tests.engines.daemon import Dockerd

NAME = "127.0.0.1:1/app"  # a Swarm's nodes always ask an image's registry, and this one refuses at once
PORT = 8000
VERSIONS = ("1", "2")
_APPLICATION = Path(__file__).with_name("application.py")
_SHELL = "/bin/sh"
# Encodings and the like are imported late, some only by the first lookup of an address.
_NEEDED = "asyncio, encodings.idna, encodings.latin_1, encodings.ascii, signal, socket, threading, stringprep"
_LOADED = f"""
import {_NEEDED}, json, sys
print(json.dumps([sys.executable, *(getattr(module, "__file__", None) or "" for module in sys.modules.values())]))
"""


def python() -> str:
    """The interpreter for the images: the system's, which is the smallest, or the one that runs this."""
    return str(Path(shutil.which("python3", path="/usr/bin") or sys.executable).resolve())


def application_tar() -> bytes:
    """The root folder."""
    octets = io.BytesIO()
    with tarfile.open(fileobj=octets, mode="w") as tar:
        for path in sorted(_files()):
            tar.add(Path(path).resolve(), path)
        tar.add(_APPLICATION, "application.py")
        folder = tarfile.TarInfo("tmp")
        folder.type, folder.mode = tarfile.DIRTYPE, 0o1777
        tar.addfile(folder)
    return octets.getvalue()


def load(engine: Dockerd, tar: bytes) -> None:
    """Make the images `NAME:1` and `NAME:2` in an engine."""
    command = json.dumps([python(), "-I", "-S", "-u", "/application.py"])
    changes = [f"CMD {command}", f"EXPOSE {PORT}", 'LABEL test.image="yes"']
    for version in VERSIONS:
        words = [word for change in (*changes, f"ENV VERSION={version}") for word in ("--change", change)]
        engine.docker("import", *words, "-", f"{NAME}:{version}", stdin=tar)


def _files() -> set[str]:
    modules = set(json.loads(_says(python(), "-I", "-S", "-c", _LOADED))) - {""}
    compiled = {path for module in modules for path in _bytecode(Path(module))}
    programs = {path for path in modules if ".so" in path} | {python(), _SHELL}
    return modules | compiled | programs | {library for program in programs for library in _libraries(program)}


def _bytecode(module: Path) -> list[str]:
    """What spares a container the compiling of a module at its start."""
    tag = sys.implementation.cache_tag
    return [str(path) for path in [module.parent / "__pycache__" / f"{module.stem}.{tag}.pyc"] if path.exists()]


def _libraries(program: str) -> list[str]:
    words = _says("ldd", program).split()
    return [word for word in words if word.startswith("/")]


def _says(*words: str) -> str:
    return subprocess.run(words, check=True, capture_output=True, text=True).stdout
