"""Facts and findings from certificate and key files, made with real keys, valid and with common mistakes."""

import os
import subprocess
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address, ip_network
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)
from cryptography.hazmat.primitives.serialization.pkcs7 import serialize_certificates
from cryptography.hazmat.primitives.serialization.pkcs12 import serialize_key_and_certificates
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID
from pydantic import JsonValue

from acp_tui.checks.certificate_facts import Authority
from acp_tui.checks.plan.certificate import certificate_findings, remove_passphrase_command
from acp_tui.checks.verdict import Outcome
from acp_tui.core.files import READ_LIMIT
from acp_tui.preflight.certificates.reader import facts_for, read_pair
from tests.support.factories.plans import valid_plan

Key = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey
AnyKey = Key | ed25519.Ed25519PrivateKey

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


def key_pem(key: AnyKey, passphrase: bytes = b"") -> bytes:
    encryption = BestAvailableEncryption(passphrase) if passphrase else NoEncryption()
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, encryption)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "c.pem").write_bytes(pem(certificate(RSA, "leaf", "ca", CA_KEY, HOSTS), CA))
    (tmp_path / "k.pem").write_bytes(key_pem(RSA))
    return tmp_path


@pytest.mark.parametrize("key", [RSA, EC], ids=["RSA", "EC"])
def test_valid_pair_has_its_facts(tmp_path: Path, key: Key) -> None:
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
def test_host_is_covered_as_in_a_browser(folder: Path, host: str, covered: bool) -> None:
    assert read_pair(folder / "c.pem", folder / "k.pem").covers(host) is covered


def test_key_of_another_certificate_does_not_match(folder: Path) -> None:
    (folder / "k.pem").write_bytes(key_pem(EC))
    assert read_pair(folder / "c.pem", folder / "k.pem").key_matches is False


def test_chain_with_the_authority_first_is_out_of_order(folder: Path) -> None:
    (folder / "c.pem").write_bytes(pem(CA, certificate(RSA, "leaf", "ca", CA_KEY, HOSTS)))
    read = read_pair(folder / "c.pem", folder / "k.pem")
    assert (read.key_matches, read.chain_ordered) == (False, False)


def test_encrypted_key_has_no_match_result(folder: Path) -> None:
    (folder / "k.pem").write_bytes(key_pem(RSA, b"canary"))
    read = read_pair(folder / "c.pem", folder / "k.pem")
    assert (read.key_encrypted, read.key_matches, read.errors) == (True, None, ())


def test_self_signed_certificate_is_recognised(folder: Path) -> None:
    (folder / "c.pem").write_bytes(pem(certificate(RSA, "me", "me", RSA)))
    read = read_pair(folder / "c.pem", folder / "k.pem")
    assert (read.self_signed, read.names, read.chain_length) == (True, (), 1)


