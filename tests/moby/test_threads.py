"""Threads that block are not waited for when the program ends; apart from that, they are an executor like any other."""

import subprocess
import sys
import threading

import pytest

from autoscaler.cluster.moby.threads import Threads
from tests.support import wait_until_blocking

HANGS = """
import asyncio, threading
from autoscaler.cluster.moby.threads import Threads
async def main():
    threads = Threads(2, "test")
    hanging = asyncio.get_running_loop().run_in_executor(threads, threading.Event().wait)
    await asyncio.sleep(0)
    threads.shutdown()
asyncio.run(main())
print("the end")
"""


def test_a_call_that_never_comes_back_does_not_hold_up_the_end_of_the_program() -> None:
    done = subprocess.run([sys.executable, "-c", HANGS], capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, "the end\n", "")


def test_work_is_done_by_at_most_so_many_threads_and_the_rest_of_it_waits() -> None:
    threads, go = Threads(2, "test"), threading.Event()
    futures = [threads.submit(lambda: (go.wait(60), threading.get_ident())[1]) for _ in range(5)]
    wait_until_blocking(lambda: sum(future.running() for future in futures) == 2)
    go.set()
    assert len({future.result(60) for future in futures}) <= 2
    threads.shutdown()


def test_what_a_call_raises_is_raised_where_its_answer_is_awaited() -> None:
    threads = Threads(1, "test")
    with pytest.raises(ZeroDivisionError):
        threads.submit(lambda: 1 // 0).result(60)
    threads.shutdown()


def test_what_has_not_begun_is_given_up_when_it_is_shut_down() -> None:
    threads, go = Threads(1, "test"), threading.Event()
    first, second = threads.submit(go.wait, 60), threads.submit(go.wait, 60)
    wait_until_blocking(first.running)
    threads.shutdown()
    assert second.cancelled()
    go.set()
    assert first.result(60)
