"""What local instances use, measured on real processes that burn a known amount of processor time and hold known memory."""

import asyncio
import os
import random
import sys
import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from autoscaler.cluster.engine import Instance, InstanceSpec, Usage
from autoscaler.cluster.processes import cgroups
from autoscaler.cluster.processes.account import Account, Life, Times
from autoscaler.cluster.processes.engine import Processes
from autoscaler.cluster.processes.usage import EVERY_S
from tests.support import wait_until

MIB = 2**20
BURN = "import time\nwhile time.process_time() < {}: pass\n"
REST = "\ntime.sleep(1000)"
FASTER = 20  # the engine's clock against the real one: it reads every 45 ms

HOLD = """
import os, time
held = bytearray(os.urandom(2**20) * 60)
for _ in range(3):
    if not os.fork():
        time.sleep(1000)
time.sleep(1000)
"""
DAEMON = """
import os, time
if not os.fork():
    os.setsid()
    if not os.fork():
        while time.process_time() < 0.3: pass
        print("daemon done", flush=True)
    os._exit(0)
os.wait()
time.sleep(1000)
"""


@pytest.fixture
async def engine() -> AsyncIterator[Processes]:
    one = Processes(random.Random(7), clock=lambda: FASTER * time.monotonic())
    await one.open(lambda service: None)
    yield one
    await one.close()


def python(script: str) -> InstanceSpec:
    return InstanceSpec("shop", (sys.executable, "-c", script))


def burnt(instance: Instance, engine: Processes) -> float:
    usage = engine.usage(instance.id)
    return usage.cpu_s if usage else 0.0


async def measured(engine: Processes, instance: Instance) -> Usage:
    """The first reading."""
    await wait_until(lambda: engine.usage(instance.id))
    found = engine.usage(instance.id)
    assert found
    return found


async def test_a_process_has_used_what_it_burnt(engine: Processes) -> None:
    script = f"{BURN.format(0.3)}print(time.process_time(), flush=True){REST}"
    instance = await engine.start(python(script))
    await wait_until(lambda: engine.outputs.tail("shop", 1))
    own_s = float(engine.outputs.tail("shop", 1)[0].rpartition(" ")[2])
    await wait_until(lambda: burnt(instance, engine) >= own_s - 0.02)
    assert burnt(instance, engine) == pytest.approx(own_s, abs=0.05)


async def test_children_that_ended_still_count_and_nothing_counts_backwards(engine: Processes) -> None:
    burn = f"{sys.executable} -c '{BURN.format(0.2)}'"
    instance = await engine.start(InstanceSpec("shop", ("sh", "-c", f"{burn}; {burn} & wait; {burn}; echo done; sleep 1000")))
    seen = [0.0]

    def all_burnt() -> bool:
        seen.append(burnt(instance, engine))
        return seen[-1] >= 0.55  # three times 0.2, in whole hundredths each

    await wait_until(all_burnt)
    await wait_until(lambda: engine.outputs.tail("shop", 1))
    seen.append(burnt(instance, engine))
    assert seen == sorted(seen)


async def test_a_daemon_that_left_the_session_counts_also_when_it_has_ended(engine: Processes) -> None:
    instance = await engine.start(python(DAEMON))
    await wait_until(lambda: burnt(instance, engine) >= 0.25)
    await wait_until(lambda: engine.outputs.tail("shop", 1) == ["shop-1 | daemon done"])
    first = await measured(engine, instance)
    await wait_until(lambda: (now := engine.usage(instance.id)) and now.at_s > first.at_s + 5 * EVERY_S)
    assert burnt(instance, engine) >= first.cpu_s


async def test_memory_that_forked_workers_share_counts_once(engine: Processes) -> None:
    instance = await engine.start(python(HOLD))
    await wait_until(lambda: (used := engine.usage(instance.id)) and used.memory > 60 * MIB)
    assert (await measured(engine, instance)).memory < 120 * MIB


async def test_what_a_process_may_use_is_its_affinity_and_its_limit_of_memory(engine: Processes) -> None:
    limited = "import os, resource, time\nos.sched_setaffinity(0, {min(os.sched_getaffinity(0))})\n"
    limited += "resource.setrlimit(resource.RLIMIT_AS, (2**28, 2**28))\nprint('set', flush=True)" + REST
    instance = await engine.start(python(limited))
    await wait_until(lambda: engine.outputs.tail("shop", 1))
    usage = await measured(engine, instance)
    assert (usage.cpus, usage.memory_limit) == (1.0, 2**28)


async def test_what_nothing_limits_may_use_the_machine(engine: Processes) -> None:
    usage = await measured(engine, await engine.start(InstanceSpec("shop", ("sleep", "1000"))))
    machine = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    assert 0 < usage.memory < usage.memory_limit <= machine
    assert 0 < usage.cpus <= len(os.sched_getaffinity(0))


