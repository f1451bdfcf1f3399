"""Each outcome of a signature verification, with the real gpg and real keys."""

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
from acp_tui.package.signature.gpg_status import Signed, evaluate_status
from tests.support.gpg_signer import PAST, Signer
from tests.support.package_builder import core

pytestmark = pytest.mark.skipif(shutil.which("gpg") is None, reason="needs gpg")


@dataclass(frozen=True)
class Case:
    signer: Signer
    package: Path
    fingerprint: str
    """Fingerprint of the trusted key `good`."""

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
    created = Signer()
    created.make_key("good")
    created.make_key("other")
    created.make_key("revoked")
    created.make_key("expired", expires="10d", at=PAST)
    created.make_key("old", at=PAST)
    created.gpg("--quick-gen-key", "rsa <rsa@example.com>", "rsa2048", "sign", "0")
    created.make_key("branch")
    created.add_signing_subkey("branch")
    yield created
    created.close()


@pytest.fixture
def case(signer: Signer, tmp_path: Path) -> Case:
    return Case(signer, core(tmp_path), signer.fingerprint("good"))


def test_valid_signature_is_good(case: Case) -> None:
    result = verify(case.package, case.signed("good"), case.keys("good"), case.fingerprint)
    assert result.signed is Signed.GOOD
    assert result.fingerprints == (case.fingerprint,)


def test_armored_signature_and_key_are_good(case: Case) -> None:
    armored = case.file("armored.asc", case.signer.gpg("--armor", "--export", case.fingerprint))
    assert case.outcome(case.signed("good", "--armor"), armored) is Signed.GOOD


def test_signature_by_a_subkey_of_the_trusted_key_is_good(case: Case) -> None:
    primary = case.signer.fingerprint("branch")
    result = verify(case.package, case.signed("branch"), case.keys("branch"), primary)
    assert (result.signed, result.fingerprints) == (Signed.GOOD, (primary,))


def test_signature_by_another_key_of_the_key_file(case: Case) -> None:
    result = verify(case.package, case.signed("other"), case.keys("good", "other"), case.fingerprint)
    assert result.signed is Signed.OTHER_KEY
    assert result.fingerprints == (case.signer.fingerprint("other"),)


def test_signature_by_a_key_missing_from_the_key_file(case: Case) -> None:
    result = verify(case.package, case.signed("other"), case.keys("good"), case.fingerprint)
    assert result.signed is Signed.NO_PUBLIC_KEY
    assert result.fingerprints == (case.signer.fingerprint("other"),)


def test_key_file_without_the_trusted_key(case: Case) -> None:
    result = verify(case.package, case.signed("other"), case.keys("other"), case.fingerprint)
    assert result.signed is Signed.KEY_OTHER
    assert result.fingerprints[0] == case.signer.fingerprint("other")


def test_short_key_id_is_not_accepted_as_fingerprint(case: Case) -> None:
    assert case.outcome(case.signed("good"), case.keys("good"), case.fingerprint[-8:]) is Signed.KEY_OTHER


def test_signature_by_an_expired_key(case: Case) -> None:
    signature = case.signed("expired", at=PAST)
    assert case.outcome(signature, case.keys("expired"), case.signer.fingerprint("expired")) is Signed.EXPIRED_KEY


def test_expired_signature(case: Case) -> None:
    signature = case.signed("old", "--default-sig-expire", "5d", at=PAST)
    assert case.outcome(signature, case.keys("old"), case.signer.fingerprint("old")) is Signed.EXPIRED_SIGNATURE


def test_signature_by_a_revoked_key(case: Case) -> None:
    signature = case.signed("revoked")
    case.signer.revoke("revoked")
    assert case.outcome(signature, case.keys("revoked"), case.signer.fingerprint("revoked")) is Signed.REVOKED


def test_changed_package_has_a_bad_signature(case: Case) -> None:
    signature = case.signed("good")
    with case.package.open("r+b") as package:
        package.seek(5000)
        package.write(b"changed")
    assert case.outcome(signature, case.keys("good")) is Signed.BAD


