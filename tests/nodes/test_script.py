"""The script runs in a real bash here: what a user sees must survive hanging, failing and shouting snippets."""

import os
import shlex
import subprocess
import time
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from acp_tui.core.text import sanitize
from acp_tui.nodes.collectors import SNIPPETS
from acp_tui.nodes.script import (
    CUT,
    LAUNCH,
    MAX_OUTPUT,
    NEEDS_ROOT,
    NOT_FOUND,
    TIMED_OUT,
    Collector,
    CollectorOutput,
    Reader,
    build,
    reply,
    split,
)

MARKER = "0123456789abcdef"


def ask(name: str, shell: str, timeout: int = 5) -> Collector:
    return Collector(name, (), shell, lambda reading: {}, timeout=timeout)


def run(*snippets: Collector, command: str = LAUNCH, before: bytes = b"") -> dict[str, CollectorOutput]:
    program = build(snippets, MARKER).encode()
    ran = subprocess.run(["/bin/sh", "-c", command], input=program, capture_output=True, timeout=60, check=False)
    return {reading.name: reading for reading in Reader(MARKER).feed(before + ran.stdout)}


def running(word: bytes) -> bool:
    """Whether a process of this machine has `word` in its command line."""
    for file in Path("/proc").glob("[0-9]*/cmdline"):
        with suppress(OSError):  # it has ended since
            if word in file.read_bytes():
                return True
    return False


@pytest.mark.parametrize(
    ("shell", "status", "text"),
    [
        ("echo one", 0, "one\n"),
        ("printf 'no newline at the end'", 0, "no newline at the end"),
        ("printf ''", 0, ""),
        ("printf '\\n\\n'", 0, "\n\n"),
        ("echo partly; return 3", 3, "partly\n"),
        ("no-such-command-here", NOT_FOUND, ""),
        ("echo loud >&2; echo quiet", 0, "quiet\n"),
        ("cat; echo stdin is empty", 0, "stdin is empty\n"),
        ("printf 'a\\0b\\377c\\n'", 0, "ab\ufffdc\n"),
        ("printf '\\033[31mred\\033[0m\\r\\n'", 0, "red\n"),
        ("printf '100%% %%s \\\\n\\n'", 0, "100% %s \\n\n"),
        ("echo $LC_ALL", 0, "C\n"),
        ("exit 3", 1, ""),
        ("show /no/such/file", 66, ""),
    ],
)
def test_output_and_status_of_a_snippet_arrive_as_they_were(shell: str, status: int, text: str) -> None:
    readings = run(ask("odd", shell), ask("next", "echo fine"))
    assert readings["odd"] == CollectorOutput("odd", status, text)
    assert readings["next"] == CollectorOutput("next", 0, "fine\n"), "and it spoils nothing"


def test_a_hanging_snippet_costs_its_own_time_and_leaves_no_process_behind() -> None:
    began = time.monotonic()
    readings = run(ask("hang", "echo before; sleep 987654 | cat", timeout=1), ask("next", "echo fine"))
    assert readings["hang"] == CollectorOutput("hang", TIMED_OUT, "before\n")
    assert readings["next"].text == "fine\n"
    assert time.monotonic() - began < 5
    assert not running(b"987654")


