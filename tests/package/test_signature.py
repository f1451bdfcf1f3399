"""Every way in which a signature can stand is told apart, by the real gpg with real keys."""

import fcntl
import os
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from acp_tui.core.events import Progress
from acp_tui.package.reader import Cancelled
from acp_tui.package.signature.gpg import default_signature, verify
from acp_tui.package.signature.status import Signed, evaluate_status
from tests.support.gpg_signer import PAST, Signer
from tests.support.package_builder import core

pytestmark = pytest.mark.skipif(shutil.which("gpg") is None, reason="needs gpg")


@dataclass(frozen=True)
class Case:
    signer: Signer
    package: Path
    fingerprint: str
    """Of `good`, the key that is pinned."""

    def file(self, name: str, content: bytes) -> Path:
        path = self.package.parent / name
        path.write_bytes(content)
        return path

    def signed(self, name: str, *options: str, at: str | None = None) -> Path:
        return self.file("signature", self.signer.sign(name, self.package, *options, at=at))

    def keys(self, *names: str) -> Path:
        return self.file("keys.pub", self.signer.export(*names))

    def outcome(self, signature: Path, keys: Path, fingerprint: str | None = None) -> Signed:
        return verify(self.package, signature, keys, fingerprint or self.fingerprint).signed


@pytest.fixture(scope="module")
def signer() -> Iterator[Signer]:
    made = Signer()
    made.make_key("good")
    made.make_key("other")
    made.make_key("revoked")
    made.make_key("expired", expires="10d", at=PAST)
    made.make_key("old", at=PAST)
    made.gpg("--quick-gen-key", "rsa <rsa@example.com>", "rsa2048", "sign", "0")
    made.make_key("branch")
    made.add_signing_subkey("branch")
    yield made
    made.close()


@pytest.fixture
def case(signer: Signer, tmp_path: Path) -> Case:
    return Case(signer, core(tmp_path), signer.fingerprint("good"))


def test_a_good_signature(case: Case) -> None:
    result = verify(case.package, case.signed("good"), case.keys("good"), case.fingerprint)
    assert result.signed is Signed.GOOD
    assert result.fingerprints == (case.fingerprint,)


def test_an_armored_signature_and_key(case: Case) -> None:
    armored = case.file("armored.asc", case.signer.gpg("--armor", "--export", case.fingerprint))
    assert case.outcome(case.signed("good", "--armor"), armored) is Signed.GOOD


def test_a_subkey_signs_for_its_pinned_primary_key(case: Case) -> None:
    primary = case.signer.fingerprint("branch")
    result = verify(case.package, case.signed("branch"), case.keys("branch"), primary)
    assert (result.signed, result.fingerprints) == (Signed.GOOD, (primary,))


def test_a_sound_signature_by_another_key_of_the_key_file(case: Case) -> None:
    result = verify(case.package, case.signed("other"), case.keys("good", "other"), case.fingerprint)
    assert result.signed is Signed.OTHER_KEY
    assert result.fingerprints == (case.signer.fingerprint("other"),)


def test_a_signer_that_the_key_file_does_not_have(case: Case) -> None:
    result = verify(case.package, case.signed("other"), case.keys("good"), case.fingerprint)
    assert result.signed is Signed.NO_PUBLIC_KEY
    assert result.fingerprints == (case.signer.fingerprint("other"),)


def test_a_key_file_without_the_pinned_key(case: Case) -> None:
    result = verify(case.package, case.signed("other"), case.keys("other"), case.fingerprint)
    assert result.signed is Signed.KEY_OTHER
    assert result.fingerprints[0] == case.signer.fingerprint("other")


def test_a_short_id_of_the_right_key_is_not_its_fingerprint(case: Case) -> None:
    assert case.outcome(case.signed("good"), case.keys("good"), case.fingerprint[-8:]) is Signed.KEY_OTHER


def test_an_expired_key(case: Case) -> None:
    signature = case.signed("expired", at=PAST)
    assert case.outcome(signature, case.keys("expired"), case.signer.fingerprint("expired")) is Signed.EXPIRED_KEY


def test_an_expired_signature(case: Case) -> None:
    signature = case.signed("old", "--default-sig-expire", "5d", at=PAST)
    assert case.outcome(signature, case.keys("old"), case.signer.fingerprint("old")) is Signed.EXPIRED_SIGNATURE


def test_a_revoked_key(case: Case) -> None:
    signature = case.signed("revoked")
    case.signer.revoke("revoked")
    assert case.outcome(signature, case.keys("revoked"), case.signer.fingerprint("revoked")) is Signed.REVOKED