async def test_however_often_and_for_however_many_it_is_asked_it_reads_once_a_second() -> None:
    now_s = [100.0]
    engine = Processes(random.Random(7), clock=lambda: now_s[0])
    await engine.open(lambda service: None)
    instances = [await engine.start(InstanceSpec("shop", ("sleep", "1000"))) for _ in range(2)]

    def readings() -> int:
        """Under way, when all were asked for."""
        for instance in [*instances, *instances]:
            engine.usage(instance.id)
        return sum(task.get_name() == "what local instances use" for task in asyncio.all_tasks())

    under_way = [readings()]
    await wait_until(lambda: all(engine.usage(instance.id) for instance in instances))
    under_way.append(readings())
    now_s[0] += 1.0
    under_way.append(readings())
    await engine.close()
    assert under_way == [1, 0, 1]


async def test_nothing_is_known_of_what_is_not_there(engine: Processes) -> None:
    assert engine.usage("shop-1") is None


@pytest.mark.parametrize(
    ("files", "memberships", "expected"),
    [
        pytest.param({"a/b/cpu.max": "50000 100000", "a/b/memory.max": "1000"}, "0::/a/b", (0.5, 1000), id="v2"),
        pytest.param({"a/b/cpu.max": "max 100000", "a/b/memory.max": "max"}, "0::/a/b", (None, None), id="v2 without limits"),
        pytest.param(
            {"a/b/cpu.max": "200000 100000", "a/cpu.max": "150000 100000", "a/memory.max": "9"},
            "0::/a/b",
            (1.5, 9),
            id="the tightest group counts",
        ),
        pytest.param({"cpu.max": "50000 100000"}, "0::/docker/1a2b", (0.5, None), id="a container that sees its machine's name"),
        pytest.param(
            {"cpu/a/cpu.cfs_quota_us": "25000", "cpu/a/cpu.cfs_period_us": "100000", "memory/a/memory.limit_in_bytes": "77"},
            "3:cpu,cpuacct:/a\n4:memory:/a\n0::/",
            (0.25, 77),
            id="v1",
        ),
        pytest.param(
            {"cpu/a/cpu.cfs_quota_us": "-1", "cpu/a/cpu.cfs_period_us": "100000"},
            "1:cpu:/a",
            (None, None),
            id="v1 without limits",
        ),
        pytest.param({}, "0::/gone\n1:name=systemd:/x:y", (None, None), id="no such folder"),
    ],
)
def test_limits_of_control_groups(
    files: dict[str, str], memberships: str, expected: tuple[float | None, int | None], tmp_path: Path
) -> None:
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text + "\n")
    assert cgroups.limits(memberships, tmp_path) == expected


def life(pid: int) -> Life:
    return Life(pid, 0.0)


PARENT, CHILD, GRANDCHILD = life(1), life(2), life(3)


@pytest.mark.parametrize(
    ("looks", "total_s"),
    [
        pytest.param([{PARENT: Times(0, 3.0, 1.0)}], 4.0, id="the first look counts in full"),
        pytest.param(
            [{PARENT: Times(0, 3.0, 0.0), CHILD: Times(1, 2.0, 0.0)}, {PARENT: Times(0, 3.0, 2.5)}],
            5.5,
            id="a child that was waited for counts once, with what it did at last",
        ),
        pytest.param(
            [{PARENT: Times(0, 3.0, 0.0), CHILD: Times(1, 2.0, 0.0)}, {PARENT: Times(0, 4.0, 0.0)}],
            6.0,
            id="a child that nobody waits for stays counted",
        ),
        pytest.param(
            [
                {PARENT: Times(0, 1.0, 0.0), CHILD: Times(1, 2.0, 0.0), GRANDCHILD: Times(2, 4.0, 0.0)},
                {PARENT: Times(0, 1.0, 6.5)},
            ],
            7.5,
            id="a child and its child that ended between two looks",
        ),
        pytest.param(
            [{PARENT: Times(0, 1.0, 0.0)}, {PARENT: Times(0, 1.0, 2.0)}], 3.0, id="a child that came and went between two looks"
        ),
        pytest.param(
            [{CHILD: Times(9, 2.0, 0.0)}, {Life(2, 7.0): Times(9, 0.5, 0.0)}], 2.5, id="another process of the same pid"
        ),
    ],
)
def test_processor_time_over_looks(looks: list[dict[Life, Times]], total_s: float) -> None:
    account, seen = Account(), [0.0]
    for look in looks:
        account.take(look)
        seen.append(account.total_s)
    assert account.total_s == total_s
    assert seen == sorted(seen)
