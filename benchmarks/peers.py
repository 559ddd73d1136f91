"""The programs that are compared, each as a proxy with one worker before the same origin, each adding X-Forwarded-For.

A peer that is not installed is left out; `missing` says which. Their configurations are what their own documentation recommends for a
keep-alive reverse proxy, without logs.
"""

import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from benchmarks.processes import Process, free_port

PROXY_CORE = 0
LOAD_CORE = 1

ORIGIN = """
worker_processes 1; daemon off; pid {folder}/origin.pid; error_log {folder}/origin.err;
events {{ worker_connections 8192; }}
http {{
  access_log off; keepalive_requests 1000000000; client_max_body_size 0; client_body_buffer_size 64k;
  client_body_temp_path {folder}/body; proxy_temp_path {folder}/proxy;
  fastcgi_temp_path {folder}/f; uwsgi_temp_path {folder}/u; scgi_temp_path {folder}/s;
  server {{
    listen 127.0.0.1:{port} backlog=4096 reuseport; root {folder}/files;
    location = / {{ return 200 "{small}"; }}
    location / {{ }}
  }}
}}
"""

NGINX = """
worker_processes 1; daemon off; pid {folder}/nginx.pid; error_log {folder}/nginx.err;
events {{ worker_connections 30000; }}
http {{
  access_log off; keepalive_requests 1000000000; client_max_body_size 0; proxy_request_buffering off;
  client_body_temp_path {folder}/nb; proxy_temp_path {folder}/np;
  fastcgi_temp_path {folder}/nf; uwsgi_temp_path {folder}/nu; scgi_temp_path {folder}/ns;
  upstream origin {{ server 127.0.0.1:{origin}; keepalive 128; keepalive_requests 1000000000; }}
  server {{
    listen 127.0.0.1:{port} backlog=4096 reuseport;
    location / {{
      proxy_pass http://origin; proxy_http_version 1.1; proxy_set_header Connection "";
      proxy_set_header Host $http_host; proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for; proxy_max_temp_file_size 0;
    }}
  }}
}}
"""

HAPROXY = """
global
  nbthread 1
  maxconn 4000
defaults
  mode http
  timeout connect 5s
  timeout client 60s
  timeout server 60s
  option forwardfor
  option splice-auto
  http-reuse always
frontend front
  bind 127.0.0.1:{port} backlog 4096
  default_backend back
backend back
  server origin 127.0.0.1:{origin} pool-max-conn 128
"""

ECLUSE = """
listen: 127.0.0.1:{port}
admin: {{listen: "127.0.0.1:{admin}"}}
workers: 1
services:
  origin:
    endpoints: ["127.0.0.1:{origin}"]
    probes: {{readiness: {{path: /}}}}
"""


@dataclass(frozen=True, slots=True)
class Peer:
    """A name, what it needs on the PATH, and how to start it on a port before an origin."""

    name: str
    program: str
    start: Callable[[Path, int, int], Process]

    def missing(self) -> bool:
        """Whether it is not installed."""
        return shutil.which(self.program) is None and not Path(self.program).exists()


def start_origin(folder: Path, port: int) -> Process:
    """nginx, answering from memory and from files: the replica behind every peer."""
    files = folder / "files"
    files.mkdir(exist_ok=True)
    (files / "16k").write_bytes(b"x" * 16 * 1024)
    (files / "10m").write_bytes(b"x" * 10 * 1024 * 1024)
    return start_nginx(folder, "origin", ORIGIN.format(folder=folder, port=port, small="x" * 100), LOAD_CORE)


def start_nginx(folder: Path, name: str, text: str, core: int) -> Process:
    """nginx with this configuration."""
    path = folder / f"{name}.conf"
    path.write_text(text)
    return Process(["nginx", "-c", str(path)], core, folder / f"{name}.log")


def _nginx(folder: Path, port: int, origin: int) -> Process:
    return start_nginx(folder, "nginx", NGINX.format(folder=folder, port=port, origin=origin), PROXY_CORE)


def _haproxy(folder: Path, port: int, origin: int) -> Process:
    path = folder / "haproxy.cfg"
    path.write_text(HAPROXY.format(port=port, origin=origin))
    return Process(["haproxy", "-f", str(path)], PROXY_CORE, folder / "haproxy.log")


def _forwarder(folder: Path, port: int, origin: int) -> Process:
    program = folder / "forwarder"
    if not program.exists():
        subprocess.run(["cc", "-O2", "-o", str(program), str(Path(__file__).parent / "forwarder.c")], check=True)
    return Process([str(program), str(port), str(origin)], PROXY_CORE, folder / "forwarder.log")


def _ecluse(environment: dict[str, str], label: str) -> Callable[[Path, int, int], Process]:
    def start(folder: Path, port: int, origin: int) -> Process:
        path = folder / f"{label}.yaml"
        path.write_text(ECLUSE.format(port=port, origin=origin, admin=free_port()))
        command = [sys.executable, "-m", "sidecar.cli", "run", str(path)]
        return Process(command, PROXY_CORE, folder / f"{label}.log", environment)

    return start


PEERS = (
    Peer("forwarder", "cc", _forwarder),
    Peer("nginx", "nginx", _nginx),
    Peer("haproxy", "haproxy", _haproxy),
    Peer("ecluse", sys.executable, _ecluse({}, "ecluse")),
    Peer("interpreted", sys.executable, _ecluse({"ECLUSE_PURE": "1"}, "interpreted")),
)
