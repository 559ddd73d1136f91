"""The least that is needed to ask an engine something directly: JSON over its Unix socket."""

import http.client
import json
import socket
from pathlib import Path
from typing import Any

_DEADLINE_S = 60


class RefusedError(Exception):
    """The engine answered with an error: `status`, and its message as the text."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


class _Connection(http.client.HTTPConnection):
    def __init__(self, path: Path) -> None:
        super().__init__("engine", timeout=_DEADLINE_S)
        self._path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(_DEADLINE_S)
        self.sock.connect(str(self._path))


def ask(path: Path, method: str, target: str, body: object = None) -> Any:
    """What the engine answers, read as JSON; None if it says nothing. Raises RefusedError, or OSError while nobody listens."""
    connection = _Connection(path)
    try:
        text = "" if body is None else json.dumps(body)
        connection.request(method, f"/v1.41{target}", text, {"Content-Type": "application/json"})
        answer = connection.getresponse()
        said = answer.read()
    finally:
        connection.close()
    if answer.status >= 400:
        raise RefusedError(answer.status, json.loads(said)["message"])
    return json.loads(said) if said.strip() else None
