"""How a container is reached: over a network that Écluse is in too, a published port, or its own address. Chosen by itself. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from ipaddress import ip_address

from autoscaler.cluster.address import Address
from autoscaler.cluster.docker.container import Attachment, Container, Published
from autoscaler.cluster.moby import labels

LOOPBACK = "127.0.0.1"
_EVERYWHERE = frozenset({"", "0.0.0.0", "::"})  # noqa: S104 - read in an answer, not listened on


@dataclass(frozen=True, slots=True)
class Ground:
    """Where Écluse stands. local: on the engine's machine. host: the engine's machine as an IP address, where it is another one.

    networks: those (name -> id) that Écluse's own container is in; None when it is in no container of this engine, or in one that
    uses its machine's own network.
    """

    local: bool = True
    host: str = ""
    networks: Mapping[str, str] | None = None
    project: str = ""  # the Compose project that Écluse's own container belongs to


@dataclass(frozen=True, slots=True)
class Reach:
    """address: "" if there is no way; then trouble says why and what to do. way: in words."""

    address: str = ""
    way: str = ""
    trouble: str = ""


def reach(container: Container, wanted_port: int, ground: Ground) -> Reach:
    """How requests get to a container that runs. wanted_port: 0 for what its label or its image says."""
    port, trouble = port_of(container, wanted_port)
    if trouble:
        return Reach(trouble=trouble)
    if ground.networks is not None:
        return _inside(container, port, ground.networks)
    places = (container.published or {}).get(port, ())
    if found := _published(places, ground):
        return Reach(str(found), f"over a port published on {found.ip}")
    if container.host_network:
        return Reach(str(Address(ground.host or LOOPBACK, port)), "over its machine's own network")
    if ground.local and (named := _first(container.attachments or {})):
        return Reach(str(Address(named[1].ip, port)), f"over its own address in network {named[0]}")
    way_out = "publish it, or run Écluse in its network"
    return Reach(trouble=f"{container.name} publishes no port {port} that can be reached from here; {way_out}")


def port_of(container: Container, wanted: int) -> tuple[int, str]:
    """The port that it listens on, or 0 and why that is not known."""
    label = container.labels.get(labels.PORT, "")
    if wanted:
        return wanted, ""
    if label:
        usable = label.isascii() and label.isdigit() and 0 < int(label) < 1 << 16
        return (int(label), "") if usable else (0, f'{container.name}: label {labels.PORT} is "{label}", not a port')
    return only_port(container.exposed, container.name)


def only_port(exposed: tuple[int, ...], name: str) -> tuple[int, str]:
    """The only exposed one, or 0 and why there is none."""
    if len(exposed) == 1:
        return exposed[0], ""
    said = f"exposes the ports {', '.join(map(str, exposed))}" if exposed else "exposes no port"
    return 0, f"{name} {said}; say with `port` which one it listens on"


def needs_publishing(ground: Ground, networks: Mapping[str, str]) -> bool:
    """Whether a container of ours in these networks (name -> id) can only be reached over a published port."""
    return ground.networks is None or not set(ground.networks.values()) & set(networks.values())


def _inside(container: Container, port: int, own: Mapping[str, str]) -> Reach:
    ids = set(own.values())
    shared = {name: end for name, end in (container.attachments or {}).items() if end.network_id in ids}
    if named := _first(shared):
        return Reach(str(Address(named[1].ip, port)), f"over the shared network {named[0]}")
    names = ", ".join(sorted(own)) or "it is in none"
    return Reach(trouble=f"{container.name} is in no network that Écluse's own container is in ({names})")


def _first(attachments: Mapping[str, Attachment]) -> tuple[str, Attachment] | None:
    return next(((name, end) for name, end in attachments.items() if end.ip), None)


def _published(places: tuple[Published, ...], ground: Ground) -> Address | None:
    """At its machine's loopback, where that is ours, or at its machine's address."""
    for place in places:
        if place.ip in _EVERYWHERE:
            return Address(LOOPBACK if ground.local else ground.host, place.port)
        if ground.local or not ip_address(place.ip).is_loopback:
            return Address(place.ip, place.port)
    return None
