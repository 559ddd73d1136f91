"""Paths of Unix sockets for instances, and the private folder that they lie in."""

import os
import socket
import stat
from pathlib import Path

import pytest

from autoscaler.cluster.address import UNIX_PATH_OCTETS
from autoscaler.cluster.engine import EngineError
from autoscaler.cluster.processes import folder, socket_paths
from autoscaler.cluster.processes.socket_paths import NAME_OCTETS, SocketPaths

LONGEST = UNIX_PATH_OCTETS - NAME_OCTETS


def paths_in(parent: Path | str) -> SocketPaths:
    return SocketPaths({"TMPDIR": str(parent)})


def socket_at(path: str) -> None:
    with socket.socket(socket.AF_UNIX) as sock:
        sock.bind(path)


def a_folder_of(length: int, parent: Path) -> Path:
    """A new folder whose path has so many octets."""
    made = parent / ("x" * (length - len(str(parent)) - 1))
    made.mkdir()
    assert len(str(made)) == length
    return made


@pytest.fixture
def short(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Path:
    """What stands for /tmp and the others, so that a test may look at all that was made there."""
    other = tmp_path_factory.mktemp("t")
    monkeypatch.setattr(socket_paths, "PARENTS", (str(other),))
    return other


def test_paths_differ_and_lie_in_one_folder_that_nobody_else_may_enter(short: Path) -> None:
    paths = paths_in(short)
    given = [Path(paths.take(number)) for number in (1, 2)]
    assert given[0] != given[1]
    (parent,) = {path.parent for path in given}
    assert stat.S_IMODE(parent.stat().st_mode) == 0o700
    paths.close()
    assert [*short.iterdir()] == []


def test_no_folder_is_made_before_a_path_is_wanted(short: Path) -> None:
    paths = paths_in(short)
    paths.close()
    assert [*short.iterdir()] == []


@pytest.mark.parametrize(
    "temporary",
    [
        pytest.param("", id="none named"),
        pytest.param("relative", id="a relative one, which means another to an instance"),
        pytest.param("/no/such/folder", id="one that is not there"),
        pytest.param("/proc", id="one that cannot be written to"),
        pytest.param("/dev/null", id="one that is no folder"),
        pytest.param("/tmp/with space", id="one that a shell would split"),  # noqa: S108 - nothing is made there
        pytest.param("/tmp/été", id="one that not everything reads the same way"),  # noqa: S108 - as above
    ],
)
def test_a_temporary_folder_of_no_use_is_passed_over(short: Path, temporary: str) -> None:
    paths = paths_in(temporary)
    assert Path(paths.take(1)).parent.parent == short
    paths.close()


@pytest.mark.parametrize(("more", "used"), [(0, True), (1, False)], ids=["the longest one that fits", "one octet too long"])
def test_no_path_is_longer_than_a_socket_address_holds(short: Path, tmp_path: Path, more: int, used: bool) -> None:
    parent = a_folder_of(LONGEST + more, tmp_path)
    paths = paths_in(parent)
    path = paths.take(1_000_000_000)
    assert (Path(path).parent.parent == parent) is used
    socket_at(path)
    paths.close()


def test_where_no_folder_can_be_made_the_error_names_each_and_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(socket_paths, "PARENTS", ("/proc",))
    with pytest.raises(EngineError, match=r"/no/where: no such file or directory; /proc: .*; set TMPDIR to one"):
        paths_in("/no/where").take(1)


def test_a_socket_that_was_left_is_removed_when_its_path_is_given_back(short: Path) -> None:
    paths = paths_in(short)
    path = paths.take(1)
    socket_at(path)
    paths.release(path)
    assert not Path(path).exists()
    paths.release(path)  # nothing there: nothing to do
    paths.close()


def test_what_is_not_a_socket_is_not_removed_when_a_path_is_given_back(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_text("mine")
    link = tmp_path / "link"
    link.symlink_to(file)
    for path in (file, link, tmp_path):
        SocketPaths().release(str(path))
        assert path.exists()


def test_a_folder_that_a_cleaner_removed_is_made_anew(short: Path) -> None:
    paths = paths_in(short)
    Path(paths.take(1)).parent.rmdir()
    socket_at(paths.take(2))
    paths.close()
    assert [*short.iterdir()] == []


def test_a_folder_that_others_may_enter_is_used_no_more_and_not_emptied(short: Path) -> None:
    paths = paths_in(short)
    former = Path(paths.take(1)).parent
    former.chmod(0o755)
    (former / "file").touch()
    assert Path(paths.take(2)).parent != former
    folder.remove(str(former))
    assert (former / "file").exists()
    paths.close()


def test_with_the_folder_go_files_that_programs_put_beside_their_sockets_but_not_what_lies_deeper(short: Path) -> None:
    paths = paths_in(short)
    inside, file = Path(paths.take(1)).parent, short / "mine"
    file.touch()
    (inside / "1.sock.lock").touch()
    (inside / "link").symlink_to(file)
    (inside / "deeper").mkdir()
    (inside / "deeper" / "file").touch()
    paths.close()
    assert [path.name for path in inside.rglob("*")] == ["deeper", "file"]
    assert file.exists()


def test_who_is_not_there_is_not_ours() -> None:
    assert not folder.is_ours("")
    assert not folder.is_ours("/proc/none")
    assert folder.is_ours(f"/proc/{os.getpid()}") is False  # there, but others may look
