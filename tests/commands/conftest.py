"""The command line in a process of its own, in front of the admin API of a fake Control."""

import asyncio
import os
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator

import pytest

from sidecar.admin import serve
from tests.admin.control import FakeControl, reading, replica, service

Ecluse = Callable[..., "subprocess.CompletedProcess[str]"]
DEADLINE_S = 20.0


@pytest.fixture
def control() -> FakeControl:
    """A scalable service with two replicas, and one of fixed endpoints."""
    shop = service("shop", replica("shop-1", reading(ok=40, failed=2, in_flight=3)), replica("shop-2", state="draining"))
    return FakeControl(shop, service("legacy", replica("legacy-1"), scalable=False))


@pytest.fixture
def admin(control: FakeControl) -> Iterator[str]:
    """The address of an admin API, on an event loop in a thread of its own: the commands are waited for here."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    served = asyncio.run_coroutine_threadsafe(serve(control, "127.0.0.1:0", ""), loop).result(DEADLINE_S)
    yield served.address
    asyncio.run_coroutine_threadsafe(served.close(), loop).result(DEADLINE_S)
    loop.call_soon_threadsafe(loop.stop)
    thread.join(DEADLINE_S)
    loop.close()


def environment(**more: str) -> dict[str, str]:
    """This process's environment without what would change the command's behaviour, and what is given."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("ECLUSE_", "NO_COLOR"))}
    return {**kept, "TERM": "xterm", **more}


def command(*words: str) -> list[str]:
    return [sys.executable, "-m", "sidecar.cli", *words]


@pytest.fixture
def ecluse(admin: str) -> Ecluse:
    """Runs `ecluse` with some words to its end."""

    def run(*words: str, **more: str) -> "subprocess.CompletedProcess[str]":
        env = environment(**{"ECLUSE_ADMIN": admin, **more})
        return subprocess.run(command(*words), env=env, capture_output=True, text=True, timeout=DEADLINE_S, check=False)

    return run
