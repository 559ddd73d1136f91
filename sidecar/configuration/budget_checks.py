"""What a budget and the services that share it must be to each other, as `checks`: pure, yielding findings."""

from collections.abc import Iterator
from typing import Final

from sidecar.configuration import sources
from sidecar.configuration.models import File, Service
from sidecar.configuration.problems import Finding, Path

BUDGET: Final[Path] = ("budget",)
RESOURCES: Final = ("cpus", "memory")


def budget_findings(file: File) -> Iterator[Finding]:
    """Everything that does not fit together."""
    if file.budget is None:
        return
    if file.budget.replicas is file.budget.cpus is file.budget.memory is None:
        yield Finding(BUDGET, "needs replicas, cpus or memory: what all services may have together", at_key=True)
    shared = {
        name: service
        for name, service in file.services.items()
        if sources.chosen(file.engine, service) in sources.STARTED[file.engine]
    }
    yield from _costs(file, shared)
    yield from _minimums(file, shared)


def _costs(file: File, shared: dict[str, Service]) -> Iterator[Finding]:
    """What a replica takes must be known, or it would take nothing."""
    for resource in RESOURCES:
        for name, service in shared.items():
            if getattr(file.budget, resource) and not _cost(service, resource):
                message = f"needs resources.requests.{resource}: what a replica takes of budget.{resource}"
                yield Finding(("services", name), message, at_key=True)


def _minimums(file: File, shared: dict[str, Service]) -> Iterator[Finding]:
    """They are guaranteed, so they must fit."""
    least = {name: service.autoscale.bounds(1)[0] for name, service in shared.items()}
    for resource in ("replicas", *RESOURCES):
        limit = getattr(file.budget, resource)
        taken = sum(count * (1 if resource == "replicas" else _cost(shared[name], resource)) for name, count in least.items())
        if limit is not None and taken > limit:
            yield Finding((*BUDGET, resource), f"must not be less than what all min_replicas take together, which is {taken:g}")


def _cost(service: Service, resource: str) -> float:
    return getattr(service.resources.requests, resource) or getattr(service.resources, resource) or 0
