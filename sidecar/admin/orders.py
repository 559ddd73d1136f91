"""The shapes of what an autoscaler that runs apart sends a proxy, and gets from it. What cannot be right is refused here: a worker takes
slots for places in shared memory.
"""

from typing import Annotated, Any, Final

from pydantic import BaseModel, ConfigDict, Field

from balancer import limits
from balancer.table import By, Per, Policy, Priority, ReplicaState

BODY: Final = limits.MESSAGE  # a routing table is no longer than what a worker takes
EPOCHS: Final = 2**53

Count = Annotated[int, Field(ge=0, lt=2**31)]
Seconds = Annotated[float, Field(ge=0, lt=2**31, allow_inf_nan=False)]
ServiceSlot = Annotated[int, Field(ge=0, lt=limits.SERVICES)]
ReplicaSlot = Annotated[int, Field(ge=0, lt=limits.REPLICAS)]
Weight = Annotated[int, Field(ge=1, lt=2**31)]
Share = Annotated[float, Field(ge=0, le=1)]
Octets = Annotated[int, Field(ge=0, lt=2**60)]
Rate = Annotated[float, Field(ge=0.0001, le=1_000_000)]
Text = Annotated[str, Field(max_length=1024, pattern=r"^[ -~]*$")]  # it stands in fields, and may bring no line with it
Rates = list[tuple[Per, Rate, Annotated[int, Field(ge=1, lt=2**31)], Text]]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid")


class RetriesChange(_Strict):
    """How often, and for how long, a request is tried."""

    attempts: Annotated[int, Field(ge=1, le=limits.ATTEMPTS)]
    budget: Share
    least: Count
    try_timeout_s: Seconds


class AffinityChange(_Strict):
    """What keeps requests together."""

    by: By
    name: Text
    key: Annotated[str, Field(max_length=2048, pattern="^([0-9a-f]{2})*$")]
    attributes: Text
    load: Annotated[float, Field(gt=1, le=100)]


class ServiceChange(_Strict):
    """One service as it is from now on. replicas: (id, slot, address, state, weight, ready_at_s) each; rates: (per, rate, burst, name)."""

    name: str
    slot: ServiceSlot
    policy: Policy
    max_concurrency: Count
    queue: Count
    queue_timeout_s: Seconds
    hold: bool
    hold_timeout_s: Seconds
    max_held: Count
    adaptive: bool
    total_s: Seconds
    hedge_s: Seconds
    slow_start_s: Seconds
    failures: Count
    retries: RetriesChange
    affinity: AffinityChange
    rates: Rates
    replicas: list[tuple[str, ReplicaSlot, str, ReplicaState, Weight, Annotated[float, Field(ge=0, lt=2**40)]]]


class TableChange(_Strict):
    """What has changed since a generation; 0: everything. names: all services, in order. routes: (host, path, service, priority, body,
    rates) each."""

    generation: int = Field(ge=1)
    since: int = Field(ge=0)
    services: list[ServiceChange]
    names: list[str] = []
    routes: list[tuple[str, str, str, Priority, Octets, Rates]] = []


class Order(_Strict):
    """A routing table, and which autoscaler gives it: of two, the one with the higher number is obeyed."""

    epoch: int = Field(ge=0, le=EPOCHS)
    table: TableChange


class Reader(_Strict):
    """Which autoscaler asks. Its number is known from then on, as with an Order."""

    epoch: int = Field(ge=0, le=EPOCHS)


class Taken(BaseModel):
    """The generation that is in use."""

    generation: int


class Held(BaseModel):
    """life: of the proxy's process. epoch: which autoscaler gave it the table. table: null before the first."""

    life: str
    epoch: int
    table: dict[str, Any] | None


def parsed(body: bytes) -> tuple[int, dict[str, Any]]:
    """The epoch and the table in a body of shape Order, as `balancer.delta` takes it. Raises pydantic.ValidationError."""
    order = Order.model_validate_json(body)
    return order.epoch, order.table.model_dump(exclude_unset=True)