@pytest.mark.parametrize(
    "content",
    [b"", b"not PEM", b"\x00\xff" * 50, b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"],
)
def test_file_without_pem_is_an_error_with_its_name(folder: Path, content: bytes) -> None:
    (folder / "c.pem").write_bytes(content)
    read = read_pair(folder / "c.pem", folder / "k.pem")
    assert len(read.errors) == 1
    assert "c.pem" in read.errors[0]
    (folder / "k.pem").write_bytes(content.replace(b"CERTIFICATE", b"PRIVATE KEY"))
    read = read_pair(folder / "c.pem", folder / "k.pem")
    assert len(read.errors) == 2


def test_swapped_key_and_certificate_are_errors(folder: Path) -> None:
    read = read_pair(folder / "k.pem", folder / "c.pem")
    assert len(read.errors) == 2


def test_all_unreadable_files_are_named(tmp_path: Path) -> None:
    (tmp_path / "big").write_bytes(b"0" * (READ_LIMIT + 1))
    read = read_pair(tmp_path / "gone", tmp_path)
    assert len(read.unreadable) == 2
    assert "gone: No such file" in read.unreadable[0]
    assert "Is a directory" in read.unreadable[1]
    assert "larger than 1 MiB" in read_pair(tmp_path / "big", tmp_path / "big").unreadable[0]


def test_pair_is_read_only_if_the_plan_has_both_files(folder: Path) -> None:
    pair = {"cert_file": "c.pem", "key_file": "k.pem"}
    assert facts_for(valid_plan(), folder) is None
    assert facts_for(valid_plan(certificate={"mode": "existing", "cert_file": "c.pem"}), folder) is None
    read = facts_for(valid_plan(certificate={"mode": "existing", **pair}), folder)
    assert read is not None
    assert read.key_matches is True


def test_home_folder_is_expanded_in_the_paths_of_a_pair(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(folder))
    pair: JsonValue = {"mode": "existing", "cert_file": "~/c.pem", "key_file": "~/k.pem"}
    read = facts_for(valid_plan(certificate=pair), tmp_path)
    assert read is not None
    assert read.key_matches is True


LONG = (datetime(2000, 1, 1, tzinfo=UTC), datetime(2099, 1, 1, tzinfo=UTC))
ROOT_KEY = rsa.generate_private_key(65537, 2048)
TODAY = datetime.now(UTC)


def issue(
    key: AnyKey = RSA,
    *extensions: tuple[x509.ExtensionType, bool],
    subject: str = "acp.example.com",
    issuer: str = "ca",
    signer: AnyKey = CA_KEY,
    hosts: Sequence[x509.GeneralName] = (x509.DNSName("acp.example.com"),),
    days: tuple[datetime, datetime] = LONG,
) -> x509.Certificate:
    builder = (
        x509.CertificateBuilder()
        .subject_name(name(subject))
        .issuer_name(name(issuer))
        .public_key(key.public_key())
        .serial_number(7)
        .not_valid_before(days[0])
        .not_valid_after(days[1])
    )
    if hosts:
        builder = builder.add_extension(x509.SubjectAlternativeName(hosts), critical=False)
    for extension, critical in extensions:
        builder = builder.add_extension(extension, critical)
    return builder.sign(signer, None if isinstance(signer, ed25519.Ed25519PrivateKey) else hashes.SHA256())


ROOT = issue(CA_KEY, subject="ca", hosts=())
GOOD = issue()
CHAIN = pem(GOOD, ROOT)
KEY = key_pem(RSA)
ED = ed25519.Ed25519PrivateKey.generate()
P521 = ec.generate_private_key(ec.SECP521R1())
SMALL = rsa.generate_private_key(65537, 1024)  # noqa: S505 - a weak key is the test case
MIDDLE_KEY = ec.generate_private_key(ec.SECP256R1())
CA_FLAG = x509.BasicConstraints(ca=True, path_length=None)
DEEP = issue(issuer="middle", signer=MIDDLE_KEY)


def chain(*extensions: x509.ExtensionType, days: tuple[datetime, datetime] = LONG, key: AnyKey = MIDDLE_KEY) -> bytes:
    """Return a chain to the root through an intermediate certificate with these extensions."""
    issuer = issue(key, *((one, True) for one in extensions), subject="middle", hosts=(), days=days)
    return pem(issue(issuer="middle", signer=key), issuer, ROOT)


def usage(*allowed: str) -> x509.KeyUsage:
    names = ("digital_signature", "content_commitment", "key_encipherment", "data_encipherment", "key_agreement")
    others = ("key_cert_sign", "crl_sign", "encipher_only", "decipher_only")
    return x509.KeyUsage(**{one: one in allowed for one in (*names, *others)})


def constrained(permitted: Sequence[x509.GeneralName] | None, excluded: Sequence[x509.GeneralName] | None) -> bytes:
    return chain(CA_FLAG, x509.NameConstraints(permitted, excluded))


MIDDLE = issue(MIDDLE_KEY, (CA_FLAG, True), subject="middle", hosts=())
BRAINPOOL = ec.generate_private_key(ec.BrainpoolP256R1())
FOR_CLIENTS = x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CLIENT_AUTH])
PUBLIC = RSA.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
PKCS12 = serialize_key_and_certificates(b"acp", RSA, GOOD, [ROOT], NoEncryption())
OPENSSH = RSA.private_bytes(Encoding.PEM, PrivateFormat.OpenSSH, NoEncryption())
DER_KEY = RSA.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())
REQUEST = x509.CertificateSigningRequestBuilder().subject_name(name("acp")).sign(RSA, hashes.SHA256())
FAIL, WARN = Outcome.FAIL, Outcome.WARN

