"""What a file may be before any key is looked at: YAML within limits, in UTF-8, and there."""

from pathlib import Path

import pytest

from sidecar.configuration import ConfigurationErrors, load, parse
from sidecar.configuration.document import FILE_BYTES

LAUGHS = "x-0: &a0 [lol]\n" + "".join(f"x-{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]\n" for n in range(1, 12))
MERGES = "x-0: &a0 {k: v}\n" + "".join(f"x-{n}: &a{n} {{<<: [{', '.join([f'*a{n - 1}'] * 9)}]}}\n" for n in range(1, 12))
SERVICES = "services: {a: {command: a}}\n"

WRONG = {
    "empty": ("", "f:1:1: is empty; it must at least name a service: services: {app: {command: ...}}"),
    "only comments": ("# nothing\n", "f:1:1: is empty; ..."),
    "a list": ("- a\n", "f:1:1: must be a mapping, with services as one of its keys"),
    "two colons": ("a: b: c\n", "f:1:5: is not valid YAML: a colon and a space make a new key, ..."),
    "a tab": ("a:\n\tb: c\n", "f:2:1: is not valid YAML: a tab cannot indent; use spaces"),
    "an open bracket": ("a: [b\n", "f:2:1: is not valid YAML: expected ',' or ']', but got '<stream end>'"),
    "an alias of nothing": ("a: *b\n", "f:1:4: is not valid YAML: found undefined alias 'b'"),
    "braces in braces": ("a: {b: ${C}}\n", 'f:1:9: is not valid YAML: inside { } a value with braces needs quotes: "${NAME}"'),
    "two documents": (
        "a: 1\n---\nb: 1\n",
        "f:2:1: is not valid YAML: a file may hold one document only; take out the second ---",
    ),
    "an escape out of range": ('a: 1\nb: "\\UFFFFFFFF"\n', "f:2:7: is not valid YAML: a number or an escape is out of range"),
    "a control character": ("a: 1\nb: \x07\n", "f:2:4: has a character that YAML does not allow: U+0007"),
    "very deep": ("[" * 100, "f:1:33: is not valid YAML: values are nested deeper than 32"),
    "an alias in itself": ("x: &x [*x]\n", "f:1:4: unfolds into too much: its aliases are too many or refer to themselves"),
    "aliases of aliases": (f"{LAUGHS}y: *a11\n", "f:2:6: unfolds into too much: ..."),
    "merges of merges": (f"{MERGES}y: *a11\n", "f:1:6: unfolds into too much: ..."),
    "too large": ("a" * (FILE_BYTES + 1), "f: is larger than 1024 KiB"),
    "a key twice": (SERVICES + "workers: 1\nworkers: 2\n", "f:3:1: workers: is given twice; the first is in line 2"),
    "a key that is a list": (SERVICES + "? [a]\n: b\n", "f:2:3: a key must be plain text"),
    "a merge of a number": (SERVICES + "<<: 3\n", 'f:2:5: "<<": must name mappings, not nested deeper than 32'),
    "a tag of Python's": (
        SERVICES + "workers: !!python/name:os.system\n",
        "f:2:10: workers: has the tag !!python/name:os.system, which is not known here; take it away",
    ),
    "a tag of nobody's": (
        SERVICES + "workers: !secret x\n",
        "f:2:10: workers: has the tag !secret, which is not known here; take it away",
    ),
    "NUL": ('services: {a: {command: "a\\0b"}}', "f:1:25: services.a.command: has a character that cannot be used: NUL, or ..."),
    "half a surrogate pair": (
        'services: {a: {command: "a\\ud800b"}}',
        "f:1:25: services.a.command: has a character that cannot be used: NUL, or ...",
    ),
}


@pytest.mark.parametrize(("text", "said"), WRONG.values(), ids=WRONG)
def test_what_is_wrong_with_the_file_itself_is_said_at_its_place(text: str, said: str) -> None:
    with pytest.raises(ConfigurationErrors) as caught:
        parse(text, "f", variables={})
    line = str(caught.value)
    assert (line[: len(said) - 3] + "..." if said.endswith("...") else line) == said


def test_a_file_that_is_not_there_is_a_problem_like_others(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationErrors) as caught:
        load(tmp_path / "none.yaml")
    assert str(caught.value) == f"{tmp_path}/none.yaml: cannot be read: no such file or directory"


def test_a_file_that_is_not_utf_8_is_marked_at_the_first_such_byte(tmp_path: Path) -> None:
    file = tmp_path / "latin.yaml"
    file.write_bytes("services: {}\n# caf\u00e9\n".encode("latin-1"))
    with pytest.raises(ConfigurationErrors) as caught:
        load(file)
    assert str(caught.value) == f"{file}:2:6: is not UTF-8: there is a byte 0xe9"


def test_too_large_a_file_is_not_read_to_its_end(tmp_path: Path) -> None:
    file = tmp_path / "large.yaml"
    file.write_bytes(b"#" * (FILE_BYTES + 1))
    with pytest.raises(ConfigurationErrors, match="is larger than 1024 KiB"):
        load(file)


def test_a_mark_at_the_beginning_and_windows_line_ends_do_no_harm() -> None:
    assert parse("\ufeffworkers: 2\r\n" + SERVICES, "f").workers == 2


def test_a_mappings_own_keys_win_over_merged_ones_and_earlier_merged_ones_over_later() -> None:
    config = parse(
        """
x-one: &one {ONE: "1", BOTH: one, OWN: one}
x-two: &two {TWO: "2", BOTH: two}
services: {a: {command: a, environment: {<<: [*one, *two], OWN: own}}}
""",
        "f",
    )
    assert config.services[0].environment == {"OWN": "own", "ONE": "1", "BOTH": "one", "TWO": "2"}
