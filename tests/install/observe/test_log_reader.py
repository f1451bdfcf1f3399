"""Pages and search of a log of any size."""

import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from acp_tui.install.observe.follow import Tail
from acp_tui.install.observe.log_reader import before, find, last, page

_LINES = [b"one", b"two \x1b[31mred", b"", "drei äöü".encode(), b"10 %\r20 %\r30 %", b"\xff\xfe no text", b"seven"]


@pytest.fixture
def log(tmp_path: Path) -> Path:
    path = tmp_path / "setup.log"
    path.write_bytes(b"\n".join(_LINES) + b"\n")
    return path


def test_page_has_no_escape_sequences_or_overwritten_text(log: Path) -> None:
    first_page = page(log, 0, 20)
    assert first_page.lines == ("one", "two red", "", "drei äöü", "30 %", "\ufffd\ufffd no text", "seven")
    assert first_page.end == first_page.size == log.stat().st_size


def test_pages_forward_backward_and_last(log: Path) -> None:
    first = page(log, 0, 3)
    second = page(log, first.end, 3)
    assert second.lines == ("drei äöü", "30 %", "\ufffd\ufffd no text")
    assert before(log, second.start, 3) == 0
    assert before(log, second.start, 1) == second.start - 1
    assert page(log, last(log, 2), 9).lines == ("\ufffd\ufffd no text", "seven")


def test_search_ignores_case_and_finds_literal_text(log: Path) -> None:
    red = find(log, "RED", 0)
    assert red is not None
    assert page(log, red, 1).lines == ("two red",)
    assert find(log, "red", page(log, red, 1).end) is None
    assert find(log, "red", log.stat().st_size, backwards=True) == red
    assert find(log, "red", red, backwards=True) is None
    assert find(log, "ÄÖÜ".lower(), 0) == page(log, 0, 3).end
    assert find(log, "(", 0) is None


@pytest.mark.parametrize("content", [None, b""])
def test_missing_or_empty_log_is_an_empty_page(tmp_path: Path, content: bytes | None) -> None:
    path = tmp_path / "log"
    if content is not None:
        path.write_bytes(content)
    assert page(path, 5, 10).lines == ()
    assert (before(path, 7, 2), last(path, 3), find(path, "x", 0)) == (0, 0, None)


@given(
    lines=st.lists(st.text(st.characters(codec="ascii", min_codepoint=32, max_codepoint=126), max_size=9), max_size=30),
    height=st.integers(1, 9),
)
def test_consecutive_pages_show_each_line_once(
    tmp_path_factory: pytest.TempPathFactory, lines: list[str], height: int
) -> None:
    path = tmp_path_factory.mktemp("log") / "log"
    path.write_text("".join(f"{line}\n" for line in lines), encoding="ascii")
    collected: list[str] = []
    current = page(path, 0, height)
    while current.lines:
        collected += current.lines
        current = page(path, current.end, height)
    assert collected == lines


def test_match_across_two_chunks_is_found_in_both_directions(tmp_path: Path) -> None:
    path = tmp_path / "log"
    path.write_bytes(b"-" * (1024 * 1024 - 3) + b"needle" + b"-" * 2_000_000)
    assert find(path, "NEEDLE", 0) == 0
    assert find(path, "needle", path.stat().st_size, backwards=True) == 0


def test_large_log_is_read_quickly(tmp_path: Path) -> None:
    """Paging reads only the lines it shows; a search reads the log in pieces."""
    path = tmp_path / "log"
    block = b"".join(b'2026-11-25 level=info msg="reconciling %06d"\n' % n for n in range(20_000))
    with path.open("wb") as file:
        while file.tell() < 100_000_000:
            file.write(block)
        file.write(b'level=error msg="the last word"\n')
    began = time.perf_counter()
    for _turn in range(20):
        end = last(path, 20)
        assert len(page(path, before(path, end, 20), 20).lines) == 20
    paging = time.perf_counter() - began
    began = time.perf_counter()
    assert find(path, "LAST WORD", 0) is not None
    searching = time.perf_counter() - began
    assert paging < searching, "a page must not read the complete log"


async def test_follower_skips_lines_of_a_fast_log(tmp_path: Path) -> None:
    """If a log grows faster than it is read, older lines are skipped with a note."""
    log = tmp_path / "setup.log"
    log.write_text("begin\n", encoding="ascii")
    tail = Tail("setup.sh", log)
    assert [line.text for line in tail.more(False)] == ["begin"]
    with log.open("a", encoding="ascii") as file:
        file.writelines(f"line {number}\n" for number in range(1_000_000))
    shown = [line.text for line in tail.more(False)]
    assert "MB of the log are not shown" in shown[0]
    assert shown[-1] == "line 999999"
    assert len(shown) < 10_000
