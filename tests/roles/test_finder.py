"""Where proxies are found: a resolver that answers what the test says."""

from collections.abc import AsyncIterator, Sequence

import pytest

from sidecar.proxies.finder import Finder
from tests.support import wait_until


class Names:
    """What each name leads to."""

    def __init__(self) -> None:
        self.known: dict[str, Sequence[str]] = {"one": ["10.0.0.1"], "many": ["10.0.0.3", "10.0.0.2"], "10.0.0.9": ["10.0.0.9"]}
        self.changes = 0
        self.finder = Finder(self._changed, lambda name: self.known.get(name, ()))

    def _changed(self) -> None:
        self.changes += 1


@pytest.fixture
async def names() -> AsyncIterator[Names]:
    made = Names()
    yield made
    await made.finder.close()


async def test_every_address_of_a_name_is_a_proxy(names: Names) -> None:
    await names.finder.follow(["many:9090", "10.0.0.9:9091"])
    await names.finder.answered(20)
    assert names.finder.addresses == {"10.0.0.2:9090", "10.0.0.3:9090", "10.0.0.9:9091"}
    assert names.changes >= 1


async def test_names_that_are_configured_no_longer_lead_nowhere(names: Names) -> None:
    await names.finder.follow(["one:9090", "many:9090"])
    await wait_until(lambda: len(names.finder.addresses) == 3)
    await names.finder.follow(["one:9090"])
    await wait_until(lambda: names.finder.addresses == {"10.0.0.1:9090"})


async def test_a_name_without_addresses_is_told_and_not_waited_for(names: Names) -> None:
    await names.finder.follow(["nobody:9090"])
    await names.finder.answered(20)
    assert names.finder.troubles() == {"nobody:9090": "the name has no addresses"}
    assert names.finder.addresses == frozenset()
