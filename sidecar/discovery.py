"""The services that containers and Swarm services describe by their labels, beside those of the file.

Invariants: the file goes before labels; of two that want the same name or route the first one by name gets it; labels that cannot be
used are told once, and what ran by the ones before them goes on as it was.
"""

from collections.abc import Callable, Iterator, Sequence

from autoscaler.cluster.engine import Discovered
from sidecar.config import Config, Service
from sidecar.configuration import ConfigurationErrors
from sidecar.configuration.labels import service_of

Tell = Callable[[str, str, str], None]


class Discovery:
    """`tell(kind, message, service)` of what cannot be used. cores: as in `labels.service_of`."""

    def __init__(self, tell: Tell, cores: int) -> None:
        self._tell = tell
        self._cores = cores
        self._last: dict[str, Service] = {}
        self._told: set[str] = set()

    def services(self, found: Sequence[Discovered], file: Config) -> tuple[Service, ...]:
        """Those that can run beside the file's, in the order of names."""
        complaints: dict[str, str] = {}
        read = {one.name: self._read(one, file.engine, complaints) for one in found}
        self._last = {name: service for name, service in read.items() if service}
        usable = tuple(_without_rivals(self._last, file.services, complaints))
        for message, name in complaints.items():
            if message not in self._told:
                self._tell("labels_ignored", message, name)
        self._told = set(complaints)
        return usable

    def _read(self, one: Discovered, engine: str, complaints: dict[str, str]) -> Service | None:
        try:
            return service_of(one.labels, one.name, engine, one.source, self._cores)
        except ConfigurationErrors as errors:
            former = self._last.get(one.name)
            kept = "; it goes on by its former labels" if former else ""
            complaints[f"{'; '.join(str(problem) for problem in errors.problems)}{kept}"] = one.name
            return former


def _without_rivals(read: dict[str, Service], file: Sequence[Service], complaints: dict[str, str]) -> Iterator[Service]:
    """Those whose name and routes nobody before them has."""
    names = {service.name: "the file" for service in file}
    routes = {route: f"service {service.name}" for service in file for route in service.routes}
    for origin, service in sorted(read.items()):
        rival = names.get(service.name) or next((routes[route] for route in service.routes if route in routes), "")
        if rival:
            what = f"a service {service.name}" if service.name in names else "one of its routes"
            complaints[f"the labels of {origin} are not used: {rival} has {what} already"] = service.name
            continue
        names[service.name] = f"the labels of {origin}"
        routes.update(dict.fromkeys(service.routes, f"service {service.name}"))
        yield service
