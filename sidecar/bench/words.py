"""How a bench writes its numbers."""


def fine(seconds: float | None) -> str:
    """A latency to two digits: 0.42 ms, 4.2 ms, 42 ms, 4.2 s; "-" for none."""
    if seconds is None or seconds == float("inf"):
        return "-"
    return f"{_two(seconds * 1000)} ms" if seconds < 0.9995 else f"{_two(seconds)} s"


def _two(number: float) -> str:
    return f"{number:.0f}" if number >= 9.95 else f"{number:.1f}" if number >= 0.995 else f"{number:.2f}"


def per_second(rate: float) -> str:
    """A rate: 0.5/s, 12.5/s, 1,250/s."""
    return f"{rate:,.0f}/s" if rate >= 100 or rate == int(rate) else f"{rate:.3g}/s"


def amount(number: float) -> str:
    """A mean number of requests: 0.12, 3.5, 42."""
    return _two(number)
