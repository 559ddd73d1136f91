"""Looks at a Swarm: services, tasks and machines in one go, as often as somebody asks and not more.

A manager does not hear of containers on other machines, and tasks send no events: whoever wants to know what they do has to list
them. Invariants: one look at a time; `fresh` never gives an answer that was begun before it was called; a look that fails leaves the
view as it was.
"""

import asyncio
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Protocol, TypeVar

from autoscaler.cluster.moby.api import Api, MobyError
from autoscaler.cluster.swarm.tasks import Task, View, read_machine, read_service, read_task

T = TypeVar("T")

ANSWER_S = (
    4.0  # a manager that takes longer is left for the next one: when a leader is lost, calls to the others hang for 10 s and more
)
PATIENCE_S = 6.0
_AGAIN = 2  # times that a look is begun again


class Ask(Protocol):
    """What is used of a `Link`; see there."""

    trouble: str

    async def ask(self, use: Callable[[Api], T], patience_s: float = ..., answer_s: float = ...) -> T: ...


class Lookout:
    """names: of the Swarm services to look at, asked for each time. label: others that carry it are looked at too, "": none.

    `seen` is called with each new view. trouble: why the last look failed, in words. since_1_24: the manager's program sorts as Go
    1.24 does.
    """

    def __init__(
        self, link: Ask, names: Callable[[], Sequence[str]], label: str, seen: Callable[[View], None] = lambda view: None
    ) -> None:
        self.view: View | None = None
        self.trouble = ""
        self.since_1_24 = False
        self._link = link
        self._names = names
        self._label = label
        self._seen = seen
        self._lock = asyncio.Lock()
        self._begun = 0
        self._done = 0
        self._version_known = False

    async def fresh(self) -> View:
        """How things are now. Raises MobyError."""
        before = self._begun
        async with self._lock:
            if self._done <= before or self.view is None:
                await self._try()
            assert self.view
            return self.view

    async def _try(self) -> None:
        try:
            await self._look()
        except MobyError as error:
            self.trouble = str(error)
            raise
        self.trouble = ""

    async def _look(self) -> None:
        self._begun += 1
        number = self._begun
        if not self._version_known:
            version = await self._link.ask(lambda api: api.version(), PATIENCE_S, ANSWER_S)
            self.since_1_24, self._version_known = since_1_24(version.get("GoVersion", "")), True
        names = list(self._names())
        view = await self._link.ask(lambda api: look(api, names, self._label), PATIENCE_S, ANSWER_S)
        self._done, self.view = number, view
        self._seen(view)


def look(api: Api, names: Sequence[str], label: str) -> View:
    """One look. A service that is removed in the middle of it makes the question for its tasks fail: it is asked again without it.

    Raises MobyError, also for answers that cannot be understood.
    """
    try:
        for _ in range(_AGAIN):
            with _if_missing_again():
                return _look_once(api, names, label)
        return _look_once(api, names, label)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise MobyError(f"{api.where.url} answered what cannot be understood: {error!r}") from error


def _look_once(api: Api, names: Sequence[str], label: str) -> View:
    """Services come before tasks: what is concluded from tasks is written only if the service has not changed since."""
    answers = api.services({"name": list(names)}) if names else []
    services = {service.name: service for service in map(read_service, answers) if service.name in names}
    labelled = [read_service(answer) for answer in api.services({"label": [label]})] if label else []
    tasks: defaultdict[str, list[Task]] = defaultdict(list)
    ids = [service.id for service in services.values()]
    for task in map(read_task, api.tasks({"service": ids}) if ids else []):
        tasks[task.service_id].append(task)
    machines = {machine.id: machine for machine in map(read_machine, api.nodes())}
    return View(services, tasks, machines, sorted(labelled, key=lambda service: service.name))


@contextmanager
def _if_missing_again() -> Iterator[None]:
    """Pass over an answer that something is not there."""
    try:
        yield
    except MobyError as error:
        if not error.missing:
            raise


def since_1_24(version: str) -> bool:
    """Whether a manager's program was built with Go 1.24 or later. version: "go1.24.3"; what cannot be read is taken for a newer one."""
    numbers = version.removeprefix("go").split(".")
    if len(numbers) < 2 or not all(number.isdecimal() for number in numbers[:2]):
        return True
    return (int(numbers[0]), int(numbers[1])) >= (1, 24)