PAIRS: list[tuple[str, bytes, bytes, list[tuple[Outcome, str]]]] = [
    ("good, RSA", CHAIN, KEY, []),
    ("good, EC", pem(issue(EC), ROOT), key_pem(EC), []),
    ("good, PKCS#1 key", CHAIN, RSA.private_bytes(Encoding.PEM, PrivateFormat.TraditionalOpenSSL, NoEncryption()), []),
    ("good, CRLF", CHAIN.replace(b"\n", b"\r\n"), KEY.replace(b"\n", b"\r\n"), []),
    ("good, with text between the blocks", b"Bag Attributes\n" + CHAIN + b"end\n", b"words\n" + KEY, []),
    ("good, with an intermediate", pem(DEEP, MIDDLE, ROOT), KEY, []),
    ("good, key file that also has the certificate", CHAIN, KEY + CHAIN, []),
    ("root missing", pem(GOOD), KEY, [(WARN, "issuer CN=ca is not in the file")]),
    ("intermediate missing", pem(DEEP), KEY, [(WARN, "issuer CN=middle is not in the file")]),
    ("chain out of order", pem(DEEP, ROOT, MIDDLE), KEY, [(WARN, "wrong order")]),
    (
        "authority first",
        pem(ROOT, GOOD),
        KEY,
        [(FAIL, "belongs to certificate 2"), (WARN, "certificate does not contain acp.example.com"), (WARN, "order")],
    ),
    ("self-signed", pem(issue(issuer="acp.example.com", signer=RSA)), KEY, [(WARN, "is self-signed")]),
    ("expired", pem(issue(days=(LONG[0], TODAY - timedelta(days=1))), ROOT), KEY, [(FAIL, "expired on")]),
    ("not yet valid", pem(issue(days=(TODAY + timedelta(days=2), LONG[1])), ROOT), KEY, [(FAIL, "not valid before")]),
    ("expires soon", pem(issue(days=(LONG[0], TODAY + timedelta(days=9))), ROOT), KEY, [(WARN, "expires on")]),
    ("issuer expired", chain(CA_FLAG, days=(LONG[0], TODAY - timedelta(days=3))), KEY, [(FAIL, "CN=middle expired")]),
    (
        "issuer not yet valid",
        chain(CA_FLAG, days=(TODAY + timedelta(days=3), LONG[1])),
        KEY,
        [(FAIL, "is not valid before")],
    ),
    (
        "issuer expires soon",
        chain(CA_FLAG, days=(LONG[0], TODAY + timedelta(days=9))),
        KEY,
        [(WARN, "CN=middle expires on")],
    ),
    ("issuer is not an authority", chain(), KEY, [(FAIL, "CN=middle is not allowed to issue")]),
    ("issuer may not issue", chain(CA_FLAG, usage("crl_sign")), KEY, [(FAIL, "CN=middle is not allowed to issue")]),
    ("issuer for clients", chain(CA_FLAG, FOR_CLIENTS), KEY, [(FAIL, "CN=middle is not allowed to issue")]),
    ("issuer may issue", chain(CA_FLAG, usage("key_cert_sign")), KEY, []),
    ("issuer RSA 1024", chain(CA_FLAG, key=SMALL), KEY, [(FAIL, "issuer CN=middle has an RSA key with 1024 bits")]),
    (
        "issuer only for other names",
        constrained([x509.DNSName("corp.local")], None),
        KEY,
        [(FAIL, "do not allow acp.example.com")],
    ),
    (
        "issuer not for this name",
        constrained(None, [x509.DNSName("example.com")]),
        KEY,
        [(FAIL, "do not allow acp.example.com")],
    ),
    ("issuer for this name", constrained([x509.DNSName(".example.com")], [x509.DNSName("ample.com")]), KEY, []),
    ("issuer for addresses", constrained([x509.IPAddress(ip_network("10.0.0.0/8"))], None), KEY, []),
    ("duplicate leaf", pem(GOOD, GOOD, ROOT), KEY, [(WARN, "wrong order")]),
    (
        "no digitalSignature",
        pem(issue(RSA, (usage("key_encipherment"), True)), ROOT),
        KEY,
        [(FAIL, "digitalSignature")],
    ),
    ("digitalSignature", pem(issue(RSA, (usage("digital_signature"), True)), ROOT), KEY, []),
    ("brainpool", pem(issue(BRAINPOOL), ROOT), key_pem(BRAINPOOL), [(FAIL, "type brainpoolP256r1")]),
    (
        "last certificate truncated",
        pem(DEEP, MIDDLE, ROOT)[:-90],
        KEY,
        [(FAIL, "is truncated or damaged"), (WARN, "CN=ca is")],
    ),
    (
        "PKCS#7 in the key file",
        CHAIN,
        serialize_certificates([GOOD, ROOT], Encoding.PEM),
        [(FAIL, "contains certificates but no key")],
    ),
    ("another key", CHAIN, key_pem(EC), [(FAIL, "does not belong")]),
    ("encrypted key", CHAIN, key_pem(RSA, b"canary"), [(FAIL, "passphrase")]),
    ("RSA 1024", pem(issue(SMALL), ROOT), key_pem(SMALL), [(FAIL, "1024 bits")]),
    ("P-521", pem(issue(P521), ROOT), key_pem(P521), [(WARN, "521 bits")]),
    ("Ed25519", pem(issue(ED), ROOT), key_pem(ED), [(FAIL, "type Ed25519")]),
    ("certificate of an authority", pem(issue(RSA, (CA_FLAG, True)), ROOT), KEY, [(WARN, "CA:TRUE")]),
    ("for clients", pem(issue(RSA, (FOR_CLIENTS, False)), ROOT), KEY, [(FAIL, "extended key usage")]),
    ("name only in the common name", pem(issue(hosts=()), ROOT), KEY, [(WARN, "only in the common name")]),
    (
        "another name",
        pem(issue(hosts=[x509.DNSName("b")]), ROOT),
        KEY,
        [(WARN, "the certificate does not contain acp.example.com")],
    ),
    ("wildcard", pem(issue(hosts=[x509.DNSName("*.example.com")]), ROOT), KEY, []),
    (
        "wildcard too high",
        pem(issue(hosts=[x509.DNSName("*.com")]), ROOT),
        KEY,
        [(WARN, "the certificate does not contain acp.example.com")],
    ),
    (
        "swapped",
        KEY,
        CHAIN,
        [(FAIL, "contains a private key. Check whether"), (FAIL, "contains a certificate. Check whether")],
    ),
    ("key in the certificate's file", CHAIN + KEY, KEY, [(FAIL, "next to the certificate")]),
    ("two keys", CHAIN, KEY + key_pem(EC), [(FAIL, "contains 2 private keys")]),
    ("DER", GOOD.public_bytes(Encoding.DER), DER_KEY, [(FAIL, "openssl x509 -inform DER"), (FAIL, "openssl pkey")]),
    ("DER swapped", DER_KEY, GOOD.public_bytes(Encoding.DER), [(FAIL, "exchanged"), (FAIL, "exchanged")]),
    ("PKCS#12", PKCS12, PKCS12, [(FAIL, "openssl pkcs12 -nokeys"), (FAIL, "openssl pkcs12 -nocerts")]),
    ("PKCS#7", serialize_certificates([GOOD, ROOT], Encoding.PEM), KEY, [(FAIL, "openssl pkcs7 -print_certs")]),
    ("PKCS#7, DER", serialize_certificates([GOOD], Encoding.DER), KEY, [(FAIL, "pkcs7 -inform DER -print_certs")]),
    ("Java keystore", b"\xfe\xed\xfe\xed" + bytes(99), KEY, [(FAIL, "keytool")]),
    ("certificate request", REQUEST.public_bytes(Encoding.PEM), KEY, [(FAIL, "is a certificate request")]),
    ("OpenSSH key", CHAIN, OPENSSH, [(FAIL, "ssh-keygen -p -m PEM")]),
    ("byte order mark", b"\xef\xbb\xbf" + CHAIN, KEY, [(FAIL, "byte order mark")]),
    ("two blocks in one line", pem(GOOD).rstrip() + pem(ROOT), KEY, [(FAIL, "two blocks on one line")]),
    ("line ends of classic Macintosh", CHAIN.replace(b"\n", b"\r"), KEY, [(FAIL, "classic Macintosh")]),
    ("UTF-16", CHAIN.decode().encode("utf-16"), KEY, [(FAIL, "UTF-16")]),
    ("indented", CHAIN.replace(b"\n", b"\n  "), KEY, [(FAIL, "indented")]),
    ("empty", b" \n", KEY, [(FAIL, "is empty")]),
    ("public key", CHAIN, PUBLIC, [(FAIL, "contains no private key; it contains PUBLIC KEY")]),
    ("web page", b"<html>login</html>", KEY, [(FAIL, "contains no certificate in PEM")]),
    ("damaged", CHAIN.replace(b"MII", b"MIX", 1), KEY, [(FAIL, "damaged")]),
]


