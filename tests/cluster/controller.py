"""A controller as small as can be, to be killed by a test: it starts four instances, one with a Unix socket and three with
families, and prints their pids, then waits.

`python tests/cluster/controller.py`. Each instance prints the pid of what it started; a line "PID…" tells all of them.
"""

import asyncio
import random
import sys

from autoscaler.cluster.engine import InstanceSpec
from autoscaler.cluster.processes.engine import Processes

SOCKET = (
    "import os,socket,time; s=socket.socket(socket.AF_UNIX); s.bind('{socket}'); print(os.getpid(),flush=True); time.sleep(1000)"
)
SCRIPTS = (
    f'exec {sys.executable} -c "{SOCKET}"',
    "sleep 1000 & echo $! $$; wait",
    "setsid sleep 1000 & echo $! $$; wait",
    "trap '' TERM; setsid env -i sleep 1000 & echo $! $$; while :; do sleep 1000; done",
)


async def main() -> None:
    engine = Processes(random.Random(3))
    await engine.open(lambda service: None)
    for script in SCRIPTS:
        await engine.start(InstanceSpec("shop", ("sh", "-c", script)))
    lines = engine.outputs.follow("shop", len(SCRIPTS))
    pids = [(await anext(lines)).partition(" | ")[2] for _ in SCRIPTS]
    print(*pids, flush=True)
    await asyncio.Event().wait()


asyncio.run(main())
