"""The address of an endpoint: "10.0.0.5:8000", "[2001:db8::7]:80" or "unix:/run/app.sock", read and written.

Invariant: an address that was accepted here is one that a worker can connect to without resolving anything. No sockets here.
"""

import ipaddress
from dataclasses import dataclass
from pathlib import PurePosixPath
from zlib import crc32

_UNIX = "unix:"
UNIX_PATH_OCTETS = 107  # sun_path of Linux's sockaddr_un holds 108, the last of which is the end mark


@dataclass(frozen=True, slots=True)
class Address:
    """Either `ip` and `port`, or `path`. str() gives the form that the routing table uses."""

    ip: str = ""
    port: int = 0
    path: str = ""

    def __str__(self) -> str:
        if self.path:
            return f"{_UNIX}{self.path}"
        return f"[{self.ip}]:{self.port}" if ":" in self.ip else f"{self.ip}:{self.port}"

    @property
    def label(self) -> str:
        """A name for it without slashes, the same each time: the address itself, or a socket's file name and a checksum."""
        return f"{PurePosixPath(self.path).name}-{crc32(self.path.encode()):08x}" if self.path else str(self)


def parse(text: str) -> Address:
    """Read an address. Raises ValueError, in words."""
    if text.startswith(_UNIX):
        return Address(path=_socket_path(text))
    name, port = split_port(text)
    bracketed = name.startswith("[") and name.endswith("]")
    try:
        ip = ipaddress.ip_address(name.strip("[]"))
    except ValueError:
        raise ValueError(
            f'"{text}": "{name}" is not an IP address; a name goes under `dns`, to be resolved again and again'
        ) from None
    if bracketed != (ip.version == 6):
        raise ValueError(f'"{text}": brackets belong around an IPv6 address only: "{Address(str(ip), port)}"')
    return Address(ip=str(ip), port=port)


def split_port(text: str) -> tuple[str, int]:
    """The name and the port of "name:port". Raises ValueError, in words."""
    name, colon, port = text.rpartition(":")
    if not colon or not name or name.endswith(":"):
        raise ValueError(f'"{text}" is not an address with a port, such as "10.0.0.5:8000", "[::1]:8000" or "unix:/run/app.sock"')
    if not (port.isascii() and port.isdecimal() and 1 <= int(port) <= 65535):
        raise ValueError(f'"{text}": "{port}" is not a port from 1 to 65535')
    return name, int(port)


def _socket_path(text: str) -> str:
    path = text.removeprefix(_UNIX)
    if not path.startswith("/") or path.endswith("/"):
        raise ValueError(f'"{text}": a Unix socket needs an absolute path, such as "unix:/run/app.sock"')
    if "\0" in path or len(path.encode()) > UNIX_PATH_OCTETS:
        raise ValueError(f'"{text}": the path of a Unix socket has at most {UNIX_PATH_OCTETS} octets, none of them NUL')
    return path
