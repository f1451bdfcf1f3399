"""The shell functions that decide on a node whether root can run a program. They are run in bash on this host."""

import os
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from acp_tui.install.remote.trusted_path import TRUSTED
from tests.support.other_users import STRANGER, needs_root

pytestmark = needs_root
MEMBER = 1234
"""The user ID of an SSH user."""


def bash(command: str, *arguments: str, path: str = "/usr/bin:/bin") -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        ("bash", "--norc", "-c", f"{TRUSTED}\n{command}", "bash", *arguments),
        env={"PATH": path, "LC_ALL": "C"},
        capture_output=True,
        text=True,
        check=False,
    )


def trusted(path: Path | str, user: str = "") -> bool:
    done = bash('trusted "$@"', str(path), user)
    assert done.stderr == ""
    return done.returncode == 0


@pytest.fixture
def program(tmp_path: Path) -> Path:
    """A program in a folder that only root can change."""
    folder = tmp_path / "bin"
    folder.mkdir(mode=0o755)
    (folder / "acp-tui").write_text("#!/bin/sh\necho acp-tui\n")
    (folder / "acp-tui").chmod(0o755)
    return folder / "acp-tui"


def make_link(program: Path, target: str) -> None:
    program.rename(program.with_name("real"))
    program.symlink_to(target)


def attacker_link(program: Path) -> None:
    program.parent.chmod(0o1777)
    make_link(program, "real")
    os.lchown(program, STRANGER, -1)


@pytest.mark.parametrize(
    ("prepare", "expected"),
    [
        (lambda program: None, True),
        (lambda program: os.chown(program, STRANGER, -1), False),
        (lambda program: os.chown(program.parent, STRANGER, -1), False),
        (lambda program: program.chmod(0o775), False),
        (lambda program: program.chmod(0o757), False),
        (lambda program: program.parent.chmod(0o777), False),
        (lambda program: program.parent.parent.chmod(0o777), False),
        (lambda program: program.parent.chmod(0o1777), True),
        (lambda program: make_link(program, "real"), True),
        (lambda program: make_link(program, "../bin/./real"), True),
        (lambda program: make_link(program, "acp-tui"), False),
        (lambda program: make_link(program, "missing"), False),
        (attacker_link, False),
        (Path.unlink, False),
    ],
)
def test_only_a_path_that_root_alone_can_change_is_trusted(
    program: Path, prepare: Callable[[Path], object], expected: bool
) -> None:
    prepare(program)
    assert trusted(program) is expected


def test_target_of_a_link_and_its_parents_count(program: Path, tmp_path: Path) -> None:
    (tmp_path / "open").mkdir()
    program.rename(tmp_path / "open" / "real")
    program.symlink_to(tmp_path / "open" / "real")
    assert trusted(program)
    (tmp_path / "open").chmod(0o777)
    assert not trusted(program)


def test_relative_path_is_not_trusted(program: Path) -> None:
    assert not trusted("bin/acp-tui")
    assert not trusted("")


def test_folder_of_the_ssh_user_is_trusted_only_for_this_user(program: Path) -> None:
    """The SSH user can use sudo without a password."""
    os.chown(program.parent, MEMBER, -1)
    assert not trusted(program)
    assert trusted(program, str(MEMBER))
    program.parent.chmod(0o775)
    assert not trusted(program, str(MEMBER))


def test_programs_of_other_users_in_path_are_not_run(program: Path, tmp_path: Path) -> None:
    """Another user creates acp-tui in a folder that comes first in PATH."""
    theirs = tmp_path / "theirs"
    theirs.mkdir()
    (theirs / "acp-tui").write_text("#!/bin/sh\ntouch attacked\n")
    (theirs / "acp-tui").chmod(0o755)
    os.chown(theirs, STRANGER, -1)
    found = bash("programs acp-tui", path=f"{theirs}::.:{program.parent}:/usr/bin:/bin")
    assert found.stdout == f"{program}\n"


@pytest.mark.parametrize("first", ["#!{other}", "#! {other} -s", "#!/usr/bin/env other"])
def test_interpreter_of_a_program_counts(program: Path, tmp_path: Path, first: str) -> None:
    """A script of root runs the Python of another user."""
    other = tmp_path / "venv" / "other"
    other.parent.mkdir()
    other.symlink_to("/bin/sh")
    program.write_text(first.format(other=other) + "\n")
    path = f"{other.parent}:/usr/bin:/bin"
    assert bash('runnable "$1"', str(program), path=path).returncode == 0
    os.chown(other.parent, STRANGER, -1)
    assert bash('runnable "$1"', str(program), path=path).returncode != 0
