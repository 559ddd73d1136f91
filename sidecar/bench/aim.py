"""Where a load goes: a URL, or the way to a service through the running ecluse. Pure."""

import ipaddress
import re
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

_ANY_NAME = "bench"  # stands for * in *.example.com


@dataclass(frozen=True, slots=True)
class Aim:
    """fields: header fields that lead to it. service: its name, "" for a URL."""

    url: str
    fields: tuple[str, ...] = ()
    service: str = ""


def is_url(word: str) -> bool:
    """Whether it is a URL or an address; names of services have none of these marks."""
    return any(mark in word for mark in ":/.[")


def with_path(url: str, path: str) -> str:
    """The URL with another path. path: "" leaves it as it is."""
    if not path:
        return url
    text = url.removeprefix("http://")
    if text.startswith("unix:"):
        return f"unix:{text.removeprefix('unix:').partition(':')[0]}:{path}"
    return re.split("[/?#]", text, maxsplit=1)[0] + path


def of_service(overview: dict[str, Any], service: dict[str, Any], admin_url: str, path: str) -> Aim:
    """The way to a service by its views in the admin API. path: "" is the route's own. Raises ValueError, in words."""
    name, routes = service["name"], [_split(route) for route in service["routes"]]
    found = [(host, under) for host, under in routes if not path or _is_below(path, under)]
    if not found:
        raise ValueError(f"no route of {name} leads to {path or '/'}; there are: {', '.join(service['routes']) or 'none'}")
    host, under = found[0]
    fields = (f"Host: {host.replace('*', _ANY_NAME)}",) if host != "*" else ()
    return Aim(f"http://{_reachable(overview['listen'][0], admin_url)}{path or under}", fields, name)


def _split(route: str) -> tuple[str, str]:
    """Host and path of a route as `status.route_text` writes it."""
    host, _, path = route.partition("/")
    return host, f"/{path}"


def _is_below(path: str, under: str) -> bool:
    plain = path.partition("?")[0]
    return under == "/" or plain == under or plain.startswith(f"{under}/")


def _reachable(listen: str, admin_url: str) -> str:
    """An address to connect to: who listens everywhere is where its admin API is."""
    address, _, port = listen.rpartition(":")
    if not ipaddress.ip_address(address.strip("[]")).is_unspecified:
        return listen
    name = urlsplit(admin_url).hostname or "127.0.0.1"
    return f"[{name}]:{port}" if ":" in name else f"{name}:{port}"
