"""Values against the models: every error of pydantic becomes a problem in our own words, at its key or its value.

Where a value is wrong it is left out and the rest is validated again, so that the checks of values against each other can run
on what is left, and all problems come out at once.
"""

from collections.abc import Mapping
from itertools import takewhile
from types import UnionType
from typing import Annotated, Any, TypeVar, Union, get_args, get_origin

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from sidecar.configuration.base import Model, hpa_spelling
from sidecar.configuration.document import Document
from sidecar.configuration.problems import Path, nearest, show
from sidecar.configuration.quantities import wrong
from sidecar.configuration.shapes import At

M = TypeVar("M", bound=Model)


def validate(document: Document, model: type[M]) -> M | None:
    """The model of everything that is right; the problems of the rest are added to the document. None: too little is right."""
    unreadable = frozenset(document.failed)
    try:
        return model.model_validate(document.data)
    except ValidationError as error:
        unknown_first = sorted(error.errors(include_url=False), key=lambda detail: detail["type"] != "extra_forbidden")
        for detail in unknown_first:  # a mistyped key is not also a missing one
            if not any(place in unreadable for place in way_to(_place(document, detail))):
                _report(document, detail, model)
    return _remaining(document, model)


def way_to(path: Path) -> list[Path]:
    """The path and all that it is inside of."""
    return [path[:length] for length in range(1, len(path) + 1)]


def _remaining(document: Document, model: type[M]) -> M | None:
    """The model without what failed; what was needed and is now missing takes its mapping with it."""
    failed = set(document.failed)
    while () not in failed:
        try:
            return model.model_validate(_without(document.data, failed))
        except ValidationError as error:
            failed |= {_place(document, detail) for detail in error.errors(include_url=False)}
    return None


def _without(data: Mapping[str, object], failed: set[Path]) -> dict[str, object]:
    """The data without the failed paths. A list goes as a whole, so that paths of what is left stay true."""
    gone = {tuple(takewhile(lambda part: isinstance(part, str), path)) for path in failed}

    def kept(value: object, path: Path) -> object:
        if not isinstance(value, dict):
            return value
        return {name: kept(item, (*path, name)) for name, item in value.items() if (*path, name) not in gone}

    return {name: kept(item, (name,)) for name, item in data.items() if (name,) not in gone}


def located(document: Document, path: Path) -> Path:
    """The part of a path that stands in the document, with its keys as they are spelled there."""
    found: Path = ()
    for part in path:
        spelled = hpa_spelling(part) if isinstance(part, str) else part
        found = next((key for key in ((*found, part), (*found, spelled)) if key in document.values), found)
    return found


def _place(document: Document, detail: ErrorDetails) -> Path:
    """The path of the document that an error of pydantic is about."""
    path, error = detail["loc"], detail.get("ctx", {}).get("error")
    match detail["type"]:
        case "missing":
            return located(document, path[:-1])
        case "union_tag_invalid":
            return located(document, (*path, "type"))
        case "value_error" if isinstance(error, At):
            return located(document, (*path, error.place))
    return located(document, path)


def _report(document: Document, detail: ErrorDetails, root: type[Model]) -> None:
    path, place = detail["loc"], _place(document, detail)
    match detail["type"]:
        case "extra_forbidden":
            model = _model_at(root, path[:-1])
            near = nearest(str(path[-1]), list(model.spellings()))
            document.add(place, _unknown_key(str(path[-1]), model, near), at_key=True)
            document.failed.add((*place[:-1], near))
        case "missing" | "union_tag_not_found":
            name = path[-1] if detail["type"] == "missing" else "type"
            if (*place, name) not in document.failed:
                document.add(place, f'needs the key "{name}"', at_key=True)
        case "too_short" if detail["input"]:
            pass  # pydantic counts only the items that are right, and has reported the others
        case _:
            document.add(place, _message(detail))


def _unknown_key(name: str, model: type[Model], near: str) -> str:
    spellings = model.spellings()
    if name in spellings:
        return f"is the same as {spellings[name]}, which is given already"
    if name in model.unavailable:
        return model.unavailable[name]
    hint = f'; did you mean "{near}"?' if near else ""
    return f"unknown key{hint} (known: {', '.join(model.model_fields)})"


def _message(detail: ErrorDetails) -> str:
    context, value = detail.get("ctx", {}), detail["input"]
    match detail["type"]:
        case "value_error":
            return str(context["error"])
        case "union_tag_invalid":
            return _metric_type(value["type"], context["expected_tags"].replace("'", ""))
        case "tuple_type":
            return str(wrong(value, "a list"))
        case "too_short":
            return "must not be empty"
        case "too_long":
            return f"has {context['actual_length']} entries; {context['max_length']} are the most"
    return str(wrong(value, "a mapping of keys and values"))


def _metric_type(kind: object, available: str) -> str:
    near = nearest(kind, available.split(", ")) if isinstance(kind, str) else ""
    hint = f'; did you mean "{near}"?' if near else ""
    if not isinstance(kind, str):
        return str(wrong(kind, f"one of {available}"))
    return f"metric type {show(kind)} is not available in this version; available: {available}{hint}"


def _model_at(root: type[Model], path: Path) -> type[Model]:
    kind: Any = root
    for part in path:
        kind = _inside(kind, part)
    model: type[Model] = _choices(kind)[0]
    return model


def _inside(kind: Any, part: str | int) -> Any:
    """The type of what is found under one part of an error's path: a key, an index, or the tag of a union's choice."""
    choices = _choices(kind)
    if len(choices) > 1:
        return next(choice for choice in choices if part in get_args(choice.model_fields["type"].annotation))
    if get_origin(choices[0]) in (tuple, dict):
        return get_args(choices[0])[0 if isinstance(part, int) else 1]
    return choices[0].model_fields[choices[0].spellings()[part]].annotation


def _choices(kind: Any) -> list[Any]:
    """The types that a type stands for: without annotations and None."""
    if get_origin(kind) is Annotated:
        return _choices(get_args(kind)[0])
    if isinstance(kind, UnionType) or get_origin(kind) is Union:
        return [choice for choice in get_args(kind) if choice is not type(None)]
    return [kind]
