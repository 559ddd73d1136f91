"""Compiles the hot path when that can be done; everything else about the build stands in pyproject.toml.

The hot path (balancer/hotpath) is plain Python. Where a C compiler is there, each of its modules is compiled by Cython,
with the C types of the .pxd file beside it. Where there is none, or with ECLUSE_PURE=1, the same source runs interpreted.
"""

import os
from pathlib import Path

from setuptools import Extension, setup

HOTPATH = Path("balancer/hotpath")
NOT_COMPILED = {"__init__", "octets", "system"}  # the last two are inlined from their .pxd where they are used
DIRECTIVES = {
    "language_level": 3,
    "infer_types": False,  # an inferred C integer wraps where Python's grows: types stand in the .pxd only
    "annotation_typing": False,  # the same reason: annotations in the source are for mypy
}


def extensions() -> list[Extension]:
    if os.environ.get("ECLUSE_PURE") == "1":
        return []
    from Cython.Build import cythonize  # noqa: PLC0415 - not needed, and perhaps not there, for an interpreted build

    modules = [
        Extension(f"balancer.hotpath.{path.stem}", [str(path)], extra_compile_args=["-O2"], optional=True)
        for path in sorted(HOTPATH.glob("*.py"))
        if path.stem not in NOT_COMPILED
    ]
    return list(cythonize(modules, compiler_directives=DIRECTIVES, quiet=True, nthreads=os.cpu_count() or 1))


setup(ext_modules=extensions())
