"""The `dns` engine: the addresses behind a "name:port", asked for again and again.

Invariants: a failed question changes nothing but the detail (the last good answer stays in use); an empty answer is believed only
after EMPTY_TRIES in a row; at most one question per name is under way, however long the resolver takes.
"""

import asyncio
import socket
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace

from autoscaler.cluster.address import Address, split_port
from autoscaler.cluster.found import Found

INTERVAL_S = 5.0
DEADLINE_S = 4.0  # below the interval; glibc itself may take 10 s (two tries of 5 s)
EMPTY_TRIES = 3
MAX_ADDRESSES = 256  # of one name; an answer over TCP could bring thousands

Resolver = Callable[[str], Sequence[str]]


def split_target(target: str) -> tuple[str, int]:
    """The name and the port of "name:port". Raises ValueError, in words."""
    name, port = split_port(target)
    try:
        name.encode("idna")
    except UnicodeError as error:
        raise ValueError(f'"{target}": "{name}" cannot be a DNS name: {error}') from None
    return name.strip("[]"), port


def resolve(name: str) -> Sequence[str]:
    """The IP addresses of a name, A and AAAA, none if there are none. Blocks. Raises OSError if the question failed."""
    try:
        found = socket.getaddrinfo(name, None, type=socket.SOCK_STREAM)
    except socket.gaierror as error:
        if error.errno in {socket.EAI_NONAME, socket.EAI_NODATA}:
            return ()
        raise
    return [str(sockaddr[0]) for *_, sockaddr in found]


@dataclass(frozen=True, slots=True)
class Answers:
    """What is known of one name. empty: empty answers in a row. trouble: what went wrong last, in words."""

    ips: tuple[str, ...] = ()
    empty: int = 0
    trouble: str = ""


def after_answer(answers: Answers, ips: Sequence[str]) -> Answers:
    """What is known after an answer, which may be empty. Sorted, so that the order of the answer does not matter."""
    if ips:
        return Answers(tuple(sorted(set(ips))[:MAX_ADDRESSES]))
    empty = answers.empty + 1
    if empty >= EMPTY_TRIES or not answers.ips:
        return Answers(empty=empty, trouble="the name has no addresses")
    return replace(
        answers, empty=empty, trouble=f"the name had no addresses {empty} times in a row; the last ones known are used"
    )


def after_failure(answers: Answers, what: str) -> Answers:
    """What is known after a question that failed: as much as before."""
    used = "the last addresses known are used" if answers.ips else "no address of it is known"
    return replace(answers, trouble=f"could not be resolved ({what}); {used}")


class Dns(Found):
    """An `Engine` over DNS names. `set_name` of each service once it is configured, on the event loop."""

    def __init__(
        self,
        resolver: Resolver = resolve,
        interval_s: float = INTERVAL_S,
        deadline_s: float = DEADLINE_S,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        super().__init__(clock)
        self._resolver = resolver
        self._interval_s = interval_s
        self._deadline_s = deadline_s
        self._names: dict[str, str] = {}
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._troubles: dict[str, str] = {}

    def set_name(self, service: str, target: str) -> None:
        """Follow "name:port" for a service from now on. Raises ValueError, in words."""
        name, port = split_target(target)
        if self._names.get(service) == target:
            return
        self._cancel(service)
        self._names[service] = target
        self._tasks[service] = asyncio.create_task(self._follow(service, name, port), name=f"dns {target}")

    def forget(self, service: str) -> None:
        """The service is no longer configured."""
        self._cancel(service)
        super().forget(service)

    def trouble(self, service: str) -> str:
        """What is wrong with the name now, in words; "" if nothing is. For a name without any address: no instance can say it."""
        return self._troubles.get(service, "")

    async def close(self) -> None:
        """Stop asking."""
        for service in [*self._names]:
            self._cancel(service)
        await super().close()

    def _cancel(self, service: str) -> None:
        self._names.pop(service, None)
        self._troubles.pop(service, None)
        if task := self._tasks.pop(service, None):
            task.cancel()

    async def _follow(self, service: str, name: str, port: int) -> None:
        answers = Answers()
        question: asyncio.Future[Sequence[str] | OSError] | None = None
        while True:
            question = question or _ask(self._resolver, name)
            await asyncio.wait([question], timeout=self._deadline_s)
            answers = _after(answers, question, self._deadline_s)
            self._show(service, answers, port)
            question = None if question.done() else question
            await asyncio.sleep(self._interval_s)

    def _show(self, service: str, answers: Answers, port: int) -> None:
        self._troubles[service] = answers.trouble
        addresses = [Address(ip, port) for ip in answers.ips]
        self._set(service, [self._instance(service, address, detail=answers.trouble) for address in addresses])


def _after(answers: Answers, question: asyncio.Future[Sequence[str] | OSError], deadline_s: float) -> Answers:
    if not question.done():
        return after_failure(answers, f"no answer within {deadline_s:g} s")
    result = question.result()
    return (
        after_failure(answers, result.strerror or str(result)) if isinstance(result, OSError) else after_answer(answers, result)
    )


def _ask(resolver: Resolver, name: str) -> asyncio.Future[Sequence[str] | OSError]:
    """Ask in a thread of its own, which nobody waits for at exit: getaddrinfo can be neither cancelled nor given a deadline."""
    loop = asyncio.get_running_loop()
    future: asyncio.Future[Sequence[str] | OSError] = loop.create_future()

    def ask() -> None:
        result: Sequence[str] | OSError
        try:
            result = resolver(name)
        except OSError as error:
            result = error
        with suppress(RuntimeError):  # the event loop was closed meanwhile: nobody waits any more
            loop.call_soon_threadsafe(future.set_result, result)

    threading.Thread(target=ask, name=f"dns {name}", daemon=True).start()
    return future
