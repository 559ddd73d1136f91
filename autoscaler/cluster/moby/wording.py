"""How the engine's API words what containers and Swarm services have in common. Pure."""

from typing import Any

from autoscaler.cluster.engine import Healthcheck

NS = 10**9  # the API counts times in nanoseconds, and cores in billionths


def healthcheck(check: Healthcheck) -> dict[str, Any]:
    """A `Healthcheck` of a container's configuration."""
    return {
        "Test": list(check.test),
        "Interval": round(check.interval_s * NS),
        "Timeout": round(check.timeout_s * NS),
        "Retries": check.retries,
        "StartPeriod": round(check.start_period_s * NS),
    }
