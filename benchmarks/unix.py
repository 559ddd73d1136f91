"""Écluse to the same origin over a Unix socket and over TCP."""

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from functools import partial

from benchmarks.rounds import Contestant, Turn
from benchmarks.row import ITSELF, Row
from benchmarks.stand import Running, Stand
from benchmarks.throughput import SMALL
from benchmarks.workers import in_turn

SHARE = Row("unix", "to the origin over a Unix socket: requests per CPU-second, of those over TCP", "share", against=ITSELF)


class Unix:
    """nginx as the origin listens on both."""

    name = "unix"
    rows = (SHARE,)
    peers = ("nginx", "ecluse", "interpreted")
    needs = ()

    def turn_s(self, seconds: float) -> float:
        """Two loads."""
        return 2 * seconds + 0.2

    @contextmanager
    def contestants(self, stand: Stand, peers: Sequence[str], seconds: float) -> Iterator[list[Contestant]]:
        """Each peer twice."""
        with ExitStack() as stack:
            made = []
            for name in peers:
                pair = [stack.enter_context(stand.started(name, origin)) for origin in (stand.files, stand.socket)]
                made.append(Contestant(name, partial(self._play, stand, pair, seconds)))
            yield made

    def _play(self, stand: Stand, pair: Sequence[Running], seconds: float, number: int) -> Turn:
        figures, errors = in_turn(stand, pair, SMALL, seconds, number)
        return Turn({SHARE.name: figures[1] / figures[0] if figures[0] else 0.0}, errors)
