"""The tables: what is found by time, and how they stay bounded."""

from pathlib import Path

import pytest

from autoscaler.season import Bin
from sidecar.state import database
from sidecar.state.database import IN_MEMORY_PATH, Database, LaterVersion
from sidecar.state.limits import EVENTS, FORGOTTEN_S, HISTORY_S, IN_MEMORY, Room
from sidecar.state.rows import Batch


def decisions(*moments: float, service: str = "web", octets: int = 10, changed: bool = True) -> Batch:
    return Batch(decisions=[(service, at_s, changed, bytes(octets)) for at_s in moments])


def made(room: Room = IN_MEMORY) -> Database:
    return Database(IN_MEMORY_PATH, room)


def moments(kept: Database, service: str = "web") -> list[float]:
    return [row[1] for row in kept.decisions(service, 0, 1e9, changes=False, limit=100_000)][::-1]


@pytest.mark.parametrize(
    ("at_s", "found"),
    [
        pytest.param(9.9, None, id="nothing is in force before the first"),
        pytest.param(10.0, 10.0, id="one is in force from its own moment on"),
        pytest.param(29.9, 20.0, id="and until the next"),
        pytest.param(1e9, 30.0, id="the last one for ever"),
    ],
)
def test_the_decision_in_force(at_s: float, found: float | None) -> None:
    kept = made()
    kept.write(decisions(10.0, 20.0, 30.0), 30.0)
    kept.write(decisions(25.0, service="other"), 30.0)
    row = kept.decision_at("web", at_s)
    assert (row and row[1]) == found
    assert kept.span("web") == (10.0, 30.0)
    assert kept.span("nobody") is None


def test_a_span_of_decisions_newest_first_and_only_changes_where_asked() -> None:
    kept = made()
    kept.write(decisions(10.0, 30.0), 30.0)
    kept.write(decisions(20.0, changed=False), 30.0)
    assert [row[1] for row in kept.decisions("web", 10.0, 20.0, changes=False, limit=9)] == [20.0, 10.0]
    assert [row[1] for row in kept.decisions("web", 0.0, 99.0, changes=True, limit=9)] == [30.0, 10.0]
    assert [row[1] for row in kept.decisions("web", 0.0, 99.0, changes=False, limit=1)] == [30.0]


def test_of_each_service_the_newest_rows_stay() -> None:
    kept = made(Room(rows=3, octets=1_000_000))
    kept.write(decisions(1.0, service="quiet"), 1.0)
    for second in range(10):
        kept.write(decisions(float(second)), second)
    assert moments(kept) == [7.0, 8.0, 9.0]
    assert moments(kept, "quiet") == [1.0]


def test_of_all_services_the_newest_octets_stay(tmp_path: Path) -> None:
    room = Room(rows=100_000, octets=100_000)
    kept = Database(str(tmp_path / "db"), room)
    for second in range(200):
        kept.write(decisions(*([float(second)] * 50), octets=100), second)
        kept.write(decisions(float(second), service="other", octets=100), second)
    kept.close()
    assert (tmp_path / "db").stat().st_size < 300_000  # of more than 1,000,000
    again = Database(str(tmp_path / "db"), room)
    assert 50_000 < len(moments(again)) * 100 <= 100_000
    assert moments(again)[-1] == 199.0


def test_what_is_kept_of_a_service_is_the_newest_and_goes_with_it_or_in_time() -> None:
    kept = made()
    kept.write(Batch(kept=[("web", 1.0, "old"), ("gone", 1.0, "x"), ("lost", 1.0, "x")]), 1.0)
    kept.write(Batch(kept=[("web", 2.0, "new"), ("gone", 2.0, "")]), 2.0)
    assert sorted(kept.kept()) == [("gone", 2.0, ""), ("lost", 1.0, "x"), ("web", 2.0, "new")]
    kept.write(Batch(kept=[("web", 2.0 + FORGOTTEN_S, "newest")]), 3.0 + FORGOTTEN_S)
    assert kept.kept() == [("web", 2.0 + FORGOTTEN_S, "newest")]


def test_bins_are_kept_for_weeks_and_the_same_bin_once() -> None:
    kept = made()
    bins = [("web", "rps", start_s, 300.0, 4.0, 9.0) for start_s in (600.0, 300.0, 300.0)]
    kept.write(Batch(bins=bins), 900.0)
    assert kept.bins("web") == [Bin("rps", 300.0, 300.0, 4.0, 9.0), Bin("rps", 600.0, 300.0, 4.0, 9.0)]
    kept.write(Batch(bins=[("other", "rps", 450.0 + HISTORY_S, 300.0, 1.0, 1.0)]), 450.0 + HISTORY_S)
    assert [each.start_s for each in kept.bins("web")] == [600.0]


def test_the_newest_events_are_kept() -> None:
    kept = made()
    kept.write(Batch(events=[(number, "{}") for number in range(EVENTS + 5)]), 1.0)
    assert [number for number, _ in kept.events(2)] == [EVENTS + 4, EVENTS + 3]
    assert len(kept.events(100_000)) == EVENTS


def test_what_a_later_version_wrote_is_not_touched(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "db"
    monkeypatch.setattr(database, "VERSION", 99)
    Database(str(file), IN_MEMORY).close()
    before = file.read_bytes()
    monkeypatch.undo()
    with pytest.raises(LaterVersion, match="format 99; this one knows 1"):
        Database(str(file), IN_MEMORY)
    assert file.read_bytes() == before
