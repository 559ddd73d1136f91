"""`ecluse decide`: what rules make of snapshots, with no cluster.

Reads the standard input, prints decisions, and holds them against what is expected of them.
"""

import argparse
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, TextIO

from sidecar import render
from sidecar.commands import Exit, Subparsers, Wrong, add, paint, show, width
from sidecar.commands.explain import decision_lines

LINE = 1 << 20  # characters of one snapshot: 1,000 replicas with all their samples have some 200,000
EPILOG = """\
Each line of the standard input is a snapshot in JSON; a single one may go over
many lines. docs/decide.md has the format, docs/snapshot.schema.json its schema.
Where a snapshot says what to `expect` and the decision differs, the exit code is 1.

examples:
  ecluse decide rules.yaml < story.jsonl
  echo '{"now_s": 0, "ready": 4, "load": {"concurrency": 90}}' | ecluse decide rules.yaml
"""


def register(commands: "Subparsers[argparse.ArgumentParser]") -> None:
    parser = add(commands, "decide", "Try rules on snapshots, with no cluster", epilog=EPILOG)
    parser.add_argument("rules", metavar="RULES", help="a file with an autoscale block, or a whole configuration")
    parser.add_argument("--jsonl", action="store_true", help="print each decision as one line of JSON, for scripts")
    parser.add_argument("--all", action="store_true", help="everything: what each metric asked for, each stage, the conditions")
    parser.set_defaults(run=decide)


def decide(arguments: argparse.Namespace) -> Exit:
    from autoscaler.explanation import as_json  # noqa: PLC0415 - the other commands start faster without
    from sidecar.commands import rules  # noqa: PLC0415 - as above
    from sidecar.deciding.exchange import NotASnapshot  # noqa: PLC0415 - as above
    from sidecar.deciding.story import Story  # noqa: PLC0415 - as above

    story, passed = Story(rules.load(Path(arguments.rules)).of), True
    for number, text in snapshots(sys.stdin):
        try:
            told = story.tell(text)
        except NotASnapshot as error:
            raise Wrong(f"line {number}: {error}", Exit.USAGE) from error
        decision = as_json(told.decision)
        show([json.dumps(decision, ensure_ascii=False)] if arguments.jsonl else _lines(decision, arguments.all))
        if told.amiss:
            passed = False
            print(
                f"line {number}: {told.decision.service} at {told.decision.now_s:g} s: {told.amiss}", file=sys.stderr, flush=True
            )
    return Exit.OK if passed else Exit.FAILED


def _lines(decision: dict[str, Any], every: bool) -> list[str]:
    """A sentence, or everything that there is to tell."""
    at, moved = paint()(f"{decision['now_s']:g} s", "dim"), decision["desired"] != decision["previous"]
    if not every:
        return [f"{at}  {paint()(decision['sentence'], 'bold' if moved else '')}"]
    return [at, *decision_lines(decision, paint(), width() or render.WIDTH, every=True), ""]


def snapshots(stream: TextIO) -> Iterator[tuple[int, str]]:
    """The snapshots, each with the number of the line that it begins in: one for each line, or a single one over all of them. Raises
    Wrong."""
    first, number = True, 0
    while line := stream.readline(LINE + 1):
        number += 1
        text = line
        if first and line.strip():
            first = False
            text = line if _is_whole(line) else line + stream.read(LINE + 1)
        if len(text) > LINE:
            raise Wrong(f"line {number}: a snapshot may have {LINE} characters; this one has more", Exit.USAGE)
        if text.strip():
            yield number, text
    if first:
        raise Wrong("there is no snapshot on the standard input; ecluse decide --help has an example", Exit.USAGE)


def _is_whole(line: str) -> bool:
    try:
        json.loads(line)
    except ValueError:
        return False
    return True
