"""Octets in, lines of text out, with a limit on the length. No I/O; the keeper imports it, so nothing heavy either."""

MAX_OCTETS = 4096  # of one line


class LineSplitter:
    """Cuts a stream into lines. A line over the limit is cut, and says so; octets that are not UTF-8 become U+FFFD."""

    def __init__(self, max_octets: int = MAX_OCTETS) -> None:
        self._max = max_octets
        self._partial = b""
        self._cut = 0

    def feed(self, octets: bytes) -> list[str]:
        """The lines that these octets complete."""
        *whole, rest = octets.split(b"\n")
        lines = []
        for part in whole:
            self._add(part)
            lines.append(self._take())
        self._add(rest)
        return lines

    def end(self) -> list[str]:
        """The last line, if it had no end."""
        return [self._take()] if self._partial else []

    def _add(self, part: bytes) -> None:
        room = self._max - len(self._partial)
        self._partial += part[:room]
        self._cut += max(0, len(part) - room)

    def _take(self) -> str:
        text = self._partial.removesuffix(b"\r").decode(errors="replace")
        note = f" [cut: {self._cut} more octets]" if self._cut else ""
        self._partial, self._cut = b"", 0
        return text + note