@pytest.mark.parametrize(("cert", "key", "expected"), [kind[1:] for kind in PAIRS], ids=[kind[0] for kind in PAIRS])
def test_findings_of_a_pair(tmp_path: Path, cert: bytes, key: bytes, expected: list[tuple[Outcome, str]]) -> None:
    (tmp_path / "acp crt").write_bytes(cert)
    (tmp_path / "acp key").write_bytes(key)
    plan = valid_plan(address={"cluster_endpoint": "10.20.0.10", "platform": "acp.example.com"})
    findings = list(certificate_findings(plan, read_pair(tmp_path / "acp crt", tmp_path / "acp key", roots=())))
    assert [finding.outcome for finding in findings] == [outcome for outcome, _text in expected]
    for finding, (_outcome, text) in zip(findings, expected, strict=True):
        assert text in finding.observed


def test_leaf_signed_with_sha1_is_reported(tmp_path: Path) -> None:
    """The cryptography library does not create such certificates; openssl does."""
    script = """
    openssl req -x509 -newkey rsa:2048 -nodes -keyout ca.key -out ca.crt -subj /CN=ca -days 3650
    openssl req -newkey rsa:2048 -nodes -keyout k -out r -subj /CN=acp.example.com
    openssl x509 -req -sha1 -in r -CA ca.crt -CAkey ca.key -set_serial 3 -days 900 -out leaf
    """
    subprocess.run(["sh", "-ec", script], check=True, cwd=tmp_path, capture_output=True)
    (tmp_path / "c").write_bytes((tmp_path / "leaf").read_bytes() + (tmp_path / "ca.crt").read_bytes())
    findings = [
        finding.observed
        for finding in certificate_findings(valid_plan(), read_pair(tmp_path / "c", tmp_path / "k", roots=()))
    ]
    assert "a certificate in the file is signed with SHA1; clients reject such signatures" in findings
    assert not any("wrong order" in text for text in findings)


