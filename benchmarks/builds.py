"""`python -m benchmarks.builds`: what the hot path's source costs interpreted, compiled by Cython and compiled by mypyc.

The choice between the two compilers was made by this measurement. It copies a representative part of the hot path into a folder of
its own, compiles the same source both ways there, and counts instructions for each call (callgrind; the difference of a long and a
short run, so that start-up does not count) and processor time (median of interleaved rounds). Nothing in the working tree is touched.
"""

import argparse
import importlib.util
import os
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

ROOT = Path(__file__).parent.parent
MODULES = ("head", "values", "fields", "memo", "body", "board", "row", "watched", "wheel")
INTERPRETED, CYTHON, MYPYC = BUILDS = ("interpreted", "Cython", "mypyc")
WORKS = {
    "read_line": "request line",
    "read_block": "header block, a browser's, not seen before",
    "recall_block": "header block from the memo",
    "pass_length": "4 KiB of a body with a length",
    "pass_chunks": "4 KiB in 4 chunks",
    "count": "scoreboard: enter, answered, leave, in_flight",
    "watch": "wheel: watch, forget, advance",
}
SHORT, LONG = 200, 1200  # calls under callgrind
TIMED = 20_000  # calls in one round of timing
_COLLECTED = re.compile(r"Collected : (\d+)")

DRIVER = """
from balancer.hotpath.body import CHUNKED, LENGTH, Body
from balancer.hotpath.fields import parse_request_block
from balancer.hotpath.memo import Memo
from balancer.hotpath.head import find_head_end, parse_request_line
from balancer.hotpath.row import Row
from balancer.hotpath.watched import Watched
from balancer.hotpath.wheel import Wheel

BLOCK = (
    b"Host: shop.example.com\\r\\nUser-Agent: Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0\\r\\n"
    b"Accept: text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8\\r\\nAccept-Language: en-US,en;q=0.5\\r\\n"
    b"Accept-Encoding: gzip, deflate, br, zstd\\r\\nConnection: keep-alive\\r\\nCookie: session=0123456789abcdef0123456789abcdef\\r\\n"
    b"Upgrade-Insecure-Requests: 1\\r\\nSec-Fetch-Dest: document\\r\\nSec-Fetch-Mode: navigate\\r\\nSec-Fetch-Site: none\\r\\n"
    b"If-None-Match: \\"5f3c-62a1\\"\\r\\nPriority: u=0, i\\r\\n"
)
LINE = b"GET /catalogue/things?page=2&order=price HTTP/1.1"
HEAD = LINE + b"\\r\\n" + BLOCK + b"\\r\\n"
PLAIN = b"x" * 4096
CHUNKS = b"".join([b"400\\r\\n" + b"x" * 1024 + b"\\r\\n"] * 4) + b"0\\r\\n\\r\\n"


def read_line(calls: int) -> None:
    for _ in range(calls):
        find_head_end(HEAD, 0)
        parse_request_line(LINE, len(LINE))


def read_block(calls: int) -> None:
    for _ in range(calls):
        parse_request_block(BLOCK, 100)


def recall_block(calls: int) -> None:
    memo = Memo(16, 4096)
    memo.put(BLOCK, parse_request_block(BLOCK, 100))
    for _ in range(calls):
        memo.get(BLOCK)


def pass_length(calls: int) -> None:
    body = Body()
    for _ in range(calls):
        body.begin(LENGTH, 4096, False)
        body.feed(PLAIN)


def pass_chunks(calls: int) -> None:
    body = Body()
    for _ in range(calls):
        body.begin(CHUNKED, -1, False)
        body.feed(CHUNKS)


def count(calls: int) -> None:
    row = Row(memoryview(bytearray(8 * 8192)).cast("q"), 0, 4, 16, 1000, 4)
    for now_us in range(calls):
        row.enter(3, now_us)
        row.in_flight(3)
        row.answered(3, 200, 1500, 0, 0)
        row.leave(3, now_us + 5)


def watch(calls: int) -> None:
    wheel = Wheel(0)
    for now in range(calls):
        item = Watched()
        item.deadline_us = now * 1000 + 300_000
        wheel.watch(item)
        wheel.forget(item)
        wheel.advance(now * 1000)
"""
# Cython learns types from here as it does for the hot path; mypyc reads the same ones from the annotations above.
DRIVER_TYPES = """
cimport cython
from balancer.hotpath.body cimport Body
from balancer.hotpath.memo cimport Memo
from balancer.hotpath.row cimport Row
from balancer.hotpath.watched cimport Watched
from balancer.hotpath.wheel cimport Wheel

@cython.locals(memo=Memo)
cpdef recall_block(long long calls)
@cython.locals(body=Body)
cpdef pass_length(long long calls)
@cython.locals(body=Body)
cpdef pass_chunks(long long calls)
@cython.locals(row=Row, now_us="long long")
cpdef count(long long calls)
@cython.locals(wheel=Wheel, item=Watched, now="long long")
cpdef watch(long long calls)
"""
CYTHON_SETUP = """
from Cython.Build import cythonize
from setuptools import Extension, setup
names = {names!r}
modules = [Extension(f"balancer.hotpath.{{n}}", [f"balancer/hotpath/{{n}}.py"], extra_compile_args=["-O2"]) for n in names]
directives = {{"language_level": 3, "infer_types": False, "annotation_typing": False}}
setup(ext_modules=cythonize(modules, compiler_directives=directives, quiet=True), script_args=["build_ext", "--inplace"])
"""
MYPYC_SETUP = """
from mypyc.build import mypycify
from setuptools import setup
paths = [f"balancer/hotpath/{{n}}.py" for n in {names!r}]
setup(ext_modules=mypycify(["--strict", *paths], opt_level="2"), script_args=["build_ext", "--inplace"])
"""
RUN = """
import sys, time
from balancer.hotpath import driver
work = getattr(driver, sys.argv[1])
began = time.process_time()
work(int(sys.argv[2]))
print(time.process_time() - began, driver.__file__)
"""


