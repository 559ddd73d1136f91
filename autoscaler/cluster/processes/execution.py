"""Commands that are run beside a local instance, for exec probes.

Invariants: a command has a process group of its own and nothing of it is left when its time is over; it reads nothing; what it prints is
read to the end and kept for one line only.
"""

import asyncio
import os
import signal
from contextlib import suppress

from autoscaler.cluster.engine import EngineError
from autoscaler.cluster.processes.spawn import Program

LINE = 256  # octets of the last line that are kept
OUTPUT = 64 * 1024  # octets of output that are read at once


async def executed(program: Program, timeout_s: float) -> tuple[int, str]:
    """Exit status and last line. Raises EngineError if it cannot be executed or is still there after timeout_s."""
    try:
        process = await asyncio.create_subprocess_exec(
            *program.command,
            env=dict(program.environment),
            cwd=program.directory or None,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
            start_new_session=True,
            limit=OUTPUT,
        )
    except (OSError, ValueError) as error:
        raise EngineError(f"{program.command[0]} cannot be executed: {error}") from error
    try:
        async with asyncio.timeout(timeout_s):
            line = await _last_line(process)
            return await process.wait(), line
    except TimeoutError:
        raise EngineError(f"{program.command[0]} did not end within {timeout_s:g} s") from None
    finally:
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid, signal.SIGKILL)
        _give_back(process)  # first, or a pipe that is full would keep `wait` waiting
        await process.wait()


def _give_back(process: asyncio.subprocess.Process) -> None:
    """Its pipe: whoever left the group may hold the other end, and asyncio has no public way to let go of ours."""
    process._transport.close()  # type: ignore[attr-defined]


async def _last_line(process: asyncio.subprocess.Process) -> str:
    assert process.stdout is not None
    kept = b""
    while octets := await process.stdout.read(OUTPUT):
        kept = (kept + octets)[-2 * LINE :]
    lines = kept.decode(errors="replace").split("\n")
    return next((line.strip() for line in reversed(lines) if line.strip()), "")[:LINE]
