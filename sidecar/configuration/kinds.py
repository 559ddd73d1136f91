"""The kinds of values that keys have, as annotations: a duration within bounds, a choice of words, a command, an address."""

import re
import shlex
from collections.abc import Callable, Iterable, Mapping
from enum import StrEnum
from typing import Any, TypeVar

from autoscaler import schedule
from autoscaler.cluster import placeholders
from autoscaler.rules import SIGNALS, MetricType
from sidecar.configuration import addresses, quantities
from sidecar.configuration.problems import nearest, show
from sidecar.configuration.quantities import matched, wrong
from sidecar.configuration.shapes import At, Reader

N = TypeVar("N", int, float)

OWN_METRICS = frozenset(kind.value for kind in MetricType if kind not in SIGNALS)

DAY_S = 86_400.0
MILLISECOND_S = 0.001
MEMORY = 64 * 1024**4
_VARIABLE = r"\$\{"  # a schema must let ${NAME} pass wherever a value can stand
WORDS = {"type": ["string", "number", "boolean"]}
_TCHAR = r"[!#$%&'*+\-.^_`|~0-9A-Za-z]"
_STATUS = r"[1-5][0-9]{2}(?:-[1-5][0-9]{2})?"


def _within(read: Callable[[object], N], low: N, high: N, text: Callable[[N], str]) -> Callable[[object], N]:
    def bounded(value: object) -> N:
        amount = read(value)
        if not low <= amount <= high:
            raise ValueError(f"must be from {text(low)} to {text(high)}; got {show(value)}")
        return amount

    return bounded


def _quantity(kind: str, low: float, high: float, pattern: str) -> dict[str, Any]:
    numeric = {"type": kind, "minimum": low, "maximum": high}
    return {"anyOf": [numeric, {"type": "string", "pattern": f"^(?:{pattern})$|{_VARIABLE}"}]}


def duration(low: float = MILLISECOND_S, high: float = DAY_S) -> Reader:
    """A duration, in seconds."""
    read = _within(quantities.duration, low, high, quantities.duration_text)
    return Reader(read, _quantity("number", low, high, quantities.DURATION))


def size(low: int, high: int) -> Reader:
    """A size, in bytes."""
    return Reader(_within(quantities.size, low, high, quantities.size_text), _quantity("integer", low, high, quantities.SIZE))


def share(low: float, high: float) -> Reader:
    """A share of one."""
    return Reader(_within(quantities.share, low, high, quantities.share_text), _quantity("number", low, high, quantities.SHARE))


def number(low: float, high: float) -> Reader:
    """A number."""
    return Reader(
        _within(quantities.number, low, high, quantities.number_text), _quantity("number", low, high, quantities.NUMBER)
    )


def rate(low: float = 0.0001, high: float = 1_000_000.0) -> Reader:
    """A rate, in events per second."""
    return Reader(_within(quantities.rate, low, high, quantities.rate_text), _quantity("number", low, high, quantities.RATE))


def cores(low: float = 0.001, high: float = 1024.0) -> Reader:
    """Processor cores. A thousandth is the least that the HPA can say."""
    return Reader(_within(quantities.cores, low, high, quantities.number_text), _quantity("number", low, high, quantities.CORES))


def whole(low: int, high: int) -> Reader:
    """A whole number."""
    return Reader(_within(quantities.whole, low, high, str), _quantity("integer", low, high, quantities.WHOLE))


def priority() -> Reader:
    """Who comes first: the higher one."""
    return whole(-1000, 1000)


def flag() -> Reader:
    """true or false."""
    return Reader(quantities.flag, {"anyOf": [{"type": "boolean"}, {"type": "string", "pattern": _VARIABLE}]})


def choice(words: Iterable[StrEnum], also: Mapping[str, StrEnum] | None = None, later: Mapping[str, str] | None = None) -> Reader:
    """One of these words. also: other spellings that are accepted. later: words that are not, and what is said to them."""
    known = {str(word): word for word in words}
    spellings = {**known, **(also or {})}

    def read(value: object) -> StrEnum:
        if isinstance(value, str) and value in spellings:
            return spellings[value]
        if later and isinstance(value, str) and value in later:
            raise ValueError(f"{value} {later[value]}")
        near = nearest(value, list(spellings)) if isinstance(value, str) else ""
        expected = next(iter(known)) if len(known) == 1 else f"one of {', '.join(known)}"
        raise ValueError(f"{wrong(value, expected)}" + (f'; did you mean "{near}"?' if near else ""))

    return Reader(read, {"anyOf": [{"enum": _literals(spellings)}, {"type": "string", "pattern": _VARIABLE}]})


def _literals(words: Iterable[str]) -> list[str | bool]:
    """As an editor's YAML takes them."""
    return [quantities.FLAGS.get(word, word) for word in words]


def text(read: Callable[[object], str], json: Mapping[str, Any] | None = None) -> Reader:
    """Text that a function of `addresses` or of this file reads."""
    return Reader(read, json or {"type": "string"})


def listen() -> Reader:
    """An address and port to listen on."""
    return Reader(addresses.listen, {"type": ["string", "integer"]})


def command() -> Reader:
    """A command: a list of words, or one line that is split as a shell would."""
    words = {"type": "array", "items": WORDS, "minItems": 1}
    return Reader(_command, {"anyOf": [{"type": "string", "minLength": 1}, words]})


