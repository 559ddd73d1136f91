"""The disk while it works and memory while it does not: full, read-only, damaged, taken; told once, and mended without a restart."""

import os
import resource
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from sidecar.state import database
from sidecar.state.database import Database
from sidecar.state.limits import IN_MEMORY, RETRY_S
from sidecar.state.lock import StateInUse
from sidecar.state.rows import Waiting
from sidecar.state.store import Store
from tests.state.made import Clock, decision, event
from tests.system.tools import CI


class House:
    """A store, and what it tells."""

    def __init__(self, directory: Path) -> None:
        self.clock = Clock()
        self.told: list[tuple[str, str]] = []
        self.store = Store(str(directory), lambda *words: self.told.append(words), self.clock.wall, self.clock.up)

    def kinds(self) -> list[str]:
        return [kind for kind, _ in self.told]

    def keep(self, number: int, length: int = 10) -> None:
        waiting = Waiting(0.0, decisions=[("web", float(number), True, decision())], events=[event(number, "x" * length)])
        self.store.write(waiting)

    def numbers(self) -> list[int]:
        """Of all events, oldest first."""
        return [number for number, _ in self.store.read(lambda kept: kept.events(1000))][::-1]


@contextmanager
def opened(directory: Path) -> Iterator[House]:
    house = House(directory)
    try:
        house.store.open()
        yield house
    finally:
        house.store.close()


@contextmanager
def small_disk(directory: Path, how: str) -> Iterator[Path]:
    """A file system of its own."""
    directory.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", how, "tmpfs", directory], capture_output=True, text=True, check=False)
    if mounted.returncode:
        (pytest.fail if CI else pytest.skip)(f"cannot mount a small disk: {mounted.stderr}")
    try:
        yield directory
    finally:
        subprocess.run(["umount", directory], check=True)


def test_what_was_kept_is_there_in_the_next_life(tmp_path: Path) -> None:
    with opened(tmp_path / "new" / "folder") as house:
        house.keep(1)
    with opened(tmp_path / "new" / "folder") as house:
        house.keep(2)
        assert house.numbers() == [1, 2]
        assert house.told == []
    assert (tmp_path / "new" / "folder").stat().st_mode & 0o777 == 0o700


def test_without_a_directory_everything_is_in_memory(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    store = Store("", lambda *words: None)
    store.open()
    store.write(Waiting(0.0, events=[event(1)]))
    assert len(store.read(lambda kept: kept.events(9))) == 1
    store.close()
    assert list(tmp_path.iterdir()) == []


def test_a_full_disk_is_told_once_and_what_happened_meanwhile_is_on_it_when_there_is_room_again(tmp_path: Path) -> None:
    with small_disk(tmp_path / "disk", "size=3m") as disk, opened(disk) as house:
        house.keep(1)
        filler = disk / "filler"
        filler.write_bytes(bytes(2_700_000))
        for number in range(2, 6):
            house.keep(number, length=100_000)
        assert house.kinds() == ["state_failed"]
        assert f"{disk}: database or disk is full; until that is mended" in house.told[0][1]
        house.clock.passes(RETRY_S)
        house.keep(6)
        assert house.kinds() == ["state_failed"]
        filler.unlink()
        house.keep(7)
        assert house.kinds() == ["state_failed"]  # it is not asked more often than that
        house.clock.passes(RETRY_S)
        house.keep(8)
        assert house.kinds() == ["state_failed", "state_works_again"]
        assert house.numbers()[-3:] == [6, 7, 8]


def test_a_file_that_may_not_grow_is_as_a_full_disk(tmp_path: Path) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    with opened(tmp_path) as house:
        house.keep(1)
        resource.setrlimit(resource.RLIMIT_FSIZE, (200_000, hard))
        try:
            house.keep(2, length=300_000)
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
        assert house.kinds() == ["state_failed"]
        assert house.numbers() == [2]
        house.clock.passes(RETRY_S)
        house.keep(3)
        assert house.numbers() == [1, 2, 3]


def test_a_read_only_directory_is_told_and_used_as_soon_as_it_can_be(tmp_path: Path) -> None:
    with small_disk(tmp_path / "disk", "ro") as disk, opened(disk) as house:
        assert house.kinds() == ["state_failed"]
        assert "Read-only file system" in house.told[0][1]
        house.keep(1)
        subprocess.run(["mount", "-o", "remount,rw", disk], check=True)
        house.clock.passes(RETRY_S)
        house.keep(2)
        assert house.kinds() == ["state_failed", "state_works_again"]
        assert house.numbers() == [1, 2]


def test_a_directory_that_is_none_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with opened(tmp_path / "file") as house:
        house.keep(1)
        assert house.kinds() == ["state_failed"]
        assert house.numbers() == [1]


@pytest.mark.parametrize(
    "damage",
    [
        pytest.param(lambda content: b"no database at all" * 100, id="another file"),
        pytest.param(lambda content: content[:4096] + b"\xff" * 8192 + content[12288:], id="overwritten in the middle"),
        pytest.param(lambda content: content[:9000], id="cut short"),
    ],
)
def test_a_damaged_file_is_moved_aside_and_named(tmp_path: Path, damage: object) -> None:
    with opened(tmp_path) as house:
        for number in range(300):
            house.keep(number, length=200)
    file = tmp_path / "ecluse.db"
    damaged = damage(file.read_bytes())  # type: ignore[operator]
    file.write_bytes(damaged)
    with opened(tmp_path) as house:
        house.keep(1)
        assert house.kinds() == ["state_damaged"]
        assert f"moved to {tmp_path / 'ecluse.db.damaged'}, and a new one begun" in house.told[0][1]
        assert house.numbers() == [1]
    assert (tmp_path / "ecluse.db.damaged").read_bytes() == damaged


def test_a_file_damaged_while_in_use_is_moved_aside_too(tmp_path: Path) -> None:
    with opened(tmp_path) as house:
        for number in range(40):
            house.keep(number, length=100_000)
        file = tmp_path / "ecluse.db"
        file.write_bytes(file.read_bytes()[:4096] + b"\xff" * 4_000_000)
        assert house.numbers() == []  # more than SQLite remembers
        assert house.kinds() == ["state_failed"]
        house.keep(1)
        house.clock.passes(RETRY_S)
        house.keep(2)
        assert house.kinds() == ["state_failed", "state_damaged", "state_works_again"]
        assert house.numbers() == [1, 2]


def test_the_file_of_a_later_version_is_left_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(database, "VERSION", 99)
    Database(str(tmp_path / "ecluse.db"), IN_MEMORY).close()
    monkeypatch.undo()
    with opened(tmp_path) as house:
        house.keep(1)
        assert house.kinds() == ["state_failed"]
        assert "was written by a later version of ecluse" in house.told[0][1]


def test_a_second_program_on_the_same_directory_is_told_whose_it_is(tmp_path: Path) -> None:
    with opened(tmp_path):
        script = "import sys; from sidecar.state.store import Store; Store(sys.argv[1], print).open()"
        second = subprocess.run([sys.executable, "-c", script, tmp_path], capture_output=True, text=True, check=False)
        with pytest.raises(StateInUse, match=r"is in use by another ecluse \(pid \d+\): stop that one, or give this one"):
            House(tmp_path).store.open()
    assert f"(pid {os.getpid()})" in second.stderr
    with opened(tmp_path) as house:
        assert house.told == []
