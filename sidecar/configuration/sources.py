"""Where a service's replicas come from: which of its keys holds under the file's engine, and which keys go with which.

One file may serve several engines: a `command` for processes beside an `image` or `compose` for docker beside `swarm`. Pure
functions over the models, yielding findings as in `checks`.
"""

from collections.abc import Iterator
from pathlib import Path as FilePath

from autoscaler.cluster import placeholders
from sidecar.configuration import references
from sidecar.configuration.models import Engine, File, Service
from sidecar.configuration.problems import Finding, Path

FOUND = ("endpoints", "dns")  # only found, never started
STARTED = {Engine.PROCESSES: ("command",), Engine.DOCKER: ("image", "compose", "container"), Engine.SWARM: ("swarm", "image")}
SOURCES = ("command", "image", "compose", "container", "swarm", *FOUND)
_COPIED = ("compose", "container")
_IMAGE_KEYS = ("networks", "volumes", "labels", "stop_signal", "healthcheck", "pull")
_GO_WITH: dict[str, tuple[str, ...]] = {
    **dict.fromkeys(("autoscale", "resources"), SOURCES[:5]),
    "environment": ("command", "image"),
    "directory": ("command",),
    "port": ("image", *_COPIED, "swarm"),
    **dict.fromkeys(_IMAGE_KEYS, ("image",)),
}


def chosen(engine: Engine, service: Service) -> str:
    """The key that says where replicas come from under this engine; "" if none does."""
    return next((key for key in (*FOUND, *STARTED[engine]) if key in service.model_fields_set), "")


def findings(file: File, service: Service, path: Path, directory: FilePath) -> Iterator[Finding]:
    """What does not fit together in the keys of one service that say where its replicas come from."""
    given = [key for key in SOURCES if key in service.model_fields_set]
    if not given:
        message = f"needs one of {', '.join(SOURCES[:-1])} and {SOURCES[-1]}"
        yield Finding(path, message, _needs(path), at_key=True)
        return
    yield from _beside(given, path)
    yield from _engine(file.engine, service, given[0], path)
    yield from _go_with(service, given, path)
    yield from _limits(service, given, path)
    yield from _container(file.engine, service, path, directory)
    if (copied := chosen(file.engine, service)) in _COPIED:
        yield from never_zero(service, path, copied)


def _needs(path: Path) -> tuple[Path, ...]:
    return tuple((*path, key) for key in SOURCES)


def _beside(given: list[str], path: Path) -> Iterator[Finding]:
    if set(FOUND) & set(given):
        for key in given[1:]:
            yield Finding((*path, key), f"cannot stand beside {given[0]}: endpoints and dns stand alone", at_key=True)
        return
    first, *others = [key for key in STARTED[Engine.DOCKER] if key in given] or [""]
    for key in others:
        message = f"cannot stand beside {first}: containers are made from an image, or copied from those of a Compose service or from one"
        yield Finding((*path, key), message, at_key=True)


def _engine(engine: Engine, service: Service, given: str, path: Path) -> Iterator[Finding]:
    if chosen(engine, service):
        return
    fitting = [f"engine: {other}" for other in Engine if chosen(other, service)]
    what = " or ".join(STARTED[engine])
    message = f"needs {' or '.join(fitting)} at the top of the file; with engine: {engine} a service needs {what}"
    yield Finding((*path, given), message, (("engine",), *_needs(path)), at_key=True)


def _go_with(service: Service, given: list[str], path: Path) -> Iterator[Finding]:
    for key, sources in _GO_WITH.items():
        if key in service.model_fields_set and not set(sources) & set(given):
            yield Finding((*path, key), _astray(key, sources, given[0]), _needs(path), at_key=True)


def _limits(service: Service, given: list[str], path: Path) -> Iterator[Finding]:
    """Only a container that is made here can be held to limits."""
    if "image" in given or set(FOUND) & set(given):
        return
    for key in ("cpus", "memory"):
        if key in service.resources.model_fields_set:
            message = f"is a limit, which {given[0]} cannot be given here: what a replica needs goes under resources.requests"
            yield Finding((*path, "resources", key), message, _needs(path), at_key=True)


def _astray(key: str, sources: tuple[str, ...], given: str) -> str:
    if key == "port":
        return (
            "has no meaning here: replicas of a command get free ports ({port} in the command, PORT in the environment) "
            "or Unix sockets ({socket}), and endpoints and dns name their own"
        )
    what = "what can be started" if sources == SOURCES[:5] else f"a service with {' or '.join(_article(one) for one in sources)}"
    return f"is for {what} only; replicas of {given} {_made(given)}"


def _article(source: str) -> str:
    return {"command": "a command", "image": "an image"}[source]


def _made(given: str) -> str:
    made = {
        "command": "are local processes",
        "compose": "are copies of its containers",
        "container": "are copies of it",
        "swarm": "are made as that service says",
    }
    return made.get(given, "are not started here")


def _container(engine: Engine, service: Service, path: Path, directory: FilePath) -> Iterator[Finding]:
    if chosen(engine, service) == "image" and placeholders.names(service.command, placeholders.SOCKET):
        message = "names {socket}, which means nothing to a container: write {port}"
        yield Finding((*path, "command"), message, needs=(("engine",), (*path, "image")))
    for name in service.labels:
        if wrong := references.label_name(name):
            yield Finding((*path, "labels", name), wrong, at_key=True)
    yield from _volumes(service, path, directory)
    yield from _unchecked(service, path)


def _volumes(service: Service, path: Path, directory: FilePath) -> Iterator[Finding]:
    targets: set[str] = set()
    for index, volume in enumerate(service.volumes):
        target = references.volume_target(volume)
        if target in targets:
            yield Finding((*path, "volumes", index), f"{target} has a volume already")
        if references.absolute_volume(volume, directory) != volume and ":" in str(directory):
            message = (
                f"would be under {directory}, whose name has a colon that ends it there: move the file, or use a named volume"
            )
            yield Finding((*path, "volumes", index), message)
        targets.add(target)


def _unchecked(service: Service, path: Path) -> Iterator[Finding]:
    health = service.healthcheck
    if health.disable or health.test[:1] == ("NONE",):
        for key in sorted(health.model_fields_set - {"disable"}):
            if key != "test" or health.disable:
                message = "means nothing to a check that is not done; take it out"
                yield Finding((*path, "healthcheck", key), message, ((*path, "healthcheck", "disable"),), at_key=True)


def never_zero(service: Service, path: Path, copied: str) -> Iterator[Finding]:
    """Copies need what they are copied from."""
    at = (*path, "autoscale")
    key = "scale_to_zero" if service.autoscale.scale_to_zero else "min_replicas"
    if service.autoscale.bounds(1)[0] == 0 or service.autoscale.scale_to_zero:
        message = (
            f"cannot go to 0 with {copied}: containers that others made are never stopped, and replicas are copied from them"
        )
        yield Finding((*at, key), message, (("engine",), (*path, copied), at), at_key=True)
