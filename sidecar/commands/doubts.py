"""What in a valid configuration will probably not work, or is dangerous. It may still turn out to be right: never an error."""

import re
import shutil
from collections.abc import Iterator, Sequence
from difflib import get_close_matches
from pathlib import Path
from typing import TYPE_CHECKING, Final

from autoscaler.cluster.placeholders import NAME, PLACEHOLDERS, PORT, SOCKET

if TYPE_CHECKING:
    from sidecar.config import Config, Service

_PLACEHOLDER: Final = re.compile(r"(?<!\$)\{\w+\}")  # ${PORT} is the shell's
_PORT_VARIABLE: Final = re.compile(r"\$PORT\b|\$\{PORT\b")
_LOOPBACK: Final = re.compile(r"tcp://(?:localhost|127\.[0-9.]+|\[::1\])(?::|$)")
_SOCKET_VARIABLE: Final = re.compile(r"\$SOCKET\b|\$\{SOCKET\b")


def doubts(config: "Config") -> list[str]:
    """One sentence each, with where and what to do."""
    return [
        *(f"docker.{doubt}" for doubt in _of_endpoint(config)),
        *(f"services.{service.name}.{doubt}" for service in config.services if service.command for doubt in _of(service)),
        *(f"services.{service.name}.{doubt}" for service in config.services for doubt in _of_rules(service)),
    ]


def _of_endpoint(config: "Config") -> Iterator[str]:
    docker = config.docker
    if docker.tls_verify and docker.hosts and not any(host.startswith("tcp:") for host in docker.hosts):
        yield "tls_verify: is for tcp:// only: no host here is reached so"
    for host in docker.hosts:
        if docker.tls_verify is False and host.startswith("tcp:") and not _LOOPBACK.match(host):
            yield f"host: whoever stands between here and {host} becomes root there: give tls_verify: true and cert_path, or use ssh://"


def _of(service: "Service") -> Iterator[str]:
    known = PLACEHOLDERS if service.engine == "processes" else (PORT, NAME)
    yield from (f"command: {doubt}" for doubt in _of_command(service, known))
    for name, value in (service.environment or {}).items():
        for placeholder in {PORT, SOCKET}.intersection(known, _PLACEHOLDER.findall(value)):
            yield f"environment.{name}: {placeholder} is replaced in the command only: begin that with env {name}={value}"


def _of_rules(service: "Service") -> Iterator[str]:
    metrics = service.rules.metrics if service.rules and service.engine == "swarm" else ()
    unmeasured = [str(metric.type) for metric in metrics if metric.type in ("cpu", "memory")]
    if unmeasured:
        what, engine = " and ".join(unmeasured), service.engine
        yield f"autoscale.metrics: {what}: not measured with engine {engine} in this version, so that the count never goes down"


def _of_command(service: "Service", known: Sequence[str]) -> Iterator[str]:
    found = [name for word in service.command for name in _PLACEHOLDER.findall(word)]
    unknown = [name for name in dict.fromkeys(found) if name not in known]
    for name in unknown:
        yield f"{name} is left as it is: only {', '.join(known[:-1])} and {known[-1]} are replaced{_meant(name, known)}"
    if service.engine == "processes":
        yield from _of_process(service, found, unknown)


def _of_process(service: "Service", found: Sequence[str], unknown: Sequence[str]) -> Iterator[str]:
    if not unknown and not {PORT, SOCKET}.intersection(found):
        yield from _without_address(service)
    if not _PLACEHOLDER.search(service.command[0]) and not _program(service):
        yield f"there is no program {service.command[0]!r} {_where(service)}"


def _without_address(service: "Service") -> Iterator[str]:
    if any(map(_SOCKET_VARIABLE.search, service.command)):
        yield "names SOCKET, which is set only where {socket} stands in the command: write {socket} for it"
    elif not any(map(_PORT_VARIABLE.search, service.command)):
        yield "names no {port} or {socket}: that works only if the program reads PORT from its environment by itself"


def _meant(name: str, known: Sequence[str]) -> str:
    close = get_close_matches(name.lower(), known, n=1, cutoff=0.5)
    return f"; did you mean {close[0]}?" if close else ""


def _program(service: "Service") -> str | None:
    """Where the program is, looked for as when it is started: in the service's directory if it has a slash, else in PATH."""
    program = service.command[0]
    if "/" in program:
        return shutil.which(Path(service.directory, program))
    return shutil.which(program, path=(service.environment or {}).get("PATH"))


def _where(service: "Service") -> str:
    return f"as seen from {service.directory}" if "/" in service.command[0] else "in PATH"
