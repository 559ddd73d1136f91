"""max_concurrency over several workers: never passed, places are not lost, and who came first is served first."""

import mmap
import random
import time
from collections.abc import Callable, Iterator

import pytest

from balancer.hotpath.context import Context
from balancer.hotpath.poller import Poller
from balancer.hotpath.replica import Replica
from balancer.hotpath.route import Router
from balancer.hotpath.service import NORMAL, Service
from balancer.scoreboard import Scoreboard
from tests.hotpath.processes import forked

NOW_US = 1_000_000
CAP = 3
HAMMER_S = 1.0


@pytest.fixture
def shared() -> Iterator[Scoreboard]:
    made = Scoreboard.create(workers=3, services=1, replicas=1)
    yield made
    made.close()


def service(shared: Scoreboard, worker: int, cap: int = CAP, queue: int = 10) -> Service:
    made = Service("shop", 0, shared.row(worker), random.Random(worker).random)
    made.cap, made.queue, made.queue_timeout_us = cap, queue, 1_000_000
    made.ready = [Replica("r0", 0, "127.0.0.1:80", 1)]
    return made


class Held:
    """How many requests two processes really hold, one cell each: what a process reads of its own and the other's is one moment."""

    def __init__(self) -> None:
        self._memory = mmap.mmap(-1, mmap.PAGESIZE)
        self.cells = memoryview(self._memory).cast("q")
        self.most, self.taken, self.refused = 2, 4, 6  # offsets, each with one cell per process

    def close(self) -> None:
        self.cells.release()
        self._memory.close()


def hammer(shared: Scoreboard, worker: int, held: Held) -> None:
    shop = service(shared, worker)
    replica, cells, chance = shop.ready[0], held.cells, random.Random(worker)
    end_s = time.monotonic() + HAMMER_S
    mine = 0
    while time.monotonic() < end_s:
        for _ in range(chance.randrange(1, CAP + 1)):
            if shop.enter(replica, NOW_US):
                mine += 1
                cells[worker] = mine
                cells[held.taken + worker] += 1
                cells[held.most + worker] = max(cells[held.most + worker], mine + cells[1 - worker])
            else:
                cells[held.refused + worker] += 1
        while mine and chance.random() < 0.7:
            mine -= 1
            cells[worker] = mine
            shop.row.leave(0, NOW_US)
    cells[worker] = 0
    for _ in range(mine):
        shop.row.leave(0, NOW_US)


def test_two_processes_that_enter_and_leave_as_fast_as_they_can_never_pass_the_cap(shared: Scoreboard) -> None:
    held = Held()
    with forked(lambda: hammer(shared, 0, held), lambda: hammer(shared, 1, held)):
        pass
    most, taken, refused = (held.cells[at : at + 2].tolist() for at in (held.most, held.taken, held.refused))
    held.close()
    assert max(most) == CAP, "the cap was passed, or never reached and so not tried"
    assert min(taken) > 1000
    assert min(refused) > 0
    assert shared.in_flight(0) == 0


def test_a_refused_request_leaves_no_trace(shared: Scoreboard) -> None:
    shop, sibling = service(shared, 0), service(shared, 1)
    assert [shop.enter(shop.ready[0], NOW_US) for _ in range(CAP)] == [True] * CAP
    assert not sibling.enter(sibling.ready[0], NOW_US + 10)
    reading = shared.replica(0, NOW_US + 20)
    assert (reading.in_flight, reading.busy_us) == (CAP, CAP * 20)


def test_without_a_cap_everybody_may_enter(shared: Scoreboard) -> None:
    shop = service(shared, 0, cap=0)
    assert all(shop.enter(shop.ready[0], NOW_US) for _ in range(100))


# The line.


class Somebody:
    """Who only waits."""

    priority = NORMAL


class Request:
    """A request that waits, or is in flight until `leave`."""

    priority = NORMAL

    def __init__(self, worker: "Worker", name: str, served: list[str]) -> None:
        self.worker, self.name, self.served = worker, name, served

    def serve_waiting(self) -> bool:
        now_us = self.worker.context.clock()
        if self.worker.shop.take([], now_us) is None:
            return False
        self.worker.shop.stop_waiting(self, now_us)
        self.served.append(self.name)
        return True

    def leave(self) -> None:
        self.worker.shop.row.leave(0, self.worker.context.clock())
        self.worker.context.freed(self.worker.shop)


