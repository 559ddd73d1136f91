"""The secret behind keys that nobody configured: kept, private, and never in the way."""

import stat
from pathlib import Path

from sidecar.secrets import FILE, SIZE, key_for, secret


def test_it_stays_the_same_from_life_to_life(tmp_path: Path) -> None:
    folder = str(tmp_path / "state")
    assert secret(folder) == secret(folder)
    assert len(secret(folder)) == SIZE


def test_only_its_owner_may_read_it(tmp_path: Path) -> None:
    secret(str(tmp_path))
    assert stat.S_IMODE((tmp_path / FILE).stat().st_mode) == 0o600


def test_without_a_place_it_is_one_for_this_life() -> None:
    assert secret("") != secret("")


def test_where_it_cannot_be_kept_there_is_one_all_the_same(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("not a folder")
    assert len(secret(str(tmp_path / "file" / "state"))) == SIZE


def test_one_that_was_cut_short_is_made_anew(tmp_path: Path) -> None:
    (tmp_path / FILE).write_bytes(b"short")
    assert len(secret(str(tmp_path))) == SIZE
    assert (tmp_path / FILE).stat().st_size == SIZE


def test_each_purpose_has_a_key_of_its_own() -> None:
    keys = {key_for(b"s" * SIZE, purpose) for purpose in ("shop", "blog")} | {key_for(b"t" * SIZE, "shop")}
    assert len(keys) == 3
    assert all(len(bytes.fromhex(key)) == 32 for key in keys)
