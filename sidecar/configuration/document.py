"""A YAML file as plain values, each with its place: text, lists and mappings, and None where no value stands.

Every scalar stays the text that was written (1.10 is not 1.1, and `on` is not true): what it means is for the models to say.
Anchors, aliases and merges (`<<`) work; other tags do not. All sizes are limited, so that a file can neither fill the memory nor
the stack. Nothing here knows a key, except that those beginning with x- at the top are there for anchors only, as in Compose.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import yaml

from sidecar.configuration.problems import ConfigurationErrors, Path, Problem, key_text
from sidecar.configuration.substitution import substitute

FILE_BYTES = 1024 * 1024
DEPTH = 32  # values inside values
UNFOLDED = 8 * FILE_BYTES  # what all aliases unfolded may come to: the characters of each value, and VALUE for its place
VALUE = 64

_TAG = "tag:yaml.org,2002:"
_SCALARS = frozenset(_TAG + name for name in ("str", "int", "float", "bool", "timestamp", "value"))
_NULL, _MERGE = _TAG + "null", _TAG + "merge"
_TABS = "found character '\\t' that cannot start any token"
_ADVICE = {
    _TABS: "a tab cannot indent; use spaces",
    "mapping values are not allowed here": "a colon and a space make a new key, which cannot stand here; is a line indented too far, "
    "or does a value need quotes?",
    "expected ',' or '}', but got '{'": 'inside { } a value with braces needs quotes: "${NAME}"',
    "expected ',' or ']', but got '{'": 'inside [ ] a value with braces needs quotes: "${NAME}"',
    "but found another document": "a file may hold one document only; take out the second ---",
}

_UNUSABLE = re.compile("[\\0\ud800-\udfff]")  # NUL ends a C string; half a surrogate pair has no UTF-8

Place = tuple[int, int]  # line and column, from 1


@dataclass(slots=True)
class Document:
    """The values, and for each path the places of its key (of the value itself in a list) and of its value.

    failed: paths of values that cannot be relied on; those of all problems, and of keys that were probably meant by unknown ones.
    """

    file: str
    data: dict[str, object] = field(default_factory=dict)
    keys: dict[Path, Place] = field(default_factory=dict)
    values: dict[Path, Place] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)
    failed: set[Path] = field(default_factory=set)

    def add(self, path: Path, message: str, *, at_key: bool = False) -> None:
        """Keep a problem of a path of this document."""
        self.add_at((self.keys if at_key else self.values).get(path, (0, 0)), path, message)

    def add_at(self, place: Place, path: Path, message: str) -> None:
        """Keep a problem that has a place of its own."""
        self.problems.append(Problem(self.file, *place, key_text(path), message))
        self.failed.add(path)


def read(text: str, file: str, variables: Mapping[str, str]) -> Document:
    """The document in the text. Raises ConfigurationErrors when there is none at all; lesser problems stand in the document."""
    checked_size(text.encode(errors="replace"), file)
    root = _compose(text, file)
    if root is None or root.tag == _NULL:
        raise ConfigurationErrors(
            [Problem(file, 1, 1, "", "is empty; it must at least name a service: services: {app: {command: ...}}")]
        )
    if not isinstance(root, yaml.MappingNode):
        raise ConfigurationErrors([Problem(file, *_place(root), "", "must be a mapping, with services as one of its keys")])
    return _Unfolding(Document(file), variables).document(root)


def of_values(data: dict[str, object], file: str) -> Document:
    """A document of values that came from elsewhere and so have no places."""
    document = Document(file, data)

    def walk(value: object, path: Path) -> None:
        document.values[path] = (0, 0)
        items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
        for part, item in items:
            walk(item, (*path, part))

    walk(data, ())
    return document


def checked_size(octets: bytes, file: str) -> bytes:
    """The octets of a file, if they are not too many. Raises ConfigurationErrors."""
    if len(octets) > FILE_BYTES:
        raise ConfigurationErrors([Problem(file, 0, 0, "", f"is larger than {FILE_BYTES // 1024} KiB")])
    return octets


class _Loader(yaml.SafeLoader):
    """PyYAML's safe loader, used for its nodes only, with a limit to their depth."""

    depth = 0

    def compose_node(self, parent: yaml.Node | None, index: int) -> yaml.Node | None:
        if self.depth >= DEPTH:
            message = f"values are nested deeper than {DEPTH}"
            mark = self.peek_event().start_mark  # type: ignore[no-untyped-call] # the stubs leave it out
            raise yaml.MarkedYAMLError(problem=message, problem_mark=mark)
        self.depth += 1
        node = super().compose_node(parent, index)
        self.depth -= 1
        return node


