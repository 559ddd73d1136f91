"""Compiles what runs most often when that can be done; everything else about the build stands in pyproject.toml.

The hot path (balancer/hotpath) is plain Python. Where a C compiler is there, each of its modules is compiled by Cython,
with the C types of the .pxd file beside it. What runs for every service in every tick (TICK) is compiled by mypyc, from the annotations
that mypy checks. Where there is no compiler, or with ECLUSE_PURE=1, the same source runs interpreted.
"""

import os
from pathlib import Path

from setuptools import Extension, setup

HOTPATH = Path("balancer/hotpath")
NOT_COMPILED = {"__init__", "octets", "system"}  # the last two are inlined from their .pxd where they are used
TICK = (  # functions only: mypyc keeps no annotations of a dataclass, from which what is remembered is read back
    *("history", "usual", "looks", "demand", "sampling"),
    *("ratio", "recommend", "burst", "headroom", "hold", "stabilize", "policies", "bounds", "latency", "decide"),
)
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
    hotpath = cythonize(modules, compiler_directives=DIRECTIVES, quiet=True, nthreads=os.cpu_count() or 1)
    return [*hotpath, *ticking()]


def ticking() -> list[Extension]:
    from mypyc.build import mypycify  # noqa: PLC0415 - as above

    files = [f"autoscaler/{name}.py" for name in TICK]
    made = mypycify(
        ["--config-file=", "--ignore-missing-imports", *files], group_name="ecluse_tick", opt_level="2", debug_level="0"
    )
    for extension in made:
        extension.optional = True
    return made


setup(ext_modules=extensions())
