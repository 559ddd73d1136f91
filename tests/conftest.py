"""Fixtures for every part's tests."""

import os
from collections.abc import Iterator
from unittest.mock import patch

import pytest

from tests.support import tiny_app

pytest_plugins = ("tests.engines.fixtures",)


@pytest.fixture(scope="session", autouse=True)
def state_home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """What is started by a test keeps nothing in the home directory."""
    with patch.dict(os.environ, XDG_STATE_HOME=str(tmp_path_factory.mktemp("state"))):
        os.environ.pop("STATE_DIRECTORY", None)
        yield


@pytest.fixture
def tiny() -> Iterator[int]:
    """The port of the tiny application, running in its own process."""
    with tiny_app() as (port, _):
        yield port
