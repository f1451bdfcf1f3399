"""The facts of a certificate file and its key file. Checks evaluate these facts, and read no files.

The requirements XR-CERT-PAIR and XR-CERT-VALID in `checks/plan` use them.
"""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from ipaddress import ip_address

from acp_tui.core.i18n import _
from acp_tui.plan.field_types import is_ip


class Authority(StrEnum):
    """The kind of issuer at the end of a certificate chain."""

    KNOWN = "known"
    """The issuer is a CA that this host trusts."""
    PRIVATE = "private"
    """The issuer is a private CA, whose certificate is in the file."""
    MISSING = "missing"
    """The issuer is not in the file, and this host does not trust it."""


class FileError(str):
    """An error in the content of a file that a command corrects: one text, and its parts `reason` and `command`."""

    __slots__ = ("command", "reason")

    reason: str
    command: str

    @classmethod
    def with_command(cls, reason: str, command: str) -> "FileError":
        text = _("{reason}. Convert it with this command: {command}")
        error = cls(text.format(reason=reason, command=command))
        error.reason, error.command = reason, command
        return error


@dataclass(frozen=True)
class Issuer:
    """An issuer in the chain: any certificate of the file except the first one."""

    subject: str
    not_before: datetime
    not_after: datetime
    may_issue: bool = True
    """True if the issuer may issue server certificates.

    This holds for a root certificate, and for a CA certificate (CA:TRUE) whose key usages allow it.
    """
    forbids: tuple[str, ...] = ()
    """The names and addresses of the server that the name constraints of this issuer forbid."""
    rsa_bits: int = 0
    """Size of the RSA key in bits; 0 if the key is not an RSA key."""
    too_far: bool = False
    """True if more certificates are between this issuer and the server than its path length allows."""


@dataclass(frozen=True)
class CertificateFacts:
    """The content of a certificate file and a key file.

    A value of None is unknown; `unreadable` or `errors` contains the reason.
    """

    cert_file: str
    key_file: str
    read_at: datetime
    """The time when the files were read (UTC). Checks compare the dates of the certificates with this time."""
    unreadable: tuple[str, ...] = ()
    """One message for each file that could not be read, with the reason (XR-CERT-PAIR)."""
    errors: tuple[str, ...] = ()
    """One message for each error in the content of a readable file (XR-CERT-VALID)."""
    subject: str | None = None
    not_before: datetime | None = None
    not_after: datetime | None = None
    names: tuple[str, ...] = ()
    """DNS names of the subject alternative names, in lower case."""
    addresses: tuple[str, ...] = ()
    """IP addresses of the subject alternative names."""
    sums: tuple[str, ...] = ()
    """SHA-256 sum of each certificate of the file, in hexadecimal."""
    key_sum: str = ""
    """SHA-256 sum of the public key that belongs to the private key; "" if no key could be read."""
    chain_length: int = 0
    chain_ordered: bool | None = None
    """True if each certificate of the file is signed by the next one."""
    self_signed: bool | None = None
    issuer: str | None = None
    common_name: str = ""
    """The common name of the first certificate, in lower case."""
    for_servers: bool | None = None
    """True if the extended key usage of the first certificate allows a TLS server."""
    may_handshake: bool = True
    """True if the key usage allows the signature that a TLS handshake needs, or if the certificate has no key usage."""
    for_signing: bool | None = None
    """True if the first certificate is a CA certificate."""
    hashes: tuple[str, ...] = ()
    """Hash algorithms of the signatures, such as `sha256`. Self-signed certificates do not count."""
    issuers: tuple[Issuer, ...] = ()
    authority: Authority | None = None
    last_issuer: str = ""
    """The name of the issuer of the last certificate in the chain."""
    key_type: str = ""
    """The type of the key: `RSA`, `EC` for a NIST curve, otherwise the name of the curve or type, such as `Ed25519`."""
    key_bits: int = 0
    key_encrypted: bool | None = None
    key_matches: bool | None = None
    key_of: int | None = None
    """The position of the certificate to which the private key belongs: 1 is the first certificate of the file.

    None if the private key belongs to no certificate of the file.
    """

    def covers(self, host: str) -> bool:
        """Return True if the certificate is valid for `host`, a domain name or an IP address."""
        return cover(self.names, self.addresses, host)


def cover(names: Collection[str], addresses: Collection[str], host: str) -> bool:
    """Return True if a certificate with these alternative names and addresses is valid for `host`.

    `host` is a domain name or an IP address. `names` must be in lower case. As in browsers, the common name does not
    count.
    """
    if is_ip(host):
        return str(ip_address(host)) in addresses
    name = host.rstrip(".").lower()
    parent = name.partition(".")[2]
    return name in names or (bool(parent) and f"*.{parent}" in names)
