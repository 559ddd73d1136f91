"""How views look as JSON where they are not what `dataclasses.asdict` makes of them; both the answers and their schema.

Counts by status class are objects with the classes' names. Latency buckets are left out: /metrics has them with their bounds.
"""

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any, Final

from sidecar.metrics import STATUS_CLASSES
from sidecar.views import ServiceView

_BY_CLASS: Final = (("ReplicaReading", "status"), ("ServiceReading", "own_answers"))


def service_json(view: ServiceView) -> dict[str, Any]:
    """A service ready for JSON."""
    shown = asdict(view)
    if shown["reading"]:
        shown["reading"]["own_answers"] = by_class(shown["reading"]["own_answers"])
    for replica in shown["replicas"]:
        del replica["reading"]["latency"]
        replica["reading"]["status"] = by_class(replica["reading"]["status"])
    return shown


def by_class(counts: Sequence[int]) -> dict[str, int]:
    """{"1xx": ..., ... "5xx": ...}."""
    return dict(zip(STATUS_CLASSES, counts, strict=True))


def adjust(schemas: dict[str, Any]) -> None:
    """Make of the views' schemas those of what `service_json` gives."""
    for name, field in _BY_CLASS:
        classes = {kind: {"type": "integer"} for kind in STATUS_CLASSES}
        shape = {"type": "object", "properties": classes, "required": [*STATUS_CLASSES], "additionalProperties": False}
        schemas[name]["properties"][field] = shape
    cells = schemas["ReplicaReading"]
    del cells["properties"]["latency"]
    cells["required"].remove("latency")
    cells["description"] = "One replica's counters and gauges, summed over the workers. busy_us: request-microseconds in flight."
