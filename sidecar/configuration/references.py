"""What container engines and their things are called: endpoints, images, volumes, networks, signals, as Docker and Compose write them.

Each reader takes the text of a value and raises ValueError with a whole message, as in `addresses`. Nothing is looked up.
"""

import os
import re
import signal
from pathlib import Path

from sidecar.configuration.addresses import UNIX_PATH_BYTES
from sidecar.configuration.problems import nearest, show
from sidecar.configuration.quantities import matched, wrong

OWN_LABELS = "ecluse."  # what labels begin with that mean something to Écluse
NAME = r"[A-Za-z0-9][A-Za-z0-9_.-]{0,62}"
CONTAINER = r"[A-Za-z0-9][A-Za-z0-9_.-]{1,127}"
PROJECT = r"[a-z0-9][a-z0-9_-]{0,62}"

_IMAGE_CHARACTERS = 512
_PART = r"[a-z0-9]+(?:(?:\.|__?|-+)[a-z0-9]+)*"
_REGISTRY = r"(?:[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)*|\[[0-9A-Fa-f:]+\])(?::[0-9]{1,5})?"
_TAG = r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}"
_IMAGE = rf"(?:{_REGISTRY}/)?{_PART}(?:/{_PART})*(?::{_TAG})?(?:@[a-z0-9+.-]+:[0-9a-f]{{32,128}})?"
_HOST_PART = r"[A-Za-z0-9_-]{1,63}(?:\.[A-Za-z0-9_-]{1,63})*|\[[0-9A-Fa-f:.]+\]"
_TCP = rf"tcp://(?:{_HOST_PART})(?::(?P<port>[0-9]{{1,5}}))?/?"
_SSH = rf"ssh://(?:[A-Za-z0-9_.-]+@)?(?:{_HOST_PART})(?::(?P<port>[0-9]{{1,5}}))?/?"
_UNIX = r"unix:///[^\s]+"
_ENDPOINT = "an endpoint such as unix:///var/run/docker.sock, tcp://10.0.0.5:2376 or ssh://user@10.0.0.5"
_REFUSED = {
    "npipe": "is a named pipe of Windows, where ecluse does not run: write tcp://, ssh:// or unix://",
    "fd": "is what dockerd is started with, not what it is reached at: write unix:///var/run/docker.sock",
    "http": "must be written with tcp://, as in DOCKER_HOST",
    "https": "must be written with tcp://, as in DOCKER_HOST, and tls_verify: true beside it",
}
_MODES = frozenset({"ro", "rw", "z", "Z", "nocopy", "consistent", "cached", "delegated"}) | {
    f"{recursive}{kind}" for recursive in ("", "r") for kind in ("shared", "slave", "private")
}
_VOLUME = "a volume as in Compose, such as data:/var/lib/app, ./app:/srv/app:ro or /tmp"


def engine_endpoint(value: object) -> str:
    """Where a Docker engine or Swarm manager is reached, as in DOCKER_HOST; a port may be left out."""
    text = matched(value, r"[^\s]{1,1024}", _ENDPOINT)
    scheme, separator, _ = text.partition("://")
    if separator and scheme in _REFUSED:
        raise ValueError(f"{show(text)} {_REFUSED[scheme]}")
    if re.fullmatch(_UNIX, text):
        return _unix_socket(text)
    found = re.fullmatch(_TCP, text) or re.fullmatch(_SSH, text)
    if not found:
        raise ValueError(f"{wrong(text, _ENDPOINT)}{_meant(text, separator)}")
    if found["port"] and not 1 <= int(found["port"]) <= 65535:
        raise wrong(text, f"{_ENDPOINT}, with a port from 1 to 65535")
    return text.removesuffix("/")


def _unix_socket(text: str) -> str:
    """The endpoint, if its path is not too long."""
    if len(text.removeprefix("unix://").encode()) > UNIX_PATH_BYTES:
        raise wrong(text, f"unix:// and an absolute path of at most {UNIX_PATH_BYTES} bytes")
    return text


def _meant(text: str, separator: str) -> str:
    if separator:
        return ""
    return f"; did you mean {'unix' if text.startswith('/') else 'tcp'}://{text[:40]}?"


