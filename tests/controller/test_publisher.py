"""A burst of changes becomes one routing table; each caller knows which one shows its change."""

import asyncio
from collections.abc import Callable

from balancer.table import RoutingTable
from sidecar.config import Config
from sidecar.local_path import LocalPath
from sidecar.publisher import COALESCE_S, Publisher
from tests.support import in_virtual_time


def published(story: Callable[[Publisher], None], *, passing_s: float = COALESCE_S * 1.5) -> list[int]:
    """Play a story twice, some time apart, without workers. Gives the generations that were composed."""
    composed: list[int] = []

    def compose(generation: int) -> RoutingTable:
        composed.append(generation)
        return RoutingTable(generation)

    async def play() -> None:
        path = LocalPath(Config("", (), workers=1), lambda message: None, lambda kind, message: None)
        publisher = Publisher(compose, path)
        for _ in range(2):
            story(publisher)
            await asyncio.sleep(passing_s)
        publisher.close()
        await path.stop(0.0)
        path.close()

    in_virtual_time(play)
    return composed


def test_a_burst_of_changes_is_sent_as_one_table() -> None:
    def story(publisher: Publisher) -> None:
        assert len({publisher.publish() for _ in range(100)}) == 1

    assert published(story) == [1, 2]


def test_the_promised_generation_is_the_next_one_sent() -> None:
    promised: list[int] = []
    assert published(lambda publisher: promised.append(publisher.publish())) == promised


def test_nothing_is_sent_without_a_change() -> None:
    assert published(lambda publisher: None) == []


def test_what_was_not_sent_before_the_end_is_not_sent_after_it() -> None:
    promised: list[int] = []
    assert published(lambda publisher: promised.append(publisher.publish()), passing_s=COALESCE_S / 4) == []
    assert promised == [1, 1]
