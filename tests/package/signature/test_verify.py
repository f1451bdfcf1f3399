"""Each outcome of a signature verification, with the real gpg and real keys."""

import os
from pathlib import Path

import pytest

from acp_tui.package.signature.gpg import default_signature, verify
from acp_tui.package.signature.gpg_status import Signed
from tests.support.gpg_signer import PAST, needs_gpg
from tests.support.signature_case import Case

pytestmark = needs_gpg


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


def test_default_signature_file_is_sig_before_asc(tmp_path: Path) -> None:
    package = tmp_path / "p.tar"
    assert default_signature(package).name == "p.tar.sig"
    (tmp_path / "p.tar.asc").touch()
    assert default_signature(package).name == "p.tar.asc"
    (tmp_path / "p.tar.sig").touch()
    assert default_signature(package).name == "p.tar.sig"
