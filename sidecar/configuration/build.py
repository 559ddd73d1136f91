"""The models turned into `sidecar.config.Config`: every default filled in, every relative path made absolute. Nothing can fail here."""

import math
from dataclasses import replace
from pathlib import Path

from autoscaler.budget import Budget
from autoscaler.cluster.engine import Clone, Copy, Healthcheck, Image, Source, SwarmService
from balancer.limits import Limits, Timeouts
from balancer.table import Affinity, By, Per, RateLimit, Retries, Settings
from probes.outliers import EjectionSpec
from sidecar.config import Config, Docker, Route, Service
from sidecar.configuration import balancing, containers, models, scaling, sources
from sidecar.configuration.probing import spec_of
from sidecar.configuration.references import absolute_volume
from sidecar.configuration.rules import rules_of, signals_of


def build(file: models.File, source: str, directory: Path, cores: int, state: str) -> Config:
    """The configuration. directory: what relative paths are relative to; cores: those that the program may use; state: the directory
    for it where the file names none."""
    return Config(
        source=source,
        services=tuple(_service(name, service, file.engine, directory, cores) for name, service in file.services.items()),
        engine=file.engine.value,
        listen=tuple(file.listen),
        admin_listen=file.admin.listen,
        admin_token=file.admin.token,
        admin_hosts=file.admin.hosts,
        workers=file.workers,
        shutdown_timeout_s=file.shutdown_timeout,
        settings=_settings(file, directory),
        docker=_docker(file.docker, directory),
        proxies=file.proxies,
        state=state if file.state is None else _kept_in(file.state, directory),
        budget=Budget(**file.budget.model_dump()) if file.budget else None,
    )


def _kept_in(state: str, directory: Path) -> str:
    return str(directory / state) if state else ""


def _docker(given: containers.Docker, directory: Path) -> Docker:
    cert_path = str(directory / given.cert_path) if given.cert_path else ""
    return Docker(given.host, cert_path, given.tls_verify, given.owner, given.labels)


def _settings(file: models.File, directory: Path) -> Settings:
    log = file.access_log
    return Settings(
        limits=Limits(**file.limits.model_dump()),
        timeouts=Timeouts(**{f"{name}_s": seconds for name, seconds in file.timeouts.model_dump().items()}),
        trusted_proxies=tuple(file.trusted_proxies),
        access_log="" if log is None else "-" if log.file == "-" else str(directory / log.file),
        access_log_format=(log.format if log else models.LogFormat.JSON).value,
    )


def _service(name: str, given: models.Service, engine: models.Engine, directory: Path, cores: int) -> Service:
    key = sources.chosen(engine, given)
    started = key in sources.STARTED[engine]
    return replace(
        common(name, given),
        engine=engine.value if started else "dns" if key == "dns" else "fixed",
        source=_source(key, given, directory),
        command=given.command if key in ("command", "image") else (),
        environment=dict(given.environment) if key in ("command", "image") else {},
        directory=str(directory / given.directory) if key == "command" else "",
        endpoints=tuple((endpoint.address, endpoint.weight) for endpoint in given.endpoints),
        dns=given.dns,
        rules=rules_of(given.autoscale, cores) if started else None,
        signals=signals_of(given.autoscale) if started else (),
    )


def common(name: str, given: models.Service) -> Service:
    """A service without where its replicas come from, and so without rules."""
    balance, zero = given.balance, given.autoscale.scale_to_zero or scaling.ScaleToZero()
    return Service(
        name=name,
        routes=tuple(_route(route) for route in given.routes),
        rates=_rates(given.rate_limits),
        policy=balance.policy,
        max_concurrency=balance.max_concurrency,
        queue=balance.queue,
        queue_timeout_s=balance.queue_timeout,
        drain_timeout_s=balance.drain_timeout,
        stop_grace_s=balance.stop_grace,
        adaptive=balance.adaptive_concurrency,
        total_s=balance.deadline,
        hedge_s=balance.hedge_after,
        slow_start_s=balance.slow_start,
        retries=_retries(balance.retries),
        affinity=_affinity(name, balance),
        ejection=_ejection(balance.ejection) if balance.ejection else None,
        hold_timeout_s=zero.wake_timeout,
        max_held=zero.max_held,
        readiness=spec_of(given.probes.readiness),
        startup=spec_of(given.probes.startup) if given.probes.startup else None,
        liveness=spec_of(given.probes.liveness) if given.probes.liveness else None,
        request=(given.resources.requests.cpus or 0.0, given.resources.requests.memory or 0),
        cost=_cost(given.resources),
    )


def _route(given: balancing.Route) -> Route:
    return Route(given.host, given.path, given.priority, given.body, _rates(given.rate_limits))


def _rates(given: tuple[balancing.RateLimit, ...]) -> tuple[RateLimit, ...]:
    """Without a burst, what comes in a second may come at once."""
    return tuple(
        RateLimit(
            per=each.per or (Per.HEADER if each.header else Per.ADDRESS),
            rate=each.rate,
            burst=each.burst or max(1, math.ceil(each.rate)),
            name=each.header,
        )
        for each in given
    )


def _retries(given: balancing.Retries) -> Retries:
    return Retries(given.attempts, given.budget, given.least, given.try_timeout)


def _ejection(given: balancing.Ejection) -> EjectionSpec:
    return EjectionSpec(
        failures=given.failures,
        interval_s=given.interval,
        least=given.requests,
        failure_margin=given.failure_margin,
        latency_factor=given.latency_factor,
        base_s=given.time,
        longest_s=given.longest,
        panic=given.panic_threshold,
    )


def _affinity(service: str, given: balancing.Balance) -> Affinity:
    if given.sticky:
        key = given.sticky.key.encode().hex()
        return Affinity(By.SESSION, given.sticky.cookie or f"ecluse_{service}", key, _attributes(given.sticky))
    if given.hash and given.hash.chosen:
        by = By(given.hash.chosen[0])
        name = "" if by is By.ADDRESS else getattr(given.hash, by)
        return Affinity(by, name, load=given.hash.load)
    return Affinity()


def _attributes(given: balancing.Sticky) -> str:
    """What follows a cookie's value, RFC 6265 section 4.1."""
    age = f"; Max-Age={given.max_age:.0f}" if given.max_age else ""
    secure = "; Secure" if given.secure else ""
    return f"; Path=/; HttpOnly{age}{secure}; SameSite={given.same_site.capitalize()}"


def _cost(given: containers.Resources) -> tuple[float, int]:
    return given.requests.cpus or given.cpus or 0.0, given.requests.memory or given.memory or 0


def _source(key: str, given: models.Service, directory: Path) -> Source | None:
    port = given.port or 0
    match key:
        case "image":
            return _image(given, port, directory)
        case "compose":
            return Clone(given.compose.service, given.compose.project, port)
        case "container":
            return Copy(given.container, port)
        case "swarm":
            return SwarmService(given.swarm.service, port, given.swarm.network)
    return None


def _image(given: models.Service, port: int, directory: Path) -> Image:
    return Image(
        name=given.image,
        port=port,
        networks=given.networks,
        volumes=tuple(absolute_volume(volume, directory) for volume in given.volumes),
        cpus=given.resources.cpus or 0.0,
        memory=given.resources.memory or 0,
        labels=dict(given.labels),
        stop_signal=given.stop_signal,
        healthcheck=_health(given.healthcheck) if "healthcheck" in given.model_fields_set else None,
        pull=given.pull,
    )


def _health(given: containers.Healthcheck) -> Healthcheck:
    test = ("NONE",) if given.disable else given.test
    return Healthcheck(test, given.interval, given.timeout, given.retries, given.start_period)