def test_a_changed_package(case: Case) -> None:
    signature = case.signed("good")
    with case.package.open("r+b") as package:
        package.seek(5000)
        package.write(b"changed")
    assert case.outcome(signature, case.keys("good")) is Signed.BAD


def test_a_package_that_was_cut_off(case: Case) -> None:
    signature = case.signed("good")
    with case.package.open("r+b") as package:
        package.truncate(case.package.stat().st_size - 1)
    assert case.outcome(signature, case.keys("good")) is Signed.BAD


@pytest.mark.parametrize("length", [0, 1, 20, 60, -1])
def test_a_signature_that_was_cut_off(case: Case, length: int) -> None:
    whole = case.signed("good").read_bytes()
    assert case.outcome(case.file("cut", whole[:length]), case.keys("good")) is Signed.UNREADABLE


def test_what_is_no_detached_signature(case: Case) -> None:
    inline = case.signer.gpg("--local-user", case.fingerprint, "--output", "-", "--sign", str(case.package))
    clear = case.signer.gpg("--local-user", case.fingerprint, "--clearsign", stdin=b"text\n")
    for name, content in (("inline", inline), ("clear", clear)):
        assert case.outcome(case.file(name, content), case.keys("good")) is Signed.NOT_DETACHED, name
    for name, content in (("noise", b"\x99" * 5000), ("text", b"hello\n")):
        assert case.outcome(case.file(name, content), case.keys("good")) is Signed.UNREADABLE, name


def test_a_text_mode_signature_is_not_taken_for_the_package(case: Case) -> None:
    assert case.outcome(case.signed("good", "--textmode"), case.keys("good")) is Signed.NOT_DETACHED


def test_weak_digests(case: Case) -> None:
    """gpg itself refuses MD5; with SHA-1 a release may be signed, and it is told."""
    md5 = case.signed("rsa", "--allow-weak-digest-algos", "--digest-algo", "MD5")
    rsa, keys = case.signer.fingerprint("rsa"), case.keys("rsa")
    assert case.outcome(md5, keys, rsa) is Signed.WEAK
    found = verify(case.package, case.signed("rsa", "--digest-algo", "SHA1"), keys, rsa)
    assert (found.signed, found.detail) == (Signed.GOOD, "made with SHA-1, which is weak")


def test_a_clock_that_is_behind(case: Case) -> None:
    case.signer.make_key("tomorrow", at="20990101T000000")
    signature = case.signed("tomorrow", at="20990102T000000")
    outcome = case.outcome(signature, case.keys("tomorrow"), case.signer.fingerprint("tomorrow"))
    assert outcome is Signed.KEY_FROM_THE_FUTURE


def test_a_bad_signature_beside_a_good_one(case: Case) -> None:
    good = case.signed("good").read_bytes()
    bad = case.signer.sign("good", case.file("else", b"something else"))
    assert case.outcome(case.file("both", good + bad), case.keys("good")) is Signed.BAD


def test_files_that_are_missing(case: Case, tmp_path: Path) -> None:
    nowhere = tmp_path / "nowhere"
    signature, keys = case.signed("good"), case.keys("good")
    assert case.outcome(nowhere, keys) is Signed.SIGNATURE_MISSING
    assert case.outcome(signature, nowhere) is Signed.KEY_MISSING
    assert verify(nowhere, signature, keys, case.fingerprint).signed is Signed.PACKAGE_MISSING


def test_the_signature_of_another_package(case: Case) -> None:
    """gpg alone cannot tell it from a damaged package; its name can."""
    other = case.file("installer-core-v4.0.2-x86.tar", b"another package")
    content = case.signer.sign("good", other)
    keys = case.keys("good")
    assert case.outcome(case.file(f"{other.name}.sig", content), keys) is Signed.OTHER_FILE
    assert case.outcome(case.file(f"{case.package.name}.sig", content), keys) is Signed.BAD
    renamed = case.file("installer-core-v4.0.9-x86.tar.sig", case.signed("good").read_bytes())
    assert case.outcome(renamed, keys) is Signed.GOOD


def patched(content: bytes, place: int, value: int) -> bytes:
    return content[:place] + bytes([value]) + content[place + 1 :]


