"""Real applications as `command`s, and the configuration files that run them."""

import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from tests.support import TINY_COMMAND
from tests.system.tools import tool

ROOT = Path(__file__).parent.parent.parent
SHOP = ROOT / "examples" / "shop"
NODE_APP = ROOT / "tests" / "apps" / "node_app.js"

# The first word after the script is $0; `exec` lets the shell's place be taken, so that SIGTERM reaches nginx itself.
_NGINX_SCRIPT = 'printf %s "$1" > "$2" && exec nginx -c "$2"'
_NGINX_CONF = """\
daemon off; master_process off; error_log stderr; pid DIRECTORY/{name}.pid;
events { worker_connections 512; }
http {
  access_log off;
  client_body_temp_path DIRECTORY/{name}; proxy_temp_path DIRECTORY/{name}; fastcgi_temp_path DIRECTORY/{name};
  uwsgi_temp_path DIRECTORY/{name}; scgi_temp_path DIRECTORY/{name};
  server { listen LISTEN; location / { return 200 "hello\\n"; } }
}
"""


@dataclass(frozen=True, slots=True)
class App:
    """`command(directory)`: the words of its command; the directory is for what it needs to write."""

    name: str
    command: Callable[[Path], list[str]]
    directory: Path = ROOT


def _nginx(directory: Path, listen: str = "127.0.0.1:{port}") -> list[str]:
    tool("nginx")
    conf = _NGINX_CONF.replace("DIRECTORY", str(directory)).replace("LISTEN", listen)
    return ["sh", "-c", _NGINX_SCRIPT, "nginx", conf, f"{directory}/{{name}}.conf"]


UVICORN_WORDS = [sys.executable, "-m", "uvicorn", "app:app", "--port", "{port}", "--no-access-log"]
UVICORN = App("uvicorn", lambda _: UVICORN_WORDS, SHOP)
NODE = App("node", lambda _: [tool("node"), str(NODE_APP), "{port}"])
NGINX = App("nginx", _nginx)
TINY = App("tiny", lambda _: list(TINY_COMMAND))

ON_SOCKETS = {
    app.name: app
    for app in (
        App("uvicorn", lambda _: [sys.executable, "-m", "uvicorn", "app:app", "--uds", "{socket}", "--no-access-log"], SHOP),
        App("node", lambda _: [tool("node"), str(NODE_APP), "{socket}"]),
        App("nginx", lambda directory: _nginx(directory, "unix:{socket}")),
        App("tiny", lambda _: [*TINY_COMMAND[:-1], "{socket}"]),
    )
}


def running(app: App, directory: Path, minimum: int = 1, maximum: int = 3, **more: Any) -> dict[str, Any]:
    """A service that runs an application, with quick probes. more: other keys, put into the defaults."""
    service = {
        "command": app.command(directory),
        "directory": str(app.directory),
        "probes": {"readiness": {"path": "/healthz", "interval": "250ms"}},
        "balance": {"drain_timeout": "10s", "stop_grace": "3s"},
        "autoscale": {"min_replicas": minimum, "max_replicas": maximum},
    }
    return _merged(service, more)


def written(file: Path, services: Mapping[str, Any], **more: Any) -> Path:
    """The configuration file, on ports that the system chooses. more: other keys at the top."""
    top = {"listen": "127.0.0.1:0", "admin": {"listen": "127.0.0.1:0"}, "workers": 2, "shutdown_timeout": "10s"}
    file.write_text(yaml.safe_dump({**top, **more, "services": dict(services)}, sort_keys=False))
    return file


def _merged(base: Mapping[str, Any], more: Mapping[str, Any]) -> dict[str, Any]:
    both = {key: _merged(base[key], more[key]) for key in base.keys() & more.keys() if isinstance(more[key], dict)}
    return {**base, **more, **both}
