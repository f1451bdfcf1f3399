"""The platform's own certificate: what the two PEM files hold, learned once so that judging needs no file.

Reading gives CertificateFacts; XR-CERT-PAIR and XR-CERT-VALID are judged from them in `checks/plan`, against the time
at which the files were read. Nothing of the private key but its public half ever leaves this module.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from ipaddress import ip_address
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING

from acp_tui.inputs import is_ip
from acp_tui.plan import Plan
from acp_tui.texts import _

if TYPE_CHECKING:  # cryptography is imported where a pair is read: the wizard's first frame does not wait for it
    from cryptography.hazmat.primitives.asymmetric.types import PublicKeyTypes
    from cryptography.x509 import Certificate

PEM_LIMIT = 1024 * 1024
"""Bytes. No certificate chain or key comes near it; a mistyped path to an image does."""


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
    chain_length: int = 0
    chain_ordered: bool | None = None
    """Each certificate of the file is signed by the one after it."""
    self_signed: bool | None = None
    key_encrypted: bool | None = None
    key_matches: bool | None = None

    def covers(self, host: str) -> bool:
        """Whether a browser that opens `host` (domain or IP) accepts the name; the common name does not count."""
        if is_ip(host):
            return str(ip_address(host)) in self.addresses
        wanted = host.rstrip(".").lower()
        parent = wanted.partition(".")[2]
        return wanted in self.names or (bool(parent) and f"*.{parent}" in self.names)


def facts_for(plan: Plan, base: Path) -> CertificateFacts | None:
    """The plan's own pair, paths relative to `base`; None where the plan names no pair."""
    wanted = plan.certificate
    if wanted.mode != "existing" or not wanted.cert_file or not wanted.key_file:
        return None
    return read_pair(base / wanted.cert_file, base / wanted.key_file)


def read_pair(cert_file: Path, key_file: Path) -> CertificateFacts:
    """Read a PEM chain and its PEM key. Raises nothing: what cannot be read or parsed is in the facts."""
    unreadable: list[str] = []
    errors: list[str] = []
    chain = _chain(_content(cert_file, unreadable), errors)
    key = _content(key_file, unreadable)
    encrypted, public = (None, None) if key is None else _public_half(key, errors)
    leaf = chain[0] if chain else None
    names, addresses = _alternative_names(leaf, errors)
    return CertificateFacts(
        cert_file=str(cert_file),
        key_file=str(key_file),
        read_at=datetime.now(UTC),
        unreadable=tuple(unreadable),
        errors=tuple(errors),
        subject=leaf.subject.rfc4514_string() if leaf else None,
        not_before=leaf.not_valid_before_utc if leaf else None,
        not_after=leaf.not_valid_after_utc if leaf else None,
        names=names,
        addresses=addresses,
        chain_length=len(chain),
        chain_ordered=all(_signed_by(one, other) for one, other in pairwise(chain)) if chain else None,
        self_signed=_signed_by(leaf, leaf) if leaf else None,
        key_encrypted=encrypted,
        key_matches=_matches(leaf, public) if leaf and public else None,
    )


def read_bounded(path: Path) -> bytes:
    """The file's bytes. OSError: not there, not readable, or larger than PEM_LIMIT."""
    with path.open("rb") as file:
        content = file.read(PEM_LIMIT + 1)
    if len(content) > PEM_LIMIT:
        raise OSError(_("larger than 1 MiB, so it is no PEM file"))
    return content


def why(error: OSError) -> str:
    """The reason without the path, which the message around it already names."""
    return error.strerror or str(error)


def _content(path: Path, unreadable: list[str]) -> bytes | None:
    try:
        return read_bounded(path)
    except OSError as error:
        unreadable.append(_("{file}: {why}").format(file=path, why=why(error)))
        return None


def _chain(content: bytes | None, errors: list[str]) -> "Sequence[Certificate]":
    if content is None:
        return ()
    from cryptography import x509

    try:
        return x509.load_pem_x509_certificates(content)
    except ValueError:
        errors.append(_("the certificate file holds no PEM certificate that can be parsed"))
        return ()


def _public_half(content: bytes, errors: list[str]) -> "tuple[bool | None, PublicKeyTypes | None]":
    """Whether the key is encrypted, and its public key where it is not."""
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives.serialization import load_pem_private_key

    try:
        return False, load_pem_private_key(content, password=None).public_key()
    except TypeError:
        # The library's way to say that a passphrase is needed.
        return True, None
    except (ValueError, UnsupportedAlgorithm):
        errors.append(_("the key file holds no PEM private key that can be parsed"))
        return None, None


def _alternative_names(leaf: "Certificate | None", errors: list[str]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    if leaf is None:
        return (), ()
    from cryptography import x509

    try:
        names = leaf.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        return (), ()
    except ValueError:
        errors.append(_("the extensions of the certificate cannot be parsed"))
        return (), ()
    return (
        tuple(name.lower() for name in names.get_values_for_type(x509.DNSName)),
        tuple(str(address) for address in names.get_values_for_type(x509.IPAddress)),
    )


def _signed_by(certificate: "Certificate", issuer: "Certificate") -> bool:
    from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm

    try:
        certificate.verify_directly_issued_by(issuer)
    except (ValueError, TypeError, InvalidSignature, UnsupportedAlgorithm):
        return False
    return True


def _matches(leaf: "Certificate", key: "PublicKeyTypes") -> bool:
    from cryptography.exceptions import UnsupportedAlgorithm

    try:
        return _der(leaf.public_key()) == _der(key)
    except (ValueError, UnsupportedAlgorithm):
        return False


def _der(key: "PublicKeyTypes") -> bytes:
    from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

    return key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
