"""Key files read without gpg: the same fingerprints as gpg tells, and nothing that a strange file could upset."""

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
    made = Signer()
    made.make_key("one")
    made.add_signing_subkey("one")
    made.gpg("--quick-gen-key", "two <two@example.com>", "rsa4096", "sign", "0")
    yield made
    made.close()


def told(signer: Signer) -> list[str]:
    lines = signer.gpg("--list-keys", "--with-colons", "--with-subkey-fingerprint").decode().splitlines()
    return [line.split(":")[9] for line in lines if line.startswith("fpr:")]


def test_the_fingerprints_that_gpg_tells(signer: Signer) -> None:
    assert len(told(signer)) == 3
    armored = signer.gpg("--armor", "--export")
    for content in (signer.gpg("--export"), armored, armored.replace(b"\n", b"\r\n"), b"From: me\n\n" + armored + b"x"):
        assert sorted(fingerprints(content)) == sorted(told(signer))
        assert not has_private_key(content)
    both = signer.gpg("--armor", "--export", "one@example.com") + signer.gpg("--armor", "--export", "two@example.com")
    assert sorted(fingerprints(both)) == sorted(told(signer))


def test_a_private_key_in_either_form(signer: Signer) -> None:
    for options in ((), ("--armor",)):
        assert has_private_key(signer.gpg(*options, "--export-secret-keys"))


def test_what_was_cut_off_has_what_is_whole(signer: Signer) -> None:
    content = signer.gpg("--export", "one@example.com")
    assert len(fingerprints(content[:-1])) == 2
    assert fingerprints(content[:20]) == ()


@given(st.binary(max_size=400))
def test_any_bytes(content: bytes) -> None:
    for read in (fingerprints, has_private_key, is_message):
        read(content)
        read(b"-----BEGIN PGP PUBLIC KEY BLOCK-----\n\n" + content + b"\n-----END")
