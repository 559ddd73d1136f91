"""Runs the demo: starts the program, the load and the watching, and ends with a summary and an exit code."""

import argparse
import asyncio
import socket
import sys
import tempfile
import time
from asyncio.subprocess import Process
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

from sidecar.client import Client, Unreachable
from sidecar.demo.load import Load, Outcome, Step
from sidecar.demo.screen import Screen
from sidecar.demo.story import Story, moment, summary

SHOP = Path(__file__).parents[2] / "examples" / "shop"
TARGET = "/?ms=100"  # each request keeps a replica busy for 100 ms: 250 per second are 25 at once
STEPS = (Step(20, 12), Step(250, 36), Step(20, 42))
LOOK_EVERY_S = 0.5
START_S = 30.0
STOP_S = 40.0  # more than the program's own shutdown_timeout
LOG_LINES = 30

# Windows short enough for ninety seconds; a real service keeps the defaults.
CONFIGURATION = """\
listen: 127.0.0.1:{port}
admin: {{listen: "127.0.0.1:{admin}"}}
state: false
services:
  shop:
    command: ["{python}", -m, uvicorn, "app:app", --port, "{{port}}", --no-access-log]
    directory: "{directory}"
    probes: {{readiness: {{path: /healthz, interval: 500ms}}}}
    autoscale:
      min_replicas: 1
      max_replicas: 6
      stable_window: 6s
      burst: {{window: 3s}}
      metrics: [{{type: concurrency, target: 5}}]
      behavior:
        scale_down: {{stabilization_window: 8s, policies: [{{type: percent, value: 50, period: 5s}}]}}
"""


class DemoFailed(Exception):  # noqa: N818 - it becomes a message and an exit code
    """The program under the demo does not run; the message says what it said last."""


def main() -> int:
    """Run it. Returns 0 if no request failed and replicas came and went, 1 if not."""
    parser = argparse.ArgumentParser(
        "python -m sidecar.demo", description="Load that rises and falls, and what Écluse makes of it."
    )
    parser.add_argument("--seconds", type=float, default=sum(step.duration_s for step in STEPS), help="how long (90)")
    seconds = parser.parse_args().seconds
    if not (SHOP / "app.py").exists():
        print(f"the demo needs the example application at {SHOP}: run it from a clone of the repository", file=sys.stderr)
        return 1
    share = seconds / sum(step.duration_s for step in STEPS)
    try:
        return asyncio.run(demo([Step(step.rate, step.duration_s * share) for step in STEPS]))
    except DemoFailed as failed:
        print(failed, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130


async def demo(steps: list[Step]) -> int:
    """The whole of it."""
    screen, story = Screen(), Story(steps)
    with tempfile.TemporaryDirectory(prefix="ecluse-demo-") as folder:
        port, admin = free_ports(2)
        file = Path(folder) / "ecluse.yaml"
        file.write_text(CONFIGURATION.format(port=port, admin=admin, python=sys.executable, directory=SHOP), "utf-8")
        async with program(file, Path(folder) / "log") as process:
            with Client(f"http://127.0.0.1:{admin}") as client:
                await ready(client, process)
                screen.say(f"Écluse on http://127.0.0.1:{port} before {SHOP.name}/app.py; its admin API is on port {admin}")
                await act(story, Load(port, TARGET), client, screen)
    complaints = story.complaints() + exit_complaints(process)
    screen.say("", *summary(story), "", *(complaints or ["no request failed, and replicas came and went"]))
    return 1 if complaints else 0


async def act(story: Story, load: Load, client: Client, screen: Screen) -> None:
    """Send the load, and look at the program until it is over."""
    loop = asyncio.get_running_loop()
    story.began, story.outcomes = loop.time(), load.outcomes
    began_at = time.time()
    sending = asyncio.create_task(load.run(story.steps))
    try:
        while not sending.done():
            await look(story, load, client)
            screen.draw(story)
            await asyncio.wait({sending}, timeout=LOOK_EVERY_S)
        await sending
        await look(story, load, client)
        story.decided_s = await decided(story, client, began_at)
    finally:
        sending.cancel()
        await load.close()


async def look(story: Story, load: Load, client: Client) -> None:
    """Add a moment to the story."""
    service: dict[str, Any] = await asyncio.to_thread(client.get, "/api/services/shop")
    now = asyncio.get_running_loop().time()
    story.moments.append(moment(now - story.began, load.rate, last_second(load.outcomes, now), story.failures.total(), service))


def last_second(outcomes: list[Outcome], now: float) -> list[Outcome]:
    """Those that ended within the last second; they are in the order of their end."""
    recent = []
    for outcome in reversed(outcomes):
        if outcome.at < now - 1:
            break
        recent.append(outcome)
    return recent


async def decided(story: Story, client: Client, began_at: float) -> float | None:
    """When, since the load began, the first decision after its rise was made. began_at: on the clock of events."""
    events = (await asyncio.to_thread(client.get, "/api/events", limit=1000))["events"]
    times = [event["at"] - began_at for event in events if event["kind"] == "decision"]
    return min((at_s for at_s in times if at_s >= story.step_s), default=None)


async def ready(client: Client, process: Process) -> None:
    """Wait until the program is ready for requests. Raises DemoFailed if it ends or takes longer than START_S."""
    end = time.monotonic() + START_S
    while process.returncode is None and time.monotonic() < end:
        with suppress(Unreachable):  # it has not begun to listen
            if (await asyncio.to_thread(client.get, "/readyz"))["status"] == "ready":
                return
        await asyncio.sleep(0.1)
    raise DemoFailed(f"ecluse was not ready after {START_S:.0f} s" if process.returncode is None else "ecluse ended at once")


@asynccontextmanager
async def program(file: Path, log: Path) -> AsyncIterator[Process]:
    """`ecluse run FILE` with its output in a file; it is ended with SIGTERM, as an init system would."""
    with log.open("wb") as output:
        words = (sys.executable, "-m", "sidecar.cli", "run", str(file))
        process = await asyncio.create_subprocess_exec(*words, stdout=output, stderr=output)
    try:
        yield process
    except (DemoFailed, Unreachable) as failed:
        raise DemoFailed(f"{failed}\n{last_lines(log)}") from failed
    finally:
        await end(process)


async def end(process: Process) -> None:
    """SIGTERM, and SIGKILL where that is not enough; then the exit code tells."""
    if process.returncode is None:
        process.terminate()
        try:
            await asyncio.wait_for(process.wait(), STOP_S)
        except TimeoutError:
            process.kill()
            await process.wait()


def last_lines(file: Path) -> str:
    """The end of a log."""
    return "\n".join(file.read_text("utf-8", "replace").splitlines()[-LOG_LINES:])


def exit_complaints(process: Process) -> list[str]:
    """A program that was asked to end ends with 0."""
    return [f"ecluse ended with exit code {process.returncode}"] if process.returncode else []


def free_ports(number: int) -> list[int]:
    """Ports that nothing listens on; all different, since they are held until all are known."""
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(number)]
    ports = [int(sock.getsockname()[1]) for sock in sockets]
    for sock in sockets:
        sock.close()
    return ports


if __name__ == "__main__":
    sys.exit(main())
