"""How a verification runs gpg: a missing, crashing or hanging gpg, its home folder, progress and cancelling."""

import fcntl
import os
import shutil
import subprocess
from pathlib import Path

import pytest

from acp_tui.core.events import Progress
from acp_tui.package.reader import Cancelled
from acp_tui.package.signature.gpg import verify
from acp_tui.package.signature.gpg_status import Signed
from tests.support.gpg_signer import needs_gpg
from tests.support.signature_case import Case

pytestmark = needs_gpg


def test_missing_gpg_is_reported(case: Case, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    signature, keys = case.signed("good"), case.keys("good")
    monkeypatch.setenv("PATH", str(tmp_path))
    assert case.outcome(signature, keys) is Signed.GPG_MISSING


VERIFYING = 'case "$*" in *--verify*) {line};; esac'


@pytest.mark.parametrize(
    ("line", "detail"),
    [
        ("exit 127", ""),
        ("kill -SEGV $$", ""),
        ("echo usage; exit 0", ""),
        ("exec sleep 600", ""),
        ('case "$*" in *--import*) kill -SEGV $$;; esac', ""),
        (VERIFYING.format(line="kill -SEGV $$"), "ended unexpectedly"),
        (VERIFYING.format(line="exec sleep 600"), "did not finish in time"),
        (VERIFYING.format(line="cat >/dev/null; exec sleep 600"), "did not finish in time"),
    ],
)
def test_crashing_or_hanging_gpg_is_reported(
    case: Case, line: str, detail: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    signature, keys = case.signed("good"), case.keys("good")
    monkeypatch.setattr("acp_tui.package.signature.gpg._TIMEOUT", 1)
    broken = tmp_path / "bin" / "gpg"
    broken.parent.mkdir()
    monkeypatch.setenv("PATH", f"{broken.parent}:{os.environ['PATH']}")
    broken.write_text(f'#!/bin/sh\n{line}\nexec {shutil.which("gpg", path=os.environ["PATH"])} "$@"\n')
    broken.chmod(0o755)
    result = verify(case.package, signature, keys, case.fingerprint)
    assert result.signed is Signed.GPG_FAILED
    assert detail in result.detail


def test_keyring_of_the_user_is_neither_used_nor_changed(
    case: Case, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("GNUPGHOME", str(case.signer.home))  # its keyring has the key `other`
    before = sorted(path.name for path in case.signer.home.iterdir())
    signature, keys = case.signed("other"), case.keys("good")
    assert case.outcome(signature, keys) is Signed.NO_PUBLIC_KEY
    assert sorted(path.name for path in case.signer.home.iterdir()) == before


def test_gpg_home_of_a_killed_run_is_removed(case: Case, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    leftover, locked, recent = (tmp_path / f"acp-tui-gpg-{name}" for name in ("left", "used", "young"))
    for folder in (leftover, locked, recent):
        folder.mkdir()
    for folder in (leftover, locked):
        os.utime(folder, (1, 1))
    handle = os.open(locked, os.O_RDONLY | os.O_DIRECTORY)
    fcntl.flock(handle, fcntl.LOCK_EX)
    monkeypatch.setattr("acp_tui.core.gpg.home.PLACES", (tmp_path,))
    try:
        assert case.outcome(case.signed("good"), case.keys("good")) is Signed.GOOD
        assert sorted(path for path in tmp_path.iterdir() if path.is_dir()) == [locked, recent]
    finally:
        os.close(handle)


def test_gpg_home_is_created_on_a_disk_with_space(case: Case, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A full disk is skipped; the path may have any length."""
    full, long_path = tmp_path / "full", tmp_path / ("l" * 200) / ("l" * 200)
    full.mkdir()
    long_path.mkdir(parents=True)
    mount = ["mount", "-t", "tmpfs", "-o", "size=64k,noexec", "none", str(full)]
    if os.geteuid() or subprocess.run(mount, check=False).returncode:
        pytest.skip("needs root, to mount a small filesystem")
    try:
        monkeypatch.setattr("acp_tui.core.gpg.home.PLACES", (tmp_path / "nowhere", full))
        monkeypatch.delenv("TMPDIR", raising=False)
        signature, keys = case.signed("good"), case.keys("good")
        result = verify(case.package, signature, keys, case.fingerprint)
        assert result.signed is Signed.GPG_FAILED
        assert "has no free space" in result.detail
        monkeypatch.setenv("TMPDIR", str(long_path))
        assert case.outcome(signature, keys) is Signed.GOOD
        assert list(full.iterdir()) == list(long_path.iterdir()) == []
    finally:
        subprocess.run(["umount", str(full)], check=True)


def test_gpg_home_is_removed_afterwards(case: Case, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    homes = tmp_path / "homes"
    homes.mkdir()
    monkeypatch.setattr("acp_tui.core.gpg.home.PLACES", (homes,))
    assert case.outcome(case.signed("good"), case.keys("good")) is Signed.GOOD
    assert list(homes.iterdir()) == []


def test_progress_reaches_the_size_of_the_package(case: Case) -> None:
    events: list[Progress] = []
    verify(case.package, case.signed("good"), case.keys("good"), case.fingerprint, events.append)
    size = case.package.stat().st_size
    assert events[0] == Progress(case.package.name, 0, size)
    assert events[-1] == Progress(case.package.name, size, size)
    assert [p.done for p in events] == sorted(p.done for p in events)


def test_cancelled_verification_raises(case: Case) -> None:
    with pytest.raises(Cancelled):
        verify(case.package, case.signed("good"), case.keys("good"), case.fingerprint, cancelled=lambda: True)