def test_truncated_package_has_a_bad_signature(case: Case) -> None:
    signature = case.signed("good")
    with case.package.open("r+b") as package:
        package.truncate(case.package.stat().st_size - 1)
    assert case.outcome(signature, case.keys("good")) is Signed.BAD


@pytest.mark.parametrize("length", [0, 1, 20, 60, -1])
def test_truncated_signature_is_unreadable(case: Case, length: int) -> None:
    content = case.signed("good").read_bytes()
    assert case.outcome(case.file("cut", content[:length]), case.keys("good")) is Signed.UNREADABLE


def test_inline_and_clear_signatures_are_rejected(case: Case) -> None:
    inline = case.signer.gpg("--local-user", case.fingerprint, "--output", "-", "--sign", str(case.package))
    clear = case.signer.gpg("--local-user", case.fingerprint, "--clearsign", stdin=b"text\n")
    for name, content in (("inline", inline), ("clear", clear)):
        assert case.outcome(case.file(name, content), case.keys("good")) is Signed.NOT_DETACHED, name
    for name, content in (("noise", b"\x99" * 5000), ("text", b"hello\n")):
        assert case.outcome(case.file(name, content), case.keys("good")) is Signed.UNREADABLE, name


def test_text_mode_signature_is_rejected(case: Case) -> None:
    assert case.outcome(case.signed("good", "--textmode"), case.keys("good")) is Signed.NOT_DETACHED


def test_md5_is_rejected_and_sha1_is_reported(case: Case) -> None:
    """gpg rejects MD5. It accepts SHA-1, and the detail names it."""
    md5 = case.signed("rsa", "--allow-weak-digest-algos", "--digest-algo", "MD5")
    rsa, keys = case.signer.fingerprint("rsa"), case.keys("rsa")
    assert case.outcome(md5, keys, rsa) is Signed.WEAK
    result = verify(case.package, case.signed("rsa", "--digest-algo", "SHA1"), keys, rsa)
    assert (result.signed, result.detail) == (Signed.GOOD, "the signature uses the weak digest SHA-1")


def test_key_from_the_future(case: Case) -> None:
    case.signer.make_key("tomorrow", at="20990101T000000")
    signature = case.signed("tomorrow", at="20990102T000000")
    outcome = case.outcome(signature, case.keys("tomorrow"), case.signer.fingerprint("tomorrow"))
    assert outcome is Signed.KEY_FROM_THE_FUTURE


def test_bad_signature_next_to_a_good_one_is_bad(case: Case) -> None:
    good = case.signed("good").read_bytes()
    bad = case.signer.sign("good", case.file("else", b"something else"))
    assert case.outcome(case.file("both", good + bad), case.keys("good")) is Signed.BAD


def test_missing_signature_key_and_package(case: Case, tmp_path: Path) -> None:
    missing = tmp_path / "nowhere"
    signature, keys = case.signed("good"), case.keys("good")
    assert case.outcome(missing, keys) is Signed.SIGNATURE_MISSING
    assert case.outcome(signature, missing) is Signed.KEY_MISSING
    assert verify(missing, signature, keys, case.fingerprint).signed is Signed.PACKAGE_MISSING


def test_signature_of_another_package_is_recognised_by_its_name(case: Case) -> None:
    """gpg reports it like a damaged package; only the file name shows the difference."""
    other = case.file("installer-core-v4.0.2-x86.tar", b"another package")
    content = case.signer.sign("good", other)
    keys = case.keys("good")
    assert case.outcome(case.file(f"{other.name}.sig", content), keys) is Signed.OTHER_FILE
    assert case.outcome(case.file(f"{case.package.name}.sig", content), keys) is Signed.BAD
    renamed = case.file("installer-core-v4.0.9-x86.tar.sig", case.signed("good").read_bytes())
    assert case.outcome(renamed, keys) is Signed.GOOD


def with_byte(content: bytes, offset: int, value: int) -> bytes:
    return content[:offset] + bytes([value]) + content[offset + 1 :]