@pytest.mark.parametrize(
    ("place", "value"), [(2, 5), (2, 6), (7, 27), (7, 99)], ids=["version 5", "version 6", "Ed25519 of 2024", "unknown"]
)
def test_a_key_that_gpg_is_too_old_for(case: Case, place: int, value: int) -> None:
    """The header of the key packet says version and algorithm."""
    key = case.signer.export("good")
    assert key[2] == 4
    result = case.outcome(case.signed("good"), case.file("new.pub", patched(key, place, value)))
    if value == 5:  # which gpg 2.3 reads
        assert result in (Signed.KEY_UNSUPPORTED, Signed.KEY_UNREADABLE)
    else:
        assert result is Signed.KEY_UNSUPPORTED


@pytest.mark.parametrize(("place", "value"), [(2, 6), (4, 99)], ids=["version 6", "unknown algorithm"])
def test_a_signature_that_gpg_is_too_old_for(case: Case, place: int, value: int) -> None:
    signature = case.signed("good").read_bytes()
    assert signature[2] == 4
    assert case.outcome(case.file("new.sig", patched(signature, place, value)), case.keys("good")) is Signed.UNSUPPORTED


def test_one_good_signature_beside_a_newer_one_is_enough(case: Case) -> None:
    good = case.signed("good").read_bytes()
    both = case.file("both.sig", good + patched(good, 2, 6))
    assert case.outcome(both, case.keys("good")) is Signed.GOOD


@pytest.mark.parametrize("content", [b"", b"not a key\n", b"\x99" * 3000])
def test_key_files_without_a_key(case: Case, content: bytes) -> None:
    assert case.outcome(case.signed("good"), case.file("nokey", content)) is Signed.KEY_UNREADABLE


