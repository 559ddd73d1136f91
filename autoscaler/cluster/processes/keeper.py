"""The keeper: a small process that is the parent of all local instances, so that none of them outlives the controller.

`python -m autoscaler.cluster.processes.keeper FD`, FD being one end of a channel to the controller. When that channel ends, for whatever
reason (SIGKILL too), the keeper ends all instances and whatever they started, then itself. When the keeper is killed, the kernel
kills the instances (see `spawn`), and the controller whatever they started, except what had both left its instance's session and
cleared its environment. While the controller is only stopped nothing happens: output is read on, so that no instance blocks on a
full pipe, and dropped when the controller does not take it.

Messages to the keeper:     spawn {run, command, environment, directory, scratch}, stop {run, grace_s}
Messages to the controller: spawned {run, pid}, failed {run, what}, output {run, lines, lost}, exited {run, status, lost}
`run` numbers each start; `status` is as in `os.waitstatus_to_exitcode`. `exited` is sent once no process of the run is left.

Single-threaded, on stdlib alone, without asyncio: it must start fast, stay small, and have little that can fail.
"""

import os
import select
import signal
import socket
import sys
import time
from collections.abc import Callable, Iterable
from contextlib import suppress
from typing import Any

from autoscaler.cluster.processes import folder
from autoscaler.cluster.processes.family import REPLICA, processes, with_descendants
from autoscaler.cluster.processes.run import Run
from autoscaler.cluster.processes.spawn import Program, become_subreaper, spawn_with_pipe
from balancer.channel import Channel, ChannelClosed

ABANDONED_GRACE_S = 3.0  # for instances to end after the controller was killed
LEFTOVER_GRACE_S = 1.0  # for what an instance started, after its first process ended unasked
LOOK_S = 0.05  # between two looks at what is left of ending runs
GIVE_UP_S = 10.0  # on processes that SIGKILL does not end (a disk that hangs), once the controller is gone
READ = 64 * 1024
LAST_READS = 16  # of a pipe whose processes are gone; it holds 64 KiB unless somebody made it larger
_IGNORED = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)  # Ctrl-C and service managers mean the controller, which drains first


