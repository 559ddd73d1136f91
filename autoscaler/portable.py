"""Frozen dataclasses as JSON and back, and from one clock to another: what is remembered outlives the program and its clock.

Everything is read from the fields' types, so that a new field needs no edit here. They may be plain values, enums, other such
dataclasses, tuples of one kind, and each of these or None. `Moment` is a time of CLOCK_MONOTONIC, which begins anew with the machine.
"""

from collections.abc import Mapping
from dataclasses import asdict, is_dataclass, replace
from enum import Enum
from functools import cache
from typing import Annotated, Any, Final, TypeVar, get_args, get_origin, get_type_hints

MOMENT: Final = "CLOCK_MONOTONIC"
Moment = Annotated[float, MOMENT]

T = TypeVar("T")


def to_json(value: Any) -> dict[str, Any]:
    """The dataclass as JSON-ready data."""
    return asdict(value)


def from_json(kind: type[T], data: Mapping[str, Any]) -> T:
    """The dataclass of that kind that `to_json` made the data from, now or by an earlier version: what is not there has its default,
    what is not known is passed over. Raises TypeError or ValueError for anything else."""
    if not isinstance(data, Mapping):
        raise TypeError(f"{kind.__name__} is not made from {data!r}")
    fields: dict[str, Any] = _fields(kind)  # type: ignore[arg-type]  # types are hashable
    return kind(**{name: _read(fields[name], data[name]) for name in fields.keys() & data.keys()})


def shifted(value: T, by_s: float) -> T:
    """The dataclass with every `Moment` in it by_s later: the same moments by another clock."""
    kind: Any = type(value)
    return replace(value, **{name: _shifted(getattr(value, name), by_s) for name in _timed(kind)})  # type: ignore[type-var]  # it is a dataclass


@cache
def _fields(kind: Any) -> dict[str, Any]:
    return get_type_hints(kind, include_extras=True)


@cache
def _timed(kind: Any) -> tuple[str, ...]:
    """The fields that hold a Moment, however deep."""
    return tuple(name for name, field in _fields(kind).items() if _has_moment(field))


def _has_moment(kind: Any) -> bool:
    if kind == Moment:
        return True
    if isinstance(kind, type) and is_dataclass(kind):
        return bool(_timed(kind))
    return any(map(_has_moment, get_args(kind)))


def _shifted(value: Any, by_s: float) -> Any:
    if value is None:
        return None
    if isinstance(value, tuple):
        return tuple(_shifted(each, by_s) for each in value)
    return shifted(value, by_s) if is_dataclass(value) else value + by_s


def _read(kind: Any, data: Any) -> Any:
    if type(None) in get_args(kind):
        return None if data is None else _read(get_args(kind)[0], data)
    if get_origin(kind) is Annotated:
        return _read(get_args(kind)[0], data)
    if get_origin(kind) is tuple:
        return tuple(_read(get_args(kind)[0], each) for each in _checked(list, data))
    if is_dataclass(kind):
        return from_json(kind, data)  # type: ignore[arg-type]  # a type, and none of its values
    if issubclass(kind, Enum):
        return kind(data)
    return _checked((int, float) if kind is float else kind, data)


def _checked(kind: Any, data: Any) -> Any:
    if not isinstance(data, kind):
        raise TypeError(f"{data!r} is not what is kept there")
    return data
