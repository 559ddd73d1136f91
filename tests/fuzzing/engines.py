"""Runs a target under an engine, and says what came of it. Each engine is a process of its own, in a build of its own.

- `atheris`: libFuzzer, led by the coverage of the compiled hot path, under AddressSanitizer;
- `hypothesis`: Hypothesis, on the build that is installed, with shrunk examples.
"""

import os
import re
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

from tests.fuzzing import corpus as corpora
from tests.fuzzing import sanitized

LENGTH_MOST = 600  # octets of an input
_DONE = re.compile(r"^Done (\d+) (?:runs )?in (\d+) second", re.MULTILINE)
_STAT = re.compile(r"^stat::number_of_executed_units:\s*(\d+)", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Figures:
    """What came of a run. crash: the end of what the engine said, "" if nothing was found."""

    executions: int
    took_s: float
    corpus: int
    crash: str

    def __str__(self) -> str:
        rate = self.executions / self.took_s if self.took_s else 0
        found = f"a crash:\n{self.crash}" if self.crash else "no crash"
        return f"{self.executions:,} executions in {self.took_s:.0f} s ({rate:,.0f}/s), corpus {self.corpus}, {found}"


def with_atheris(target: str, executions: int, folder: Path, corpus: Path) -> Figures:
    """Fuzz until so many executions or a crash. folder: with a `sanitized` build; corpus: read, and added to."""
    corpus.mkdir(parents=True, exist_ok=True)
    limits = [f"-max_len={LENGTH_MOST}", "-timeout=20", "-rss_limit_mb=6000"]
    options = [f"-runs={executions}", *limits, "-print_final_stats=1"]
    corpora.unpack(target, folder / "kept")
    words = [sys.executable, "-m", "tests.fuzzing.engines", target, *options, str(corpus), str(folder / "kept")]
    began_s = time.monotonic()
    done = subprocess.run(words, cwd=folder, env=sanitized.environment(folder), text=True, capture_output=True, check=False)
    said = done.stdout + done.stderr
    counted = _DONE.search(said) or _STAT.search(said)
    crash = said[-4000:] if done.returncode else ""
    return Figures(int(counted[1]) if counted else 0, time.monotonic() - began_s, len(list(corpus.iterdir())), crash)


def with_hypothesis(target: str, executions: int, database: Path) -> Figures:
    """As many examples of the property test; database: where Hypothesis keeps what failed."""
    environment = {**os.environ, "FUZZ_EXAMPLES": str(executions), "HYPOTHESIS_STORAGE_DIRECTORY": str(database)}
    words = [
        sys.executable,
        "-m",
        "pytest",
        "-q",
        "-x",
        "-p",
        "no:cacheprovider",
        "--timeout=0",
        "-k",
        f"any_script and {target}",
    ]
    began_s = time.monotonic()
    done = subprocess.run(
        [*words, str(Path(__file__).parent / "test_fuzzing.py")], env=environment, text=True, capture_output=True, check=False
    )
    return Figures(
        executions if not done.returncode else 0, time.monotonic() - began_s, 0, done.stdout[-4000:] if done.returncode else ""
    )


def main(target: str, options: list[str]) -> None:
    """The fuzzing process: libFuzzer calls the target again and again, and ends the process itself."""
    import atheris  # noqa: PLC0415 - works only where its runtime is preloaded

    from tests.fuzzing.connections import connections  # noqa: PLC0415 - after atheris, which looks for its counters
    from tests.fuzzing.parsers import parsers  # noqa: PLC0415 - as above

    atheris.Setup([sys.argv[0], *options], {"parsers": parsers, "connections": connections}[target])
    atheris.Fuzz()


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2:])
