"""How signals end a bench: in order, so that what was measured is shown and a held service is given back."""

import signal
from collections.abc import Iterator
from contextlib import contextmanager

from sidecar.load.generator import Generator


@contextmanager
def ends_in_order() -> Iterator[None]:
    """SIGTERM as Ctrl-C: a held service must be given back."""
    before = signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


@contextmanager
def stoppable(generator: Generator) -> Iterator[None]:
    """The first Ctrl-C ends the load and keeps what was measured; a second one ends everything."""
    kinds = (signal.SIGINT, signal.SIGTERM)

    def stop(*_: object) -> None:
        generator.stop()
        for kind in kinds:
            signal.signal(kind, signal.default_int_handler)

    before = [signal.signal(kind, stop) for kind in kinds]
    try:
        yield
    finally:
        for kind, handler in zip(kinds, before, strict=True):
            signal.signal(kind, handler)
