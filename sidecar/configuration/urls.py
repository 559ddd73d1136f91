"""What is asked over HTTP for the values of metrics: URLs, the fields that are sent along, and which number of an answer is meant.

Each reader takes the text of a value and raises ValueError with a whole message. What may be a secret is never part of one: fields
never, and of a URL nothing that may hold credentials.
"""

import re
from urllib.parse import SplitResult, urlsplit

from sidecar.configuration.quantities import matched, wrong

URL_CHARACTERS = 2048
QUERY_CHARACTERS = 10_000
FIELDS = 50
FIELD_CHARACTERS = 4096

_FIELD_NAME = r"[!#$%&'*+.^_`|~0-9A-Za-z-]{1,256}"  # RFC 9110, section 5.6.2
_POINTER = r"(?:/(?:[^~/]|~[01])*)*"  # RFC 6901, section 3
_FRAMING = frozenset({"connection", "content-length", "transfer-encoding", "upgrade", "te", "trailer"})
_URL = "a URL such as http://prometheus:9090"


def url(value: object) -> str:
    """An absolute http or https URL without credentials and without a fragment."""
    parts = _split(value)
    if "@" in parts.netloc:
        raise ValueError(
            'has credentials in it, which would be shown in messages: send them along instead, headers: {Authorization: "${NAME}"}'
        )
    if parts.fragment:
        raise ValueError("has a part after #, which is never sent: take it out")
    return parts.geturl()


def server(value: object) -> str:
    """The URL of a server, to which a path is added."""
    text = url(value)
    if "?" in text:
        raise ValueError("must be the server's URL alone, such as http://prometheus:9090; the query goes under query")
    return text.rstrip("/")


def _split(value: object) -> SplitResult:
    """The parts of a URL. Raises ValueError, without the URL where it may hold credentials."""
    try:
        parts = urlsplit(matched(value, rf"[!-~]{{1,{URL_CHARACTERS}}}", _URL))
        right = parts.scheme in ("http", "https") and parts.hostname and parts.port != 0
    except ValueError:
        right = False
    if right:
        return parts
    raise ValueError(f"must be {_URL}") if "@" in str(value) else wrong(value, _URL)


def query(value: object) -> str:
    """A query in PromQL."""
    return matched(value, rf"(?s:(?=.*\S).{{1,{QUERY_CHARACTERS}}})", 'a query such as "sum(jobs_waiting)"')


def pointer(value: object) -> str:
    """A JSON Pointer (RFC 6901); "" is the whole document."""
    return matched(value, _POINTER, 'a JSON Pointer such as /queue/length ("" for the whole document)')


def field_value(value: object) -> str:
    """What is sent in a field. It is never shown."""
    if isinstance(value, str) and len(value) <= FIELD_CHARACTERS and re.fullmatch(r"[!-~](?:[\t -~]*[!-~])?", value):
        return value
    raise ValueError(f"must be 1 to {FIELD_CHARACTERS} visible ASCII characters, with spaces only between them")


def field_name(text: str) -> str:
    """What is wrong with a field's name, in words; "" if nothing is."""
    if text.lower() in _FRAMING:
        return "is a field of the connection itself, which cannot be chosen"
    return "" if re.fullmatch(_FIELD_NAME, text) else "the name of a header has 1 to 256 letters, digits, - and _"
