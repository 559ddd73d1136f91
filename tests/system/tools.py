"""What stories need that is not Python: found here, or the story is skipped and says what is missing.

With CI=true nothing is skipped, since a check that may leave out its main story checks nothing, and the stories are told in full.
"""

import os
import shutil
from typing import TypeVar

import pytest

CI = os.environ.get("CI") == "true"
N = TypeVar("N", int, float)
PACKAGES = {"node": "nodejs"}  # where the package has another name than its program


def tool(name: str) -> str:
    """The path of a program. Skips the test without it, and fails it with CI=true."""
    found = shutil.which(name)
    if not found:
        missing = f"{name} is missing: apt install {PACKAGES.get(name, name)}"
        if CI:
            pytest.fail(missing)
        pytest.skip(missing)
    return found


def in_full(full: N, short: N) -> N:
    """A number for CI=true, and the one that says nearly as much for every day."""
    return full if CI else short
