"""JSON documents: read, and one number found in them by a JSON Pointer (RFC 6901).

Octets in, values out; no I/O. How large a document may be is for who fetches it.
"""

import json
import re
from typing import Any, Final

from probes.signals.numbers import Unusable, kind, number, shortened

INDEX: Final = re.compile(r"0|[1-9][0-9]{0,9}")  # RFC 6901, section 4: no leading zeros
SHOWN: Final = 8  # names in a reason


def read(body: bytes) -> Any:
    """The value of the document. Raises Unusable."""
    try:
        return json.loads(body)
    except (ValueError, RecursionError) as error:  # the latter: nested by the thousand
        raise Unusable(f"the answer is no JSON: {shortened(body[:300].decode('utf-8', 'replace'))!r}") from error


def number_at(body: bytes, pointer: str) -> float:
    """The number that the pointer leads to. Raises Unusable."""
    value, way = read(body), ""
    for token in _tokens(pointer):
        value = _step(value, token, way)
        way += f"/{_escaped(token)}"
    try:
        return number(value)
    except Unusable as unusable:
        raise Unusable(f"at {pointer or 'the top of the document'}: {unusable}") from unusable


def _tokens(pointer: str) -> list[str]:
    """RFC 6901, section 4: ~1 before ~0, or "~01" would become a slash."""
    return [token.replace("~1", "/").replace("~0", "~") for token in pointer.split("/")[1:]]


def _escaped(token: str) -> str:
    return token.replace("~", "~0").replace("/", "~1")


def _step(value: Any, token: str, way: str) -> Any:
    place = shortened(f"{way}/{_escaped(token)}")
    if isinstance(value, dict):
        if token not in value:
            raise Unusable(f"the document has no {place}; there {_listed(list(value))}")
        return value[token]
    if isinstance(value, list):
        if not INDEX.fullmatch(token) or int(token) >= len(value):
            raise Unusable(f"the document has no {place}; {way or 'it'} is an array of {len(value)}")
        return value[int(token)]
    raise Unusable(f"the document has no {place}; {way or 'it'} is {kind(value)}")


def _listed(names: list[str]) -> str:
    if not names:
        return "is nothing"
    more = ", ..." if len(names) > SHOWN else ""
    return f"are: {shortened(', '.join(names[:SHOWN]))}{more}"
