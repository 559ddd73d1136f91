"""Runs functions in processes of their own, forked from this one, as the workers' rows are written by processes of their own."""

import os
import signal
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

from tests.support import wait_until_blocking


@contextmanager
def forked(*tasks: Callable[[], None]) -> Iterator[list[int]]:
    """Their process ids, while they run. At the end of the block all of them have to have come to a good end."""
    pids = [_fork(task) for task in tasks]
    try:
        yield pids
        assert [wait_until_blocking(lambda pid=pid: _ended(pid), 60.0) for pid in pids] == [(pid, 0) for pid in pids]
    finally:
        for pid in pids:
            with suppress(ProcessLookupError, ChildProcessError):
                os.kill(pid, signal.SIGKILL)
                os.waitpid(pid, 0)


def _fork(task: Callable[[], None]) -> int:
    pid = os.fork()
    if pid:
        return pid
    status = 1
    try:
        task()
        status = 0
    except BaseException:
        traceback.print_exc()
    finally:
        os._exit(status)


def _ended(pid: int) -> tuple[int, int] | None:
    found, status = os.waitpid(pid, os.WNOHANG)
    return (pid, os.waitstatus_to_exitcode(status)) if found else None
