"""A real Swarm on this machine: each of its nodes is a machine with a network of its own, cabled to a bridge that this machine is on too.

Addresses of nodes and ports that tasks publish on them (mode=host) are reached from here; overlay networks are not. Managers also listen
at tcp://ADDRESS:2375, without TLS, as nobody else is on the bridge.
"""

import json
import subprocess
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager, suppress
from typing import Any
from urllib.parse import quote

from tests.engines.daemon import Dockerd
from tests.engines.images import NAME, load
from tests.engines.machines import Machine
from tests.engines.plots import Plot, ip, plot
from tests.engines.reach import reach
from tests.support import Answer, wait_until, wait_until_blocking

_API_PORT = 2375
_SETTLED_S = 60


class Node(Dockerd):
    """One node. number: from 1, managers first."""

    def __init__(self, ground: Plot, number: int, manages: bool) -> None:
        self.number = number
        self.manages = manages
        self.name = f"node{number}"
        self.address = str(ground.local[10 + number])
        self._cable = f"{ground.bridge}n{number}"
        machine = Machine(self.name, network=True)
        listens = (f"--host=tcp://{self.address}:{_API_PORT}", "--tls=false") if manages else ()
        super().__init__(machine, ground, ground.folder / self.name, listens)

    @property
    def endpoint(self) -> str:
        """Where a manager's API is reached from here, as DOCKER_HOST names it."""
        return f"tcp://{self.address}:{_API_PORT}"

    @property
    def id(self) -> str:
        """What the Swarm calls it."""
        return str(self.api("GET", "/info")["Swarm"]["NodeID"])

    def launch(self) -> None:
        self._plug_in()
        super().launch()

    def power_off(self) -> None:
        """Everything on it ends at once, for good."""
        self.machine.off()

    def pull_cable(self) -> None:
        """It runs on, and nobody reaches it, until `plug_in`."""
        ip("link", "set", self._cable, "down")

    def plug_in(self) -> None:
        ip("link", "set", self._cable, "up")

    def _plug_in(self) -> None:
        if "eth0" in self.machine.run("ip", "-brief", "link"):
            return
        with suppress(
            subprocess.CalledProcessError
        ):  # that of a former machine: the kernel removes it some time after the machine
            ip("link", "delete", self._cable)
        ip("link", "add", self._cable, "type", "veth", "peer", "name", "eth0", "netns", str(self.machine.init.pid))
        ip("link", "set", self._cable, "master", self.plot.bridge, "up")
        self.machine.run("ip", "address", "add", f"{self.address}/{self.plot.local.prefixlen}", "dev", "eth0")
        for name in ("lo", "eth0"):
            self.machine.run("ip", "link", "set", name, "up")
        self.machine.run("ip", "route", "add", "default", "via", str(self.plot.gateway))


class Swarm:
    """The nodes as one cluster. Asked through its first manager that answers."""

    def __init__(self, nodes: Sequence[Node]) -> None:
        self.nodes = nodes
        first, *others = nodes
        pool = f"--default-addr-pool={first.plot.upper_half}"
        first.docker("swarm", "init", f"--advertise-addr={first.address}", pool, "--default-addr-pool-mask-length=26")
        for node in others:
            token = first.docker("swarm", "join-token", "--quiet", "manager" if node.manages else "worker")
            node.docker("swarm", "join", f"--token={token}", f"{first.address}:2377")

    @property
    def managers(self) -> list[Node]:
        return [node for node in self.nodes if node.manages]

    @property
    def manager(self) -> Node:
        """A manager that runs."""
        return next(node for node in self.managers if node.program.running)

    def node(self, id_: str) -> Node:
        """The node that the Swarm calls so."""
        return next(node for node in self.nodes if node.program.running and node.id == id_)

    def docker(self, *words: str) -> str:
        """The `docker` program, at a manager."""
        return self.manager.docker(*words)

    def create(self, name: str, replicas: int, *words: str, image: str = f"{NAME}:1", publish: bool = True) -> None:
        """A replicated service whose tasks publish their port 8000 on their node; words: further options."""
        ports = ["--publish=mode=host,target=8000"] if publish else []
        options = ["--detach", "--no-resolve-image", f"--name={name}", f"--replicas={replicas}", *ports, *words]
        self.docker("service", "create", *options, image)

    def scale(self, name: str, replicas: int) -> None:
        self.docker("service", "scale", "--detach", f"{name}={replicas}")

    def tasks(self, service: str) -> list[dict[str, Any]]:
        """All that the Swarm remembers of a service, as the API words it."""
        filters = quote(json.dumps({"service": [service]}))
        found: list[dict[str, Any]] = self.manager.api("GET", f"/tasks?filters={filters}")
        return found

    def running(self, service: str) -> list[dict[str, Any]]:
        """The tasks that run and are meant to."""
        return [task for task in self.tasks(service) if (task["DesiredState"], task["Status"]["State"]) == ("running", "running")]

    async def answers(self, task: dict[str, Any], target: str = "/") -> Answer:
        """What a task says that publishes its port, as soon as it can be reached."""
        address, port = address_of(self, task)
        answer = await wait_until(lambda: reach(port, target, address), deadline_s=_SETTLED_S)
        assert answer
        return answer

    def settled(self, service: str, replicas: int) -> list[dict[str, Any]]:
        """The running tasks, once there are so many and no other one is on its way in or out."""
        wait_until_blocking(lambda: self._settled(service, replicas), deadline_s=_SETTLED_S)
        return self.running(service)

    def _settled(self, service: str, replicas: int) -> bool:
        alive = [task for task in self.tasks(service) if task["Status"]["State"] not in _ENDED]
        return len(alive) == replicas == len(self.running(service))

    def clean(self) -> None:
        """Without services, and with every node active."""
        for service in self.manager.api("GET", "/services"):
            self.manager.api("DELETE", f"/services/{service['ID']}")
        for node in self.nodes:
            self.docker("node", "update", "--availability=active", node.name)
            wait_until_blocking(lambda node=node: not node.api("GET", "/containers/json?all=1"), deadline_s=_SETTLED_S)  # type: ignore[misc]
        self.manager.api("POST", "/networks/prune")


_ENDED = frozenset({"complete", "shutdown", "failed", "rejected", "remove", "orphaned"})


@contextmanager
def swarm(application: bytes, nodes: int = 3, managers: int = 1) -> Iterator[Swarm]:
    """A Swarm whose nodes have the test images, for as long as the context lasts."""
    # The pool has to last as long as the machines: the kernel ends them with the thread that switched them on.
    with plot() as ground, ExitStack() as stack, ThreadPoolExecutor(nodes) as pool:
        numbers = range(1, nodes + 1)
        built = list(pool.map(lambda number: _node(ground, number, number <= managers, stack), numbers))
        list(pool.map(lambda node: load(node, application), built))
        yield Swarm(built)


def address_of(swarm: Swarm, task: dict[str, Any], port: int = 8000) -> tuple[str, int]:
    """Where a task that publishes a port on its node is reached from here."""
    ports = task["Status"]["PortStatus"]["Ports"]
    found = next(one["PublishedPort"] for one in ports if one["TargetPort"] == port)
    return swarm.node(task["NodeID"]).address, found


def _node(ground: Plot, number: int, manages: bool, stack: ExitStack) -> Node:
    node = Node(ground, number, manages)
    stack.callback(node.machine.off)
    return node
