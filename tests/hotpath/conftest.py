"""The compiled sides of `octets` and `system`, made once for all tests that compare them with the interpreted ones."""

import os

import pytest

from tests.hotpath.twins import Side, compiled_sides, missing


@pytest.fixture(scope="session")
def compiled(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Side]:
    """By module. Skips where they cannot be made, but not in continuous integration's run on the compiled build."""
    if lacking := missing():
        assert os.environ.get("ECLUSE_PURE") == "1" or not os.environ.get("CI"), f"missing: {lacking}"
        pytest.skip(f"missing: {lacking}")
    return compiled_sides(tmp_path_factory.mktemp("wrappers"))