class Keeper:
    """Spawns, reads, reaps, reports, ends."""

    def __init__(self, channel: Channel, wake: socket.socket, clock: Callable[[], float] = time.monotonic) -> None:
        self._channel = channel
        self._wake = wake
        self._clock = clock
        self._controlled = True
        self._give_up_at_s = float("inf")
        self._look_at_s = 0.0
        self._runs: dict[int, Run] = {}
        self._scratch: set[str] = set()
        self._readers: dict[int, Callable[[], None]] = {channel.fileno(): self._listen, wake.fileno(): self._wake_up}
        self._poll = select.epoll()
        for fd in self._readers:
            self._poll.register(fd, select.EPOLLIN)

    def run(self) -> None:
        """Work until the controller is gone and nothing is left of what was started."""
        while self._controlled or (self._clock() < self._give_up_at_s and self._descendants()):
            if self._controlled:
                self._poll.modify(self._channel, select.EPOLLIN | (select.EPOLLOUT if self._channel.wants_write else 0))
            for fd, _ in self._poll.poll(self._patience_s()):
                self._readers.get(fd, _nothing)()
            self._reap()
            self._look()
        for scratch in self._scratch:
            folder.remove(scratch)

    def _patience_s(self) -> float | None:
        now = self._clock()
        if not self._controlled or any(run.is_due(now) for run in self._runs.values()):
            return max(0.0, self._look_at_s - now)
        return min((run.kill_at_s - now for run in self._runs.values() if run.kill_at_s is not None), default=None)

    # The controller.

    def _listen(self) -> None:
        try:
            self._channel.flush()
            self._tell_losses()
            for message, _ in self._channel.receive():
                self._obey(message)
        except ChannelClosed:
            self._abandon()

    def _obey(self, message: dict[str, Any]) -> None:
        """One of several that came together: that the controller is gone may have shown itself while another was obeyed."""
        if not self._controlled:
            return
        if message["kind"] == "spawn":
            self._spawn(message["run"], Program(**{name: message[name] for name in Program._fields}))
        elif run := self._runs.get(message["run"]):
            self._end(run, message["grace_s"])

    def _tell(self, kind: str, **fields: Any) -> None:
        if self._controlled:
            try:
                self._channel.send(kind, **fields)
            except ChannelClosed:
                self._abandon()

    def _abandon(self) -> None:
        """The controller is gone."""
        if self._controlled:
            self._controlled = False
            self._readers.pop(self._channel.fileno())
            self._channel.close()
            self._give_up_at_s = self._clock() + ABANDONED_GRACE_S + GIVE_UP_S
            for run in self._runs.values():
                self._end(run, ABANDONED_GRACE_S)

    # Lives.

    def _spawn(self, number: int, program: Program) -> None:
        if program.scratch:
            self._scratch.add(program.scratch)
        try:
            pid, output = spawn_with_pipe(program)
        except OSError as error:
            self._tell("failed", run=number, what=str(error))
            return
        run = self._runs[number] = Run(number, program.environment.get(REPLICA, ""), pid, output)
        self._readers[output] = lambda: self._read(run)
        self._poll.register(output, select.EPOLLIN)
        self._tell("spawned", run=number, pid=pid)

    def _end(self, run: Run, grace_s: float) -> None:
        """SIGTERM to its process group, now; the rest follows in `_look`. Told again, only a shorter grace changes anything."""
        kill_at = self._clock() + grace_s
        if run.kill_at_s is not None:
            run.kill_at_s = min(run.kill_at_s, kill_at)
            return
        run.kill_at_s = kill_at
        run.known = run.family(processes())
        with suppress(ProcessLookupError):
            os.killpg(run.pid, signal.SIGTERM)

    def _reap(self) -> None:
        firsts = {run.pid: run for run in self._runs.values()}
        while True:
            try:
                pid, status = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                return
            if pid == 0:
                return
            self._look_at_s = 0.0
            if run := firsts.get(pid):
                self._lost_first(run, os.waitstatus_to_exitcode(status))

    def _lost_first(self, run: Run, status: int) -> None:
        """The first process ended. SIGTERM to what it left, unless that had one: a second often means "at once"."""
        run.status = status
        asked = run.kill_at_s is not None
        if not asked:
            run.kill_at_s = self._clock() + LEFTOVER_GRACE_S
        running = processes()
        left = run.family(running)
        _kill((pid for pid in left if not asked or running[pid].session != run.pid), signal.SIGTERM)

    def _look(self) -> None:
        """See what is left of the ending runs, kill what stayed too long, report those that are gone."""
        now = self._clock()
        due = [run for run in self._runs.values() if run.is_due(now)]
        if now < self._look_at_s or not (due or not self._controlled):
            return
        self._look_at_s = now + LOOK_S
        running = processes()
        for run in due:
            left = run.family(running)
            if run.status is not None and not left:
                self._bury(run, run.status)
            elif run.kill_at_s is not None and now >= run.kill_at_s:
                _kill(left, signal.SIGKILL)
        if not self._controlled and not self._runs:
            _kill(self._descendants(), signal.SIGKILL)

    def _bury(self, run: Run, status: int) -> None:
        for _ in range(LAST_READS):
            if run.output not in self._readers:
                break
            self._read(run)
        self._close_output(run)
        del self._runs[run.number]
        self._tell("exited", run=run.number, status=status, lost=run.lost)

    def _descendants(self) -> set[int]:
        return with_descendants(processes(), {os.getpid()}) - {os.getpid()}

    def _wake_up(self) -> None:
        """A signal came (SIGCHLD): that the poll ended is all that matters."""
        with suppress(BlockingIOError):
            self._wake.recv(READ)

    # Output.

    def _read(self, run: Run) -> None:
        try:
            octets = os.read(run.output, READ)
        except BlockingIOError:
            return
        self._pass_on(run, run.lines.feed(octets))
        if not octets:
            self._close_output(run)

    def _close_output(self, run: Run) -> None:
        if self._readers.pop(run.output, None):
            os.close(run.output)
            self._pass_on(run, run.lines.end())

    def _pass_on(self, run: Run, lines: list[str]) -> None:
        """Lines wait for nobody: while the controller does not read, they are dropped and counted."""
        if self._channel_is_full():
            run.lost += len(lines)
        elif lines or run.lost:
            lost, run.lost = run.lost, 0
            self._tell("output", run=run.number, lines=lines, lost=lost)

    def _tell_losses(self) -> None:
        """The controller reads again; who printed nothing since would never tell."""
        for run in self._runs.values():
            if run.lost:
                self._pass_on(run, [])

    def _channel_is_full(self) -> bool:
        return not self._controlled or self._channel.wants_write


def _kill(pids: Iterable[int], number: signal.Signals) -> None:
    for pid in pids:
        with suppress(ProcessLookupError):  # it ended meanwhile
            os.kill(pid, number)


def _nothing() -> None:
    """What there is to do for a descriptor that was closed a moment ago."""


def _wake_at_child_exit() -> socket.socket:
    wake, signalled = socket.socketpair()
    for end in (wake, signalled):
        end.setblocking(False)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    signal.set_wakeup_fd(signalled.detach(), warn_on_full_buffer=False)
    return wake


def main() -> None:
    """Keep until the controller is gone."""
    for number in _IGNORED:
        signal.signal(number, signal.SIG_IGN)
    become_subreaper()
    fd = int(sys.argv[1])
    os.set_inheritable(fd, False)
    Keeper(Channel(socket.socket(fileno=fd)), _wake_at_child_exit()).run()


if __name__ == "__main__":
    main()
