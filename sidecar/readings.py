"""Differences of scoreboard readings."""

from balancer.scoreboard import ReplicaReading


def since(now: ReplicaReading, baseline: ReplicaReading) -> ReplicaReading:
    """What was counted after `baseline`. Gauges are those of now."""
    statuses = [late - early for late, early in zip(now.status, baseline.status, strict=True)]
    return ReplicaReading(
        in_flight=now.in_flight,
        busy_us=now.busy_us - baseline.busy_us,
        status=(statuses[0], statuses[1], statuses[2], statuses[3], statuses[4]),
        connect_errors=now.connect_errors - baseline.connect_errors,
        broken=now.broken - baseline.broken,
        timeouts=now.timeouts - baseline.timeouts,
        bytes_in=now.bytes_in - baseline.bytes_in,
        bytes_out=now.bytes_out - baseline.bytes_out,
        latency_sum_us=now.latency_sum_us - baseline.latency_sum_us,
        pooled=now.pooled,
        connects=now.connects - baseline.connects,
        latency=tuple(late - early for late, early in zip(now.latency, baseline.latency, strict=True)),
    )
