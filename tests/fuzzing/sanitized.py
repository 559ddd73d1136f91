"""A build of the hot path with AddressSanitizer and coverage counters, in a folder of its own: `python -m tests.fuzzing.sanitized FOLDER`.

The same sources and the same C types, compiled by clang with what libFuzzer needs (`-fsanitize=address,fuzzer-no-link`). What runs it
must preload the sanitizer's runtime, which atheris brings along (`environment`).
"""

import importlib.util
import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

ROOT = Path(__file__).parents[2]
FLAGS = "-O1 -g1 -fno-omit-frame-pointer -fsanitize=address,fuzzer-no-link"
SETUP = """
from pathlib import Path
from Cython.Build import cythonize
from setuptools import Extension, setup
names = [path.stem for path in sorted(Path("balancer/hotpath").glob("*.py")) if path.stem not in {left_out!r}]
modules = [Extension(f"balancer.hotpath.{{name}}", [f"balancer/hotpath/{{name}}.py"]) for name in names]
setup(name="sanitized", packages=[], ext_modules=cythonize(modules, compiler_directives={directives!r}, quiet=True, nthreads=2))
"""
LEFT_OUT = ("__init__", "octets", "system")  # as in setup.py: inlined from their .pxd where they are used
DIRECTIVES = {"language_level": 3, "infer_types": False, "annotation_typing": False}


def missing() -> str:
    """What such a build needs and is not there."""
    modules = [f"the Python package {name}" for name in ("atheris", "Cython") if importlib.util.find_spec(name) is None]
    return ", ".join([*modules, *([] if shutil.which("clang") else ["clang"])])


def build(folder: Path) -> None:
    """Make it. Raises subprocess.CalledProcessError."""
    for package in ("balancer", "tests"):
        shutil.copytree(ROOT / package, folder / package, ignore=shutil.ignore_patterns("*.so", "*.c", "__pycache__"))
    (folder / "setup.py").write_text(SETUP.format(left_out=LEFT_OUT, directives=DIRECTIVES), encoding="utf-8")
    compiler = {"CC": "clang", "CFLAGS": FLAGS, "LDSHARED": "clang -shared -fsanitize=fuzzer-no-link"}
    command = [sys.executable, "setup.py", "-q", "build_ext", "--inplace", "-j2"]
    subprocess.run(command, cwd=folder, env={**os.environ, **compiler, "PYTHONPATH": ""}, check=True, capture_output=True)


def environment(folder: Path) -> Mapping[str, str]:
    """What a process that runs it is given. Python's own allocator would hide what AddressSanitizer looks for."""
    found = importlib.util.find_spec("atheris")
    assert found is not None
    assert found.origin is not None
    return {
        **os.environ,
        "LD_PRELOAD": str(Path(found.origin).parents[1] / "asan_with_fuzzer.so"),
        "ASAN_OPTIONS": "detect_leaks=0:allocator_may_return_null=1:abort_on_error=1",
        "PYTHONMALLOC": "malloc",
        "PYTHONPATH": str(folder),
    }


if __name__ == "__main__":
    build(Path(sys.argv[1]))