def _command(value: object) -> tuple[str, ...]:
    expected = 'a list of words or one line, such as "uvicorn app:app --port {port}"'
    words = _split(value) if isinstance(value, str) else value
    if not isinstance(words, list) or not words:
        raise wrong(value, expected) if words != [] else ValueError(f"must not be empty; it must be {expected}")
    for index, word in enumerate(words):
        if not isinstance(word, str):
            raise At(index, str(wrong(word, "one word of the command; put it in quotes")))
    if not words[0]:
        raise ValueError("must begin with the program to run; got ''")
    if all(placeholders.names(words, name) for name in (placeholders.PORT, placeholders.SOCKET)):
        raise ValueError("names both {port} and {socket}; a replica gets its requests at one of them: choose one")
    return tuple(words)


def _split(line: str) -> list[str]:
    try:
        return shlex.split(line)
    except ValueError as error:
        raise ValueError(f"cannot be split into words ({str(error).lower()}); close the quote, or write a list") from None


def health_test() -> Reader:
    """What a container engine runs to see how a container is: in Docker's form, a list whose first word says how it is run."""
    words = {"type": "array", "items": WORDS, "minItems": 1}
    return Reader(_health_test, {"anyOf": [{"type": "string", "minLength": 1}, words]})


def _health_test(value: object) -> tuple[str, ...]:
    expected = "one line for a shell, or a list that begins with CMD, CMD-SHELL or NONE"
    words = ["CMD-SHELL", value] if isinstance(value, str) and value else value
    if not isinstance(words, list) or not words:
        raise wrong(value, expected)
    for index, word in enumerate(words):
        if not isinstance(word, str):
            raise At(index, str(wrong(word, "one word of the command; put it in quotes")))
    first, count = words[0], len(words)
    if first not in ("CMD", "CMD-SHELL", "NONE"):
        raise At(0, str(wrong(first, "CMD, CMD-SHELL or NONE, and the words of the command after it")))
    if (first == "NONE" and count > 1) or (first == "CMD-SHELL" and count != 2) or (first == "CMD" and count < 2):
        raise ValueError("must be [NONE], [CMD-SHELL, LINE] or [CMD, PROGRAM, ARGUMENT...]")
    return tuple(words)


def statuses() -> Reader:
    """A status, or a range of them."""
    return Reader(_statuses, {"anyOf": [_quantity("integer", 100, 599, _STATUS)]})


def _statuses(value: object) -> tuple[int, ...]:
    first, _, last = matched(value, _STATUS, "a status or a range of them, such as 200 or 200-399").partition("-")
    if int(last or first) < int(first):
        raise wrong(value, "a range that goes up, such as 200-399")
    return tuple(range(int(first), int(last or first) + 1))


def fallback() -> Reader:
    """`current`, or a number of replicas; None is current."""

    def read(value: object) -> int | None:
        if value == "current":
            return None
        return int(matched(value, "[0-9]{1,9}", "current, or a number of replicas"))

    return Reader(read, {"anyOf": [{"const": "current"}, _quantity("integer", 0, 999_999_999, "[0-9]{1,9}")]})


def token(value: object) -> str:
    """A bearer token. Its value is never shown."""
    if not isinstance(value, str) or not re.fullmatch("[!-~]{1,512}", value):
        raise ValueError("must be 1 to 512 visible ASCII characters, without spaces")
    return value


def field_name(value: object) -> str:
    """The name of a header field, RFC 9110 section 5.1."""
    return matched(value, rf"{_TCHAR}{{1,256}}", "the name of a header, such as X-Api-Key")


def cookie_name(value: object) -> str:
    """The name of a cookie, RFC 6265 section 4.1.1."""
    return matched(value, rf"{_TCHAR}{{1,256}}", "the name of a cookie, such as session")


def grpc_service(value: object) -> str:
    """What a gRPC service is called: a package's name and its own."""
    return matched(value, "[!-~]{0,256}", "the name of a gRPC service, such as shop.v1.Orders")


def parameter_name(value: object) -> str:
    """The name of a query parameter, as it stands in a target."""
    return matched(value, r"[!\"$%'-<>-~]{1,256}", "the name of a query parameter, such as user, without & and =")


def file_name(value: object) -> str:
    """A file or directory."""
    return matched(value, r"(?s:.{1,4096})", "a path")


def cron(value: object) -> str:
    """A cron expression of five fields."""
    text = matched(value, r"[^\n]{1,256}", 'a cron expression such as "0 8 * * mon-fri"')
    schedule.check(text, "UTC")
    return text


def time_zone(value: object) -> str:
    """A time zone of the IANA database."""
    text = matched(value, r"[!-~]{1,64}", "a time zone such as Europe/Paris")
    schedule.check("0 0 * * *", text)
    return text


def metric_name(value: object) -> str:
    """What a metric is called whose values others tell."""
    text = matched(
        value, "[A-Za-z][A-Za-z0-9_.-]{0,62}", "a name of 1 to 63 letters, digits, -, _ and ., that begins with a letter"
    )
    if text.removesuffix("_value") in OWN_METRICS or text.startswith("slo_"):
        raise ValueError(f"cannot be {text}, which is a metric of its own: choose another name")
    return text


def state(value: object) -> str:
    """A directory; "" (from false) is none."""
    return "" if value in ("false", "off", "no") else matched(value, r"(?s:.{1,4096})", "a directory, or false")


def value_of_variable(value: object) -> str:
    """What a variable of a replica's environment, or a label, is set to; it may be empty."""
    return matched(value, r"(?s:.*)", 'text (write "" for an empty value)')
