"""How a task is reached: at its own address on an overlay network, or at its machine's, over a port published in host mode.

Never over the service's virtual address: it goes on sending to tasks that are being stopped, and forgets idle connections.
"""

import ipaddress
import socket
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from autoscaler.cluster.address import Address
from autoscaler.cluster.swarm.tasks import Attachment, MachineState, Task

Attached = Callable[[str], bool]

_CONTAINER = Path("/.dockerenv")  # in every container of a Docker engine


@dataclass(frozen=True, slots=True)
class Reach:
    """address: "" if there is no way to it; way: the way, or why there is none, in words."""

    address: str
    way: str


def reach(task: Task, machine: MachineState | None, port: int, network: str, attached: Attached) -> Reach:
    """Where requests for a task go. network: the one to use, by name or id; "": one that we are on, else a published port."""
    for attachment in task.attachments:
        chosen = network in {attachment.network, attachment.network_id} if network else attached(attachment.cidr)
        if chosen:
            return Reach(str(Address(attachment.cidr.partition("/")[0], port)), f"over network {_name(attachment)}")
    published = dict(task.published).get(port)
    if published and machine and machine.address and not network:
        return Reach(str(Address(machine.address, published)), f"over port {port}, published by each task's machine in host mode")
    return Reach("", _no_way(port, network))


def attached(cidr: str) -> bool:
    """Whether we run in a container that is on this network: our own address on the way there is one of it. Nothing is sent.

    Outside of containers the answer is no: a machine's own network may have the same addresses as an overlay network.
    """
    if not _CONTAINER.exists():
        return False
    there = ipaddress.ip_interface(cidr)
    with socket.socket(socket.AF_INET6 if there.version == 6 else socket.AF_INET, socket.SOCK_DGRAM) as sock:
        try:
            sock.connect((str(there.ip), 9))
        except OSError:
            return False
        return ipaddress.ip_address(sock.getsockname()[0]) in there.network


def _name(attachment: Attachment) -> str:
    return attachment.network or attachment.network_id


def _no_way(port: int, network: str) -> str:
    if network:
        return f"it is not on network {network}; attach its service to it"
    return (
        f"there is no way to its port {port}: run Écluse as a service on one of its networks, name the network, or publish the "
        f"port with mode: host"
    )
