"""Puts right what Docker itself gets wrong in a long run: a container that listens, runs, and whose published port leads nowhere.

Seen now and then with Debian's Docker 20.10 after hundreds of tasks on one node: the engine tells a published port, the application
listens in its container, and neither a rule nor docker-proxy leads there, for good. Nothing beside Docker can mend that but to end the
container, and the Swarm starts another. No request is lost by it: such a task is never READY. Each time is told among the figures.
"""

import socket
import subprocess
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

from tests.engines.swarm import Node, Swarm

LOOK_S = 2.0
LOOKS = 3  # in a row, before a port is taken for forgotten
PORT = 8000


@contextmanager
def mending(swarm: Swarm, tell: Callable[[str], None]) -> Iterator[None]:
    """As long as it is entered, tasks whose ports are forgotten are ended."""
    ended = threading.Event()
    thread = threading.Thread(target=_mend, args=(swarm, tell, ended), daemon=True)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join(10)


def _mend(swarm: Swarm, tell: Callable[[str], None], ended: threading.Event) -> None:
    seen: dict[str, Counter[str]] = {node.name: Counter() for node in swarm.nodes}
    while not ended.wait(LOOK_S):
        for node in swarm.nodes:
            with suppress(
                OSError, subprocess.SubprocessError, AssertionError, ValueError
            ):  # a node that a test has ended or frozen
                for container in forgotten(node, seen[node.name]):
                    node.docker("kill", container)
                    tell(f"{node.name}: Docker forgot the port of a task, which was ended")


def forgotten(node: Node, seen: "Counter[str]") -> list[str]:
    """Containers that listen and cannot be reached at the port that Docker tells, in so many looks. seen: how often so far."""
    if not node.program.running:
        return []
    refused = [container["Id"] for container in node.api("GET", "/containers/json") if _is_refused(node, container)]
    for container in [container for container in seen if container not in refused]:
        del seen[container]
    seen.update(refused)
    return [container for container in refused if seen[container] == LOOKS and _listens(node, container)]


def _is_refused(node: Node, container: dict[str, list[dict[str, int]]]) -> bool:
    ports = [port["PublicPort"] for port in container["Ports"] if port["PrivatePort"] == PORT and "PublicPort" in port]
    try:
        for port in ports:
            socket.create_connection((node.address, port), 0.5).close()
    except ConnectionRefusedError:
        return True
    except OSError:
        return False
    return False


def _listens(node: Node, container: str) -> bool:
    pid = node.docker("inspect", "--format={{.State.Pid}}", container).strip()
    return f":{PORT} " in node.machine.run("nsenter", f"--target={pid}", "--net", "ss", "--listening", "--numeric", "--tcp")
