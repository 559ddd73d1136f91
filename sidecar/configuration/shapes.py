"""How one value, or one of several ways to write it, is read and described: annotations for the models' fields.

Each gives pydantic what to call and the JSON Schema what to say. Values are those of `document`: text, lists, mappings and None.
"""

import re
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import GetCoreSchemaHandler, GetJsonSchemaHandler
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema, core_schema

from sidecar.configuration.quantities import wrong

Json = dict[str, Any]


class At(ValueError):  # noqa: N818 - a ValueError with a place
    """A ValueError about a value inside the one that was read."""

    def __init__(self, place: str | int, message: str) -> None:
        super().__init__(message)
        self.place = place


@dataclass(frozen=True, slots=True, eq=False)
class Reader:
    """A value read by one function, which raises ValueError with a whole message."""

    read: Callable[[object], object]
    json: Mapping[str, Any]

    def __get_pydantic_core_schema__(self, source: object, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.no_info_plain_validator_function(self.read)

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        return dict(self.json)


class _Shape(ABC):
    """Another way to write a value, turned into the usual one before it is read."""

    @abstractmethod
    def turn(self, value: object) -> object:
        """The value in the usual form, if it is in the other one; otherwise as it is."""

    @abstractmethod
    def describe(self, usual: Json) -> Json:
        """The JSON Schema of both forms."""

    def __get_pydantic_core_schema__(self, source: object, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.no_info_before_validator_function(self.turn, handler(source))

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        return self.describe(handler(schema))


class OneOrMany(_Shape):
    """A list, or its only item by itself."""

    def turn(self, value: object) -> object:
        return [value] if isinstance(value, str) else value

    def describe(self, usual: Json) -> Json:
        return {"anyOf": [usual["items"], usual]}


@dataclass(frozen=True, eq=False)
class Short(_Shape):
    """A mapping, or by itself the value of its one needed key."""

    key: str

    def turn(self, value: object) -> object:
        return {self.key: value} if isinstance(value, str) else value

    def describe(self, usual: Json) -> Json:
        return {"anyOf": [{"type": "string"}, usual]}


class OrFalse(_Shape):
    """A mapping, or false: not at all."""

    def turn(self, value: object) -> object:
        if value is None:
            raise wrong(value, "a mapping, or false")
        return None if value in ("false", "off", "no") else value

    def describe(self, usual: Json) -> Json:
        return {"anyOf": [{"const": False}, *(choice for choice in usual["anyOf"] if choice != {"type": "null"})]}


class OrTrue(_Shape):
    """A mapping, or true: one without keys. Below `OrFalse`."""

    def turn(self, value: object) -> object:
        return {} if value in ("true", "on", "yes") else value

    def describe(self, usual: Json) -> Json:
        return {"anyOf": [{"const": True}, *usual["anyOf"]]}


class Objective(_Shape):
    """A mapping with percentile and latency, or a line such as `p95 under 300ms`. Below `OrFalse`."""

    form = r"p([0-9.]+)\s*(?:under|below|<=?)\s*(\S+)"

    def turn(self, value: object) -> object:
        if not isinstance(value, str):
            return value
        parts = re.fullmatch(self.form, value.strip())
        if not parts:
            raise wrong(value, "an objective such as p95 under 300ms, or a mapping")
        return {"percentile": parts[1], "latency": parts[2]}

    def describe(self, usual: Json) -> Json:
        return {"anyOf": [{"type": "string", "pattern": rf"^\s*{self.form}\s*$|\$\{{"}, *usual["anyOf"]]}


class Secrets(_Shape):
    """A mapping whose values are never shown, not even where they stand in the wrong place."""

    def turn(self, value: object) -> object:
        if isinstance(value, dict):
            return value
        raise ValueError("must be a mapping of names and values")

    def describe(self, usual: Json) -> Json:
        return usual


class Pairs(_Shape):
    """A mapping, or a list of KEY=VALUE."""

    def turn(self, value: object) -> object:
        if not isinstance(value, list):
            return value
        pairs: dict[str, str] = {}
        for index, item in enumerate(value):
            name, equals, text = item.partition("=") if isinstance(item, str) else ("", "", "")
            if not equals:
                raise At(index, str(wrong(item, "KEY=VALUE")))
            if name in pairs:
                raise At(index, f"gives {name} a second time")
            pairs[name] = text
        return pairs

    def describe(self, usual: Json) -> Json:
        return {"anyOf": [usual, {"type": "array", "items": {"type": "string", "pattern": "="}}]}
