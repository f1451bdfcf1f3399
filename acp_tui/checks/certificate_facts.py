"""The facts of a certificate file and its key: checks evaluate them without files and cryptography.

XR-CERT-PAIR and XR-CERT-VALID in `checks/plan` compare them with the time when the files were read.
"""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from ipaddress import ip_address

from acp_tui.plan.field_types import is_ip


class Authority(StrEnum):
    """The issuer at the end of a certificate chain."""

    KNOWN = "known"
    """A CA that this host trusts."""
    PRIVATE = "private"
    """A private CA, which is in the file."""
    MISSING = "missing"
    """Not in the file, and not trusted by this host."""


@dataclass(frozen=True)
class Issuer:
    """Another certificate of the file: an issuer in the chain."""

    subject: str
    not_before: datetime
    not_after: datetime
    may_issue: bool = True
    """It is a CA certificate (CA:TRUE), and its key usages allow it to issue server certificates."""
    forbids: tuple[str, ...] = ()
    """Names and addresses of the first certificate that its name constraints exclude."""
    rsa_bits: int = 0
    """0: its key is not RSA."""


@dataclass(frozen=True)
class CertificateFacts:
    """The content of a certificate file and a key file. None: unknown; the reason is in `unreadable` or `errors`."""

    cert_file: str
    key_file: str
    read_at: datetime
    """When the files were read (UTC); dates are compared with it."""
    unreadable: tuple[str, ...] = ()
    """Files that could not be read, each with the reason (XR-CERT-PAIR)."""
    errors: tuple[str, ...] = ()
    """Errors in the content of a readable file (XR-CERT-VALID)."""
    subject: str | None = None
    not_before: datetime | None = None
    not_after: datetime | None = None
    names: tuple[str, ...] = ()
    """DNS names of the subject alternative names, lower case."""
    addresses: tuple[str, ...] = ()
    """IP addresses of the subject alternative names."""
    sums: tuple[str, ...] = ()
    """SHA-256 of each certificate of the file, in hexadecimal."""
    key_sum: str = ""
    """SHA-256 of the public key that belongs to the private key; "": no key could be read."""
    chain_length: int = 0
    chain_ordered: bool | None = None
    """Each certificate of the file is signed by the next one."""
    self_signed: bool | None = None
    issuer: str | None = None
    common_name: str = ""
    """Lower case."""
    for_servers: bool | None = None
    """Its extended key usage allows a TLS server."""
    may_handshake: bool = True
    """Its key usage, if present, allows the signature that a TLS handshake needs."""
    for_signing: bool | None = None
    """It is a CA certificate."""
    hashes: tuple[str, ...] = ()
    """Hash algorithms of the signatures, such as `sha256`, without self-signed certificates."""
    issuers: tuple[Issuer, ...] = ()
    authority: Authority | None = None
    last_issuer: str = ""
    """The issuer of the last certificate of the chain."""
    key_type: str = ""
    """`RSA`, `EC` for a NIST curve, the name of any other curve, `Ed25519` ..."""
    key_bits: int = 0
    key_encrypted: bool | None = None
    key_matches: bool | None = None
    key_of: int | None = None
    """Number, from 1, of the certificate in the file that the key belongs to; None: it belongs to none of them."""

    def covers(self, host: str) -> bool:
        """Return whether the certificate is valid for `host`."""
        return cover(self.names, self.addresses, host)


def cover(names: Collection[str], addresses: Collection[str], host: str) -> bool:
    """Return whether a certificate with these alternative names, in lower case, is valid for `host` (domain or IP).

    The common name does not count, as in browsers."""
    if is_ip(host):
        return str(ip_address(host)) in addresses
    name = host.rstrip(".").lower()
    parent = name.partition(".")[2]
    return name in names or (bool(parent) and f"*.{parent}" in names)