class Worker:
    """One worker's service and context, on the same loop and clock as its siblings."""

    def __init__(self, shared: Scoreboard, number: int, loop: Poller, clock: Callable[[], int]) -> None:
        self.shop = service(shared, number, cap=1)
        self.context = Context(loop, self.shop.row, Router([]), clock)


class House:
    """Three workers in one process and in virtual time."""

    def __init__(self, shared: Scoreboard) -> None:
        self.now_us = NOW_US
        self.loop = Poller()
        self.workers = [Worker(shared, number, self.loop, lambda: self.now_us) for number in range(3)]
        for worker in self.workers:
            worker.context.wake = self.wake
        self.served: list[str] = []

    def wake(self, row: int) -> None:
        sibling = self.workers[row]
        sibling.context.serve_soon(sibling.shop)

    def arrive(self, worker: int, name: str) -> Request:
        """A request that finds the replica busy stands in line, as `Exchange.dispatch` has it."""
        self.now_us += 10
        shop = self.workers[worker].shop
        request = Request(self.workers[worker], name, self.served)
        if not shop.others_wait() and shop.take([], self.now_us) is not None:
            self.served.append(name)
        else:
            assert shop.room_to_wait(NORMAL)
            shop.wait(request, self.now_us)
        return request

    def leave(self, request: Request) -> None:
        self.now_us += 10
        request.leave()
        while self.loop.soon:
            self.loop.call_now()


@pytest.mark.parametrize(
    "arrivals",
    [[0, 0, 0, 0], [0, 1, 2, 0, 1, 2], [0, 2, 2, 1, 1, 0], [2, 1, 0, 0, 1, 2], [1, 0, 1, 0, 1, 0]],
    ids=lambda arrivals: "workers " + " ".join(map(str, arrivals)),
)
def test_waiting_requests_are_served_in_the_order_of_their_arrival_on_whatever_worker(
    shared: Scoreboard, arrivals: list[int]
) -> None:
    house = House(shared)
    requests = {f"{number}": house.arrive(worker, f"{number}") for number, worker in enumerate(arrivals)}
    for number in range(len(arrivals)):
        assert house.served == [f"{earlier}" for earlier in range(number + 1)]
        house.leave(requests[house.served[-1]])
    assert shared.in_flight(0) == 0
    assert shared.service(0, house.now_us).waiting == 0


def test_a_new_request_does_not_pass_one_that_waits_on_another_worker(shared: Scoreboard) -> None:
    house = House(shared)
    first = house.arrive(0, "first")
    house.arrive(1, "second")
    first.worker.shop.row.leave(0, house.now_us)
    house.arrive(2, "third")
    assert house.served == ["first"]


def test_who_gives_up_makes_room_for_the_next(shared: Scoreboard) -> None:
    house = House(shared)
    first, second, third = house.arrive(0, "first"), house.arrive(1, "second"), house.arrive(2, "third")
    second.worker.shop.stop_waiting(second, house.now_us)
    assert shared.row(0).longest_waiting(0) == 2
    house.leave(first)
    assert house.served == ["first", "third"]
    house.leave(third)


def test_the_line_over_all_workers_is_no_longer_than_configured(shared: Scoreboard) -> None:
    shops = [service(shared, number, cap=1, queue=4) for number in range(3)]
    waiting = 0
    while shops[waiting % 3].room_to_wait(NORMAL):
        shops[waiting % 3].wait(Somebody(), NOW_US + waiting)
        waiting += 1
    assert waiting == 4
    assert not any(shop.room_to_wait(NORMAL) for shop in shops)


def test_without_a_ready_replica_requests_wait_only_if_they_are_to_be_held(shared: Scoreboard) -> None:
    shop = service(shared, 0)
    shop.ready = []
    assert not shop.room_to_wait(NORMAL)
    shop.hold, shop.max_held = True, 1
    assert shop.room_to_wait(NORMAL)
    shop.wait(Somebody(), NOW_US)
    assert not shop.room_to_wait(NORMAL)
