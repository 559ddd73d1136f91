"""Workers that many tests share, each test with a routing table of its own; and what must hold after every test."""

from collections.abc import Iterator

import pytest

from balancer.table import RoutingTable
from tests.proxy.workers import Workers


class Shared:
    """One set of workers for as many tests as leave it in good health."""

    def __init__(self, count: int) -> None:
        self.count = count
        self._workers: Workers | None = None

    def get(self) -> Workers:
        if self._workers is None or not self._workers.all_run():
            self.close()
            self._workers = Workers(self.count)
        return self._workers

    def close(self) -> None:
        if self._workers is not None:
            self._workers.close()
            self._workers = None

    def lend(self) -> Iterator[Workers]:
        lent = self.get()
        try:
            yield lent
            lent.use(RoutingTable())
            lent.must_be_settled()
        except BaseException:
            self.close()
            raise


@pytest.fixture(scope="session")
def shared_one() -> Iterator[Shared]:
    shared = Shared(1)
    yield shared
    shared.close()


@pytest.fixture(scope="session")
def shared_two() -> Iterator[Shared]:
    shared = Shared(2)
    yield shared
    shared.close()


@pytest.fixture
def proxy(shared_one: Shared) -> Iterator[Workers]:
    """One worker. After the test nothing may be in flight, waiting or connected, and it must have logged no failure."""
    yield from shared_one.lend()


@pytest.fixture
def pair(shared_two: Shared) -> Iterator[Workers]:
    """Two workers on one port; the same must hold after the test."""
    yield from shared_two.lend()
