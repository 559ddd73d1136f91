"""What the deciding side knows of the side that carries requests: the contract between `controller.py` and those who carry.

There are two kinds: the workers of this program (`local_path.py`), and proxies that run apart (`sidecar/proxies`). Nothing here says
where the workers are, and nothing on the other side of it knows of engines, probes or rules.
"""

from array import array
from typing import Any, Protocol

from balancer.scoreboard import ReplicaReading, ServiceReading
from balancer.table import RoutingTable
from sidecar.config import Config
from sidecar.views import ProxyView, WorkerView


class DataPath(Protocol):
    """Those who carry the requests. Slots are the scoreboard's; counters never fall."""

    @property
    def fresh(self) -> bool:
        """Whether the readings are of now. False: nobody who carries requests has been heard for a while."""
        ...

    @property
    def in_charge(self) -> bool:
        """Whether it is this program that decides. False: those who carry obey another one, so nothing may be started or stopped."""
        ...

    def prepare(self, config: Config) -> None:
        """Take hold of what a configuration needs, and change nothing yet. Raises ListenError, holding on to nothing new."""
        ...

    async def former(self) -> RoutingTable:
        """The table that is in use from an earlier life of the deciding side; an empty one if there is none. Bounded."""
        ...

    def open(self) -> None:
        """Begin to carry, by what was prepared last."""
        ...

    def change(self) -> None:
        """Go over to what was prepared last. What it replaces is in use until `settle`."""
        ...

    def settle(self) -> None:
        """Everybody uses what `change` brought: give up what it replaced."""
        ...

    def send_table(self, table: RoutingTable) -> None:
        """Give everybody this table, and those that come later."""
        ...

    async def acknowledged(self, generation: int) -> None:
        """Wait until all who can be reached use that table or a later one, and the readings are of after that. Bounded."""
        ...

    def has_table(self, generation: int = 1) -> bool:
        """Whether there is somebody who carries, and all who do have acknowledged that table or a later one."""
        ...

    def in_flight(self, slot: int) -> int:
        """Requests in flight on a replica."""
        ...

    def replica(self, slot: int) -> ReplicaReading:
        """A replica's cells, up to this moment."""
        ...

    def cells(self, slot: int) -> "array[int]":
        """The same as they stand on the scoreboard (`balancer.hotpath.board`): for who looks at every replica in every tick."""
        ...

    def service(self, slot: int) -> ServiceReading:
        """A service's own cells, up to this moment."""
        ...

    @property
    def place(self) -> str:
        """Where it carries, in words, for the log: "listens on 0.0.0.0:8080, 2 workers"."""
        ...

    @property
    def listen(self) -> tuple[str, ...]:
        """The addresses on which this program listens itself."""
        ...

    def build(self) -> str:
        """Of the hot path: "compiled" or "interpreted", "" while unknown."""
        ...

    def workers(self) -> tuple[WorkerView, ...]:
        """This program's own workers."""
        ...

    def proxies(self) -> tuple[ProxyView, ...]:
        """The proxies that run apart."""
        ...

    def reopen_logs(self) -> None:
        """Write on in a new file where the access log was moved away."""
        ...

    async def stop(self, deadline_s: float) -> None:
        """Let this program's workers finish, and cut what is left after the deadline. Proxies that run apart go on."""
        ...

    def hurry(self) -> None:
        """End this program's workers at once."""
        ...

    def close(self) -> None:
        """Give back what is left. After `stop`."""
        ...


Message = dict[str, Any]  # what somebody who carries says: refused, wake, error
