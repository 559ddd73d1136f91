"""Where the state of a configuration is kept: what the file says, or a folder of its own where programs keep theirs."""

from collections.abc import Mapping
from pathlib import Path

import pytest

from sidecar.configuration import from_command, load, parse
from sidecar.configuration.state import default_state

APP = "services: {app: {command: app}}"


@pytest.mark.parametrize(
    ("environment", "base"),
    [
        ({"HOME": "/home/ann"}, "/home/ann/.local/state/ecluse"),
        ({"HOME": "/home/ann", "XDG_STATE_HOME": "/data"}, "/data/ecluse"),
        ({"HOME": "/home/ann", "XDG_STATE_HOME": "data"}, "/home/ann/.local/state/ecluse"),
        ({"STATE_DIRECTORY": "/var/lib/ecluse:/var/lib/more", "XDG_STATE_HOME": "/data"}, "/var/lib/ecluse"),
    ],
    ids=["in the home directory", "where XDG says", "not where a relative path says", "where systemd says, the first of several"],
)
def test_programs_keep_their_state(environment: Mapping[str, str], base: str) -> None:
    folder = Path(default_state(Path("/etc/shop/ecluse.yaml"), environment))
    assert (str(folder.parent), folder.name.rpartition("-")[0]) == (base, "shop-ecluse")


def test_there_is_no_place_where_nobody_says_where_home_is() -> None:
    assert default_state(Path("/etc/shop/ecluse.yaml"), {}) == ""


def test_each_file_has_a_folder_of_its_own_and_always_the_same() -> None:
    files = [Path("/a/b/x.yaml"), Path("/c/b/x.yaml"), Path("/a/b/x.yml"), Path(f"/{'ü' * 200}/\n.yaml")]
    folders = [default_state(file, {"HOME": "/h"}) for file in files]
    assert len(set(folders)) == len(files)
    assert folders == [default_state(file, {"HOME": "/h"}) for file in files]
    assert all(len(Path(folder).name) < 60 and folder.isascii() and folder.isprintable() for folder in folders)


@pytest.mark.parametrize(
    ("given", "kept"),
    [("kept", "/etc/shop/kept"), ("/srv/kept", "/srv/kept"), ("false", "")],
    ids=["beside it", "anywhere", "nowhere"],
)
def test_a_file_says_where(given: str, kept: str) -> None:
    assert parse(f"state: {given}\n{APP}", "f", directory=Path("/etc/shop"), state="/default").state == kept


def test_a_file_that_does_not_say_has_the_default_and_a_command_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    file = tmp_path / "ecluse.yaml"
    file.write_text(APP)
    assert load(file).state == default_state(file, {"XDG_STATE_HOME": str(tmp_path)})
    assert from_command(["app"]).state == ""
