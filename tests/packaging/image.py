"""The image `ecluse`, of the working tree, without a registry and in seconds: what the Dockerfile makes, put together from here.

In a tar are the interpreter that runs this, with its standard library and the shared libraries of both, the packages that Écluse needs,
and the sources with what was compiled. All that the Dockerfile says of the image's use (user, health check, command) is taken from it.
"""

import importlib.metadata
import io
import re
import subprocess
import sys
import sysconfig
import tarfile
from collections.abc import Iterable, Iterator
from pathlib import Path

from tests.engines.daemon import Dockerd

ROOT = Path(__file__).parent.parent.parent
NAME = "127.0.0.1:1/ecluse:local"  # a Swarm asks the registry first, even for what is there; this one refuses at once
USER = 10001  # as in the Dockerfile

_HOME = "opt/ecluse"
_PARTS = ("balancer", "probes", "autoscaler", "sidecar")
_LEFT_OUT = frozenset({"test", "idlelib", "tkinter", "ensurepip", "lib2to3", "turtledemo", "pydoc_data", "site-packages"})
_KEPT = frozenset({"CMD", "ENTRYPOINT", "ENV", "EXPOSE", "HEALTHCHECK", "STOPSIGNAL", "USER", "WORKDIR"})
_COMMAND = '#!/bin/sh\nexec python -m sidecar.cli "$@"\n'


def image_tar() -> bytes:
    """The root folder."""
    octets = io.BytesIO()
    with tarfile.open(fileobj=octets, mode="w") as tar:
        files = {str(path): path for path in _interpreter()} | _packages()
        linked = {path: Path(path) for path in libraries(files.values())}
        for name, path in (files | linked | _sources()).items():
            tar.add(path.resolve(), name, recursive=False)
        add(tar, f"{_HOME}/bin/ecluse", _COMMAND, 0o755)
        add(tar, "etc/ecluse/ecluse.yaml", "engine: docker\n")
        add(tar, "etc/passwd", f"root:x:0:0::/root:/bin/sh\necluse:x:{USER}:{USER}::/home/ecluse:/bin/sh\n")
        add(tar, "etc/group", f"root:x:0:\necluse:x:{USER}:\n")
        _link(tar, f"{_HOME}/bin/python", _executable())
    return octets.getvalue()


def load(engine: Dockerd, tar: bytes) -> None:
    """Make the image in an engine."""
    changes = [f"ENV PYTHONPATH=/{_HOME}/packages PYTHONDONTWRITEBYTECODE=1", *instructions()]
    engine.docker("import", *(word for change in changes for word in ("--change", change)), "-", NAME, stdin=tar)


def instructions() -> list[str]:
    """What the last stage of the Dockerfile says of the image's use, each on one line."""
    text = re.sub(r"\\\n\s*", "", (ROOT / "Dockerfile").read_text())
    last = [line for line in text.rpartition("\nFROM ")[2].splitlines() if line.split(" ")[0] in _KEPT]
    return [line.replace("$PATH", "/usr/bin:/bin") for line in last]


def _executable() -> Path:
    return Path(sys.executable).resolve()


def _interpreter() -> Iterator[Path]:
    """The interpreter, a shell and the standard library, at the paths that they have here."""
    yield from (_executable(), Path("/bin/sh"))
    library = Path(sysconfig.get_path("stdlib"))
    for path in library.rglob("*"):
        parts = path.relative_to(library).parts
        if path.is_file() and not _LEFT_OUT.intersection(parts) and not _is_useless(path.name, parts[0]):
            yield path


def _is_useless(name: str, folder: str) -> bool:
    return folder.startswith("config-") or name.startswith(("_tkinter.", "_test")) or ".opt-" in name


def _packages() -> dict[str, Path]:
    """The files of the packages that Écluse needs, by their names in the image."""
    found: dict[str, Path] = {}
    for name in _needed("ecluse", set()):
        distribution = importlib.metadata.distribution(name)
        files = [] if name == "ecluse" else distribution.files or []
        found |= {
            f"{_HOME}/packages/{file}": Path(str(distribution.locate_file(file))) for file in files if ".." not in file.parts
        }
    return {name: path for name, path in found.items() if path.is_file()}


def _needed(name: str, seen: set[str]) -> set[str]:
    """It and all that it needs, without extras."""
    if name in seen:
        return seen
    seen.add(name)
    for line in importlib.metadata.requires(name) or ():
        needed = re.split(r"[\s\[;<>=!~(]", line, maxsplit=1)[0]
        if "extra ==" not in line and _is_installed(needed):
            _needed(needed, seen)
    return seen


def _is_installed(name: str) -> bool:
    """A dependency may be one for other systems or versions of Python."""
    try:
        importlib.metadata.distribution(name)
    except importlib.metadata.PackageNotFoundError:
        return False
    return True


def _sources() -> dict[str, Path]:
    files = [path for part in _PARTS for path in (ROOT / part).rglob("*") if path.suffix in {".py", ".pyc", ".so"}]
    return {f"{_HOME}/packages/{path.relative_to(ROOT)}": path for path in (*files, *ROOT.glob("*.so"))}


def libraries(files: Iterable[Path]) -> set[str]:
    """The shared libraries that the programs among the files are linked with, and the loader."""
    programs = [str(path) for path in files if path.suffix == ".so" or path.parent.name in {"bin", "sbin"}]
    said = subprocess.run(["ldd", *programs], check=False, capture_output=True, text=True).stdout
    return {word for word in said.split() if word.startswith("/") and not word.endswith(":")}


def add(tar: tarfile.TarFile, name: str, text: str, mode: int = 0o644) -> None:
    """Add a file with that text."""
    entry = tarfile.TarInfo(name)
    entry.size, entry.mode = len(text), mode
    tar.addfile(entry, io.BytesIO(text.encode()))


def _link(tar: tarfile.TarFile, name: str, target: Path) -> None:
    entry = tarfile.TarInfo(name)
    entry.type, entry.linkname = tarfile.SYMTYPE, str(target)
    tar.addfile(entry)
