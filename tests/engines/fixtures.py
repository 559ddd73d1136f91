"""Fixtures for everybody's tests: real engines, started once for the session by the first test that asks, clean before each test.

A plug-in of tests/conftest.py, so that one run has one of each, whichever folders its tests are in.
"""

from collections.abc import Iterator

import pytest

from tests.engines.compose import Project, project
from tests.engines.daemon import Daemon, daemon
from tests.engines.faulty import Faulty, faulty
from tests.engines.images import application_tar, load
from tests.engines.needs import COMPOSE, DOCKER, need
from tests.engines.swarm import Swarm, swarm


@pytest.fixture(scope="session")
def needs_docker() -> None:
    """For tests that start an engine by themselves."""
    need(DOCKER)


@pytest.fixture(scope="session")
def application(needs_docker: None) -> bytes:
    """The test application's image, for `tests.engines.images.load`."""
    return application_tar()


@pytest.fixture(scope="session")
def session_engine(application: bytes) -> Iterator[Daemon]:
    """The engine behind `engine`."""
    with daemon(tls=True) as one:
        load(one, application)
        yield one


@pytest.fixture
def engine(session_engine: Daemon) -> Iterator[Daemon]:
    """An engine with the test images and nothing else in it. A test that stops it starts it again."""
    yield session_engine
    session_engine.clean()


@pytest.fixture
def own_engine(application: bytes) -> Iterator[Daemon]:
    """An engine for this test alone, for those that stop, freeze or kill it."""
    with daemon(tls=True) as one:
        load(one, application)
        yield one


@pytest.fixture
def middle(engine: Daemon) -> Iterator[Faulty]:
    """A man in the middle in front of `engine`: its `socket` is the endpoint to use."""
    with faulty(engine.socket, engine.folder / "middle.sock") as one:
        yield one


@pytest.fixture(scope="session")
def needs_compose() -> None:
    """For tests that run projects of their own."""
    need(COMPOSE)


@pytest.fixture
def compose(needs_compose: None, engine: Daemon) -> Iterator[Project]:
    """The project `shop`, up, with one container of its service `web`."""
    with project(engine) as one:
        yield one


@pytest.fixture(scope="session")
def session_swarm(application: bytes) -> Iterator[Swarm]:
    """The Swarm behind `swarm3`."""
    with swarm(application) as one:
        yield one


@pytest.fixture
def own_swarm(application: bytes) -> Iterator[Swarm]:
    """A Swarm for this test alone, for those that end a node for good."""
    with swarm(application) as one:
        yield one


@pytest.fixture
def swarm3(session_swarm: Swarm) -> Iterator[Swarm]:
    """A Swarm of a manager and two workers with no services. A test that cuts a node off plugs it in again."""
    yield session_swarm
    session_swarm.clean()
