"""What values of a configuration must be to each other: pure functions over the models, each yielding findings.

What one value must be by itself stands in `models`. The only thing looked at outside is whether the directories that are named
are there.
"""

import re
from collections.abc import Iterable, Iterator
from pathlib import Path as FilePath

from balancer.limits import REPLICAS
from sidecar.configuration import sources
from sidecar.configuration.addresses import is_loopback, split
from sidecar.configuration.balancing import balance_findings, rate_findings
from sidecar.configuration.base import hpa_spelling
from sidecar.configuration.budget_checks import budget_findings
from sidecar.configuration.document import Document
from sidecar.configuration.models import SERVICE_NAME, Engine, File, Service
from sidecar.configuration.probing import probe_findings
from sidecar.configuration.problems import Finding, Path
from sidecar.configuration.quantities import size_text
from sidecar.configuration.scaling_checks import scaling_findings
from sidecar.configuration.validation import located, way_to

_VARIABLE_NAME = "[^=\\0]{1,255}"
_SERVICES: Path = ("services",)


def check(document: Document, findings: Iterable[Finding]) -> None:
    """Add findings to the document. One that follows from a value that is wrong by itself is left out."""
    failed = {_canonical(path) for path in document.failed}
    touched = {way for path in failed for way in way_to(path)}
    for finding in findings:
        path, needs = _canonical(finding.path), [_canonical(need) for need in finding.needs]
        if not touched.intersection(needs) and not failed.intersection(way for one in (path, *needs) for way in way_to(one)):
            document.add(located(document, finding.path), finding.message, at_key=finding.at_key)


def _canonical(path: Path) -> Path:
    """The path with every key in one spelling."""
    return tuple(hpa_spelling(part) if isinstance(part, str) else part for part in path)


def findings(file: File, directory: FilePath, cores: int) -> Iterator[Finding]:
    """Everything that does not fit together. directory: what relative paths are relative to; cores: as in `Autoscale.bounds`."""
    yield from _any_service(file)
    yield from _endpoint(file, directory)
    yield from _listeners(file)
    yield from _heads(file)
    yield from _log(file, directory)
    yield from routes(file)
    for name, service in file.services.items():
        path: Path = (*_SERVICES, name)
        yield from sources.findings(file, service, path, directory)
        yield from _directory(service, path, directory)
        yield from _endpoints(service, path)
        yield from of_service(service, path)
    yield from _names(file)
    yield from _total(file, cores)
    yield from budget_findings(file)


def of_service(service: Service, path: Path) -> Iterator[Finding]:
    """What does not fit together in one service, wherever its replicas come from."""
    yield from _variables(service, path)
    yield from balance_findings(service.balance, (*path, "balance"))
    yield from rate_findings(service.rate_limits, (*path, "rate_limits"))
    for index, route in enumerate(service.routes):
        yield from rate_findings(route.rate_limits, (*path, "routes", index, "rate_limits"))
    yield from probe_findings(service.probes, (*path, "probes"))
    yield from scaling_findings(service.autoscale, (*path, "autoscale"))


def _any_service(file: File) -> Iterator[Finding]:
    """Only labels can take the place of services."""
    if file.services or (file.engine != Engine.PROCESSES and file.docker.labels):
        return
    if "services" in file.model_fields_set:
        yield Finding(_SERVICES, "must not be empty", (_SERVICES,))
    else:
        yield Finding((), 'needs the key "services"', (_SERVICES, ("engine",), ("docker", "labels")), at_key=True)


def _endpoint(file: File, directory: FilePath) -> Iterator[Finding]:
    yield from _twice(file.docker.host, ("docker", "host"))
    if file.docker.cert_path and not (directory / file.docker.cert_path).is_dir():
        yield Finding(("docker", "cert_path"), f"is not a directory: {directory / file.docker.cert_path}")
    yield from _twice(file.proxies, ("proxies",))
    afar = [proxy for proxy in file.proxies if not is_loopback(proxy)]
    if afar and not file.admin.token:
        message = f"needs a token, since {afar[0]} is not a loopback address: admin: {{token: ${{NAME}}}}, the same for all"
        yield Finding(("proxies",), message, needs=(("admin", "token"),))


def _twice(values: Iterable[str], path: Path) -> Iterator[Finding]:
    seen: set[str] = set()
    for index, value in enumerate(values):
        if value in seen:
            yield Finding((*path, index), f"{value} is given twice")
        seen.add(value)


