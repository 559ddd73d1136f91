"""Which credentials go with a service that is made: those for its image's registry, from Docker's configuration file, and no others."""

import base64
import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from autoscaler.cluster.moby.api import Api
from autoscaler.cluster.moby.where import Where

SPEC = {"TaskTemplate": {"ContainerSpec": {"Image": "registry.example.com/app:1"}}}
HEADER = "X-Registry-Auth"


class Manager(HTTPServer):
    """Answers everything, and writes down the credentials that came with each request."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Answers)
        self.seen: list[str] = []


class Answers(BaseHTTPRequestHandler):
    server: Manager

    def do_GET(self) -> None:
        self._say({"ApiVersion": "1.41"})

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        self.server.seen.append(self.headers.get(HEADER, ""))
        self._say({"ID": "s1"})

    def _say(self, answer: object) -> None:
        octets = json.dumps(answer).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(octets)))
        self.end_headers()
        self.wfile.write(octets)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name that its parent uses
        """Nothing."""


@pytest.fixture
def manager() -> Iterator[Manager]:
    with Manager() as one:
        thread = threading.Thread(target=one.serve_forever)
        thread.start()
        yield one
        one.shutdown()
        thread.join()


def test_a_registrys_credentials_go_with_its_images_only(
    manager: Manager, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    auth = base64.b64encode(b"ann:secret").decode()
    (tmp_path / "config.json").write_text(json.dumps({"auths": {"registry.example.com": {"auth": auth}}}))
    monkeypatch.setenv("DOCKER_CONFIG", str(tmp_path))
    api = Api(Where(f"tcp://127.0.0.1:{manager.server_port}"))
    api.create_service(SPEC)
    api.create_service({"TaskTemplate": {"ContainerSpec": {"Image": "other.example.com/app:1"}}})
    api.update_service("s1", 7, SPEC, "registry.example.com/app:2")
    api.update_service("s1", 7, SPEC)
    api.close()
    given = json.loads(base64.urlsafe_b64decode(manager.seen[0]))
    assert (given["username"], given["password"]) == ("ann", "secret")
    assert manager.seen == [manager.seen[0], "", manager.seen[0], ""]
