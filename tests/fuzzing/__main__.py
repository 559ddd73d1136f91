"""`python -m tests.fuzzing parsers|connections [--engine atheris|hypothesis] [--executions N] [--corpus FOLDER]`: a long run."""

import argparse
import sys
import tempfile
from pathlib import Path

from tests.fuzzing import sanitized
from tests.fuzzing.engines import with_atheris, with_hypothesis


def main() -> int:
    """Run it, and print the figures. 1: something was found."""
    parser = argparse.ArgumentParser(prog="python -m tests.fuzzing", description="Fuzz the hot path.")
    parser.add_argument("target", choices=["parsers", "connections"])
    parser.add_argument("--engine", choices=["atheris", "hypothesis"], default="atheris")
    parser.add_argument("--executions", type=int, default=10_000_000)
    parser.add_argument(
        "--corpus", type=Path, help="kept and added to, so that a run can go on; default: one that is thrown away"
    )
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        corpus = given.corpus or Path(folder) / "corpus"
        if given.engine == "hypothesis":
            figures = with_hypothesis(given.target, given.executions, corpus)
        elif what := sanitized.missing():
            parser.error(f"missing: {what}")
        else:
            sanitized.build(Path(folder) / "build")
            figures = with_atheris(given.target, given.executions, Path(folder) / "build", corpus)
    print(f"{given.target}, {given.engine}: {figures}")
    return 1 if figures.crash else 0


if __name__ == "__main__":
    sys.exit(main())
