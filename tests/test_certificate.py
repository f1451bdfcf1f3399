"""What is read from real PEM files: made here with real keys, broken in the ways in which people break them."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
)
from cryptography.x509.oid import NameOID
from plans import valid_plan

from acp_tui.certificate import PEM_LIMIT, facts_for, read_pair

Key = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey

RSA = rsa.generate_private_key(65537, 2048)
EC = ec.generate_private_key(ec.SECP256R1())
CA_KEY = ec.generate_private_key(ec.SECP256R1())
START = datetime(2026, 1, 1, tzinfo=UTC)


def name(text: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])


def certificate(key: Key, subject: str, issuer: str, issuer_key: Key, hosts: Sequence[str] = ()) -> x509.Certificate:
    builder = (
        x509.CertificateBuilder()
        .subject_name(name(subject))
        .issuer_name(name(issuer))
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(START)
        .not_valid_after(START + timedelta(days=90))
    )
    names: list[x509.GeneralName] = [
        x509.IPAddress(ip_address(host)) if host[0].isdigit() else x509.DNSName(host) for host in hosts
    ]
    if names:
        builder = builder.add_extension(x509.SubjectAlternativeName(names), critical=False)
    return builder.sign(issuer_key, hashes.SHA256())


CA = certificate(CA_KEY, "ca", "ca", CA_KEY)
HOSTS = ("ACP.example.com", "*.apps.example.com", "10.20.0.10")


def pem(*certificates: x509.Certificate) -> bytes:
    return b"".join(one.public_bytes(Encoding.PEM) for one in certificates)


def key_pem(key: Key, passphrase: bytes = b"") -> bytes:
    locked = BestAvailableEncryption(passphrase) if passphrase else NoEncryption()
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, locked)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "c.pem").write_bytes(pem(certificate(RSA, "leaf", "ca", CA_KEY, HOSTS), CA))
    (tmp_path / "k.pem").write_bytes(key_pem(RSA))
    return tmp_path


@pytest.mark.parametrize("key", [RSA, EC], ids=["RSA", "EC"])
def test_a_good_pair(tmp_path: Path, key: Key) -> None:
    (tmp_path / "c").write_bytes(pem(certificate(key, "leaf", "ca", CA_KEY, HOSTS), CA))
    (tmp_path / "k").write_bytes(key_pem(key))
    read = read_pair(tmp_path / "c", tmp_path / "k")
    assert (read.unreadable, read.errors) == ((), ())
    assert read.subject == "CN=leaf"
    assert (read.not_before, read.not_after) == (START, START + timedelta(days=90))
    assert (read.key_matches, read.key_encrypted) == (True, False)
    assert (read.chain_length, read.chain_ordered, read.self_signed) == (2, True, False)
    assert read.names == ("acp.example.com", "*.apps.example.com")
    assert read.addresses == ("10.20.0.10",)
    assert read.read_at.tzinfo is UTC


@pytest.mark.parametrize(
    ("host", "covered"),
    [
        ("acp.example.com", True),
        ("Acp.Example.Com.", True),
        ("x.apps.example.com", True),
        ("y.x.apps.example.com", False),
        ("apps.example.com", False),
        ("example.com", False),
        ("leaf", False),
        ("10.20.0.10", True),
        ("10.20.0.11", False),
    ],
)
def test_names_as_a_browser_takes_them(folder: Path, host: str, covered: bool) -> None:
    assert read_pair(folder / "c.pem", folder / "k.pem").covers(host) is covered


def test_somebody_elses_key(folder: Path) -> None:
    (folder / "k.pem").write_bytes(key_pem(EC))
    assert read_pair(folder / "c.pem", folder / "k.pem").key_matches is False


def test_the_authority_first_is_not_the_platforms_certificate(folder: Path) -> None:
    (folder / "c.pem").write_bytes(pem(CA, certificate(RSA, "leaf", "ca", CA_KEY, HOSTS)))
    read = read_pair(folder / "c.pem", folder / "k.pem")
    assert (read.key_matches, read.chain_ordered) == (False, False)


def test_a_locked_key_is_not_guessed_at(folder: Path) -> None:
    (folder / "k.pem").write_bytes(key_pem(RSA, b"canary"))
    read = read_pair(folder / "c.pem", folder / "k.pem")
    assert (read.key_encrypted, read.key_matches, read.errors) == (True, None, ())


def test_a_self_signed_certificate_is_known_as_such(folder: Path) -> None:
    (folder / "c.pem").write_bytes(pem(certificate(RSA, "me", "me", RSA)))
    read = read_pair(folder / "c.pem", folder / "k.pem")
    assert (read.self_signed, read.names, read.chain_length) == (True, (), 1)


@pytest.mark.parametrize(
    "content",
    [b"", b"not PEM", b"\x00\xff" * 50, b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"],
)
def test_rubbish_is_an_error_of_its_file(folder: Path, content: bytes) -> None:
    (folder / "c.pem").write_bytes(content)
    read = read_pair(folder / "c.pem", folder / "k.pem")
    assert len(read.errors) == 1
    assert "certificate" in read.errors[0]
    (folder / "k.pem").write_bytes(content.replace(b"CERTIFICATE", b"PRIVATE KEY"))
    read = read_pair(folder / "c.pem", folder / "k.pem")
    assert len(read.errors) == 2


def test_key_and_certificate_in_the_wrong_fields(folder: Path) -> None:
    read = read_pair(folder / "k.pem", folder / "c.pem")
    assert len(read.errors) == 2


def test_files_that_cannot_be_read_are_all_named(tmp_path: Path) -> None:
    (tmp_path / "big").write_bytes(b"0" * (PEM_LIMIT + 1))
    read = read_pair(tmp_path / "gone", tmp_path)
    assert len(read.unreadable) == 2
    assert "gone: No such file" in read.unreadable[0]
    assert "Is a directory" in read.unreadable[1]
    assert "larger than 1 MiB" in read_pair(tmp_path / "big", tmp_path / "big").unreadable[0]


def test_the_plan_decides_whether_there_is_a_pair(folder: Path) -> None:
    pair = {"cert_file": "c.pem", "key_file": "k.pem"}
    assert facts_for(valid_plan(), folder) is None
    assert facts_for(valid_plan(certificate={"mode": "existing", "cert_file": "c.pem"}), folder) is None
    read = facts_for(valid_plan(certificate={"mode": "existing", **pair}), folder)
    assert read is not None
    assert read.key_matches is True


def test_no_part_of_the_key_stays_in_the_facts(folder: Path) -> None:
    secret = key_pem(RSA).decode().splitlines()[3]
    assert secret not in repr(read_pair(folder / "c.pem", folder / "k.pem"))
