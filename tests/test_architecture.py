"""Imports point one way, and each third-party client has its place (design, section 2). Read from the sources, nothing is run."""

import ast
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
LAYERS = ("balancer", "probes", "autoscaler", "sidecar")  # each may import those before it, and itself

# Where each third-party package may be imported: a file, or a folder with all that is in it.
PLACES = {
    "cronsim": ("autoscaler/schedule.py",),
    "docker": ("autoscaler/cluster/moby/api.py",),
    "h11": ("benchmarks", "sidecar/admin/patience.py"),
    "httpx": ("probes", "sidecar/client.py", "sidecar/proxies/link.py"),
    "prometheus_client": ("sidecar/metrics.py", "sidecar/admin/application.py"),
    "psutil": ("autoscaler/cluster/processes/usage.py",),
    "pydantic": ("sidecar/configuration", "sidecar/admin", "sidecar/deciding"),
    "pydantic_core": ("sidecar/configuration",),
    "starlette": ("sidecar/admin",),
    "requests": ("autoscaler/cluster/moby/api.py",),
    "tenacity": ("autoscaler/cluster/moby/link.py",),
    "uvicorn": ("sidecar/admin/listener.py", "sidecar/admin/patience.py"),
    "yaml": ("sidecar/configuration",),
}

# The hot path's share of the standard library: small modules that load fast and hide no work.
HOT_PATH_STDLIB = frozenset(
    {
        "__future__",
        "array",
        "bisect",
        "collections",
        "dataclasses",
        "enum",
        "contextlib",
        "hashlib",
        "hmac",
        "errno",
        "fcntl",
        "heapq",
        "importlib",
        "ipaddress",
        "math",
        "os",
    }
    | {"random", "re", "select", "socket", "struct", "sys", "threading", "time", "types", "typing"}
)

SOURCES = sorted(path for layer in LAYERS for path in (ROOT / layer).rglob("*.py"))


def imports(source: str, package: str) -> Iterator[tuple[int, str]]:
    """(line, name) of every import in a module of the package, wherever it stands; relative ones made absolute.

    `from a import b` is `a.b`: b may be a module.
    """
    for statement in ast.walk(ast.parse(source)):
        if isinstance(statement, ast.Import):
            yield from ((statement.lineno, alias.name) for alias in statement.names)
        elif isinstance(statement, ast.ImportFrom):
            base = ".".join(package.split(".")[: len(package.split(".")) - statement.level + 1]) if statement.level else ""
            module = ".".join(part for part in (base, statement.module) if part)
            yield from ((statement.lineno, f"{module}.{alias.name}") for alias in statement.names)


def objections(path: str, source: str) -> list[str]:
    """What is wrong with the imports of the file at `path`, relative to the root."""
    package = ".".join(Path(path).parts[:-1])
    found = ((line, module, _objection(path, module)) for line, module in imports(source, package))
    return [f"{path}:{line}: imports {module}: {why}" for line, module, why in found if why]


def _objection(path: str, module: str) -> str:
    top = module.partition(".")[0]
    if path.startswith("balancer/hotpath/") and top in sys.stdlib_module_names:
        return "" if top in HOT_PATH_STDLIB else "the hot path imports only itself and small modules of the standard library"
    if top in sys.stdlib_module_names:
        return ""
    if top in LAYERS:
        return _layer_objection(path, module, top)
    if top not in PLACES:
        return "no such third-party package is agreed on (tests/test_architecture.py lists them)"
    if any(path == place or path.startswith(f"{place}/") for place in PLACES[top]):
        return ""
    return f"its place is {' or '.join(PLACES[top])}"


def _layer_objection(path: str, module: str, top: str) -> str:
    own = path.partition("/")[0]
    if LAYERS.index(top) > LAYERS.index(own):
        return f"{own} knows nothing of {top}"
    if path.startswith("balancer/hotpath/") and not (module + ".").startswith("balancer.hotpath."):
        return "the hot path imports only itself"
    return ""


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(ROOT)))
def test_a_module_imports_only_what_its_place_allows(path: Path) -> None:
    assert objections(str(path.relative_to(ROOT)), path.read_text("utf-8")) == []


@pytest.mark.parametrize(
    ("path", "source", "wrong"),
    [
        pytest.param("sidecar/controller.py", "import autoscaler.rules", False, id="downwards is right"),
        pytest.param("probes/http.py", "from probes.spec import ProbeSpec", False, id="sideways is right"),
        pytest.param("balancer/worker.py", "from probes import spec", True, id="upwards is wrong"),
        pytest.param("probes/http.py", "def later():\n    import autoscaler", True, id="upwards is wrong inside a function too"),
        pytest.param("balancer/hotpath/head.py", "import balancer.limits", True, id="out of the hot path is wrong"),
        pytest.param("balancer/hotpath/head.py", "from balancer import limits", True, id="and so it is by way of the package"),
        pytest.param("balancer/hotpath/head.py", "from balancer.hotpath import board", False, id="inside the hot path is right"),
        pytest.param("balancer/hotpath/head.py", "from . import board", False, id="a relative import is followed"),
        pytest.param("balancer/hotpath/head.py", "from ..limits import Limits", True, id="a relative import out of the hot path"),
        pytest.param("balancer/hotpath/head.py", "import asyncio", True, id="a large module is wrong in the hot path"),
        pytest.param("sidecar/controller.py", "import docker", True, id="docker has its place"),
        pytest.param("autoscaler/cluster/moby/api.py", "import docker", False, id="and may be used there"),
        pytest.param("sidecar/cli.py", "import requests", True, id="a package nobody agreed on is wrong"),
    ],
)
def test_the_rules_see_what_they_should(path: str, source: str, wrong: bool) -> None:
    assert bool(objections(path, source)) is wrong


def test_every_package_is_installed() -> None:
    """setuptools is told the packages one by one; a forgotten one works here and is missing after installation."""
    told = (ROOT / "pyproject.toml").read_text("utf-8")
    packages = {".".join(path.parent.relative_to(ROOT).parts) for path in SOURCES if path.name == "__init__.py"}
    assert {package for package in packages if f'"{package}"' not in told} == set()