def _listeners(file: File) -> Iterator[Finding]:
    taken: list[str] = []
    for index, address in enumerate(file.listen):
        yield from _taken(address, taken, ("listen", index))
        taken.append(address)
    yield from _taken(file.admin.listen, taken, ("admin", "listen"))
    yield from _twice(file.admin.hosts, ("admin", "hosts"))
    if not file.admin.token and not is_loopback(file.admin.listen):
        message = "needs a token beside it, since it is not a loopback address: admin: {listen: ..., token: ${NAME}}"
        yield Finding(("admin", "listen"), message, needs=(("admin", "token"),))


def _taken(address: str, taken: list[str], path: Path) -> Iterator[Finding]:
    for other in taken:
        if _overlap(address, other):
            yield Finding(path, f"{address} is taken by listen: {other}", needs=(("listen",),))
            return


def _overlap(one: str, other: str) -> bool:
    (address, port), (other_address, other_port) = split(one), split(other)
    same = address == other_address
    either = address.version == other_address.version and (address.is_unspecified or other_address.is_unspecified)
    return port == other_port != 0 and (same or either)


def _heads(file: File) -> Iterator[Finding]:
    if file.limits.request_line > file.limits.head:
        message = f"must not be less than request_line, which is {size_text(file.limits.request_line)}"
        yield Finding(("limits", "head"), message, needs=(("limits", "request_line"),))


def _log(file: File, directory: FilePath) -> Iterator[Finding]:
    if file.access_log and file.access_log.file != "-" and not (directory / file.access_log.file).parent.is_dir():
        parent = (directory / file.access_log.file).parent
        yield Finding(("access_log", "file"), f"is in a directory that does not exist: {parent}")


def routes(file: File) -> Iterator[Finding]:
    owners: dict[tuple[str, str], tuple[str, int]] = {}
    for name, service in file.services.items():
        for index, route in enumerate(service.routes):
            owner = owners.setdefault((route.host, route.path), (name, index))
            if owner != (name, index):
                yield _same_route(name, service, index, owner[0])


def _same_route(name: str, service: Service, index: int, owner: str) -> Finding:
    route, path = service.routes[index], ("services", name, "routes")
    what = f"host {route.host or '(any)'}, path {route.path}"
    needs = (path, ("services", owner, "routes"))
    if "routes" in service.model_fields_set:
        return Finding((*path, index), f"{what} is a route of services.{owner} already", needs)
    message = (
        f"gets all requests ({what}), since it has no routes; but that is a route of services.{owner} already: add routes here"
    )
    return Finding(path[:-1], message, needs, at_key=True)


def _variables(service: Service, path: Path) -> Iterator[Finding]:
    for name in service.environment:
        if not re.fullmatch(_VARIABLE_NAME, name):
            yield Finding((*path, "environment", name), "the name of a variable has 1 to 255 characters and no =", at_key=True)


def _directory(service: Service, path: Path, directory: FilePath) -> Iterator[Finding]:
    if "directory" in service.model_fields_set and not (directory / service.directory).is_dir():
        yield Finding((*path, "directory"), f"is not a directory: {directory / service.directory}")


def _endpoints(service: Service, path: Path) -> Iterator[Finding]:
    yield from _twice((endpoint.address for endpoint in service.endpoints), (*path, "endpoints"))
    yield from _twice(service.networks, (*path, "networks"))


def _names(file: File) -> Iterator[Finding]:
    for name in file.services:
        if not re.fullmatch(SERVICE_NAME, name):
            message = "a service's name has 1 to 63 letters, digits, - and _, and begins with a letter or digit"
            yield Finding(("services", name), message, at_key=True)


def _total(file: File, cores: int) -> Iterator[Finding]:
    """The scoreboard has a row for each replica of all services."""
    most = sum(_most(file.engine, service, cores) for service in file.services.values())
    if most > REPLICAS:
        message = f"may come to {most} replicas together; {REPLICAS} are the most"
        yield Finding(("services",), message, at_key=True)


def _most(engine: Engine, service: Service, cores: int) -> int:
    is_started = sources.chosen(engine, service) in sources.STARTED[engine]
    return service.autoscale.most(cores) if is_started else len(service.endpoints) or 1
