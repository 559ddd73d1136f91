"""A pull's messages, read into how far it is. Pure."""

from typing import Any

Json = dict[str, Any]

LAYERS = 1024  # of one image that are counted
_DONE = frozenset({"Pull complete", "Already exists"})


class Progress:
    """Of one image."""

    def __init__(self) -> None:
        self._got: dict[str, int] = {}
        self._sizes: dict[str, int] = {}
        self._done: set[str] = set()
        self._status = ""

    def take(self, message: Json) -> str:
        """One message. Returns what went wrong, in the registry's words; "" if nothing did."""
        if message.get("error") or message.get("errorDetail"):
            return str((message.get("errorDetail") or {}).get("message") or message["error"])
        layer, status = str(message.get("id") or ""), str(message.get("status") or "")
        detail = message.get("progressDetail") or {}
        if status in _DONE and len(self._done) < LAYERS:
            self._done.add(layer)
            self._got[layer] = self._sizes.get(layer, 0)
        elif status == "Downloading" and detail.get("total") and len(self._sizes) < LAYERS:
            self._got[layer], self._sizes[layer] = int(detail.get("current") or 0), int(detail["total"])
        elif not layer:
            self._status = status
        return ""

    def words(self) -> str:
        """How far it is."""
        if not self._sizes:
            return self._status or f"{len(self._done)} layers done"
        got, size = sum(self._got.values()), sum(self._sizes.values())
        return f"{got / 1e6:.1f} of {size / 1e6:.1f} MB, {len(self._done)} layers done"
