"""A property that is worked out once: `functools.cached_property` without its lock, which costs more than most of what is kept.

For objects of one thread, with a `__dict__`. Two threads would work it out twice, and keep one of two equal values.
"""

from collections.abc import Callable
from typing import Any, Generic, TypeVar, overload

T = TypeVar("T")


class once(Generic[T]):  # noqa: N801 - it is used as `property` is
    """The value stands in the object's `__dict__` from then on, where it is found before this descriptor."""

    def __init__(self, work: Callable[[Any], T]) -> None:
        self._work = work
        self.__doc__ = work.__doc__

    def __set_name__(self, owner: type, name: str) -> None:
        self._name = name

    @overload
    def __get__(self, instance: None, owner: type) -> "once[T]": ...

    @overload
    def __get__(self, instance: object, owner: type) -> T: ...

    def __get__(self, instance: object | None, owner: type) -> "once[T] | T":
        if instance is None:
            return self
        value = instance.__dict__[self._name] = self._work(instance)
        return value
