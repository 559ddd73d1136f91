"""Fixtures for every part's tests."""

from collections.abc import Iterator

import pytest

from tests.support import tiny_app

pytest_plugins = ("tests.engines.fixtures",)


@pytest.fixture
def tiny() -> Iterator[int]:
    """The port of the tiny application, running in its own process."""
    with tiny_app() as (port, _):
        yield port
