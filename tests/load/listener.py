"""An application that answers with exactly the octets that a test wrote, on a real socket, in a thread of its own."""

import asyncio
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial

from tests.support import wait_until_blocking

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"


@dataclass(frozen=True, slots=True)
class Say:
    """octets, in these pieces; then the connection stays or is closed. stall_s: the whole application stands still first."""

    octets: tuple[bytes, ...]
    close: bool = False
    stall_s: float = 0.0


@dataclass(slots=True)
class Listener:
    """answer: what is said to the n-th request, n from 1; None: nothing, ever."""

    answer: Callable[[int], Say | None]
    url: str = ""
    requests: int = 0
    connections: int = 0
    writers: set[asyncio.StreamWriter] = field(default_factory=set)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        self.writers.add(writer)
        try:
            while await reader.readuntil(b"\r\n\r\n") and await self.say(writer):
                pass
        except (asyncio.IncompleteReadError, ConnectionError):
            pass  # the load is over
        finally:
            writer.close()
            self.writers.discard(writer)

    async def say(self, writer: asyncio.StreamWriter) -> bool:
        self.requests += 1
        said = self.answer(self.requests)
        if said is None:
            return True
        if said.stall_s:
            threading.Event().wait(said.stall_s)  # blocks the whole application, which is what the test is about
        for piece in said.octets:
            writer.write(piece)
            await writer.drain()
            await asyncio.sleep(0)
        return not said.close

    def close_all(self) -> None:
        for writer in list(self.writers):
            writer.close()


@contextmanager
def listener(answer: Callable[[int], Say | None], place: str = "127.0.0.1") -> Iterator[tuple[Listener, Callable[[], None]]]:
    """The listener, and a call that closes all of its connections. place: an IP address, or the path of a Unix socket."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    made = Listener(answer)
    start = partial(asyncio.start_unix_server, path=place) if "/" in place else partial(asyncio.start_server, host=place, port=0)
    served = asyncio.run_coroutine_threadsafe(start(made.serve), loop).result(10)
    name = f"[{place}]" if ":" in place else place
    made.url = f"unix:{place}" if "/" in place else f"http://{name}:{served.sockets[0].getsockname()[1]}/"
    try:
        yield made, lambda: _closed(made, loop)
    finally:
        loop.call_soon_threadsafe(served.close)
        _closed(made, loop)
        loop.call_soon_threadsafe(loop.stop)
        thread.join(10)
        loop.close()


def _closed(made: Listener, loop: asyncio.AbstractEventLoop) -> None:
    loop.call_soon_threadsafe(made.close_all)
    wait_until_blocking(lambda: not made.writers)


def always(*octets: bytes, close: bool = False) -> Callable[[int], Say]:
    """The same answer every time."""
    return lambda _: Say(octets, close)
