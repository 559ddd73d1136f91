"""Makes the views that others read from what runs. Reads only; nothing here changes anything."""

import math
from typing import Final

from autoscaler import slo
from autoscaler.budget import Purse
from autoscaler.pause import stronger
from autoscaler.rules import Pause
from autoscaler.scaler import Scaler
from balancer.table import RouteEntry
from probes.signals.source import Reading
from probes.signals.spec import SignalSpec
from sidecar.running import Running
from sidecar.views import ReplicaView, ServiceView, ShareView, SignalView, SloView

RESOURCES: Final = ("replicas", "cpus", "memory")


def service_view(running: Running, now_s: float, trouble: str) -> ServiceView:
    """A service at now_s. trouble: what is wrong with where its replicas come from, in words."""
    scaler, rules, sampler = running.scaler, running.config.rules, running.sampler
    return ServiceView(
        name=running.config.name,
        engine=running.config.engine,
        scalable=scaler is not None,
        routes=tuple(route_text(route) for route in running.routes()),
        current=len(running.fleet.registry.active()),
        ready=running.ready,
        desired=running.fleet.desired or 0 if running.fleet.engine.can_scale else len(running.replicas),
        min_replicas=rules.min_replicas if rules else 0,
        max_replicas=rules.max_replicas if rules else 0,
        override=scaler.override if scaler else None,
        dry_run=bool(rules and rules.dry_run),
        pause=stronger(scaler.pause, scaler.rules.pause) if scaler else Pause.NONE,
        load=sampler.load,
        rps=sampler.rps,
        latency_p50_s=sampler.latency(50),
        latency_p95_s=sampler.latency(95),
        last_decision=scaler.decision.sentence if scaler and scaler.decision else "",
        conditions=conditions(running, trouble),
        scaling=running.scaling,
        replicas=replica_views(running, now_s),
        reading=running.reading(),
        way=running.fleet.engine.way(running.config.name),
        predictions=running.fleet.engine.predictions(running.config.name),
        signals=signal_views(running),
        start_s=scaler.starts.usual_s if scaler else None,
        coming=scaler.decision.coming if scaler and scaler.decision else "",
        wanted=scaler.decision.wanted if scaler and scaler.decision else None,
        priority=running.claim().priority,
        slo=slo_view(scaler) if scaler else None,
        ejections=dict(running.outliers.ejected),
    )


def share_views(purse: Purse | None) -> tuple[ShareView, ...]:
    """The resources that the budget limits."""
    if purse is None:
        return ()
    named = zip(RESOURCES, purse.budget.amounts, purse.used, strict=True)
    return tuple(ShareView(name, limit, used) for name, limit, used in named if limit < math.inf)


def slo_view(scaler: Scaler) -> SloView | None:
    """What a service has learned; None where it has no objective."""
    objective, learned = scaler.rules.slo, scaler.learned
    if objective is None:
        return None
    known = learned if learned.observations else None
    return SloView(
        percentile=objective.percentile,
        objective_s=objective.latency_s,
        latency_s=scaler.sampler.latency(objective.percentile),
        concurrency=known.concurrency if known else None,
        rate=known.rate if known else None,
        why=slo.told(learned, objective),
    )


def signal_views(running: Running) -> tuple[SignalView, ...]:
    """What others tell of a service, in the order of its metrics."""
    readings = running.readings()
    return tuple(
        signal_view(spec, [*readings.get(spec.name, {}).values()], running.failures(spec.name)) for spec in running.signals
    )


def signal_view(spec: SignalSpec, readings: list[Reading], failures: int) -> SignalView:
    """One signal, as the service or each of its replicas tells it."""
    values = [reading.value for reading in readings if reading.value is not None]
    ages = [reading.age_s for reading in readings if reading.age_s is not None]
    why = next((reading.why for reading in readings if reading.why), "" if readings else "no replica is ready to be asked")
    value = sum(values) / len(values) if values else None
    return SignalView(spec.name, spec.type.value, value, max(ages, default=None), why, failures)


def replica_views(running: Running, now_s: float) -> tuple[ReplicaView, ...]:
    """A service's replicas, oldest first."""
    return tuple(
        ReplicaView(
            id=replica.id,
            state=replica.state.value,
            address=replica.instance.address,
            weight=replica.instance.weight,
            age_s=now_s - replica.started_s,
            pid=replica.instance.pid,
            restarts=replica.instance.restarts,
            detail=running.fleet.detail(replica),
            reading=running.replica_reading(replica),
            usage=running.usage(replica),
            cpu=running.cpu(replica),
        )
        for replica in running.replicas
    )


def conditions(running: Running, trouble: str) -> dict[str, str]:
    """What somebody should know about, in words, by a token for machines."""
    looping = [replica.id for replica in running.replicas if replica.instance.crash_looping]
    found = {
        "crash_loop": f"{', '.join(looping)} crashed again and again; see `ecluse logs {running.config.name}`" if looping else "",
        "engine": trouble or running.fleet.trouble,
        "placement": running.fleet.engine.full(running.config.name),
        "superseded": "" if running.in_charge else "another autoscaler is in charge; this one starts and stops nothing",
        "signals": "; ".join(f"{each.name}: {each.why}" for each in signal_views(running) if each.why),
        "override": "the count is held by hand" if running.scaler and running.scaler.override is not None else "",
    }
    return {name: words for name, words in found.items() if words}


def route_text(route: RouteEntry) -> str:
    """A route as people write it: "shop.example.com/cart", "*/" for any host."""
    return f"{route.host or '*'}{route.path}"
