"""A registry of one image: the little of its HTTP API that `docker pull` needs, over loopback, which engines trust without TLS.

The layers come from `docker save` of an image that an engine has. It can ask for a user's name, fall silent, and wait.
"""

import base64
import gzip
import hashlib
import io
import json
import tarfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

MANIFEST = "application/vnd.docker.distribution.manifest.v2+json"


class Registry:
    """`name` is what to pull. user: "name:password" that it asks for, "" for nobody's."""

    def __init__(self, saved: bytes, user: str = "") -> None:
        self.user = user
        self.silent = threading.Event()
        self.freed = threading.Event()
        self.manifests = 0
        self.blobs: dict[str, bytes] = {}
        self.manifest = self._read(saved)
        self._listener = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._thread = threading.Thread(target=self._listener.serve_forever, args=[0.05])
        self._thread.start()

    @property
    def host(self) -> str:
        return f"127.0.0.1:{self._listener.server_port}"

    @property
    def name(self) -> str:
        return f"{self.host}/app"

    @property
    def digest(self) -> str:
        return f"sha256:{hashlib.sha256(self.manifest).hexdigest()}"

    def close(self) -> None:
        self.freed.set()
        self._listener.shutdown()
        self._listener.server_close()
        self._thread.join()

    def _read(self, saved: bytes) -> bytes:
        with tarfile.open(fileobj=io.BytesIO(saved)) as tar:
            listed = json.loads(_member(tar, "manifest.json"))[0]
            config = self._keep(_member(tar, listed["Config"]), "application/vnd.docker.container.image.v1+json")
            kind = "application/vnd.docker.image.rootfs.diff.tar.gzip"
            layers = [self._keep(gzip.compress(_member(tar, layer), 1), kind) for layer in listed["Layers"]]
        return json.dumps({"schemaVersion": 2, "mediaType": MANIFEST, "config": config, "layers": layers}).encode()

    def _keep(self, blob: bytes, kind: str) -> dict[str, Any]:
        digest = f"sha256:{hashlib.sha256(blob).hexdigest()}"
        self.blobs[digest] = blob
        return {"mediaType": kind, "size": len(blob), "digest": digest}

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        registry = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_HEAD(self) -> None:
                self.do_GET()

            def do_GET(self) -> None:
                wanted = f"Basic {base64.b64encode(registry.user.encode()).decode()}"
                last = self.path.rpartition("/")[2]
                if registry.user and self.headers.get("Authorization") != wanted:
                    self.say(401, b'{"errors": [{"message": "who are you"}]}', "application/json")
                elif self.path == "/v2/":
                    self.say(200, b"{}", "application/json")
                elif "/manifests/" in self.path and last in {"1", registry.digest}:
                    registry.manifests += 1
                    self.say(200, registry.manifest, MANIFEST)
                elif last in registry.blobs:
                    if registry.silent.is_set():
                        registry.freed.wait()
                    self.say(200, registry.blobs[last], "application/octet-stream")
                else:
                    self.say(
                        404, b'{"errors": [{"code": "MANIFEST_UNKNOWN", "message": "no such version here"}]}', "application/json"
                    )

            def say(self, status: int, body: bytes, kind: str) -> None:
                self.send_response(status)
                self.send_header("Content-Type", kind)
                self.send_header("Content-Length", str(len(body)))
                self.send_header("Docker-Content-Digest", registry.digest)
                self.send_header("Www-Authenticate", 'Basic realm="registry"')
                self.end_headers()
                if self.command == "GET":
                    self.wfile.write(body)

            def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class's name
                """Say nothing."""

        return Handler


def _member(tar: tarfile.TarFile, name: str) -> bytes:
    file = tar.extractfile(name)
    assert file
    return file.read()


@contextmanager
def registry(saved: bytes, user: str = "") -> Iterator[Registry]:
    """One for as long as the context lasts."""
    one = Registry(saved, user)
    try:
        yield one
    finally:
        one.close()