def image(value: object) -> str:
    """The name of an image, with a tag or digest or without."""
    expected = "the name of an image such as shop:1.4.2 or registry.example.com/team/shop@sha256:..."
    text = matched(value, rf"[^\s]{{1,{_IMAGE_CHARACTERS}}}", expected)
    if not re.fullmatch(_IMAGE, text):
        small = text != text.lower() and re.fullmatch(_IMAGE, text.lower())
        raise wrong(text, f"{expected}, in lower case" if small else expected)
    return text


def name(value: object) -> str:
    """The name of a service, a network or an owner."""
    return matched(value, NAME, "a name of 1 to 63 letters, digits, -, _ and ., that begins with a letter or digit")


def container(value: object) -> str:
    """The name of a container."""
    return matched(
        value, CONTAINER, "a container's name: 2 to 128 letters, digits, -, _ and ., that begins with a letter or digit"
    )


def project(value: object) -> str:
    """The name of a Compose project."""
    return matched(value, PROJECT, "a Compose project's name: 1 to 63 small letters, digits, - and _")


def network(value: object) -> str:
    """The name of a network that replicas can be reached in."""
    if value == "host":
        raise ValueError("cannot be host: all replicas would have to listen on one and the same port; leave networks out")
    if value == "none":
        raise ValueError("cannot be none: a replica without a network gets no requests; leave networks out")
    return name(value)


def volume(value: object) -> str:
    """[SOURCE:]TARGET[:MODE]."""
    text = matched(value, r"[^\0\n]{1,4096}", _VOLUME)
    *source, target, mode = _parts(text)
    if any(part.startswith("~") for part in source):
        raise ValueError(f"{show(text)} has a ~, which would be another home on another machine: write the whole path")
    if not target.startswith("/") or any(not _is_source(part) for part in source):
        raise wrong(text, _VOLUME)
    unknown = [word for word in mode.split(",") if word and word not in _MODES]
    if unknown:
        near = nearest(unknown[0], sorted(_MODES))
        raise ValueError(
            f"has the mode {show(unknown[0])}; it must be ro, rw, ..." + (f'; did you mean "{near}"?' if near else "")
        )
    return text


def _parts(text: str) -> list[str]:
    """[source,] target and mode; the mode may be empty."""
    parts = text.split(":")
    if len(parts) > 3 or "" in parts:
        raise wrong(text, _VOLUME)
    return parts if len(parts) == 3 else [*parts, ""]


def _is_source(text: str) -> bool:
    return text.startswith(("/", "./", "../")) or text in (".", "..") or bool(re.fullmatch(NAME, text))


def volume_target(text: str) -> str:
    """Where in the container a volume is."""
    *_, target, _ = _parts(text)
    return target


def absolute_volume(text: str, directory: Path) -> str:
    """The volume with its source made absolute if it is a relative path."""
    source, colon, rest = text.partition(":")
    relative = colon and source.startswith(".")
    return f"{os.path.normpath(directory / source)}:{rest}" if relative else text


def stop_signal(value: object) -> str:
    """A signal by name, with SIG or without, or by number."""
    expected = "a signal such as SIGTERM, QUIT or 15"
    text = matched(value, r"[A-Za-z0-9+-]{1,15}", expected)
    if text.isdecimal():
        if not 1 <= int(text) <= signal.NSIG - 1:
            raise wrong(text, f"{expected}, from 1 to {signal.NSIG - 1}")
        return text
    known = "SIG" + text.upper().removeprefix("SIG")
    if known not in signal.Signals.__members__ and not re.fullmatch(r"SIGRTM(?:IN\+|AX-)[0-9]{1,2}", known):
        near = nearest(known, list(signal.Signals.__members__))
        raise ValueError(f"{wrong(text, expected)}" + (f'; did you mean "{near}"?' if near else ""))
    return known


def label_name(text: str) -> str:
    """What is wrong with the name of a container's label, in words; "" if nothing is."""
    if text.startswith(OWN_LABELS):
        return f"labels that begin with {OWN_LABELS} are keys of this file: write them as such, in this service"
    return "" if re.fullmatch(r"[^\s=]{1,255}", text) else "the name of a label has 1 to 255 characters, without spaces and ="
