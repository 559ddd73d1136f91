"""What all models share: no unknown keys, docstrings as descriptions, and a word about keys that this version does not have.

Models below `HpaModel` also take the camelCase spellings of the Kubernetes HPA, so that a `behavior` block can be pasted.
"""

from collections.abc import Mapping
from typing import ClassVar

from pydantic import AliasChoices, AliasGenerator, BaseModel, ConfigDict, GetJsonSchemaHandler
from pydantic.alias_generators import to_camel
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema

_HPA = {"stabilization_window": "stabilizationWindowSeconds", "period": "periodSeconds"}


def hpa_spelling(name: str) -> str:
    """A key as the Kubernetes HPA spells it."""
    return _HPA.get(name, to_camel(name))


def _spellings(name: str) -> AliasChoices | str:
    return name if hpa_spelling(name) == name else AliasChoices(name, hpa_spelling(name))


class Model(BaseModel):
    """One mapping of the configuration."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)
    unavailable: ClassVar[Mapping[str, str]] = {}  # keys that are not here, and what to do instead

    @classmethod
    def spellings(cls) -> dict[str, str]:
        """Every accepted key, and the field that it is."""
        return {name: name for name in cls.model_fields}


class HpaModel(Model):
    """A mapping whose keys may be spelled as in the Kubernetes HPA."""

    model_config = ConfigDict(alias_generator=AliasGenerator(validation_alias=_spellings))

    @classmethod
    def spellings(cls) -> dict[str, str]:
        """Every accepted key, and the field that it is: each field twice where the HPA writes it differently."""
        return {spelled: name for name in cls.model_fields for spelled in (name, hpa_spelling(name))}

    @classmethod
    def __get_pydantic_json_schema__(cls, schema: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        described = handler(schema)
        properties = handler.resolve_ref_schema(described)["properties"]
        for spelled, name in cls.spellings().items():
            if spelled != name:
                properties[spelled] = {**properties[name], "description": f"The same as {name}, as the Kubernetes HPA spells it."}
        return described
