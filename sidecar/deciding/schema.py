"""`python -m sidecar.deciding.schema`: writes docs/snapshot.schema.json; with --check only says whether it is current."""

import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from sidecar.deciding.forms import SnapshotForm

FILE: Final = Path(__file__).parents[2] / "docs" / "snapshot.schema.json"


def schema() -> dict[str, Any]:
    """The JSON Schema of one snapshot."""
    made = SnapshotForm.model_json_schema()
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **made, "title": "A snapshot for ecluse decide"}


def main(words: Sequence[str]) -> int:
    """0, or 1 where the file is not current."""
    text = json.dumps(schema(), indent=2, ensure_ascii=False) + "\n"
    if "--check" not in words:
        FILE.write_text(text, "utf-8")
    elif not FILE.exists() or FILE.read_text("utf-8") != text:
        print(f"{FILE.name} is not current: run python -m sidecar.deciding.schema", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