def main(words: Sequence[str]) -> int:
    """Compile, measure, print; 1 if a compiler is missing."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.builds", description=__doc__)
    parser.add_argument("--rounds", type=int, default=9, help="rounds of timing, the builds in turn (default 9)")
    options = parser.parse_args(words)
    absent = [name for name in ("Cython", "mypyc", "setuptools") if importlib.util.find_spec(name) is None]
    absent += [] if shutil.which("cc") or shutil.which("gcc") else ["a C compiler"]
    if absent:
        tell(f"skipped: {', '.join(absent)} not found; pip install '.[dev]', apt-get install gcc")
        return 1
    with tempfile.TemporaryDirectory(prefix="ecluse-builds-") as folder:
        places = {build: prepare(Path(folder) / build, build) for build in BUILDS}
        times = timed(places, options.rounds)
        instructions = counted(places) if shutil.which("valgrind") else {}
    if not instructions:
        tell("no instructions counted: apt-get install valgrind")
    for title, figures in (("instructions for one call", instructions), ("nanoseconds of processor time for one call", times)):
        if figures:
            print(table(title, figures))
    return 0


def prepare(place: Path, build: str) -> Path:
    """A copy of the modules, compiled in the way that is asked for. Raises subprocess.CalledProcessError if that fails."""
    tell(f"building: {build}")
    package = place / "balancer" / "hotpath"
    package.mkdir(parents=True)
    for folder in (package, package.parent):
        (folder / "__init__.py").touch()
    for name in MODULES:
        shutil.copy(ROOT / "balancer" / "hotpath" / f"{name}.py", package)
        types = ROOT / "balancer" / "hotpath" / f"{name}.pxd"
        if types.exists() and build == CYTHON:
            shutil.copy(types, package)
    (package / "driver.py").write_text(DRIVER)
    (place / "run.py").write_text(RUN)
    if build == CYTHON:
        (package / "driver.pxd").write_text(DRIVER_TYPES)
    if build != INTERPRETED:
        setup = (CYTHON_SETUP if build == CYTHON else MYPYC_SETUP).format(names=(*MODULES, "driver"))
        (place / "compile.py").write_text(setup)
        run([sys.executable, "compile.py"], place)
    return place


def run(command: Sequence[str], place: Path) -> subprocess.CompletedProcess[str]:
    """What the command printed; what it said goes to our own error output if it fails."""
    environment = {**os.environ, "PYTHONHASHSEED": "0", "PYTHONPATH": ""}
    done = subprocess.run(command, cwd=place, env=environment, capture_output=True, text=True, check=False)
    if done.returncode:
        tell(done.stdout + done.stderr)
        done.check_returncode()
    return done


def timed(places: dict[str, Path], rounds: int) -> dict[tuple[str, str], float]:
    """(work, build) -> nanoseconds: the median of rounds in which the builds take turns."""
    samples: dict[tuple[str, str], list[float]] = {(work, build): [] for work in WORKS for build in BUILDS}
    for number in range(rounds):
        tell(f"timing: round {number + 1} of {rounds}")
        for (work, build), taken in samples.items():
            seconds, loaded = run([sys.executable, "run.py", work, str(TIMED)], places[build]).stdout.split()
            assert loaded.endswith(".py") == (build == INTERPRETED), f"{build} did not run what it was to run: {loaded}"
            taken.append(float(seconds) / TIMED * 1e9)
    return {key: statistics.median(values) for key, values in samples.items()}


def counted(places: dict[str, Path]) -> dict[tuple[str, str], float]:
    """(work, build) -> instructions."""
    tell("counting instructions; this takes some minutes")
    return {
        (work, build): (collected(places[build], work, LONG) - collected(places[build], work, SHORT)) / (LONG - SHORT)
        for work in WORKS
        for build in BUILDS
    }


def collected(place: Path, work: str, calls: int) -> int:
    """Instructions of a whole process."""
    command = ["valgrind", "--tool=callgrind", f"--callgrind-out-file={os.devnull}", sys.executable, "run.py", work, str(calls)]
    found = _COLLECTED.search(run(command, place).stderr)
    assert found, "callgrind said nothing of what it collected"
    return int(found[1])


def table(title: str, figures: dict[tuple[str, str], float]) -> str:
    """Each figure, and in brackets its share of the interpreted one's."""
    lines = [f"| {title} | {' | '.join(BUILDS)} |", f"|---|{'---|' * len(BUILDS)}"]
    for work, meaning in WORKS.items():
        whole = figures[work, INTERPRETED]
        cells = [f"{figures[work, build]:,.0f} ({figures[work, build] / whole:.2f})" for build in BUILDS]
        lines.append(f"| {meaning} | {' | '.join(cells)} |")
    return "\n".join([*lines, ""])


def tell(line: str) -> None:
    """Progress goes to the error output, the tables alone to the standard one."""
    print(line, file=sys.stderr)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
