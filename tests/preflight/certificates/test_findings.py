"""Findings from certificate and key files: common mistakes, and the commands that correct them."""

import subprocess
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from ipaddress import ip_network
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat
from cryptography.hazmat.primitives.serialization.pkcs7 import serialize_certificates
from cryptography.hazmat.primitives.serialization.pkcs12 import serialize_key_and_certificates
from cryptography.x509.oid import ExtendedKeyUsageOID

from acp_tui.checks.plan.certificate import certificate_findings
from acp_tui.checks.verdict import Outcome
from acp_tui.preflight.certificates.reader import read_pair
from tests.support.certificates import (
    CA_FLAG,
    CA_KEY,
    CHAIN,
    DEEP,
    EC,
    GOOD,
    KEY,
    LONG,
    MIDDLE,
    MIDDLE_KEY,
    ROOT,
    RSA,
    AnyKey,
    issue,
    key_pem,
    name,
    pem,
)
from tests.support.factories.plans import valid_plan
from tests.support.factories.verdicts import FAIL, WARN


def relabelled(pem_key: bytes, label: str, wrong: str) -> bytes:
    return pem_key.replace(f" {label}-".encode(), f" {wrong}-".encode())


TODAY = datetime.now(UTC)
ED = ed25519.Ed25519PrivateKey.generate()
P521 = ec.generate_private_key(ec.SECP521R1())
SMALL = rsa.generate_private_key(65537, 1024)  # noqa: S505 - a weak key is the test case
BRAINPOOL = ec.generate_private_key(ec.BrainpoolP256R1())
FOR_CLIENTS = x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CLIENT_AUTH])
PUBLIC = RSA.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
PKCS12 = serialize_key_and_certificates(b"acp", RSA, GOOD, [ROOT], NoEncryption())
OPENSSH = RSA.private_bytes(Encoding.PEM, PrivateFormat.OpenSSH, NoEncryption())
DER_KEY = RSA.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())
REQUEST = x509.CertificateSigningRequestBuilder().subject_name(name("acp")).sign(RSA, hashes.SHA256())


def chain(*extensions: x509.ExtensionType, days: tuple[datetime, datetime] = LONG, key: AnyKey = MIDDLE_KEY) -> bytes:
    """Return a chain to the root through an intermediate certificate with these extensions."""
    issuer = issue(key, *((one, True) for one in extensions), subject="middle", hosts=(), days=days)
    return pem(issue(issuer="middle", signer=key), issuer, ROOT)


def long_chain(path_length: int) -> bytes:
    """Return a chain to the root through two intermediate certificates; the upper one has this path length."""
    limit = x509.BasicConstraints(ca=True, path_length=path_length)
    upper = issue(MIDDLE_KEY, (limit, True), subject="upper", hosts=())
    lower = issue(CA_KEY, (CA_FLAG, True), subject="lower", issuer="upper", signer=MIDDLE_KEY, hosts=())
    return pem(issue(issuer="lower"), lower, upper, ROOT)


def usage(*allowed: str) -> x509.KeyUsage:
    names = ("digital_signature", "content_commitment", "key_encipherment", "data_encipherment", "key_agreement")
    others = ("key_cert_sign", "crl_sign", "encipher_only", "decipher_only")
    return x509.KeyUsage(**{one: one in allowed for one in (*names, *others)})


def constrained(permitted: Sequence[x509.GeneralName] | None, excluded: Sequence[x509.GeneralName] | None) -> bytes:
    return chain(CA_FLAG, x509.NameConstraints(permitted, excluded))


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
    ("path length for this chain", chain(x509.BasicConstraints(ca=True, path_length=0)), KEY, []),
    ("path length too short", long_chain(path_length=0), KEY, [(FAIL, "path length of the issuer CN=upper")]),
    ("path length long enough", long_chain(path_length=1), KEY, []),
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
    ("DER swapped", DER_KEY, GOOD.public_bytes(Encoding.DER), [(FAIL, "swapped"), (FAIL, "swapped")]),
    ("PKCS#12", PKCS12, PKCS12, [(FAIL, "openssl pkcs12 -nokeys"), (FAIL, "openssl pkcs12 -nocerts")]),
    ("PKCS#7", serialize_certificates([GOOD, ROOT], Encoding.PEM), KEY, [(FAIL, "openssl pkcs7 -print_certs")]),
    ("PKCS#7, DER", serialize_certificates([GOOD], Encoding.DER), KEY, [(FAIL, "pkcs7 -inform DER -print_certs")]),
    ("Java keystore", b"\xfe\xed\xfe\xed" + bytes(99), KEY, [(FAIL, "keytool")]),
    ("certificate request", REQUEST.public_bytes(Encoding.PEM), KEY, [(FAIL, "is a certificate request")]),
    ("OpenSSH key", CHAIN, OPENSSH, [(FAIL, "ssh-keygen -p -m PEM")]),
    ("PKCS#8 with the label of PKCS#1", CHAIN, relabelled(KEY, "PRIVATE KEY", "RSA PRIVATE KEY"), [(FAIL, "label")]),
    ("UTF-16 key", CHAIN, KEY.decode().encode("utf-16"), [(FAIL, "(umask 077; iconv")]),
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
        assert text in f"{finding.observed}\n{finding.remedy}"


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
