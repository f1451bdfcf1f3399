"""The text of the progress: bytes, speed and remaining time."""

import pytest

from acp_tui.core.events import Progress
from acp_tui.package.reader import pace


@pytest.mark.parametrize(
    ("progress", "text"),
    [
        (Progress("a", 0, 10**10), ""),
        (Progress("a", 5 * 10**8, 0, 1.0), ""),
        (Progress("a", 5 * 10**9, 10**10, 20.0), "5.0 of 10.0 GB, 250 MB/s, 0:20 left"),
        (Progress("a", 10**9, 10**11, 100.0), "1.0 of 100.0 GB, 10 MB/s, 2:45:00 left"),
        (Progress("a", 10**10, 10**10, 40.0), "10.0 of 10.0 GB, 250 MB/s, 0:00 left"),
    ],
)
def test_text_of_progress(progress: Progress, text: str) -> None:
    assert pace(progress) == text