def test_root_signed_with_sha1_is_accepted(tmp_path: Path) -> None:
    script = """
    openssl req -x509 -sha1 -newkey rsa:2048 -nodes -keyout ca.key -out ca.crt -subj /CN=ca -days 3650
    openssl req -newkey rsa:2048 -nodes -keyout k -out r -subj /CN=acp.example.com
    openssl x509 -req -in r -CA ca.crt -CAkey ca.key -set_serial 3 -days 900 -out leaf
    """
    subprocess.run(["sh", "-ec", script], check=True, cwd=tmp_path, capture_output=True)
    (tmp_path / "c").write_bytes((tmp_path / "leaf").read_bytes() + (tmp_path / "ca.crt").read_bytes())
    read = read_pair(tmp_path / "c", tmp_path / "k", roots=())
    assert (read.hashes, read.authority, read.chain_ordered) == (("sha256",), Authority.PRIVATE, True)


def test_command_for_joined_blocks_converts_the_file(tmp_path: Path) -> None:
    (tmp_path / "my crt").write_bytes(pem(DEEP).rstrip() + pem(MIDDLE).rstrip() + pem(ROOT))
    (tmp_path / "k").write_bytes(KEY)
    (error,) = read_pair(tmp_path / "my crt", tmp_path / "k", roots=()).errors
    subprocess.run(["sh", "-c", error.partition("Convert it with this command: ")[2]], check=True)
    assert (tmp_path / "my crt.pem").read_bytes() == pem(DEEP, MIDDLE, ROOT)


def test_authority_trusted_by_this_host_is_known(tmp_path: Path) -> None:
    (tmp_path / "c").write_bytes(pem(GOOD))
    (tmp_path / "k").write_bytes(KEY)
    assert read_pair(tmp_path / "c", tmp_path / "k", roots=[ROOT]).authority is Authority.KNOWN
    (tmp_path / "c").write_bytes(CHAIN)
    assert read_pair(tmp_path / "c", tmp_path / "k", roots=()).authority is Authority.PRIVATE


def test_command_for_a_passphrase_decrypts_the_key(tmp_path: Path) -> None:
    (tmp_path / "my key").write_bytes(key_pem(RSA, b"canary"))
    command = remove_passphrase_command(tmp_path / "my key") + " -passin pass:canary"
    subprocess.run(["sh", "-c", command], check=True)
    (tmp_path / "c").write_bytes(CHAIN)
    read = read_pair(tmp_path / "c", tmp_path / "my key.pem", roots=())
    assert (read.key_matches, (tmp_path / "my key.pem").stat().st_mode & 0o777) == (True, 0o600)


def test_pipe_is_unreadable_without_waiting(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    assert len(read_pair(tmp_path / "pipe", tmp_path / "pipe").unreadable) == 2


def test_facts_have_no_part_of_the_key(folder: Path) -> None:
    secret = key_pem(RSA).decode().splitlines()[3]
    assert secret not in repr(read_pair(folder / "c.pem", folder / "k.pem"))
