"""Durations, sizes and shares, as people write them."""

from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sidecar.configuration import quantities
from sidecar.configuration.quantities import duration, duration_text, share, share_text, size, size_text

UNHURRIED = settings(deadline=None)  # the machine may be busy


@pytest.mark.parametrize(
    ("read", "text", "value"),
    [
        (duration, "30s", 30.0),
        (duration, "5m", 300.0),
        (duration, "250ms", 0.25),
        (duration, "1h30m", 5400.0),
        (duration, "1m30.5s", 90.5),
        (duration, "1d", 86_400.0),
        (duration, "30", 30.0),
        (duration, "0.5", 0.5),
        (size, "512", 512),
        (size, "8KiB", 8192),
        (size, "32k", 32_768),
        (size, "32 kb", 32_768),
        (size, "1MiB", 1_048_576),
        (size, "2G", 2_147_483_648),
        (share, "70%", 0.7),
        (share, "0.7", 0.7),
        (share, "200%", 2.0),
        (quantities.flag, "Yes", True),
        (quantities.flag, "off", False),
    ],
)
def test_it_is_read_as_it_is_meant(read: Callable[[object], object], text: str, value: object) -> None:
    assert read(text) == value


@pytest.mark.parametrize(
    ("read", "text"),
    [
        *((duration, text) for text in ("", "s", "5 m", "-1s", "1m1h", "1s1s", "1e3", "inf", "nan", "٣s", "1" * 16)),
        *((size, text) for text in ("", "k", "1.5k", "-1", "1KiBs", "1 TB")),
        *((share, text) for text in ("", "%", "-1%", "70 %", "a")),
        *((quantities.whole, text) for text in ("", "1.0", "1_000", "0x10", "1" * 16)),
    ],
)
def test_it_is_refused_and_shown(read: Callable[[object], object], text: str) -> None:
    with pytest.raises(ValueError, match=r"must be .*; got "):
        read(text)


@UNHURRIED
@given(st.integers(0, 10**12))
def test_a_duration_reads_back_as_it_was_written(milliseconds: int) -> None:
    assert duration(duration_text(milliseconds / 1000)) == milliseconds / 1000


@UNHURRIED
@given(st.integers(0, 10**14))
def test_a_size_reads_back_as_it_was_written(octets: int) -> None:
    assert size(size_text(octets)) == octets


@UNHURRIED
@given(st.integers(0, 100_000))
def test_a_share_reads_back_as_it_was_written(basis_points: int) -> None:
    assert share(share_text(basis_points / 10_000)) == basis_points / 10_000
