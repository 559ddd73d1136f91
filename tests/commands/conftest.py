"""The command line in front of the admin API of a fake Control."""

import asyncio
import os
import sys
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import pytest

from sidecar import cli
from sidecar.admin import serve
from tests.admin.control import FakeControl, reading, replica, service


@dataclass(frozen=True, slots=True)
class Done:
    """How a command ended."""

    returncode: int
    stdout: str
    stderr: str


Ecluse = Callable[..., Done]
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
def ecluse(admin: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Ecluse:
    """Runs `ecluse` with some words to its end, in this process: a process for each would take minutes."""

    def run(*words: str, **more: str) -> Done:
        for name, value in {"ECLUSE_ADMIN": admin, "COLUMNS": "80", **more}.items():
            monkeypatch.setenv(name, value)
        try:
            code = cli.main(words)
        except SystemExit as ended:  # argparse's way to end
            code = int(ended.code or 0)
        said = capsys.readouterr()
        return Done(code, said.out, said.err)

    return run
