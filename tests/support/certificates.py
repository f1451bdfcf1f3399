"""Certificates and keys for tests: builders, a root, a leaf and an intermediate certificate."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import BestAvailableEncryption, Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

Key = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey
AnyKey = Key | ed25519.Ed25519PrivateKey

RSA = rsa.generate_private_key(65537, 2048)
EC = ec.generate_private_key(ec.SECP256R1())
CA_KEY = ec.generate_private_key(ec.SECP256R1())
MIDDLE_KEY = ec.generate_private_key(ec.SECP256R1())
START = datetime(2026, 1, 1, tzinfo=UTC)
LONG = (datetime(2000, 1, 1, tzinfo=UTC), datetime(2099, 1, 1, tzinfo=UTC))
HOSTS = ("ACP.example.com", "*.apps.example.com", "10.20.0.10")
CA_FLAG = x509.BasicConstraints(ca=True, path_length=None)


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


def pem(*certificates: x509.Certificate) -> bytes:
    return b"".join(one.public_bytes(Encoding.PEM) for one in certificates)


def key_pem(key: AnyKey, passphrase: bytes = b"") -> bytes:
    encryption = BestAvailableEncryption(passphrase) if passphrase else NoEncryption()
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, encryption)


CA = certificate(CA_KEY, "ca", "ca", CA_KEY)
ROOT = issue(CA_KEY, subject="ca", hosts=())
GOOD = issue()
CHAIN = pem(GOOD, ROOT)
KEY = key_pem(RSA)
MIDDLE = issue(MIDDLE_KEY, (CA_FLAG, True), subject="middle", hosts=())
DEEP = issue(issuer="middle", signer=MIDDLE_KEY)
