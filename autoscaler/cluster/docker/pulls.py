"""Images: there already, or pulled with progress told, one pull of an image at a time however many wait for it."""

import asyncio
from collections.abc import AsyncGenerator, Callable

from autoscaler.cluster.docker.progress import Progress
from autoscaler.cluster.engine import EngineError, Pull
from autoscaler.cluster.moby.api import Json, MobyError
from autoscaler.cluster.moby.link import Link

Told = Callable[[str, str], None]

SILENCE_S = 120.0  # of a registry, after which a pull is given up; the whole may take as long as it takes
TELL_EVERY_S = 2.0


class Pulls:
    """The images of one engine."""

    def __init__(self, link: Link, clock: Callable[[], float], silence_s: float = SILENCE_S) -> None:
        self._link = link
        self._clock = clock
        self._silence_s = silence_s
        self._under_way: dict[str, asyncio.Task[None]] = {}

    async def ready(self, name: str, when: Pull, told: Told) -> Json:
        """The image as the engine describes it, pulled if need be. Raises EngineError with the registry's words."""
        if when is Pull.ALWAYS:
            await self._pull(name, told)
        try:
            return await self._link.ask(lambda api: api.image(name))
        except MobyError as error:
            if not error.missing:
                raise
            if when is not Pull.MISSING:
                raise EngineError(
                    f'there is no image "{name}" on the engine, and `pull: {when}` does not get it again'
                ) from error
        await self._pull(name, told)
        return await self._link.ask(lambda api: api.image(name))

    async def close(self) -> None:
        """Wait for none of them any more; the engine goes on with what it has begun."""
        for task in self._under_way.values():
            task.cancel()
        await asyncio.gather(*self._under_way.values(), return_exceptions=True)

    async def _pull(self, name: str, told: Told) -> None:
        if not (task := self._under_way.get(name)):
            task = self._under_way[name] = asyncio.create_task(self._follow(name, told), name=f"pull {name}")
            task.add_done_callback(lambda _: self._under_way.pop(name, None))
        await asyncio.shield(task)

    async def _follow(self, name: str, told: Told) -> None:
        progress, told_s = Progress(), self._clock()
        told("pulling", f"{name} is being pulled")
        stream = self._link.stream(lambda api: api.pull(name))
        try:
            while (message := await self._next(name, stream)) is not None:
                if error := progress.take(message):
                    raise EngineError(f'"{name}" could not be pulled: {error}')
                if self._clock() - told_s >= TELL_EVERY_S:
                    told_s = self._clock()
                    told("pulling", f"{name}: {progress.words()}")
        except MobyError as error:
            raise EngineError(f'"{name}" could not be pulled: {error}') from error
        finally:
            await stream.aclose()
        told("pulled", f"{name} is here: {progress.words()}")

    async def _next(self, name: str, stream: AsyncGenerator[Json, None]) -> Json | None:
        try:
            async with asyncio.timeout(self._silence_s):
                message = await anext(stream)
        except StopAsyncIteration:
            return None
        except TimeoutError:
            raise EngineError(f'"{name}" could not be pulled: nothing was heard for {self._silence_s:g} s') from None
        return message
