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

_PREFIX = __name__ + "."


class _SourceOnly(importlib.abc.MetaPathFinder):
    """Finds the sources of this package's modules, passing over compiled files of the same name."""

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        if not fullname.startswith(_PREFIX):
            return None
        source = os.path.join(__path__[0], fullname[len(_PREFIX) :] + ".py")  # noqa: PTH118 - pathlib costs start-up time here
        return importlib.util.spec_from_file_location(fullname, source)


if os.environ.get("ECLUSE_PURE") == "1":
    sys.meta_path.insert(0, _SourceOnly())


def build() -> str:
    """Which build of the hot path this process uses: "compiled" or "interpreted"."""
    head = importlib.import_module(_PREFIX + "head")
    return "interpreted" if (head.__file__ or "").endswith(".py") else "compiled"
