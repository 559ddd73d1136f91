"""What the engine's stats say of processor and memory, read as `docker stats` reads them. Pure."""

from typing import Any

from autoscaler.cluster.engine import Usage

Json = dict[str, Any]
_NS = 10**9


def usage(frame: Json, cpus: float, at_s: float) -> Usage | None:
    """One frame; None for a container that does not run. cpus: what it may use, 0 where nothing limits it."""
    cpu, memory = frame.get("cpu_stats") or {}, frame.get("memory_stats") or {}
    used_ns = (cpu.get("cpu_usage") or {}).get("total_usage")
    if not used_ns or "usage" not in memory:
        return None
    return Usage(
        at_s=at_s,
        cpu_s=used_ns / _NS,
        cpus=cpus or float(cpu.get("online_cpus") or len((cpu.get("cpu_usage") or {}).get("percpu_usage") or []) or 1),
        memory=max(0, int(memory["usage"]) - _cache(memory.get("stats") or {})),
        memory_limit=int(memory.get("limit") or 0),
    )


def _cache(stats: Json) -> int:
    """Pages that the kernel may take back at any time: total_inactive_file with cgroup v1, inactive_file with v2."""
    return int(stats.get("total_inactive_file") or stats.get("inactive_file") or 0)
