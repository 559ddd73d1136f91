"""Plays one trace to several sets of rules at the same time, each in a process of its own; what comes of it is the same in any order.

Invariant: a simulation depends on nothing but its scenario and its rules, so neither the number of processors nor who is done first shows.
"""

import multiprocessing
import os
import signal
from collections.abc import Callable, Sequence
from typing import Any, Final

from autoscaler.rules import Rules
from sidecar.simulation.play import Player, Scenario
from sidecar.simulation.tally import Tally

TELL_S: Final = 0.2

Progress = Callable[[float], None]  # takes the share of the whole that is done
_done: Any = None  # in a process of ours: by set of rules, the share that is done


def play(scenario: Scenario, rules: Sequence[Rules], progress: Progress) -> list[Tally]:
    """What each set of rules came to, in their order."""
    processes = min(len(rules), len(os.sched_getaffinity(0)))
    if processes < 2:
        return [_one(scenario, each, _after(number, len(rules), progress)) for number, each in enumerate(rules)]
    context = multiprocessing.get_context("spawn")
    done = context.Array("d", len(rules))
    with context.Pool(processes, _begin, (done,)) as pool:
        playing = pool.starmap_async(_apart, [(scenario, each, number) for number, each in enumerate(rules)], chunksize=1)
        while not playing.ready():
            playing.wait(TELL_S)
            progress(sum(done[:]) / len(rules))
        return playing.get()


def _after(number: int, count: int, progress: Progress) -> Progress:
    """Of one set of rules, when so many are done already."""
    return lambda done: progress((number + done) / count)


def _begin(done: Any) -> None:
    """Whoever interrupts the command ends the pool; its processes say nothing about it."""
    global _done  # noqa: PLW0603 - what a pool hands to its processes can be kept nowhere else
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    _done = done


def _apart(scenario: Scenario, rules: Rules, number: int) -> Tally:
    def tell(share: float) -> None:
        _done[number] = share

    return _one(scenario, rules, tell)


def _one(scenario: Scenario, rules: Rules, progress: Progress) -> Tally:
    return Player(scenario, rules, progress).play()
