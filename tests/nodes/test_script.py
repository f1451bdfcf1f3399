"""The collector script in bash: collectors that hang, fail or flood output do not affect the others."""

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
from acp_tui.nodes.collectors import COLLECTORS, facts_from
from acp_tui.nodes.script import (
    CUT,
    LAUNCH,
    LAUNCH_PLAIN,
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
from tests.support.collector_shell import put

MARKER = "0123456789abcdef"


def collector(name: str, shell: str, timeout: int = 5) -> Collector:
    return Collector(name, (), shell, lambda output: {}, timeout=timeout)


def run(*collectors: Collector, command: str = LAUNCH, banner: bytes = b"") -> dict[str, CollectorOutput]:
    program = build(collectors, MARKER).encode()
    completed = subprocess.run(["/bin/sh", "-c", command], input=program, capture_output=True, timeout=60, check=False)
    return {output.name: output for output in Reader(MARKER).feed(banner + completed.stdout)}


def running(text: bytes) -> bool:
    """Return whether a process of this host has `text` in its command line."""
    for file in Path("/proc").glob("[0-9]*/cmdline"):
        with suppress(OSError):  # the process has ended
            if text in file.read_bytes():
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
def test_output_and_status_of_a_collector_arrive_unchanged(shell: str, status: int, text: str) -> None:
    outputs = run(collector("odd", shell), collector("next", "echo fine"))
    assert outputs["odd"] == CollectorOutput("odd", status, text)
    assert outputs["next"] == CollectorOutput("next", 0, "fine\n"), "the next collector is not affected"


def test_a_hanging_collector_times_out_and_leaves_no_process() -> None:
    began = time.monotonic()
    outputs = run(collector("hang", "echo before; sleep 987654 | cat", timeout=1), collector("next", "echo fine"))
    assert outputs["hang"] == CollectorOutput("hang", TIMED_OUT, "before\n")
    assert outputs["next"].text == "fine\n"
    assert time.monotonic() - began < 5
    assert not running(b"987654")


def test_all_processes_end_when_the_connection_closes() -> None:
    """They end with the connection, not at their own timeout."""
    program = build((collector("hang", "sleep 987653 | cat", timeout=60),), MARKER).encode()
    with subprocess.Popen(["/bin/sh", "-c", LAUNCH], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write(program)
        process.stdin.close()
        process.stdout.readline()  # the script waits, and prints its marker
        assert running(b"987653")
        process.stdout.close()
        process.wait(timeout=20)
    assert not running(b"987653")


def test_slow_output_arrives_completely() -> None:
    dripping = "for n in 1 2 3 4; do printf 'part %s, ' $n; sleep 0.6; done; echo end"
    assert run(collector("drip", dripping))["drip"] == CollectorOutput(
        "drip", 0, "part 1, part 2, part 3, part 4, end\n"
    )


def test_endless_output_is_cut() -> None:
    outputs = run(collector("flood", "while :; do echo flood; done"), collector("next", "echo fine"))
    assert outputs["flood"].status == CUT
    assert len(outputs["flood"].text) <= MAX_OUTPUT
    assert outputs["next"].text == "fine\n"


def test_a_node_without_timeout_and_sudo_works(tmp_path: Path) -> None:
    for tool in ("sh", "bash", "id"):
        real = subprocess.run(["/bin/sh", "-c", f"command -v {tool}"], capture_output=True, text=True, check=True)
        (tmp_path / tool).symlink_to(real.stdout.strip())
    assert run(collector("one", "echo fine"), command=f"PATH={tmp_path}; export PATH; {LAUNCH}")["one"].text == "fine\n"


def test_a_tool_that_is_not_executable_is_missing(tmp_path: Path) -> None:
    shell = "tool here && echo here; tool folder || tool text || tool nowhere || echo none"
    collector = Collector("os_release_file", ("os_release_file",), shell, lambda r: {"os_release_file": r.text})
    (tmp_path / "folder").mkdir()
    for name, mode in (("here", 0o755), ("text", 0o644)):
        put(tmp_path, {name: "#!/bin/sh\n"})
        (tmp_path / name).chmod(mode)
    program = f"PATH={tmp_path}:$PATH\n" + build([collector], MARKER)
    completed = subprocess.run(["bash", "-s"], input=program.encode(), capture_output=True, check=True)
    assert facts_from("x", Reader(MARKER).feed(completed.stdout), None, (collector,)).os_release_file == "here\nnone\n"


def test_without_root_a_collector_returns_needs_root(tmp_path: Path) -> None:
    outputs = run(collector("secret", "root || return\necho seen"), command="exec bash -s")
    expected = (
        CollectorOutput("secret", 0, "seen\n") if os.geteuid() == 0 else CollectorOutput("secret", NEEDS_ROOT, "")
    )
    assert outputs["secret"] == expected


def test_the_script_receives_the_login() -> None:
    answer = run(collector("login", 'echo "$login_uid/$sudo_status/$sudo_message"'))["login"].text
    assert answer.split("/")[0] == str(os.getuid())


def test_a_partly_sent_script_runs_nothing(tmp_path: Path) -> None:
    trace = tmp_path / "trace"
    program = build([collector("one", f"echo ran >{trace}")], MARKER)
    for cut in (len(program) // 2, len(program) - len('main "$@"\n') - 1):
        subprocess.run(["bash", "-s"], input=program[:cut].encode(), capture_output=True, check=False)
    assert not trace.exists()


def test_banner_and_other_output_are_ignored() -> None:
    noisy = f"echo 'Welcome!'; printf 'no newline'; {LAUNCH}"
    assert run(collector("one", "echo fine"), command=noisy)["one"].text == "fine\n"


def test_split_returns_marker_and_names() -> None:
    script = build([collector("a1", "echo"), collector("b_2", "run() { :; }")], MARKER)
    assert split(script) == (MARKER, ("a1", "b_2"))
    with pytest.raises(ValueError, match="not a collector script"):
        split("echo hello")


TEXTS = st.text(alphabet=st.characters(codec="utf-8"), max_size=200)


@given(texts=st.lists(TEXTS, max_size=5), status=st.integers(0, 255), cut=st.integers(1, 40))
def test_outputs_are_read_from_chunks_of_any_size(texts: list[str], status: int, cut: int) -> None:
    sent = [CollectorOutput(f"s{i}", status, text) for i, text in enumerate(texts)]
    stream = b"noise" + b"\nnoise ".join(reply(MARKER, output) for output in sent)
    reader = Reader(MARKER)
    received = [output for i in range(0, len(stream), cut) for output in reader.feed(stream[i : i + cut])]
    assert received == [CollectorOutput(r.name, r.status, sanitize(r.text)) for r in sent]


def test_the_reader_limits_its_buffer() -> None:
    reader = Reader(MARKER)
    assert reader.feed(b"x" * 5_000_000) == []
    reader.feed(f"{MARKER} big\n".encode())
    for _ in range(50):
        reader.feed(b"y" * 100_000)
    assert len(reader._buffer) < 2 * MAX_OUTPUT
    [output] = reader.feed(f"\n{MARKER} big 0\n".encode())
    assert (output.status, len(output.text)) == (CUT, MAX_OUTPUT)


@given(st.binary(max_size=400))
def test_the_reader_accepts_any_stream(data: bytes) -> None:
    reader = Reader("ab")
    reader.feed(data)
    reader.feed(b"ab x\n" + data + b"\nab x 1\n")


@pytest.mark.parametrize("hostile", ["\x1b]0;title\x07", "\x1b[2J", "\x9b31m", "a\rb", "\u202eevil", "\x00", "\x7f"])
def test_terminal_control_characters_are_removed(hostile: str) -> None:
    assert not set(sanitize(f"x{hostile}y\n")) & set("\x1b\x9b\r\x00\x7f\x07\u202e")


@pytest.mark.parametrize("endless", ["cat /dev/zero", "cat /dev/urandom", "yes", "printf x; sleep 60"])
def test_endless_output_stops_at_the_limits(endless: str) -> None:
    outputs = run(collector("one", endless, timeout=1), collector("two", "echo fine"))
    assert outputs["one"].status in (CUT, TIMED_OUT)
    assert outputs["two"].text == "fine\n"


def test_the_script_writes_no_file_on_the_node() -> None:
    """bash before 5.1 writes here-documents and here-strings to temporary files."""
    script = build(COLLECTORS, MARKER)
    assert "<<" not in script
    assert "mktemp" not in script


def test_exported_functions_and_variables_do_not_affect_the_script(tmp_path: Path) -> None:
    (tmp_path / "env").write_text("date() { echo evil; }; exit 3\n")
    hostile = (
        f"export BASH_ENV={tmp_path}/env ENV={tmp_path}/env POSIXLY_CORRECT=1 TZ=Asia/Tokyo SHELLOPTS=noglob; "
        "echo() { printf evil; }; read() { return 1; }; mapfile() { return 1; }; export -f echo read mapfile; "
    )
    outputs = run(collector("one", "echo fine; date +%z"), command=f"bash -c {shlex.quote(hostile + LAUNCH)}")
    assert outputs["one"].text.startswith("fine\n")
    assert "+0900" not in outputs["one"].text


def test_tmout_of_the_shell_does_not_affect_the_script() -> None:
    slow = collector("slow", "read -r line < <(sleep 1.5; echo late); echo $line")
    assert run(slow, command=f"export TMOUT=1; {LAUNCH}")["slow"].text == "late\n"


def test_a_profile_that_reads_stdin_takes_no_line_of_the_script() -> None:
    assert run(collector("one", "echo fine"), command=f"read a; read b; {LAUNCH}")["one"].text == "fine\n"


@pytest.mark.parametrize("launch", [LAUNCH, LAUNCH_PLAIN], ids=["root", "plain"])
def test_script_does_not_run_in_the_current_folder(launch: str, tmp_path: Path) -> None:
    """Python searches the current folder for modules, and other users could place some there."""
    command = ["/bin/sh", "-c", launch]
    done = subprocess.run(command, cwd=tmp_path, input="pwd\n", capture_output=True, text=True, check=False)
    assert done.stdout == "/\n"
