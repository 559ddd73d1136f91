"""Asks for a signal once: what is fetched from where, and read how, by its type."""

from probes.signals import document, prometheus
from probes.signals.fetch import Fetcher
from probes.signals.numbers import Unusable
from probes.signals.spec import SignalSpec, SignalType
from probes.words import UNIX


async def ask(fetcher: Fetcher, spec: SignalSpec, address: str = "") -> float:
    """The number as it is now, within spec.timeout_s. address: the replica's, for a spec with a path. Raises Unusable."""
    if spec.type is SignalType.PROMETHEUS:
        return prometheus.number_in(*await fetcher.get(prometheus.address(spec), spec.headers, spec.timeout_s))
    socket = address if address.startswith(UNIX) else ""
    url = f"http://{'localhost' if socket else address}{spec.path}" if spec.path else spec.url
    status, body = await fetcher.get(url, spec.headers, spec.timeout_s, socket)
    if status != 200:
        raise Unusable(f"answered {status} instead of 200")
    return document.number_at(body, spec.pointer)
