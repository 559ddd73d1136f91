"""Where the cluster's endpoint is: what DOCKER_HOST and its relatives mean, as the docker command reads them. Opens nothing."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

LOCAL = "unix:///var/run/docker.sock"
PORT, TLS_PORT = 2375, 2376
_CERTIFICATES = ("ca.pem", "cert.pem", "key.pem")


@dataclass(frozen=True, slots=True)
class Tls:
    """A folder with ca.pem, cert.pem and key.pem. verify: whether the other side must show a certificate that ca.pem vouches for."""

    folder: Path
    verify: bool


@dataclass(frozen=True, slots=True)
class Where:
    """One engine's address: "unix:///run/docker.sock", "tcp://10.0.0.1:2376", "ssh://user@10.0.0.1"."""

    url: str
    tls: Tls | None = None

    @property
    def local(self) -> bool:
        """Whether the engine is on this machine for certain, so that its loopback and its bridges are ours."""
        return self.url.startswith("unix://") or self.host in {"127.0.0.1", "::1", "localhost"}

    @property
    def host(self) -> str:
        """The name or address of the engine's machine, "" for a socket."""
        return "" if self.url.startswith("unix://") else urlsplit(self.url).hostname or ""


def managers(hosts: Sequence[str], cert_path: str, tls_verify: bool | None, environment: Mapping[str, str]) -> tuple[Where, ...]:
    """The engines to try in turn: those that are configured, else those in DOCKER_HOST, separated by commas, else the local socket.

    cert_path "" and tls_verify None are what DOCKER_CERT_PATH and DOCKER_TLS_VERIFY say. Raises ValueError, in words.
    """
    named = [host for host in hosts or environment.get("DOCKER_HOST", "").split(",") if host.strip()]
    tls = _tls(cert_path or environment.get("DOCKER_CERT_PATH", ""), tls_verify, environment)
    return tuple(_where(host.strip(), tls) for host in named or [LOCAL])


def _tls(cert_path: str, verify: bool | None, environment: Mapping[str, str]) -> Tls | None:
    """As the docker command: TLS is on with a folder of certificates or with DOCKER_TLS_VERIFY set to anything but ""."""
    wanted = bool(environment.get("DOCKER_TLS_VERIFY")) if verify is None else verify
    if not cert_path and not wanted:
        return None
    home = Path(environment.get("HOME", "/"))
    return Tls(Path(cert_path) if cert_path else home / ".docker", wanted)


def _where(host: str, tls: Tls | None) -> Where:
    scheme, separator, rest = host.partition("://")
    if not separator:
        scheme, rest = "tcp", host
    if scheme == "unix":
        return Where(f"unix://{rest}" if rest else LOCAL)
    if scheme == "ssh":
        return _ssh(host, rest)
    if scheme in {"tcp", "http", "https"}:
        return _tcp(host, rest, tls)
    raise ValueError(f'"{host}": the endpoint of a cluster is unix:///PATH, tcp://HOST:PORT or ssh://USER@HOST, not {scheme}://')


def _ssh(host: str, rest: str) -> Where:
    if not rest or "/" in rest.rstrip("/"):
        raise ValueError(f'"{host}": ssh:// takes USER@HOST or USER@HOST:PORT and no path')
    return Where(f"ssh://{rest.rstrip('/')}")


def _tcp(host: str, rest: str, tls: Tls | None) -> Where:
    try:
        parts = urlsplit(f"//{rest}")
        name, port = parts.hostname or "127.0.0.1", parts.port or (TLS_PORT if tls else PORT)
    except ValueError as error:
        raise ValueError(f'"{host}": {error}') from None
    if tls and (missing := [name for name in _CERTIFICATES if not (tls.folder / name).is_file()]):
        raise ValueError(f'"{host}" with TLS needs {", ".join(missing)} in {tls.folder} (docker.cert_path, DOCKER_CERT_PATH)')
    return Where(f"tcp://[{name}]:{port}" if ":" in name else f"tcp://{name}:{port}", tls)
