"""Hostile certificates: each one is an error with a reason, wherever it is read; nothing else is raised."""

import random
import subprocess
import time
from base64 import encodebytes
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from acp_tui.install.verify.https import planned_fingerprint, served
from acp_tui.preflight.certificates.fields import CertificateInvalid, load_chain, load_der, read_fields, signed_by
from acp_tui.preflight.certificates.reader import read_pair
from tests.support.certificates import GOOD, KEY, MIDDLE, ROOT, RSA, issue, pem


def der(certificate: x509.Certificate) -> bytes:
    return certificate.public_bytes(Encoding.DER)


def duplicate_extension() -> bytes:
    other = (x509.IssuerAlternativeName([x509.DNSName("acp.example.com")]), False)
    return der(issue(RSA, other)).replace(bytes.fromhex("0603551d12"), bytes.fromhex("0603551d11"))


def explicit_curve(folder: Path) -> bytes:
    """Return a certificate as openssl writes it for a key without a named curve. The library cannot create it."""
    script = """
    openssl ecparam -name prime256v1 -genkey -noout -param_enc explicit -out k
    openssl req -x509 -new -key k -subj /CN=acp.example.com -days 30 -outform DER -out c
    """
    subprocess.run(["sh", "-ec", script], check=True, cwd=folder, capture_output=True)
    return (folder / "c").read_bytes()


def of_key(folder: Path, options: str) -> bytes:
    """Return a certificate for the kind of key that these options of `openssl genpkey` create."""
    script = f"""
    openssl genpkey {options} -pkeyopt rsa_keygen_bits:2048 -out k
    openssl req -x509 -new -key k -subj /CN=acp.example.com -days 30 -outform DER -out c
    """
    subprocess.run(["sh", "-ec", script], check=True, cwd=folder, capture_output=True)
    return (folder / "c").read_bytes()


def hostile(name: str, folder: Path) -> bytes:
    """Return a hostile certificate in DER format."""
    match name:
        case "odd version":
            return der(GOOD).replace(bytes.fromhex("a003020102"), bytes.fromhex("a003020107"))
        case "duplicate extension":
            return duplicate_extension()
        case "unknown key type":
            return der(GOOD).replace(bytes.fromhex("06092a864886f70d010101"), bytes.fromhex("06092a864886f70d01017f"))
        case "damaged extension":
            return der(GOOD).replace(b"acp.example.com", b"acp.example.c\xff\xff", 2)
        case "month 13":
            return der(GOOD).replace(b"000101000000Z", b"001301000000Z")
        case "many names":
            return der(issue(hosts=[x509.DNSName(f"h{number}") for number in range(1001)]))
        case "explicit curve":
            return explicit_curve(folder)
        case "serial number 0":
            return der(GOOD).replace(bytes.fromhex("a003020102020107"), bytes.fromhex("a003020102020100"))
        case "negative serial number":
            return der(GOOD).replace(bytes.fromhex("a003020102020107"), bytes.fromhex("a0030201020201f9"))
        case "huge exponent":
            return of_key(folder, "-algorithm RSA -pkeyopt rsa_keygen_pubexp:4294967297")
        case "key for RSA-PSS":
            return of_key(folder, "-algorithm RSA-PSS")
        case "unknown critical extension":
            unknown = x509.UnrecognizedExtension(x509.ObjectIdentifier("1.3.6.1.4.1.99999.1"), b"\x05\x00")
            return der(issue(RSA, (unknown, True)))
        case "precertificate":
            return der(issue(RSA, (x509.PrecertPoison(), True)))
        case _:
            return der(GOOD)[:-1]


NAMES = ("odd version", "duplicate extension", "unknown key type", "damaged extension", "month 13", "many names",
         "explicit curve", "serial number 0", "negative serial number", "huge exponent", "key for RSA-PSS",
         "unknown critical extension", "precertificate", "truncated")  # fmt: skip


def armored(content: bytes) -> bytes:
    return b"-----BEGIN CERTIFICATE-----\n" + encodebytes(content) + b"-----END CERTIFICATE-----\n"


