"""The command line's way to the admin API: calls, and streams of server-sent events. httpx is used here and in `probes` only."""

import json
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import httpx

DEFAULT_URL = "http://127.0.0.1:9090"
TIMEOUT_S = 10.0
SILENCE_S = 30.0  # a stream sends a heartbeat every 10 s


class Unreachable(Exception):  # noqa: N818 - the other side's absence, said in words
    """Nothing answers there, or not in time, or it is no admin API, or it wants a (different) token."""


class Refused(Exception):  # noqa: N818 - an answer, not a fault
    """The admin API answered with an error. word: for programs; the message: for people."""

    def __init__(self, status: int, word: str, detail: str) -> None:
        super().__init__(detail)
        self.status = status
        self.word = word


@dataclass(frozen=True, slots=True)
class Message:
    """One server-sent event. kind and id are "" where it has none."""

    data: str
    kind: str = ""
    id: str = ""


class Client:
    """Calls the admin API at a URL. Use it as a context manager."""

    def __init__(self, url: str = "", token: str = "") -> None:
        """url: "" is ECLUSE_ADMIN or the default; token: "" is ECLUSE_TOKEN or none."""
        self.url = with_scheme(url or os.environ.get("ECLUSE_ADMIN") or DEFAULT_URL)
        token = token or os.environ.get("ECLUSE_TOKEN", "")
        fields = {"authorization": f"Bearer {token}"} if token else {}
        # trust_env=False: a proxy meant for the Internet must not see the way to this machine's loopback
        self._http = httpx.Client(base_url=self.url, headers=fields, timeout=TIMEOUT_S, trust_env=False)

    def __enter__(self) -> "Client":
        return self

    def __exit__(self, *_: object) -> None:
        self._http.close()

    def get(self, path: str, **query: str | float) -> Any:
        """The JSON at a path. Raises Unreachable, Refused."""
        return self._json(self._send("GET", path, params=query))

    def post(self, path: str, body: Mapping[str, Any]) -> Any:
        """What an action answers. Raises Unreachable, Refused."""
        return self._json(self._send("POST", path, json=dict(body)))

    def follow(self, path: str, **query: str | int) -> Iterator[Message]:
        """Messages as they come, until the other side ends. Raises Unreachable, Refused."""
        timeout = httpx.Timeout(TIMEOUT_S, read=SILENCE_S)
        try:
            with self._http.stream("GET", path, params={**query, "follow": 1}, timeout=timeout) as answer:
                if answer.status_code != 200:
                    answer.read()
                    self._json(answer)
                yield from messages(answer.iter_lines())
        except httpx.HTTPError as error:
            raise self._unreachable(error, SILENCE_S) from error

    def _send(self, method: str, path: str, **how: Any) -> httpx.Response:
        try:
            return self._http.request(method, path, **how)
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise self._unreachable(error, TIMEOUT_S) from error

    def _unreachable(self, error: Exception, patience_s: float) -> Unreachable:
        """patience_s: how long an answer was waited for."""
        if isinstance(error, httpx.ReadTimeout | httpx.WriteTimeout):
            return Unreachable(
                f"the admin API at {self.url} did not answer within {patience_s:g} s; ecluse is stopped or overloaded"
            )
        why = str(error) or type(error).__name__
        return Unreachable(
            f"no answer from the admin API at {self.url} ({why}); is ecluse running? --admin or ECLUSE_ADMIN says where"
        )

    def _json(self, answer: httpx.Response) -> Any:
        try:
            content = answer.json()
        except json.JSONDecodeError as error:
            raise Unreachable(f"what answers at {self.url} is no admin API of ecluse (status {answer.status_code})") from error
        if answer.status_code == 401:
            raise Unreachable(f"the admin API at {self.url} wants its token: --token or ECLUSE_TOKEN")
        if isinstance(content, dict) and "error" in content:
            raise Refused(answer.status_code, content["error"], content.get("detail", ""))
        return content


def with_scheme(url: str) -> str:
    """The URL, with http:// before it where it has no scheme."""
    return url if "://" in url else f"http://{url}"


def messages(lines: Iterator[str]) -> Iterator[Message]:
    """The events in the lines of a stream (HTML standard, section 9.2.6). Comments are passed over."""
    fields: dict[str, list[str]] = {}
    for line in lines:
        if not line:
            if "data" in fields:
                yield Message("\n".join(fields["data"]), *(fields.get(name, [""])[-1] for name in ("event", "id")))
            fields = {}
        elif not line.startswith(":"):
            name, _, value = line.partition(":")
            fields.setdefault(name, []).append(value.removeprefix(" "))
