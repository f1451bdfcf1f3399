"""Commands that acp-tui suggests for certificate and key files: they correct the file and keep keys private."""

import subprocess
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.hazmat.primitives.serialization.pkcs12 import serialize_key_and_certificates

from acp_tui.checks.plan.certificate import remove_passphrase_command
from acp_tui.preflight.certificates.reader import read_pair
from tests.support.certificates import (
    CHAIN,
    DEEP,
    EC,
    GOOD,
    KEY,
    MIDDLE,
    ROOT,
    RSA,
    key_pem,
    pem,
)


def relabelled(pem_key: bytes, label: str, wrong: str) -> bytes:
    return pem_key.replace(f" {label}-".encode(), f" {wrong}-".encode())


PKCS12 = serialize_key_and_certificates(b"acp", RSA, GOOD, [ROOT], NoEncryption())
DER_KEY = RSA.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())


def test_command_for_joined_blocks_converts_the_file(tmp_path: Path) -> None:
    (tmp_path / "my crt").write_bytes(pem(DEEP).rstrip() + pem(MIDDLE).rstrip() + pem(ROOT))
    (tmp_path / "k").write_bytes(KEY)
    (error,) = read_pair(tmp_path / "my crt", tmp_path / "k", roots=()).errors
    subprocess.run(["sh", "-c", error.partition("Convert it with this command: ")[2]], check=True)
    assert (tmp_path / "my crt.pem").read_bytes() == pem(DEEP, MIDDLE, ROOT)


def test_command_for_a_passphrase_decrypts_the_key(tmp_path: Path) -> None:
    (tmp_path / "my key").write_bytes(key_pem(RSA, b"canary"))
    command = remove_passphrase_command(tmp_path / "my key").replace("pkey ", "pkey -passin pass:canary ")
    subprocess.run(["sh", "-c", command], check=True)
    (tmp_path / "c").write_bytes(CHAIN)
    read = read_pair(tmp_path / "c", tmp_path / "my key.pem", roots=())
    assert (read.key_matches, (tmp_path / "my key.pem").stat().st_mode & 0o777) == (True, 0o600)


PKCS1, PKCS8 = PrivateFormat.TraditionalOpenSSL, PrivateFormat.PKCS8
RSA_KEYS = {form: RSA.private_bytes(Encoding.PEM, form, NoEncryption()) for form in (PKCS1, PKCS8)}
EC_KEYS = {form: EC.private_bytes(Encoding.PEM, form, NoEncryption()) for form in (PKCS1, PKCS8)}


@pytest.mark.parametrize(
    ("key", "label", "wrong"),
    [
        (RSA_KEYS[PKCS8], "PRIVATE KEY", "RSA PRIVATE KEY"),
        (RSA_KEYS[PKCS8], "PRIVATE KEY", "EC PRIVATE KEY"),
        (RSA_KEYS[PKCS8], "PRIVATE KEY", "ENCRYPTED PRIVATE KEY"),
        (RSA_KEYS[PKCS1], "RSA PRIVATE KEY", "PRIVATE KEY"),
        (EC_KEYS[PKCS1], "EC PRIVATE KEY", "PRIVATE KEY"),
        (EC_KEYS[PKCS8], "PRIVATE KEY", "EC PRIVATE KEY"),
        (key_pem(RSA, b"canary"), "ENCRYPTED PRIVATE KEY", "PRIVATE KEY"),
    ],
    ids=["rsa-as-pkcs1", "rsa-as-ec", "rsa-as-encrypted", "pkcs1-as-pkcs8", "ec-as-pkcs8", "pkcs8-as-ec", "encrypted"],
)
def test_command_for_a_wrong_label_corrects_it_in_a_private_file(
    key: bytes, label: str, wrong: str, tmp_path: Path
) -> None:
    (tmp_path / "c").write_bytes(CHAIN)
    (tmp_path / "my key").write_bytes(relabelled(key, label, wrong))
    (error,) = read_pair(tmp_path / "c", tmp_path / "my key", roots=()).errors
    assert f"with the label {wrong}; for its content, the label must be {label}." in error
    assert ("openssl pkey " in error) == (label == "PRIVATE KEY")
    _run_suggested(error)
    assert (tmp_path / "my key.pem").read_bytes() == key
    assert (tmp_path / "my key.pem").stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("command", ["cat k", "openssl pkcs8 -topk8 -nocrypt -in k"])
def test_key_with_explicit_curve_parameters_is_converted_to_a_named_curve(command: str, tmp_path: Path) -> None:
    script = f"openssl ecparam -name prime256v1 -genkey -noout -param_enc explicit -out k; {command} > 'my key'"
    subprocess.run(["sh", "-ec", script], check=True, cwd=tmp_path)
    (tmp_path / "c").write_bytes(CHAIN)
    (error,) = read_pair(tmp_path / "c", tmp_path / "my key", roots=()).errors
    assert "an EC key with explicit curve parameters" in error
    _run_suggested(error)
    read = read_pair(tmp_path / "c", tmp_path / "my key.pem", roots=())
    assert (read.errors, read.key_encrypted, read.key_matches) == ((), False, False)
    assert (tmp_path / "my key.pem").stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize(
    "content",
    [DER_KEY, PKCS12, b"\xef\xbb\xbf" + KEY, KEY.replace(b"\n", b"\r")],
    ids=["der", "pkcs12", "byte-order-mark", "carriage-returns"],
)
def test_every_command_that_converts_a_key_writes_a_private_file(content: bytes, tmp_path: Path) -> None:
    (tmp_path / "c").write_bytes(CHAIN)
    (tmp_path / "my key").write_bytes(content)
    (error,) = read_pair(tmp_path / "c", tmp_path / "my key", roots=()).errors
    _run_suggested(error.replace("pkcs12 ", "pkcs12 -passin pass: "))
    assert read_pair(tmp_path / "c", tmp_path / "my key.pem", roots=()).key_matches
    assert (tmp_path / "my key.pem").stat().st_mode & 0o777 == 0o600


def _run_suggested(error: str) -> None:
    command = error.partition("Convert it with this command: ")[2]
    subprocess.run(["sh", "-c", f"umask 022; {command}"], check=True, capture_output=True)
