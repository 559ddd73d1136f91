"""Makes the compiled sides of `octets` and `system` callable.

Both modules are twins: the .py is the interpreted side; the .pxd holds inline functions, which the compiled modules take in and nobody else
can call. So a module of wrappers around all of them is made from the .pxd files and compiled, in a folder of its own.
"""

import importlib.util
import os
import re
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

from balancer.hotpath import build

ROOT = Path(__file__).parents[2]
SETUP = """
from Cython.Build import cythonize
from setuptools import Extension, setup
wrappers = Extension("wrappers", ["wrappers.pyx"], extra_compile_args=["-O1"])
setup(ext_modules=cythonize([wrappers], include_path=[{root!r}], compiler_directives={{"language_level": 3}}, quiet=True))
"""
INLINE = re.compile(r"^cdef inline (?P<type>.+?) [*]?(?P<name>\w+)\((?P<parameters>.*)\)[^)]*:$", re.MULTILINE)
MODULES = ("octets", "system")
HELPERS = {"control"}  # of a .pxd file, for its own functions
CONSTANTS = ("BLOCKED", "BROKEN")

Side = Any  # one of two modules that have the same functions


def missing() -> str:
    """What the compiled sides need and is not there."""
    compiler = (os.environ.get("CC") or sysconfig.get_config_var("CC") or "cc").split()[0]
    needed = {
        "the compiled build of the hot path": build() == "compiled",
        "Cython": importlib.util.find_spec("Cython") is not None,
        "setuptools": importlib.util.find_spec("setuptools") is not None,
        f"the C compiler {compiler}": shutil.which(compiler) is not None,
        "Python.h": Path(sysconfig.get_path("include"), "Python.h").exists(),
    }
    return ", ".join(what for what, there in needed.items() if not there)


def interpreted_functions(module: ModuleType) -> set[str]:
    """The public functions of a .py file."""
    own = {name: value for name, value in vars(module).items() if getattr(value, "__module__", "") == module.__name__}
    return {name for name in own if not name.startswith("_")}


def compiled_functions(module: str) -> dict[str, re.Match[str]]:
    """The inline functions of a .pxd file, by name."""
    text = (ROOT / f"balancer/hotpath/{module}.pxd").read_text(encoding="utf-8")
    return {found["name"]: found for found in INLINE.finditer(text) if found["name"] not in HELPERS}


def compiled_sides(folder: Path) -> dict[str, Side]:
    """The compiled side of each module; made in the folder."""
    lines = [f"from types import SimpleNamespace\nfrom balancer.hotpath cimport {', '.join(MODULES)}\n"]
    lines += [_wrapper(module, found) for module in MODULES for found in compiled_functions(module).values()]
    lines += [f"system_{name} = system.{name}\n" for name in CONSTANTS]
    (folder / "wrappers.pyx").write_text("".join(lines), encoding="utf-8")
    command = [sys.executable, "-c", SETUP.format(root=str(ROOT)), "build_ext", "--inplace"]
    made = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=100, check=False)
    assert made.returncode == 0, made.stderr
    wrappers = _loaded(next(folder.glob("wrappers.*.so")))
    return {module: _side(wrappers, f"{module}_") for module in MODULES}


def _wrapper(module: str, found: re.Match[str]) -> str:
    arguments = ", ".join(parameter.split()[-1] for parameter in found["parameters"].split(",") if parameter)
    call = f"{module}.{found['name']}({arguments})"
    if found["type"] == "Events":  # a pointer to them
        call = f"return SimpleNamespace(**{call}[0])"
    elif found["type"] not in ("void", "int"):  # an int says only whether an error was raised
        call = f"return {call}"
    return f"def {module}_{found['name']}({found['parameters']}):\n    {call}\n"


def _loaded(path: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location("wrappers", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def _side(wrappers: ModuleType, prefix: str) -> Side:
    return SimpleNamespace(
        **{name.removeprefix(prefix): value for name, value in vars(wrappers).items() if name.startswith(prefix)}
    )
