"""Where a load goes: a URL becomes an address to connect to, a Host and a path. Only names are looked up here."""

import socket
from dataclasses import dataclass, replace
from urllib.parse import SplitResult, urlsplit

CONNECT_S = 5.0
Place = tuple[int, "tuple[str, int] | str"]  # an address family, and an address of that family as connect() takes it


class Nobody(Exception):  # noqa: N818 - said in words, not a fault of the program
    """Nothing accepts connections there, or the name has no address."""


@dataclass(frozen=True, slots=True)
class Target:
    """places: where to connect to; the first one is used. authority: what Host says. path: with the query."""

    places: tuple[Place, ...]
    authority: str
    path: str

    @property
    def address(self) -> str:
        """The address as people write it."""
        return written(self.places[0])


def written(place: Place) -> str:
    """127.0.0.1:8000, [::1]:8000 or unix:/run/app.sock."""
    address = place[1]
    if isinstance(address, str):
        return f"unix:{address}"
    return f"[{address[0]}]:{address[1]}" if ":" in address[0] else f"{address[0]}:{address[1]}"


def parse(url: str) -> Target:
    """The target of http://ADDRESS[:PORT][/PATH] or unix:FILE[:/PATH]; http:// may be left out. Raises ValueError, Nobody."""
    text = url.removeprefix("http://")
    if text.startswith("unix:"):
        return _socket_file(url, text.removeprefix("unix:"))
    scheme, mark, _ = text.partition("://")
    if mark and "/" not in scheme:
        raise ValueError(f"{url}: {_no_scheme(scheme)}")
    parts = urlsplit(f"http://{text}")
    name, port = _name_and_port(url, parts)
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    return Target(_look_up(name, port), parts.netloc, checked_path(path))


def _no_scheme(scheme: str) -> str:
    if scheme == "https":
        return "TLS is not spoken here; give the http:// address behind whatever ends TLS"
    return f"{scheme} is not http; give http://ADDRESS:PORT/PATH or unix:FILE"


def _name_and_port(url: str, parts: SplitResult) -> tuple[str, int]:
    try:
        name, port = parts.hostname, parts.port
    except ValueError as error:
        raise ValueError(f"{url}: {error}") from error
    if not name:
        raise ValueError(f"{url}: there is no address in it; such as http://127.0.0.1:8000/")
    if "@" in parts.netloc:
        raise ValueError(f"{url}: give a name and password with --header 'Authorization: Basic ...'")
    return name, 80 if port is None else port


def _socket_file(url: str, text: str) -> Target:
    """nginx writes such addresses so: unix:FILE:/PATH."""
    file, _, path = text.partition(":")
    if not file.startswith("/"):
        raise ValueError(f"{url}: a Unix socket needs an absolute path, such as unix:/run/app.sock")
    return Target(((socket.AF_UNIX, file),), "localhost", checked_path(path or "/"))


def checked_path(path: str) -> str:
    """The path if it can stand in a request line. Raises ValueError."""
    if not path.startswith("/") or not path.isascii() or any(octet <= " " or octet == "\x7f" or octet == "#" for octet in path):
        raise ValueError(f"the path {path!r} must begin with / and be percent-encoded: visible ASCII without #")
    return path


def _look_up(name: str, port: int) -> tuple[Place, ...]:
    try:
        found = socket.getaddrinfo(name, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        raise Nobody(f"the name {name} has no address: {error}") from error
    return tuple((family, (str(address[0]), int(address[1]))) for family, _, _, _, address in found)


def reachable(target: Target) -> Target:
    """The target with the first of its places that accepts a connection: localhost is ::1 and 127.0.0.1. Raises Nobody."""
    reasons = []
    for family, address in target.places:
        with socket.socket(family, socket.SOCK_STREAM) as sock:
            sock.settimeout(CONNECT_S)
            try:
                sock.connect(address)
            except OSError as error:
                reasons.append(f"{written((family, address))} ({(error.strerror or str(error)).lower()})")
            else:
                return replace(target, places=((family, address),))
    raise Nobody(f"nothing accepts connections at {', '.join(reasons)}; is the application running, and there?")
