"""The log of setup.sh has no control characters, in whatever pieces the output arrives."""

import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from acp_tui.core.text import sanitize
from acp_tui.install.run.log_writer import Cleaner

COLOURS = "\x1b[31mred\x1b[0m \u4e2d\u202e\r\n"
OUTPUT = f"{COLOURS}10%\r20%\r\x1b]0;title\x07done\x1b(B\n\x1b]2;no end\nnext\x9b2J\x9d0;t\x9c".encode() + b"\xff\n"
CLEAN = "red \u4e2d\n10%\n20%\ndone\n]2;no end\nnext\ufffd\n"


def cleaned(pieces: list[bytes]) -> str:
    clean = Cleaner()
    return b"".join([*map(clean, pieces), clean(b"", final=True)]).decode()


def test_every_division_into_two_pieces_gives_the_same_log() -> None:
    assert {cleaned([OUTPUT[:at], OUTPUT[at:]]) for at in range(len(OUTPUT) + 1)} == {CLEAN}


def test_single_bytes_give_the_same_log() -> None:
    assert cleaned([bytes([byte]) for byte in OUTPUT]) == CLEAN


@given(st.lists(st.binary(max_size=9) | st.sampled_from([b"\x1b", b"]0;", b"[3", b"\r", b"\xc2", b"\x9b"])))
def test_log_is_safe_in_all_cases(pieces: list[bytes]) -> None:
    log = cleaned(pieces)
    assert sanitize(log, limit=None) == log


def test_text_does_not_wait_for_the_end_of_a_long_sequence() -> None:
    assert Cleaner()(b"\x1b]0;" + b"x" * 5000).endswith(b"x" * 5000)


@pytest.mark.parametrize(
    "text", [b"\x1b]" * 50_000, b"\x1b[" + b"0" * 100_000, b"\r" * 100_000, b"\x1b]x" * 30_000, b"\xc2\x9d" * 99_999]
)
def test_time_stays_bounded_on_hostile_output(text: bytes) -> None:
    cleaned([text, text])


def test_writer_appends_the_sanitised_output(tmp_path: Path) -> None:
    log = tmp_path / "setup.log"
    log.write_text("before\n")
    command = [sys.executable, "-m", "acp_tui.install.run.log_writer", str(log)]
    subprocess.run(command, input=OUTPUT, check=True)
    assert log.read_text(encoding="utf-8") == f"before\n{CLEAN}"
