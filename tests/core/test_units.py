"""Units for people: decimal and binary sizes, minutes and durations."""

import pytest

from acp_tui.core.units import duration, gigabytes, mebibytes, megabytes, minutes


def test_sizes_are_decimal_or_binary() -> None:
    assert gigabytes(31_500_000_000) == 31.5
    assert megabytes(2_500_000) == 2.5
    assert mebibytes(5 << 20) == 5


@pytest.mark.parametrize(
    ("seconds", "shown"),
    [(0, "0:00"), (59.4, "0:59"), (59.6, "1:00"), (105, "1:45"), (3599, "59:59"), (3661, "1:01:01")],
)
def test_duration_is_shown_in_minutes_or_hours(seconds: float, shown: str) -> None:
    assert duration(seconds) == shown


def test_incomplete_minutes_are_not_counted() -> None:
    assert minutes(119.9) == 1
