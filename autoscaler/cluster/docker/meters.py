"""What containers use, one stream of the engine's stats for each that somebody asks about, and for none else."""

import asyncio
from collections.abc import Callable
from contextlib import aclosing

from autoscaler.cluster.docker import frames
from autoscaler.cluster.engine import Usage
from autoscaler.cluster.moby.api import MobyError
from autoscaler.cluster.moby.link import Link

METERS = 200  # at once; the link's other streams and descriptors need room too
UNASKED_S = 60.0  # after which a stream that nobody asks for ends
OLD_S = 10.0  # a reading that is older says nothing any more; frames come every second
PAUSE_S = 2.0  # before a stream that broke is begun again


class Meter:
    """One container's."""

    def __init__(self, now_s: float) -> None:
        self.last: Usage | None = None
        self.asked_s = now_s
        self.task: asyncio.Task[None] | None = None


class Meters:
    """Of one engine."""

    def __init__(self, link: Link, clock: Callable[[], float]) -> None:
        self._link = link
        self._clock = clock
        self._meters: dict[str, Meter] = {}

    def read(self, container_id: str, cpus: float) -> Usage | None:
        """The last reading. The first question begins the stream, so that its answer is None. cpus: as `frames.usage` takes it."""
        now_s = self._clock()
        meter = self._meters.get(container_id)
        if not meter:
            if len(self._meters) >= METERS:
                return None
            meter = self._meters[container_id] = Meter(now_s)
            meter.task = asyncio.create_task(self._follow(container_id, meter, cpus), name=f"stats {container_id[:12]}")
        meter.asked_s = now_s
        return meter.last if meter.last and now_s - meter.last.at_s <= OLD_S else None

    def forget(self, container_id: str) -> None:
        """It is gone."""
        if (meter := self._meters.pop(container_id, None)) and meter.task:
            meter.task.cancel()

    async def close(self) -> None:
        """End all streams."""
        tasks = [meter.task for meter in self._meters.values() if meter.task]
        for container_id in [*self._meters]:
            self.forget(container_id)
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _follow(self, container_id: str, meter: Meter, cpus: float) -> None:
        while self._clock() - meter.asked_s <= UNASKED_S:
            try:
                await self._read(container_id, meter, cpus)
            except MobyError as error:
                if error.missing:
                    break
            await asyncio.sleep(PAUSE_S)
        self._meters.pop(container_id, None)

    async def _read(self, container_id: str, meter: Meter, cpus: float) -> None:
        async with aclosing(self._link.stream(lambda api: api.stats(container_id))) as stream:
            async for frame in stream:
                meter.last = frames.usage(frame, cpus, self._clock()) or meter.last
                if self._clock() - meter.asked_s > UNASKED_S:
                    return
