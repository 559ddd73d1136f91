"""The figures of all stories, at the end of the run."""

import pytest

from tests.system.figures import noted


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """A section of its own, if there is anything to say."""
    if lines := noted():
        terminalreporter.section("figures")
        for line in lines:
            terminalreporter.write_line(line)
