"""The platform's own certificate as it is known: frozen facts, so that judging needs no file and no cryptography.

XR-CERT-PAIR and XR-CERT-VALID are judged from them in `checks/plan`, against the time at which the files were read.
"""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from ipaddress import ip_address

from acp_tui.plan.field_types import is_ip


class Authority(StrEnum):
    """Where the chain of a certificate ends."""

    KNOWN = "known"
    """At an authority that this host trusts."""
    PRIVATE = "private"
    """At an authority of its own, which is in the file."""
    MISSING = "missing"
    """At a certificate whose issuer is neither in the file nor known to this host."""


@dataclass(frozen=True)
class Issuer:
    """A further certificate of the file."""

    subject: str
    not_before: datetime
    not_after: datetime
    may_issue: bool = True
    """It says that it is an authority's own (CA:TRUE), and its key usages allow to issue certificates of servers."""
    forbids: tuple[str, ...] = ()
    """Names and addresses of the first certificate that its name constraints exclude."""
    rsa_bits: int = 0
    """0: its key is of another kind."""


@dataclass(frozen=True)
class CertificateFacts:
    """What a certificate file and a key file hold. None: not learned, and `unreadable` or `errors` say why."""

    cert_file: str
    key_file: str
    read_at: datetime
    """When the files were read (UTC): dates are judged against it."""
    unreadable: tuple[str, ...] = ()
    """Files that could not be read, each with why (XR-CERT-PAIR)."""
    errors: tuple[str, ...] = ()
    """What is wrong with the content of a file that could be read (XR-CERT-VALID)."""
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
    """The same of the key's public half; "": no key could be read."""
    chain_length: int = 0
    chain_ordered: bool | None = None
    """Each certificate of the file is signed by the one after it."""
    self_signed: bool | None = None
    issuer: str | None = None
    common_name: str = ""
    """Lower case."""
    for_servers: bool | None = None
    """Its extended key usage allows a TLS server."""
    may_handshake: bool = True
    """Its key usage, if it has one, allows the signature that a TLS handshake needs."""
    for_signing: bool | None = None
    """It says that it is an authority's own certificate."""
    hashes: tuple[str, ...] = ()
    """What the certificates are signed with, such as `sha256`; without those that sign themselves."""
    issuers: tuple[Issuer, ...] = ()
    authority: Authority | None = None
    last_issuer: str = ""
    """Who issued the last certificate of the chain."""
    key_type: str = ""
    """`RSA`, `EC` for a NIST curve, the name of any other curve, `Ed25519` ..."""
    key_bits: int = 0
    key_encrypted: bool | None = None
    key_matches: bool | None = None
    key_of: int | None = None
    """Which certificate of the file, from 1, the key belongs to; None: to none of them."""

    def covers(self, host: str) -> bool:
        return cover(self.names, self.addresses, host)


def cover(names: Collection[str], addresses: Collection[str], host: str) -> bool:
    """Whether a browser that opens `host` (domain or IP) accepts a certificate with these alternative names, in lower
    case; the common name does not count."""
    if is_ip(host):
        return str(ip_address(host)) in addresses
    wanted = host.rstrip(".").lower()
    parent = wanted.partition(".")[2]
    return wanted in names or (bool(parent) and f"*.{parent}" in names)
