"""`ecluse` with a state directory: `python -m tests.system.with_state DIRECTORY run FILE`."""

import sys
from dataclasses import replace
from pathlib import Path

from sidecar import cli, configuration
from sidecar.config import Config

_load = configuration.load


def load(file: Path) -> Config:
    """As the file says, and what is kept in the directory."""
    return replace(_load(file), state=sys.argv[1])


if __name__ == "__main__":
    configuration.load = load
    sys.exit(cli.main(sys.argv[2:]))
