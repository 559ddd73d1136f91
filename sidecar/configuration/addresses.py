"""Addresses, Host names and paths as people write them, checked and brought into one form.

Each reader takes the text of a value and raises ValueError with a whole message. Nothing is looked up.
"""

import re
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network

from balancer.limits import ENDPOINT_NAME
from sidecar.configuration.quantities import matched, wrong

_ADDRESS = re.compile(r"(?:\[(?P<six>[0-9A-Fa-f:.]+)\]|(?P<other>[^:\[\]]*)):(?P<port>[0-9]{1,5})")
_LABEL = r"[A-Za-z0-9_](?:[A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?"
_NAME = rf"{_LABEL}(?:\.{_LABEL})*"
_ROUTE_HOST = rf"(?:\*\.)?{_NAME}\.?|\[[0-9A-Fa-f:.]+\]"
_HOST_FIELD = rf"(?:{_NAME}|\[[0-9A-Fa-f:.]+\])(?::[0-9]{{1,5}})?"
_PATH = r"/[!-\"$->@-~]*"  # visible ASCII without # and ?
_TARGET = r"/[!-\"$-~]*"  # the same with a query
UNIX_PATH_BYTES = 107  # sun_path of unix(7), less its final zero
_EVERYWHERE = str(IPv4Address(0))
_LISTEN = "an address and port such as 8080, 127.0.0.1:8080 or [::]:8080"
_ENDPOINT = "an IP address and port such as 10.0.0.5:8000 or [::1]:8000, or a socket such as unix:/run/app.sock"


def listen(value: object) -> str:
    """An address and port, from 8080, :8080, 0.0.0.0:8080, localhost:8080 or [::]:8080.

    No address is every IPv4 address; port 0 is any free one.
    """
    text = matched(value, r"[^\s]+", _LISTEN)
    if text.isdecimal():
        text = f":{text}"
    return _joined(f"{_EVERYWHERE}{text}" if text.startswith(":") else text, _LISTEN, least=0)


def endpoint(value: object) -> str:
    """An endpoint's address in the form of `balancer.table.ReplicaEntry`."""
    text = matched(value, r"[^\s]+", _ENDPOINT)
    if not text.startswith("unix:"):
        return _joined(text, f"{_ENDPOINT} (a name that is looked up goes under dns)")
    path = text.removeprefix("unix:")
    if not path.startswith("/") or len(path.encode()) > UNIX_PATH_BYTES:
        raise wrong(value, f"unix: and an absolute path of at most {UNIX_PATH_BYTES} bytes")
    return text


def _joined(text: str, expected: str, least: int = 1) -> str:
    parts = _ADDRESS.fullmatch(text)
    port = int(parts["port"]) if parts else -1
    try:
        address = _address(parts) if parts else None
    except ValueError:
        address = None
    if address is None or not least <= port <= 65535:
        raise wrong(text, f"{expected}, with a port from {least} to 65535")
    return f"[{address}]:{port}" if address.version == 6 else f"{address}:{port}"


def _address(parts: re.Match[str]) -> IPv4Address | IPv6Address:
    if parts["six"]:
        return IPv6Address(parts["six"])
    return IPv4Address("127.0.0.1" if parts["other"] == "localhost" else parts["other"])


def split(address: str) -> tuple[IPv4Address | IPv6Address, int]:
    """The two halves of what `listen` returned."""
    name, _, port = address.rpartition(":")
    return ip_address(name.strip("[]")), int(port)


def dns(value: object) -> str:
    """A name and port, the name to be looked up again and again."""
    expected = "a name and port such as tasks.web:8000"
    text = matched(value, rf"{_NAME}:[0-9]{{1,5}}", expected)
    name, _, port = text.rpartition(":")
    if len(name) > ENDPOINT_NAME or not 1 <= int(port) <= 65535:
        raise wrong(value, f"{expected}, with at most {ENDPOINT_NAME} characters and a port from 1 to 65535")
    return text


def proxy(value: object) -> str:
    """One trusted proxy: an IP address, or a network in CIDR form."""
    expected = "an IP address or network such as 10.0.0.7, 10.0.0.0/8 or fd00::/8"
    text = matched(value, r"[0-9A-Fa-f:.]+(?:/[0-9]{1,3})?", expected)
    try:
        network = ip_network(text, strict=False)
    except ValueError:
        raise wrong(value, expected) from None
    if network.num_addresses > 1 and str(network.network_address) != str(ip_address(text.partition("/")[0])):
        raise ValueError(f"is an address inside the network {network}; write that, or the address alone")
    return text


def proxy_admin(value: object) -> str:
    """The admin API of a proxy: an IP address and port, or a name and port that is looked up again and again."""
    expected = "an address or name and a port, such as 10.0.0.7:9090 or tasks.proxy:9090"
    text = matched(value, r"[^\s]+", expected)
    if re.fullmatch(r"(?:localhost|\[.*\]|[0-9.]+):.*", text):
        return _joined(text, expected)
    if not re.fullmatch(rf"{_NAME}:[0-9]{{1,5}}", text):
        raise wrong(value, expected)
    return dns(text)


def is_loopback(address: str) -> bool:
    """Whether what `listen` or `proxy_admin` returned stays on this machine; nothing is known of a name."""
    try:
        return split(address)[0].is_loopback
    except ValueError:
        return False


def route_host(value: object) -> str:
    """A route's host in lower case, without a final dot: "shop.example.com", "*.example.com"; "" (from "*") is any."""
    if value in ("", "*"):
        return ""
    expected = "a host name such as shop.example.com or *.example.com, without a port (other letters in their xn-- form)"
    text = matched(value, _ROUTE_HOST, expected)
    if len(text) > ENDPOINT_NAME:
        raise wrong(value, f"a host name of at most {ENDPOINT_NAME} characters")
    return text.lower().removesuffix(".")


def route_path(value: object) -> str:
    """A route's path: whole segments, so that a final slash says nothing and is taken off."""
    text = matched(value, _PATH, "a path that begins with /, such as /api, in visible ASCII without ? and #")
    if "//" in text or {".", ".."} & set(text.split("/")):
        raise wrong(value, "a path without empty, . and .. segments")
    return text.rstrip("/") or "/"


def probe_path(value: object) -> str:
    """The target that a probe asks for; it may have a query."""
    return matched(value, _TARGET, "a path that begins with /, such as /healthz")


def admin_host(value: object) -> str:
    """A name or an IP address that the admin API is known by, in lower case, without brackets and final dot."""
    expected = "a host name or IP address such as admin.example.com or fd00::7, without a port"
    text = matched(value, rf"{_NAME}\.?|\[[0-9A-Fa-f:.]+\]|[0-9A-Fa-f:.]+", expected).lower().removesuffix(".")
    if ":" not in text:
        return text
    try:
        return str(IPv6Address(text.strip("[]")))
    except ValueError:
        raise wrong(value, expected) from None


def host_field(value: object) -> str:
    """What a probe sends as Host."""
    return matched(value, _HOST_FIELD, "a host name such as shop.example.com, with or without a port")
