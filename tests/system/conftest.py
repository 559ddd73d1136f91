"""The figures of all stories, at the end of the run; and what Docker gets wrong in a Swarm is put right."""

from collections.abc import Iterator

import pytest

from tests.engines.mender import mending
from tests.system.figures import note, noted


@pytest.fixture(autouse=True)
def mended(request: pytest.FixtureRequest) -> Iterator[None]:
    """For stories about the Swarm that many tests share."""
    if "swarm3" not in request.fixturenames:
        yield
        return
    with mending(request.getfixturevalue("swarm3"), note):
        yield


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """A section of its own, if there is anything to say."""
    if lines := noted():
        terminalreporter.section("figures")
        for line in lines:
            terminalreporter.write_line(line)
