"""Key files read without gpg: the same fingerprints as gpg prints, and no error for any file."""

import shutil
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from acp_tui.package.signature.openpgp import fingerprints, has_private_key, is_message
from tests.support.gpg_signer import Signer

pytestmark = pytest.mark.skipif(shutil.which("gpg") is None, reason="needs gpg")


@pytest.fixture(scope="module")
def signer() -> Iterator[Signer]:
    created = Signer()
    created.make_key("one")
    created.add_signing_subkey("one")
    created.gpg("--quick-gen-key", "two <two@example.com>", "rsa4096", "sign", "0")
    yield created
    created.close()


def gpg_fingerprints(signer: Signer) -> list[str]:
    lines = signer.gpg("--list-keys", "--with-colons", "--with-subkey-fingerprint").decode().splitlines()
    return [line.split(":")[9] for line in lines if line.startswith("fpr:")]


def test_fingerprints_equal_those_of_gpg(signer: Signer) -> None:
    assert len(gpg_fingerprints(signer)) == 3
    armored = signer.gpg("--armor", "--export")
    for content in (
        signer.gpg("--export"),
        armored,
        armored.replace(b"\n", b"\r\n"),
        b"From: me\n\n" + armored + b"x",
        armored.replace(b"BLOCK-----\n", b"BLOCK----- \nComment: a: b\nVersion: 1\n"),
        b"-----BEGIN PGP PUBLIC KEY BLOCK-----\n\nAAAA\n" + armored,
    ):
        assert sorted(fingerprints(content)) == sorted(gpg_fingerprints(signer))
        assert not has_private_key(content)
    two_keys = signer.gpg("--armor", "--export", "one@example.com") + signer.gpg(
        "--armor", "--export", "two@example.com"
    )
    assert sorted(fingerprints(two_keys)) == sorted(gpg_fingerprints(signer))


def test_private_key_is_detected_binary_and_armored(signer: Signer) -> None:
    for options in ((), ("--armor",)):
        assert has_private_key(signer.gpg(*options, "--export-secret-keys"))


def test_truncated_key_file_has_only_its_complete_keys(signer: Signer) -> None:
    content = signer.gpg("--export", "one@example.com")
    assert len(fingerprints(content[:-1])) == 2
    assert fingerprints(content[:20]) == ()


@given(st.binary(max_size=400))
def test_arbitrary_bytes_never_raise(content: bytes) -> None:
    for read in (fingerprints, has_private_key, is_message):
        read(content)
        read(b"-----BEGIN PGP PUBLIC KEY BLOCK-----\n\n" + content + b"\n-----END")