def test_without_gpg(case: Case, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    signature, keys = case.signed("good"), case.keys("good")
    monkeypatch.setenv("PATH", str(tmp_path))
    assert case.outcome(signature, keys) is Signed.GPG_MISSING


VERIFYING = 'case "$*" in *--verify*) {line};; esac'


@pytest.mark.parametrize(
    ("line", "word"),
    [
        ("exit 127", ""),
        ("kill -SEGV $$", ""),
        ("echo usage; exit 0", ""),
        ("exec sleep 600", ""),
        ('case "$*" in *--import*) kill -SEGV $$;; esac', ""),
        (VERIFYING.format(line="kill -SEGV $$"), "crashed"),
        (VERIFYING.format(line="exec sleep 600"), "timed out"),
        (VERIFYING.format(line="cat >/dev/null; exec sleep 600"), "timed out"),
    ],
)
def test_a_gpg_that_does_not_work(
    case: Case, line: str, word: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    signature, keys = case.signed("good"), case.keys("good")
    monkeypatch.setattr("acp_tui.package.signature.gpg._TIMEOUT", 1)
    broken = tmp_path / "bin" / "gpg"
    broken.parent.mkdir()
    monkeypatch.setenv("PATH", f"{broken.parent}:{os.environ['PATH']}")
    broken.write_text(f'#!/bin/sh\n{line}\nexec {shutil.which("gpg", path=os.environ["PATH"])} "$@"\n')
    broken.chmod(0o755)
    found = verify(case.package, signature, keys, case.fingerprint)
    assert found.signed is Signed.GPG_FAILED
    assert word in found.detail


def test_nothing_of_the_users_own_keyring_counts_or_changes(
    case: Case, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("GNUPGHOME", str(case.signer.home))  # which knows `other`
    before = sorted(path.name for path in case.signer.home.iterdir())
    signature, keys = case.signed("other"), case.keys("good")
    assert case.outcome(signature, keys) is Signed.NO_PUBLIC_KEY
    assert sorted(path.name for path in case.signer.home.iterdir()) == before


def test_a_private_key_is_no_public_one(case: Case) -> None:
    secret = case.signer.gpg("--armor", "--export-secret-keys", case.fingerprint)
    binary = case.signer.gpg("--export-secret-keys", case.fingerprint)
    public = case.signer.export("good")
    for content in (secret, binary, public + binary, case.signer.gpg("--armor", "--export", "other") + secret):
        assert case.outcome(case.signed("good"), case.file("secret", content)) is Signed.KEY_PRIVATE


def test_a_pipe_in_place_of_a_file_is_not_waited_for(case: Case, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    assert case.outcome(tmp_path / "pipe", case.keys("good")) is Signed.UNREADABLE
    assert case.outcome(case.signed("good"), tmp_path / "pipe") is Signed.KEY_UNREADABLE


def test_what_a_killed_run_left_is_removed(case: Case, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    left, used, young = (tmp_path / f"acp-tui-gpg-{name}" for name in ("left", "used", "young"))
    for folder in (left, used, young):
        folder.mkdir()
    for folder in (left, used):
        os.utime(folder, (1, 1))
    handle = os.open(used, os.O_RDONLY | os.O_DIRECTORY)
    fcntl.flock(handle, fcntl.LOCK_EX)
    monkeypatch.setattr("acp_tui.core.gpg.home.PLACES", (tmp_path,))
    try:
        assert case.outcome(case.signed("good"), case.keys("good")) is Signed.GOOD
        assert sorted(path for path in tmp_path.iterdir() if path.is_dir()) == [used, young]
    finally:
        os.close(handle)


def test_a_home_is_looked_for_where_there_is_room(case: Case, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Not where the disk is full, and in a path of any length if need be."""
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
        failed = verify(case.package, signature, keys, case.fingerprint)
        assert failed.signed is Signed.GPG_FAILED
        assert "no space left" in failed.detail
        monkeypatch.setenv("TMPDIR", str(long_path))
        assert case.outcome(signature, keys) is Signed.GOOD
        assert list(full.iterdir()) == list(long_path.iterdir()) == []
    finally:
        subprocess.run(["umount", str(full)], check=True)


def test_no_home_is_left_behind(case: Case, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    homes = tmp_path / "homes"
    homes.mkdir()
    monkeypatch.setattr("acp_tui.core.gpg.home.PLACES", (homes,))
    assert case.outcome(case.signed("good"), case.keys("good")) is Signed.GOOD
    assert list(homes.iterdir()) == []


def test_progress_reaches_the_size_of_the_package(case: Case) -> None:
    seen: list[Progress] = []
    verify(case.package, case.signed("good"), case.keys("good"), case.fingerprint, seen.append)
    size = case.package.stat().st_size
    assert seen[0] == Progress(case.package.name, 0, size)
    assert seen[-1] == Progress(case.package.name, size, size)
    assert [p.done for p in seen] == sorted(p.done for p in seen)


def test_cancelling(case: Case) -> None:
    with pytest.raises(Cancelled):
        verify(case.package, case.signed("good"), case.keys("good"), case.fingerprint, cancelled=lambda: True)


def test_the_default_signature(tmp_path: Path) -> None:
    package = tmp_path / "p.tar"
    assert default_signature(package).name == "p.tar.sig"
    (tmp_path / "p.tar.asc").touch()
    assert default_signature(package).name == "p.tar.asc"
    (tmp_path / "p.tar.sig").touch()
    assert default_signature(package).name == "p.tar.sig"


EXPIRED = Signed.EXPIRED_KEY
VALID = "A" * 40 + " 2026-01-01 1 0 4 0 22 8 00 " + "B" * 40


@pytest.mark.parametrize(
    ("lines", "signed"),
    [
        ([("GOODSIG", "A name"), ("VALIDSIG", VALID)], Signed.GOOD),
        # Neither of the two is enough alone, and a good word about one signature is not worth anything for the next.
        ([("VALIDSIG", VALID)], Signed.UNREADABLE),
        ([("GOODSIG", "A name")], Signed.UNREADABLE),
        ([("GOODSIG", "A name"), ("VALIDSIG", VALID), ("VALIDSIG", VALID.replace("A", "C"))], Signed.GOOD),
        ([("GOODSIG", "A name"), ("VALIDSIG", VALID), ("BADSIG", "C name")], Signed.BAD),
        ([("GOODSIG", "x VALIDSIG " + VALID)], Signed.UNREADABLE),
        ([("PLAINTEXT", "62 0 "), ("GOODSIG", "A name"), ("VALIDSIG", VALID)], Signed.NOT_DETACHED),
        ([("ERRSIG", "AAAA 22 8 00 1 4 -")], Signed.UNSUPPORTED),
        ([("ERRSIG", "AAAA 22 12 00 1 5 -")], Signed.UNSUPPORTED),
        ([("ERRSIG", "AAAA 22 1 00 1 5 -")], Signed.WEAK),
        # Of two signatures the one by the trusted key tells more.
        ([("GOODSIG", "C"), ("VALIDSIG", VALID.replace("B", "C")), ("EXPKEYSIG", "A"), ("VALIDSIG", VALID)], EXPIRED),
        ([("ERRSIG", "AAAA")], Signed.UNREADABLE),
        ([("ERRSIG", "")], Signed.UNREADABLE),
        ([], Signed.UNREADABLE),
    ],
)
def test_status_lines(lines: list[tuple[str, str]], signed: Signed) -> None:
    assert evaluate_status(lines, "B" * 40).signed is signed