@pytest.mark.parametrize(
    ("offset", "value"),
    [(2, 5), (2, 6), (7, 27), (7, 99)],
    ids=["version 5", "version 6", "Ed25519 of 2024", "unknown"],
)
def test_key_version_unknown_to_gpg_is_unsupported(case: Case, offset: int, value: int) -> None:
    """The header of the key packet has the version and the algorithm."""
    key = case.signer.export("good")
    assert key[2] == 4
    result = case.outcome(case.signed("good"), case.file("new.pub", with_byte(key, offset, value)))
    if value == 5:  # gpg 2.3 reads version 5
        assert result in (Signed.KEY_UNSUPPORTED, Signed.KEY_UNREADABLE)
    else:
        assert result is Signed.KEY_UNSUPPORTED


@pytest.mark.parametrize(("offset", "value"), [(2, 6), (4, 99)], ids=["version 6", "unknown algorithm"])
def test_signature_version_unknown_to_gpg_is_unsupported(case: Case, offset: int, value: int) -> None:
    signature = case.signed("good").read_bytes()
    assert signature[2] == 4
    assert (
        case.outcome(case.file("new.sig", with_byte(signature, offset, value)), case.keys("good")) is Signed.UNSUPPORTED
    )


def test_good_signature_next_to_an_unsupported_one_is_good(case: Case) -> None:
    good = case.signed("good").read_bytes()
    both = case.file("both.sig", good + with_byte(good, 2, 6))
    assert case.outcome(both, case.keys("good")) is Signed.GOOD


@pytest.mark.parametrize("content", [b"", b"not a key\n", b"\x99" * 3000])
def test_key_file_without_a_key_is_unreadable(case: Case, content: bytes) -> None:
    assert case.outcome(case.signed("good"), case.file("nokey", content)) is Signed.KEY_UNREADABLE


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


def test_private_key_in_the_key_file_is_rejected(case: Case) -> None:
    secret = case.signer.gpg("--armor", "--export-secret-keys", case.fingerprint)
    binary = case.signer.gpg("--export-secret-keys", case.fingerprint)
    public = case.signer.export("good")
    for content in (secret, binary, public + binary, case.signer.gpg("--armor", "--export", "other") + secret):
        assert case.outcome(case.signed("good"), case.file("secret", content)) is Signed.KEY_PRIVATE


def test_pipe_is_unreadable_without_waiting(case: Case, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    assert case.outcome(tmp_path / "pipe", case.keys("good")) is Signed.UNREADABLE
    assert case.outcome(case.signed("good"), tmp_path / "pipe") is Signed.KEY_UNREADABLE


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


def test_default_signature_file_is_sig_before_asc(tmp_path: Path) -> None:
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
        # Both lines are required, and for the same signature.
        ([("VALIDSIG", VALID)], Signed.UNREADABLE),
        ([("GOODSIG", "A name")], Signed.UNREADABLE),
        ([("GOODSIG", "A name"), ("VALIDSIG", VALID), ("VALIDSIG", VALID.replace("A", "C"))], Signed.GOOD),
        ([("GOODSIG", "A name"), ("VALIDSIG", VALID), ("BADSIG", "C name")], Signed.BAD),
        ([("GOODSIG", "x VALIDSIG " + VALID)], Signed.UNREADABLE),
        ([("PLAINTEXT", "62 0 "), ("GOODSIG", "A name"), ("VALIDSIG", VALID)], Signed.NOT_DETACHED),
        ([("ERRSIG", "AAAA 22 8 00 1 4 -")], Signed.UNSUPPORTED),
        ([("ERRSIG", "AAAA 22 12 00 1 5 -")], Signed.UNSUPPORTED),
        ([("ERRSIG", "AAAA 22 1 00 1 5 -")], Signed.WEAK),
        # Of two signatures, the one by the trusted key decides.
        ([("GOODSIG", "C"), ("VALIDSIG", VALID.replace("B", "C")), ("EXPKEYSIG", "A"), ("VALIDSIG", VALID)], EXPIRED),
        ([("ERRSIG", "AAAA")], Signed.UNREADABLE),
        ([("ERRSIG", "")], Signed.UNREADABLE),
        ([], Signed.UNREADABLE),
    ],
)
def test_outcome_of_gpg_status_lines(lines: list[tuple[str, str]], signed: Signed) -> None:
    assert evaluate_status(lines, "B" * 40).signed is signed
