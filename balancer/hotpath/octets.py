"""Finding, cutting and comparing in octets: the handful of operations that reading a head is made of.

This is the interpreted build's side, made of the methods of `bytes`. Compiled modules take the functions of the same names from
`octets.pxd`, which work on memory; both behave alike, and every test of the parsers runs on both. Invariants: no I/O; no knowledge of HTTP
but what a line, a token and a field value are made of. The only state is a bounded memo of field lines that were valid.
"""

import re
from collections.abc import Callable

# A field line: token, colon, value. No white space before the colon, no folding, no control characters (RFC 9112 section 5).
_LINE = re.compile(rb"[!#$%&'*+\-.^_`|~0-9A-Za-z]+:[\t\x20-\x7e\x80-\xff]*")
LINES_MOST = 4096
_MEMO_OCTETS = 256
_colons: dict[bytes, int] = {}  # of lines seen before: where the name ends


def find(data: bytes, octet: int, start: int, end: int) -> int:
    """Where the octet stands first in data[start:end], or -1."""
    return data.find(octet, start, end)


def count(data: bytes, octet: int) -> int:
    """How often the octet stands in the data."""
    return data.count(octet)


def find_head_end(data: bytes, start: int) -> int:
    """Where the empty line after a head begins, or -1."""
    return data.find(b"\r\n\r\n", start)


def cut(data: bytes, start: int, end: int) -> bytes:
    """data[start:end]."""
    return data[start:end]


def lower(data: bytes, start: int, end: int) -> bytes:
    """data[start:end] in lower case."""
    return data[start:end].lower()


def trimmed(data: bytes, start: int, end: int) -> bytes:
    """data[start:end] without white space around it (RFC 9110 section 5.6.3)."""
    return data[start:end].strip(b" \t")


def same(data: bytes, start: int, end: int, other: bytes) -> bool:
    """Whether data[start:end] is `other`."""
    return data[start:end] == other


def only(data: bytes, start: int, end: int, table: bytes) -> bool:
    """Whether every octet of data[start:end] is one to which the table (256 octets) gives anything but 0."""
    return 0 not in data[start:end].translate(table)


def join(data: bytes, end: int, second: bytes, third: bytes) -> bytes:
    """data[:end] + second + third."""
    return data[:end] + second + third


def append(first: bytes, data: bytes, start: int) -> bytes:
    """first + data[start:]."""
    return first + data[start:]


def without(data: bytes, start: int, end: int) -> bytes:
    """data without data[start:end], which stands in it."""
    return data[:start] + data[end:]


def changed_lines(old: bytes, new: bytes) -> tuple[int, int, int]:
    """Where two texts of whole lines differ, as whole lines: old[start:old_end] stands in place of new[start:new_end]."""
    most = min(len(old), len(new))
    same_before = _longest(most, lambda size: old[:size] == new[:size])
    same_after = _longest(most - same_before, lambda size: old[len(old) - size :] == new[len(new) - size :])
    start = old.rfind(b"\n", 0, same_before) + 1
    old_end, new_end = len(old) - same_after, len(new) - same_after
    if (old_end and old[old_end - 1] != 0x0A) or (new_end and new[new_end - 1] != 0x0A):
        line_end = old.find(b"\n", old_end)
        rest = (line_end + 1 if line_end >= 0 else len(old)) - old_end
        old_end, new_end = old_end + rest, new_end + rest
    return start, old_end, new_end


def _longest(most: int, holds: Callable[[int], bool]) -> int:
    """The largest size up to `most` for which it holds; it holds for 0, and for every size below one for which it does."""
    least = 0
    while least < most:
        middle = (least + most + 1) // 2
        if holds(middle):
            least = middle
        else:
            most = middle - 1
    return least


def noted_lines(block: bytes, start: int, end: int, noted: bytes) -> list[tuple[int, int, int]] | None:
    """The lines in block[start:end] whose names may be among those to note; None: what stands there is not whole and valid lines.

    Each is given as (start, colon, end), end being after its CRLF. noted: 1 for each shape of a name to note, by length << 5 | initial,
    six and five bits of them.
    """
    found = []
    for line in block[start:end].split(b"\r\n"):
        size = len(line)
        if not size:
            break
        colon = _colons.get(line) or _colon_of(line)
        if not colon:
            return None
        if noted[colon << 5 & 0x7E0 | line[0] & 31]:
            found.append((start, start + colon, start + size + 2))
        start += size + 2
    return found if start == end else None


def _colon_of(line: bytes) -> int:
    """Where the name of a field line ends; 0: the line is not valid."""
    if _LINE.fullmatch(line) is None:
        return 0
    colon = line.index(b":")
    if len(line) <= _MEMO_OCTETS:
        if len(_colons) >= LINES_MOST:
            _colons.clear()
        _colons[line] = colon
    return colon