def _compose(text: str, file: str) -> yaml.Node | None:
    place = (1, 1)
    try:
        loader = _Loader(text)
        try:
            return loader.get_single_node()
        except (ValueError, OverflowError):  # PyYAML's own, for "\UFFFFFFFF" and %YAML with thousands of digits
            place = (loader.line + 1, loader.column + 1)
            message = "is not valid YAML: a number or an escape is out of range"
        finally:
            loader.dispose()
    except yaml.reader.ReaderError as error:
        place = _place_of(text, error.position)
        message = f"has a character that YAML does not allow: U+{_code(error.character):04X}"
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        place = (mark.line + 1, mark.column + 1) if mark else place
        message = f"is not valid YAML: {_ADVICE.get(error.problem or '', error.problem)}"
    raise ConfigurationErrors([Problem(file, *place, "", message)])


def _code(character: object) -> int:
    return ord(character) if isinstance(character, str) else int(str(character))


def _place_of(text: str, position: int) -> Place:
    before = text[:position]
    return before.count("\n") + 1, position - before.rfind("\n")


def _place(node: yaml.Node) -> Place:
    return node.start_mark.line + 1, node.start_mark.column + 1


class _Unfolding:
    """One walk over the nodes, within the limits."""

    def __init__(self, document: Document, variables: Mapping[str, str]) -> None:
        self._document = document
        self._variables = variables
        self._room = UNFOLDED

    def document(self, root: yaml.MappingNode) -> Document:
        self._document.keys[()] = self._document.values[()] = _place(root)
        self._document.data = self._mapping(root, ())
        return self._document

    def _value(self, node: yaml.Node, path: Path) -> object:
        self._document.values[path] = _place(node)
        self._document.keys.setdefault(path, _place(node))
        match node:
            case yaml.MappingNode(tag="tag:yaml.org,2002:map"):
                return self._mapping(node, path)
            case yaml.SequenceNode(tag="tag:yaml.org,2002:seq"):
                return [self._value(item, (*path, index)) for index, item in enumerate(self._items(node, path))]
            case yaml.ScalarNode() if node.tag in _SCALARS:
                return self._text(node, path)
            case yaml.ScalarNode() if node.tag == _NULL:
                return None
        self._document.add(path, f"has the tag {_short(node.tag)}, which is not known here; take it away")
        return None

    def _items(self, node: yaml.SequenceNode, path: Path) -> Sequence[yaml.Node]:
        self._take(node, path, VALUE * len(node.value))
        return node.value  # type: ignore[no-any-return] # the stubs leave it open

    def _text(self, node: yaml.ScalarNode, path: Path) -> str:
        try:
            text = substitute(node.value, self._variables)
        except ValueError as error:
            self._document.add(path, str(error))
            text = node.value
        self._take(node, path, len(text))
        if _UNUSABLE.search(text):
            self._document.add(path, "has a character that cannot be used: NUL, or half of a surrogate pair")
        return text

    def _mapping(self, node: yaml.MappingNode, path: Path) -> dict[str, object]:
        values: dict[str, object] = {}
        for name, key, value in self._pairs(node, path, 0):
            if path == () and name.startswith("x-"):
                continue
            if name not in values:
                self._document.keys[*path, name] = _place(key)
                values[name] = self._value(value, (*path, name))
        return values

    def _pairs(self, node: yaml.MappingNode, path: Path, depth: int) -> Iterator[tuple[str, yaml.Node, yaml.Node]]:
        """Names with their nodes; a mapping's own names come before those merged into it, and so win."""
        self._take(node, path, VALUE * len(node.value))
        seen: dict[str, yaml.Node] = {}
        for key, value in node.value:
            if not isinstance(key, yaml.ScalarNode) or not key.value or _UNUSABLE.search(key.value):
                self._document.add_at(_place(key), path, "a key must be plain text")
            elif key.value in seen:
                line, _ = _place(seen[key.value])
                self._document.add_at(_place(key), (*path, key.value), f"is given twice; the first is in line {line}")
            else:
                seen[key.value] = key
                if key.tag != _MERGE:
                    yield key.value, key, value
        for key, value in node.value:
            if key.tag == _MERGE:
                yield from self._merged(value, path, depth + 1)

    def _merged(self, node: yaml.Node, path: Path, depth: int) -> Iterator[tuple[str, yaml.Node, yaml.Node]]:
        sources = node.value if isinstance(node, yaml.SequenceNode) else [node]
        for source in sources:
            if isinstance(source, yaml.MappingNode) and depth < DEPTH:
                yield from self._pairs(source, path, depth)
            else:
                self._document.add_at(_place(source), (*path, "<<"), f"must name mappings, not nested deeper than {DEPTH}")

    def _take(self, node: yaml.Node, path: Path, cost: int) -> None:
        self._room -= cost
        if self._room < 0 or len(path) > DEPTH:
            message = "unfolds into too much: its aliases are too many or refer to themselves"
            raise ConfigurationErrors([Problem(self._document.file, *_place(node), "", message)])


def _short(tag: str) -> str:
    return tag.replace(_TAG, "!!")[:40]