def test_nothing_runs_on_once_nobody_listens() -> None:
    """The connection was cut: what the script has begun ends with it, and not in its own time."""
    program = build((ask("hang", "sleep 987653 | cat", timeout=60),), MARKER).encode()
    with subprocess.Popen(["/bin/sh", "-c", LAUNCH], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write(program)
        process.stdin.close()
        process.stdout.readline()  # it waits, and says so
        assert running(b"987653")
        process.stdout.close()
        process.wait(timeout=20)
    assert not running(b"987653")


def test_what_drips_arrives_whole() -> None:
    dripping = "for n in 1 2 3 4; do printf 'part %s, ' $n; sleep 0.6; done; echo end"
    assert run(ask("drip", dripping))["drip"] == CollectorOutput("drip", 0, "part 1, part 2, part 3, part 4, end\n")


def test_an_endless_snippet_is_cut() -> None:
    readings = run(ask("flood", "while :; do echo flood; done"), ask("next", "echo fine"))
    assert readings["flood"].status == CUT
    assert len(readings["flood"].text) <= MAX_OUTPUT
    assert readings["next"].text == "fine\n"


def test_a_node_without_timeout_or_sudo_still_answers(tmp_path: Path) -> None:
    for tool in ("sh", "bash", "id"):
        real = subprocess.run(["/bin/sh", "-c", f"command -v {tool}"], capture_output=True, text=True, check=True)
        (tmp_path / tool).symlink_to(real.stdout.strip())
    assert run(ask("one", "echo fine"), command=f"PATH={tmp_path}; export PATH; {LAUNCH}")["one"].text == "fine\n"


def test_without_root_a_snippet_says_so(tmp_path: Path) -> None:
    readings = run(ask("secret", "root || return\necho seen"), command="exec bash -s")
    expected = (
        CollectorOutput("secret", 0, "seen\n") if os.geteuid() == 0 else CollectorOutput("secret", NEEDS_ROOT, "")
    )
    assert readings["secret"] == expected


def test_the_script_knows_who_logged_in() -> None:
    answer = run(ask("login", 'echo "$login_uid/$sudo_status/$sudo_message"'))["login"].text
    assert answer.split("/")[0] == str(os.getuid())


def test_a_half_sent_script_runs_nothing(tmp_path: Path) -> None:
    trace = tmp_path / "trace"
    program = build([ask("one", f"echo ran >{trace}")], MARKER)
    for cut in (len(program) // 2, len(program) - len('main "$@"\n') - 1):
        subprocess.run(["bash", "-s"], input=program[:cut].encode(), capture_output=True, check=False)
    assert not trace.exists()


def test_a_banner_before_and_noise_between_are_dropped() -> None:
    noisy = f"echo 'Welcome!'; printf 'no newline'; {LAUNCH}"
    assert run(ask("one", "echo fine"), command=noisy)["one"].text == "fine\n"


def test_split_finds_what_build_was_given() -> None:
    script = build([ask("a1", "echo"), ask("b_2", "run() { :; }")], MARKER)
    assert split(script) == (MARKER, ("a1", "b_2"))
    with pytest.raises(ValueError, match="not a probe script"):
        split("echo hello")


TEXTS = st.text(alphabet=st.characters(codec="utf-8"), max_size=200)


@given(texts=st.lists(TEXTS, max_size=5), status=st.integers(0, 255), cut=st.integers(1, 40))
def test_every_answer_is_read_back_however_it_is_cut_in_pieces(texts: list[str], status: int, cut: int) -> None:
    sent = [CollectorOutput(f"s{i}", status, text) for i, text in enumerate(texts)]
    stream = b"noise" + b"\nnoise ".join(reply(MARKER, reading) for reading in sent)
    reader = Reader(MARKER)
    got = [reading for i in range(0, len(stream), cut) for reading in reader.feed(stream[i : i + cut])]
    assert got == [CollectorOutput(r.name, r.status, sanitize(r.text)) for r in sent]


def test_the_reader_holds_no_endless_stream() -> None:
    reader = Reader(MARKER)
    assert reader.feed(b"x" * 5_000_000) == []
    reader.feed(f"{MARKER} big\n".encode())
    for _ in range(50):
        reader.feed(b"y" * 100_000)
    assert len(reader._buffer) < 2 * MAX_OUTPUT
    [reading] = reader.feed(f"\n{MARKER} big 0\n".encode())
    assert (reading.status, len(reading.text)) == (CUT, MAX_OUTPUT)


@given(st.binary(max_size=400))
def test_no_stream_makes_the_reader_fail(data: bytes) -> None:
    reader = Reader("ab")
    reader.feed(data)
    reader.feed(b"ab x\n" + data + b"\nab x 1\n")


@pytest.mark.parametrize("hostile", ["\x1b]0;title\x07", "\x1b[2J", "\x9b31m", "a\rb", "\u202eevil", "\x00", "\x7f"])
def test_nothing_that_steers_a_terminal_is_left(hostile: str) -> None:
    assert not set(sanitize(f"x{hostile}y\n")) & set("\x1b\x9b\r\x00\x7f\x07\u202e")


@pytest.mark.parametrize("endless", ["cat /dev/zero", "cat /dev/urandom", "yes", "printf x; sleep 60"])
def test_endless_output_ends_at_its_limits(endless: str) -> None:
    readings = run(ask("one", endless, timeout=1), ask("two", "echo fine"))
    assert readings["one"].status in (CUT, TIMED_OUT)
    assert readings["two"].text == "fine\n"


def test_the_script_writes_no_file_on_the_node() -> None:
    """A here-document, or a here-string, is a temporary file to bash before 5.1."""
    script = build(SNIPPETS, MARKER)
    assert "<<" not in script
    assert "mktemp" not in script


def test_what_the_user_exports_does_not_become_part_of_the_script(tmp_path: Path) -> None:
    (tmp_path / "env").write_text("date() { echo evil; }; exit 3\n")
    hostile = (
        f"export BASH_ENV={tmp_path}/env ENV={tmp_path}/env POSIXLY_CORRECT=1 TZ=Asia/Tokyo SHELLOPTS=noglob; "
        "echo() { printf evil; }; read() { return 1; }; mapfile() { return 1; }; export -f echo read mapfile; "
    )
    readings = run(ask("one", "echo fine; date +%z"), command=f"bash -c {shlex.quote(hostile + LAUNCH)}")
    assert readings["one"].text.startswith("fine\n")
    assert "+0900" not in readings["one"].text


def test_the_patience_of_an_idle_shell_is_not_that_of_the_script() -> None:
    slow = ask("slow", "read -r line < <(sleep 1.5; echo late); echo $line")
    assert run(slow, command=f"export TMOUT=1; {LAUNCH}")["slow"].text == "late\n"


def test_a_profile_that_reads_takes_no_line_of_the_script() -> None:
    assert run(ask("one", "echo fine"), command=f"read a; read b; {LAUNCH}")["one"].text == "fine\n"
