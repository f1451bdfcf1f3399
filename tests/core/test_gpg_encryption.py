"""Encryption with the real gpg, by passphrase and by key; no process or file remains."""

import os
import shutil
import subprocess
import time
import tracemalloc
from collections.abc import Iterator
from pathlib import Path

import gnupg
import pytest
from pydantic import SecretStr

from acp_tui.core.files import READ_LIMIT
from acp_tui.core.gpg.encryption import (
    GpgFailed,
    PassphraseNeeded,
    PassphraseWrong,
    ToKey,
    ToPassphrase,
    decrypt,
    encrypt,
    read_passphrase,
)

pytestmark = pytest.mark.skipif(shutil.which("gpg") is None, reason="needs gpg")
PHRASE = SecretStr("pässwörd with = and 'quotes' 42")


@pytest.fixture
def keyring(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[gnupg.GPG]:
    """A keyring in place of the user's own; its path is short enough for the agent's socket."""
    home = Path("/tmp") / f"k{abs(hash(tmp_path)) % 10**8}"
    home.mkdir(mode=0o700)
    monkeypatch.setenv("GNUPGHOME", str(home))
    yield gnupg.GPG(gnupghome=str(home))
    subprocess.run(["gpgconf", "--homedir", str(home), "--kill", "gpg-agent"], check=False)
    shutil.rmtree(home, ignore_errors=True)


def key(gpg: gnupg.GPG, *, passphrase: str = "", signs_only: bool = False) -> str:
    subkey = {} if signs_only else {"subkey_type": "ECDH", "subkey_curve": "cv25519"}
    protection = {"passphrase": passphrase} if passphrase else {"no_protection": True}
    parameters = {"key_type": "EDDSA", "key_curve": "ed25519", "name_email": "a@example.com", **subkey, **protection}
    return str(gpg.gen_key(gpg.gen_key_input(**parameters)).fingerprint)


def test_passphrase_decrypts_its_message(keyring: gnupg.GPG) -> None:
    message = encrypt(b"hidden \x00\xff", ToPassphrase(PHRASE))
    assert b"hidden" not in message
    assert decrypt(message, PHRASE) == b"hidden \x00\xff"
    with pytest.raises(PassphraseNeeded):
        decrypt(message, None)
    with pytest.raises(PassphraseWrong):
        decrypt(message, SecretStr("another"))


def test_key_file_and_fingerprint_encrypt_to_the_same_key(keyring: gnupg.GPG, tmp_path: Path) -> None:
    fingerprint = key(keyring)
    file = tmp_path / "recipient.pub"
    file.write_text(keyring.export_keys(fingerprint))
    spaced = " ".join(fingerprint[i : i + 4] for i in range(0, 40, 4)).lower()
    for named in (str(file), fingerprint, spaced):
        assert decrypt(encrypt(b"hidden", ToKey(named)), None) == b"hidden"


def test_private_key_with_a_passphrase_needs_it(keyring: gnupg.GPG) -> None:
    message = encrypt(b"hidden", ToKey(key(keyring, passphrase="key phrase")))
    subprocess.run(["gpgconf", "--homedir", keyring.gnupghome, "--kill", "gpg-agent"], check=True)  # its cache
    with pytest.raises(PassphraseNeeded):
        decrypt(message, None)
    with pytest.raises(PassphraseWrong):
        decrypt(message, SecretStr("another"))
    assert decrypt(message, SecretStr("key phrase")) == b"hidden"


def test_unusable_keys_and_passphrases_fail(keyring: gnupg.GPG, tmp_path: Path) -> None:
    empty = tmp_path / "empty"
    empty.touch()
    for named in (str(tmp_path / "missing"), str(empty), "0" * 40, key(keyring, signs_only=True)):
        with pytest.raises(GpgFailed):
            encrypt(b"hidden", ToKey(named))
    for bad in ("", "two\nlines"):
        with pytest.raises(GpgFailed):
            encrypt(b"hidden", ToPassphrase(SecretStr(bad)))


def test_decryption_without_the_private_key_fails(keyring: gnupg.GPG) -> None:
    fingerprint = key(keyring)
    message = encrypt(b"hidden", ToKey(fingerprint))
    keyring.delete_keys(fingerprint, secret=True, passphrase="", expect_passphrase=False)
    with pytest.raises(GpgFailed, match="keyring"):
        decrypt(message, None)
    with pytest.raises(GpgFailed, match="cannot decrypt"):
        decrypt(b"no message at all", PHRASE)


def test_missing_gpg_fails(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(GpgFailed, match="Install the package gnupg"):
        encrypt(b"hidden", ToPassphrase(PHRASE))


def test_temporary_home_and_agent_are_removed(keyring: gnupg.GPG, monkeypatch: pytest.MonkeyPatch) -> None:
    place = Path(keyring.gnupghome) / "h"
    place.mkdir()
    monkeypatch.setattr("acp_tui.core.gpg.home.PLACES", (place,))
    assert decrypt(encrypt(b"hidden", ToPassphrase(PHRASE)), PHRASE) == b"hidden"
    assert not list(place.iterdir())
    commands = [path.read_bytes() for path in Path("/proc").glob("[0-9]*/cmdline") if path.exists()]
    assert not any(str(place).encode() in command for command in commands)


@pytest.mark.parametrize(("content", "phrase"), [(b"one\ntwo\n", "one"), (b"one\r\n", "one"), ("ü".encode(), "ü")])
def test_first_line_of_a_passphrase_file_is_read(tmp_path: Path, content: bytes, phrase: str) -> None:
    (tmp_path / "phrase").write_bytes(content)
    assert read_passphrase(tmp_path / "phrase").get_secret_value() == phrase


@pytest.mark.parametrize("content", [b"", b"\nsecond\n", b"\xff\xfe\n"])
def test_file_without_a_passphrase_fails(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "phrase").write_bytes(content)
    with pytest.raises(GpgFailed):
        read_passphrase(tmp_path / "phrase")


def test_message_that_expands_beyond_the_limit_is_refused_in_little_memory(keyring: gnupg.GPG) -> None:
    message = encrypt(bytes(200 << 20), ToPassphrase(PHRASE))
    assert len(message) < 1 << 20
    tracemalloc.start()
    try:
        with pytest.raises(GpgFailed, match="larger than 8 MiB"):
            decrypt(message, PHRASE)
        assert tracemalloc.get_traced_memory()[1] < 40 << 20
    finally:
        tracemalloc.stop()


def test_largest_content_is_decrypted(keyring: gnupg.GPG) -> None:
    content = os.urandom(8 << 20)
    assert decrypt(encrypt(content, ToPassphrase(PHRASE)), PHRASE) == content


def test_gpg_that_does_not_finish_is_ended(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    slow = tmp_path / "gpg"
    slow.write_text(f'#!/bin/sh\ncase "$*" in *--decrypt*) exec sleep 600 ;; esac\nexec {shutil.which("gpg")} "$@"\n')
    slow.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    monkeypatch.setattr("acp_tui.core.gpg.encryption._DECRYPT_TIMEOUT", 0.2)
    started = time.monotonic()
    with pytest.raises(GpgFailed, match=r"within 0\.2 s"):
        decrypt(b"x" * (8 << 20), PHRASE)
    assert time.monotonic() - started < 20


def test_path_that_is_not_a_regular_file_has_no_passphrase(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "large").write_bytes(b"x" * (READ_LIMIT + 1))
    for path, reason in (
        (Path("/dev/zero"), "device"),
        (tmp_path / "pipe", "pipe"),
        (tmp_path, "directory"),
        (tmp_path / "large", "larger than 1 MiB"),
    ):
        with pytest.raises(OSError, match=reason):
            read_passphrase(path)
        with pytest.raises(GpgFailed, match=reason):
            encrypt(b"hidden", ToKey(str(path)))


def test_passphrase_that_is_too_long_for_gpg_fails() -> None:
    long = SecretStr("x" * 1001)
    with pytest.raises(GpgFailed, match="longer than 1000 bytes"):
        encrypt(b"hidden", ToPassphrase(long))
    with pytest.raises(GpgFailed, match="longer than 1000 bytes"):
        decrypt(b"", long)


def test_passphrase_must_be_utf_8() -> None:
    with pytest.raises(GpgFailed, match="UTF-8"):
        encrypt(b"hidden", ToPassphrase(SecretStr("p\udce4ss")))
    with pytest.raises(GpgFailed, match="UTF-8"):
        decrypt(b"hidden", SecretStr("p\udce4ss"))
