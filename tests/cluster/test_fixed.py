"""Fixed endpoints."""

import pytest

from autoscaler.cluster.engine import EngineError, InstanceSpec
from autoscaler.cluster.fixed import Fixed


async def test_endpoints_are_listed_with_their_weights_in_the_order_given() -> None:
    engine = Fixed()
    engine.set_endpoints("shop", [("10.0.0.5:80", 3), ("[::1]:80", 1), ("unix:/run/a.sock", 1)])
    assert [(one.address, one.weight) for one in await engine.list("shop")] == [
        ("10.0.0.5:80", 3),
        ("[::1]:80", 1),
        ("unix:/run/a.sock", 1),
    ]
    assert await engine.list("cart") == ()


async def test_ids_and_ages_stay_when_the_list_changes() -> None:
    times = iter([1.0, 2.0, 3.0, 4.0])
    engine = Fixed(clock=lambda: next(times))
    engine.set_endpoints("shop", [("10.0.0.5:80", 1)])
    (before,) = await engine.list("shop")
    engine.set_endpoints("shop", [("10.0.0.6:80", 1), ("10.0.0.5:80", 1)])
    assert (await engine.list("shop"))[1] == before


async def test_changes_are_told_once_each() -> None:
    told: list[str] = []
    engine = Fixed(clock=lambda: 0.0)
    await engine.open(told.append)
    engine.set_endpoints("shop", [("10.0.0.5:80", 1)])
    engine.set_endpoints("shop", [("10.0.0.5:80", 1)])
    assert told == ["shop"]
    engine.set_endpoints("shop", [("10.0.0.5:80", 2)])
    engine.forget("shop")
    assert told == ["shop"] * 3
    assert await engine.list("shop") == ()


@pytest.mark.parametrize(
    ("endpoints", "words"),
    [
        pytest.param([("nowhere", 1)], "not an address with a port", id="malformed"),
        pytest.param([("10.0.0.5:80", 0)], "weight 0 is not from 1 to 256", id="weight-too-small"),
        pytest.param([("10.0.0.5:80", 257)], "weight 257 is not from 1 to 256", id="weight-too-large"),
        pytest.param([("[::1]:80", 1), ("[0::1]:80", 1)], r"named twice: \[::1\]:80", id="the-same-twice"),
    ],
)
async def test_a_bad_list_is_refused_and_the_former_one_stays(endpoints: list[tuple[str, int]], words: str) -> None:
    engine = Fixed()
    engine.set_endpoints("shop", [("10.0.0.9:80", 1)])
    with pytest.raises(ValueError, match=words):
        engine.set_endpoints("shop", endpoints)
    assert [one.address for one in await engine.list("shop")] == ["10.0.0.9:80"]


async def test_nothing_can_be_started_or_stopped() -> None:
    engine = Fixed()
    engine.set_endpoints("shop", [("10.0.0.5:80", 1)])
    (instance,) = await engine.list("shop")
    assert not engine.can_scale
    assert engine.owns_listener(instance.id) is True
    for act in (engine.start(InstanceSpec("shop")), engine.stop(instance.id, 1.0), engine.restart(instance.id)):
        with pytest.raises(EngineError):
            await act
    await engine.stop("gone-already", 1.0)
