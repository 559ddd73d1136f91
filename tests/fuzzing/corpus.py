"""The kept corpus: a text file for each target, one input a line in base64, as the engines' folders of small files are no good in git."""

import base64
from collections.abc import Iterable
from pathlib import Path

FOLDER = Path(__file__).parent / "corpus"


def kept(target: str) -> list[bytes]:
    """All inputs of a target."""
    return [base64.b64decode(line) for line in (FOLDER / f"{target}.txt").read_text(encoding="ascii").split()]


def keep(target: str, inputs: Iterable[bytes]) -> None:
    """From now on these are kept."""
    lines = sorted({base64.b64encode(each).decode("ascii") for each in inputs}, key=lambda line: (len(line), line))
    (FOLDER / f"{target}.txt").write_text("".join(f"{line}\n" for line in lines), encoding="ascii")


def unpack(target: str, folder: Path) -> None:
    """Into files, as libFuzzer wants them."""
    folder.mkdir(parents=True, exist_ok=True)
    for number, octets in enumerate(kept(target)):
        (folder / f"{number:05}").write_bytes(octets)