@pytest.mark.parametrize("name", NAMES)
def test_hostile_certificate_is_an_error_with_a_reason(name: str, tmp_path: Path) -> None:
    content = hostile(name, tmp_path)
    with pytest.raises(CertificateInvalid, match=r"[a-z]{3}"):
        load_der(content)
    assert served(content) is None
    (tmp_path / "cert").write_bytes(armored(content))
    (tmp_path / "key").write_bytes(KEY)
    assert planned_fingerprint(tmp_path / "cert") is None
    for file in (armored(content), pem(GOOD) + armored(content)):
        (tmp_path / "cert").write_bytes(file)
        (error,) = read_pair(tmp_path / "cert", tmp_path / "key", roots=()).errors
        assert error.startswith(f"{tmp_path / 'cert'}: the certificate is damaged or cannot be used: ")


def test_root_with_the_serial_number_0_is_accepted() -> None:
    """Old versions of openssl gave this number to a self-signed certificate. Clients accept it."""
    root = der(issue(RSA, subject="ca", issuer="ca", signer=RSA))
    zero = root.replace(bytes.fromhex("a003020102020107"), bytes.fromhex("a003020102020100"))
    assert load_der(zero).names_itself


def test_damaged_root_of_this_host_does_not_end_the_check(tmp_path: Path) -> None:
    (tmp_path / "cert").write_bytes(pem(GOOD))
    (tmp_path / "key").write_bytes(KEY)
    root = x509.load_der_x509_certificate(duplicate_extension())
    assert read_pair(tmp_path / "cert", tmp_path / "key", roots=(root,)).errors == ()


def test_random_bytes_raise_only_the_documented_error() -> None:
    choices = random.Random(1)  # noqa: S311 - not for cryptography
    valid, root = [der(one) for one in (GOOD, MIDDLE, ROOT)], read_fields(ROOT)
    for _ in range(3000):
        content = bytearray(choices.choice(valid))
        for _change in range(choices.randint(1, 3)):
            content[choices.randrange(len(content))] = choices.randrange(256)
        try:
            fields = load_der(bytes(content))
        except CertificateInvalid:
            continue
        signed_by(fields, root)
        signed_by(root, fields)


def test_chain_has_at_most_100_certificates(tmp_path: Path) -> None:
    (tmp_path / "key").write_bytes(KEY)
    (tmp_path / "cert").write_bytes(pem(*[ROOT] * 100))
    assert read_pair(tmp_path / "cert", tmp_path / "key", roots=()).chain_length == 100
    with pytest.raises(CertificateInvalid, match="contains 101 certificates; the maximum is 100"):
        load_chain(pem(*[ROOT] * 101))
    (tmp_path / "cert").write_bytes(pem(*[ROOT] * 1500))
    started = time.process_time()
    (error,) = read_pair(tmp_path / "cert", tmp_path / "key", roots=()).errors
    assert "contains 1500 certificates; the maximum is 100" in error
    assert time.process_time() - started < 5


@pytest.mark.parametrize(
    "content",
    [
        b"-----BEGIN CERTIFICATE-----\n" + b"A" * 1_000_000,
        b"-----BEGIN CERTIFICATE-----\n" + b"A\n" * 500_000 + b"-----END CERTIFICATE-----\n",
        b"x-----BEGIN " * 80_000,
        b"-" * 1_000_000,
        b"-----BEGIN A-----\n" * 50_000,
        b"-----BEGIN RSA PRIVATE KEY-----\n" * 30_000,
        b"-----BEGIN PRIVATE KEY-----\n" + b"A" * 1_000_000 + b"\n-----END PRIVATE KEY-----\n",
        b"\x30\x83\x0f\x00\x00\x02\x01\x00\x30" + b"\x02" * 900_000,
    ],
    ids=["no end", "short lines", "many starts", "dashes", "many labels", "many keys", "long key", "binary"],
)
def test_megabytes_of_a_broken_file_are_an_error_at_once(content: bytes, tmp_path: Path) -> None:
    for name in ("cert", "key"):
        (tmp_path / name).write_bytes(content)
    started = time.process_time()
    errors = read_pair(tmp_path / "cert", tmp_path / "key", roots=()).errors
    assert len(errors) == 2
    assert max(map(len, errors)) < 1000
    assert time.process_time() - started < 5


def test_names_in_messages_are_short_and_have_no_control_characters() -> None:
    fields = read_fields(issue(subject="a\x1b[31m" + "b" * 50))
    assert fields.subject == "CN=a" + "b" * 50
