"""Works that wrk drives: requests, or octets of bodies, for a second of the proxy's processor time."""

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import partial

from benchmarks.peers import PEERS
from benchmarks.rounds import Contestant, Turn
from benchmarks.row import Goal, Row
from benchmarks.stand import Running, Stand
from benchmarks.wrk import Load, run

MIB = 1024 * 1024
REQUESTS = "requests per CPU-second"
MIB_PER_CPU_S = "MiB per CPU-second"
HONEST = Goal("interpreted", 0.7, "nginx")  # not one of the table's goals, but issue 3 wants it kept

BROWSER = r"""
-- A browser's request: about 900 octets of header fields; path and cookie change from request to request.
local fields = {
  ["Host"] = "shop.example.com", ["Connection"] = "keep-alive", ["Cache-Control"] = "max-age=0",
  ["sec-ch-ua"] = '"Chromium";v="128", "Not;A=Brand";v="24", "Google Chrome";v="128"', ["sec-ch-ua-mobile"] = "?0",
  ["sec-ch-ua-platform"] = '"Linux"', ["Upgrade-Insecure-Requests"] = "1",
  ["User-Agent"] = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/128.0.0.0 Safari/537.36",
  ["Accept"] = "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,image/apng,*/*;q=0.8",
  ["Sec-Fetch-Site"] = "same-origin", ["Sec-Fetch-Mode"] = "navigate", ["Sec-Fetch-User"] = "?1", ["Sec-Fetch-Dest"] = "document",
  ["Referer"] = "http://shop.example.com/catalogue?page=2", ["Accept-Encoding"] = "gzip, deflate, br, zstd",
  ["Accept-Language"] = "en-GB,en;q=0.9,fr;q=0.8",
}
-- All are made before the load begins: made one by one, they would keep wrk busier than the proxies.
-- There are far more than any memo holds.
local requests, count = {}, 0
init = function()
  for number = 1, 20000 do
    fields["Cookie"] = string.format("session=%032x; theme=dark; seen=%d; basket=%08x", number * 7919, number, number % 65521)
    requests[number] = wrk.format("GET", string.format("/?item=%d", number), fields)
  end
end
request = function()
  count = count % #requests + 1
  return requests[count]
end
"""

POST = r"""
wrk.method = "POST"
wrk.body = string.rep("x", OCTETS)
wrk.headers["Content-Type"] = "application/octet-stream"
"""

CLOSE = r"""
wrk.headers["Connection"] = "close"
"""


@dataclass(frozen=True, slots=True)
class Throughput:
    """One kind of load on every peer. octets: of the body in each request or answer, where octets are what counts."""

    name: str
    row: Row
    load: Load
    octets: int = 0
    upload: bool = False
    peers: tuple[str, ...] = tuple(PEERS)
    needs: tuple[str, ...] = ()

    @property
    def rows(self) -> tuple[Row, ...]:
        """The one row."""
        return (self.row,)

    def turn_s(self, seconds: float) -> float:
        """As long as the load."""
        return seconds + 0.1

    @contextmanager
    def contestants(self, stand: Stand, peers: Sequence[str], seconds: float) -> Iterator[list[Contestant]]:
        """Each peer with one worker on the proxy's core."""
        with ExitStack() as stack:
            origin = stand.sink if self.upload else stand.files
            running = {name: stack.enter_context(stand.started(name, origin)) for name in peers}
            yield [Contestant(name, partial(self._play, stand, peer, seconds)) for name, peer in running.items()]

    def _play(self, stand: Stand, peer: Running, seconds: float, _number: int) -> Turn:
        figure, errors = per_cpu_s(stand, peer, self.load, seconds)
        return Turn({self.row.name: figure * (self.octets or MIB) / MIB}, errors)


def per_cpu_s(
    stand: Stand, peer: Running, load: Load, seconds: float, cores: Sequence[int] = ()
) -> tuple[float, tuple[str, ...]]:
    """(requests for each second of processor time of the peer's processes, errors) under a load."""
    before = peer.process.cpu_s()
    count = run(load, peer.url, seconds, cores or stand.cores.load, stand.folder)
    used = peer.process.cpu_s() - before
    errors = count.errors if count.requests else (*count.errors, "no answers")
    return count.requests / used if used > 0 else 0.0, errors


def _work(name: str, meaning: str, load: Load, goals: Sequence[Goal], octets: int = 0, upload: bool = False) -> Throughput:
    row = Row(name, meaning, MIB_PER_CPU_S if octets else REQUESTS, (*goals, HONEST))
    return Throughput(name, row, load, octets, upload)


SMALL = Load()
THROUGHPUTS = (
    _work("small", "GET, 100-byte answer", SMALL, [Goal("ecluse", 1.0), Goal("ecluse", 0.9, "forwarder")]),
    _work("browser", "the same, a browser's fields, path and cookie changing", Load(script=BROWSER), [Goal("ecluse", 1.05)]),
    _work("16k", "GET, 16 KiB answer", Load("/16k"), [Goal("ecluse", 1.0)]),
    _work("post", "POST, 4 KiB body", Load(script=POST.replace("OCTETS", "4096")), [Goal("ecluse", 1.0)]),
    _work("10m", "GET, 10 MiB answer", Load("/10m", 8), [Goal("ecluse", 1.0)], octets=10 * MIB),
    _work(
        "upload",
        "POST, 10 MiB upload",
        Load("/", 8, POST.replace("OCTETS", str(10 * MIB))),
        [Goal("ecluse", 1.0)],
        octets=10 * MIB,
        upload=True,
    ),
    _work("connect", "a new connection for each request", Load("/", 32, CLOSE), [Goal("ecluse", 0.9)]),
)
