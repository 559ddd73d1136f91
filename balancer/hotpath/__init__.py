"""The part that runs for every request: bytes and numbers in, bytes and numbers out.

Each module is one plain Python source. Compiled, Cython adds the C types of the .pxd file beside it; interpreted, the same
source runs as it stands. ECLUSE_PURE=1 in the environment forces the interpreted one even where compiled files lie beside
the sources. Imports only itself and small modules of the standard library.
"""

import importlib
import importlib.abc
import importlib.machinery
import importlib.util
import os
import sys
from collections.abc import Sequence
from types import ModuleType

PURE = os.environ.get("ECLUSE_PURE") == "1"


class SourceOnly(importlib.abc.MetaPathFinder):
    """Finds the sources of a package's modules, passing over compiled files of the same name."""

    def __init__(self, package: str, folder: str) -> None:
        self._prefix, self._folder = package + ".", folder

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        name = fullname.removeprefix(self._prefix)
        source = os.path.join(self._folder, name + ".py")  # noqa: PTH118 - pathlib costs start-up time here
        if name == fullname or "." in name or not os.path.exists(source):  # noqa: PTH110 - as above
            return None
        return importlib.util.spec_from_file_location(fullname, source)


if PURE:
    sys.meta_path.insert(0, SourceOnly(__name__, __path__[0]))


def build() -> str:
    """Which build of the hot path this process uses: "compiled" or "interpreted"."""
    return build_of(__name__ + ".head")


def build_of(module: str) -> str:
    """The same of one module."""
    return "interpreted" if (importlib.import_module(module).__file__ or "").endswith(".py") else "compiled"
