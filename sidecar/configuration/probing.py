"""The keys under `probes`, as pydantic models: how replicas are asked how they are. Defaults are those of `probes.spec`."""

from collections.abc import Iterator
from typing import Annotated

from pydantic import Field

from probes.spec import Kind, ProbeSpec
from sidecar.configuration import addresses, kinds
from sidecar.configuration.base import Model
from sidecar.configuration.problems import Finding, Path
from sidecar.configuration.shapes import OneOrMany, OrFalse, OrTrue

_PROBE = ProbeSpec()
_LIVENESS = ProbeSpec(interval_s=10.0, fall=3)
OF_KIND = {  # the keys that mean something to one kind of probe only
    "path": Kind.HTTP,
    "expect": Kind.HTTP,
    "host": Kind.HTTP,
    "command": Kind.EXEC,
    "service": Kind.GRPC,
}


class Probe(Model):
    """How a replica is asked."""

    path: Annotated[str, kinds.text(addresses.probe_path)] = _PROBE.path
    """The path to ask for with GET. Without one a connection is enough."""
    command: Annotated[tuple[str, ...], kinds.command()] = ()
    """What is run in the replica instead; exit status 0 passes. {port}, {socket} and {name} are replaced in local processes."""
    type: Annotated[Kind | None, kinds.choice(Kind)] = None
    """`http` (the default with a path; by itself it asks for /), `exec` (with a command), `grpc` or `tcp` (the default otherwise)."""
    service: Annotated[str, kinds.text(kinds.grpc_service)] = ""
    """For grpc: the service that the health service is asked for. Default: the server as a whole."""
    port: Annotated[int | None, kinds.whole(1, 65535)] = None
    """The port that is asked. Default: the one that gets the requests."""
    interval: Annotated[float, kinds.duration(0.05, 3600.0)] = _PROBE.interval_s
    """The time between two probes."""
    timeout: Annotated[float, kinds.duration(high=600.0)] = _PROBE.timeout_s
    """How long one probe may take."""
    expect: Annotated[
        tuple[Annotated[tuple[int, ...], kinds.statuses()], ...], Field(min_length=1, max_length=100), OneOrMany()
    ] = ()
    """The statuses that pass: 200, "200-399" (the default), or a list of such."""
    host: Annotated[str, kinds.text(addresses.host_field)] = _PROBE.host
    """The Host to send. Default: the replica's address."""

    @property
    def kind(self) -> Kind:
        """How it asks."""
        return self.type or (Kind.EXEC if self.command else Kind.HTTP if self.path else Kind.TCP)


class Readiness(Probe):
    """What makes a replica ready for requests."""

    rise: Annotated[int, kinds.whole(1, 100)] = _PROBE.rise
    """How many passes in a row make a replica ready again. A new replica needs one only."""
    fall: Annotated[int, kinds.whole(1, 100)] = _PROBE.fall
    """How many failures in a row make a replica unready."""
    start_timeout: Annotated[float, kinds.duration(high=kinds.DAY_S)] = _PROBE.start_timeout_s
    """How long a new replica may take to become ready before it is replaced."""


class Liveness(Probe):
    """What shows that a replica is alive. Who fails is restarted by the engine."""

    interval: Annotated[float, kinds.duration(0.05, 3600.0)] = _LIVENESS.interval_s
    """The time between two of these probes."""
    fall: Annotated[int, kinds.whole(1, 100)] = _LIVENESS.fall
    """How many failures in a row make a replica restart."""


class Startup(Probe):
    """What shows that a replica has started. Until it passes, nothing else is asked."""

    start_timeout: Annotated[float, kinds.duration(high=kinds.DAY_S)] = _PROBE.start_timeout_s
    """How long a new replica may take to start before it is replaced."""


class Probes(Model):
    """The probes of one service."""

    readiness: Readiness = Readiness()
    """Decides whether a replica gets requests."""
    liveness: Annotated[Liveness | None, OrFalse(), OrTrue()] = None
    """Decides whether a replica is restarted; false (the default): never for this."""
    startup: Annotated[Startup | None, OrFalse(), OrTrue()] = None
    """Decides when a new replica is asked the other two; false (the default): at once."""


def spec_of(given: Probe) -> ProbeSpec:
    """A probe as it is asked."""
    kind = given.kind
    usual = ProbeSpec()
    return ProbeSpec(
        path=(given.path or "/") if kind is Kind.HTTP else "",
        expect=tuple(sorted({status for statuses in given.expect for status in statuses})),
        interval_s=given.interval,
        timeout_s=given.timeout,
        rise=getattr(given, "rise", usual.rise),
        fall=getattr(given, "fall", usual.fall),
        host=given.host,
        start_timeout_s=getattr(given, "start_timeout", usual.start_timeout_s),
        command=given.command,
        grpc=given.service if kind is Kind.GRPC else None,
        port=given.port or 0,
    )


def probe_findings(probes: Probes, path: Path) -> Iterator[Finding]:
    """What does not fit together under `probes`."""
    for name in ("readiness", "liveness", "startup"):
        probe: Probe | None = getattr(probes, name)
        if probe is not None:
            yield from _of_one(probe, (*path, name))


def _of_one(probe: Probe, path: Path) -> Iterator[Finding]:
    kind, needs = probe.kind, tuple((*path, key) for key in ("type", "path", "command"))
    if kind is Kind.EXEC and not probe.command:
        yield Finding((*path, "type"), "needs the key command beside it: what is run in the replica", needs=needs)
    for key, owner in OF_KIND.items():
        if key in probe.model_fields_set and owner is not kind:
            what = f"{'an' if kind is Kind.EXEC else 'a'} {kind} probe" if probe.type else _without(kind)
            wanted = "take it out" if probe.type else f"add path or type: {owner}" if owner is Kind.HTTP else f"add type: {owner}"
            yield Finding((*path, key), f"means nothing to {what}; {wanted}", needs=needs, at_key=True)
    if kind is Kind.EXEC and probe.port:
        yield Finding((*path, "port"), "means nothing to an exec probe; take it out", needs=needs, at_key=True)


def _without(kind: Kind) -> str:
    return (
        "a probe without path, which only connects" if kind is Kind.TCP else f"{'an' if kind is Kind.EXEC else 'a'} {kind} probe"
    )
