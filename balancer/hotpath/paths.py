"""The ways in which others may read a path: decoded once or twice, with dot segments resolved, slashes merged, parameters left out.

A proxy and the application behind it that disagree about a path let a request past a rule that was made for another one
("/api/..;/admin", "/static%2f..%2fadmin"). So the router asks where each reading leads, and refuses what leads to several places.
RFC 3986 sections 2.4, 3.3, 5.2.4 and 6.2.2; backslashes as slashes are what the WHATWG URL Standard makes of them.
Pure: octets in, octets out.
"""

import re

READ_MOST = (
    2048  # octets of a path that is not plain; a longer one is refused where paths decide, since reading it costs too much
)

_UNPLAIN = re.compile(rb"%|;|\\|//|/\.")
_ESCAPE = re.compile(rb"%([0-9A-Fa-f]{2})")
_PARAMETERS = re.compile(rb";[^/]*")
_SLASHES = re.compile(rb"/{2,}")


def path_of(target: bytes) -> bytes:
    """The path in a request target in origin-form."""
    return target.partition(b"?")[0]


def is_plain(path: bytes) -> bool:
    """Whether everybody reads the path as it stands."""
    return _UNPLAIN.search(path) is None


def readings(path: bytes) -> set[bytes]:
    """Every way in which the path may be read, itself included."""
    once = decoded(path)
    found = set()
    for way in {path, once, decoded(once)}:
        for variant in (way, _PARAMETERS.sub(b"", way.replace(b"\\", b"/"))):
            found |= {variant, resolved(variant), resolved(_SLASHES.sub(b"/", variant))}
    return found


def decoded(path: bytes) -> bytes:
    """Every percent-encoded octet in plain, whatever it is."""
    return _ESCAPE.sub(_octet, path)


def resolved(path: bytes) -> bytes:
    """Without dot segments, RFC 3986 section 5.2.4."""
    kept: list[bytes] = []
    segments = path.split(b"/")[1:]
    for segment in segments:
        if segment == b"..":
            del kept[-1:]
        elif segment != b".":
            kept.append(segment)
    if segments and segments[-1] in (b".", b".."):
        kept.append(b"")
    return b"/" + b"/".join(kept)


def _octet(escape: re.Match[bytes]) -> bytes:
    return bytes((int(escape[1], 16),))
