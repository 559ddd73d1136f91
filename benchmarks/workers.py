"""Two workers (nginx: processes, HAProxy: threads) against one: what it costs to share the work."""

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from functools import partial

from benchmarks.peers import PROXIES
from benchmarks.rounds import Contestant, Turn
from benchmarks.row import ITSELF, Goal, Row
from benchmarks.stand import Running, Stand
from benchmarks.throughput import SMALL, per_cpu_s
from benchmarks.wrk import Load

SHARE = Row("workers", "two workers: requests per CPU-second, of one worker's", "share", (Goal("ecluse", 0.95, ITSELF),), ITSELF)


class Workers:
    """The same load and the same cores for one worker and for two. Where there are no four cores, load and origin are on these too."""

    name = "workers"
    rows = (SHARE,)
    peers = PROXIES
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
                pair = [stack.enter_context(stand.started(name, workers=workers, cores=stand.cores.pair)) for workers in (1, 2)]
                made.append(Contestant(name, partial(self._play, stand, pair, seconds)))
            yield made

    def _play(self, stand: Stand, pair: Sequence[Running], seconds: float, number: int) -> Turn:
        figures, errors = in_turn(stand, pair, SMALL, seconds, number)
        return Turn({SHARE.name: figures[1] / figures[0] if figures[0] else 0.0}, errors)


def in_turn(
    stand: Stand, pair: Sequence[Running], load: Load, seconds: float, number: int
) -> tuple[tuple[float, float], tuple[str, ...]]:
    """Requests per CPU-second of both, and errors; who is first changes from round to round."""
    first = number % 2
    one, errors = per_cpu_s(stand, pair[first], load, seconds)
    other, more = per_cpu_s(stand, pair[1 - first], load, seconds)
    return ((other, one) if first else (one, other)), (*errors, *more)
