"""The JSON Schema of configuration files (draft 2020-12), made from the models: for editors, and as docs/ecluse.schema.json.

`python -m sidecar.configuration.schema` writes that file; with `--check` it only says whether the file is current. The schema
cannot say all that `checks` does, and lets ${NAME} pass wherever a value can stand.
"""

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from sidecar.configuration.models import File

FILE = Path(__file__).parents[2] / "docs" / "ecluse.schema.json"
DIALECT = "https://json-schema.org/draft/2020-12/schema"


def schema() -> dict[str, Any]:
    """The JSON Schema."""
    made = _plain(File.model_json_schema())
    made["patternProperties"] = {"^x-": {"description": "Ignored: a place for anchors."}}
    return {"$schema": DIALECT, "title": "Écluse", **{key: value for key, value in made.items() if key != "title"}}


def _plain(part: Any) -> Any:
    """Without titles, which repeat the keys, without OpenAPI's discriminator, and without defaults that are no plain values."""
    match part:
        case dict():
            return {key: _plain(value) for key, value in part.items() if not _needless(key, value)}
        case list():
            return [_plain(item) for item in part]
    return part


def _needless(key: str, value: object) -> bool:
    match key:
        case "title":
            return isinstance(value, str)
        case "default":
            return value in (None, "") or isinstance(value, dict | list)
    return key == "discriminator"


def text() -> str:
    """The schema as the file holds it."""
    return json.dumps(schema(), indent=2, ensure_ascii=False) + "\n"


def main(arguments: Sequence[str] | None = None) -> int:
    """Write or check the file; 1 if it is not current."""
    parser = argparse.ArgumentParser(prog="python -m sidecar.configuration.schema", description="Write docs/ecluse.schema.json.")
    parser.add_argument("--check", action="store_true", help="change nothing; exit with 1 if the file is not current")
    if not parser.parse_args(arguments).check:
        FILE.write_text(text(), encoding="utf-8")
        return 0
    if FILE.exists() and FILE.read_text(encoding="utf-8") == text():
        return 0
    print(f"{FILE.name} is not current: run python -m sidecar.configuration.schema", file=sys.stderr)
    return 1


if __name__ == "__main__":
    sys.exit(main())
