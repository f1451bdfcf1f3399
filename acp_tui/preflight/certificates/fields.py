"""Read the fields of a certificate once, with one error for everything that can be wrong with it.

A certificate is untrusted input: an operator gets it from others, and a server can present any. The cryptography
library parses most fields only when they are read, and raises errors of many types. No other module therefore reads a
field of an `x509.Certificate`.
"""

import warnings
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from typing import TypeVar

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from cryptography.x509.oid import NameOID

from acp_tui.core.i18n import _
from acp_tui.core.text import sanitize, truncate
from acp_tui.preflight.certificates.client_rules import client_problem

E = TypeVar("E", bound=x509.ExtensionType)

MAX_CHAIN = 100
"""The maximum number of certificates in one file. A chain has at most about five."""
_MAX_NAMES = 1000
"""The maximum number of alternative names, and of name constraints, in one certificate."""
_MAX_TEXT = 200
"""The maximum length of a name in a message, in characters."""
_NIST = ("secp256r1", "secp384r1", "secp521r1")
_OLD_HASHES = ("md5", "sha1")
"""Hash algorithms whose signatures the cryptography library no longer verifies."""


class CertificateInvalid(Exception):
    """A certificate cannot be parsed or used. The message has the reason."""


@dataclass(frozen=True)
class CertificateFields:
    """The fields of one certificate. An extension that the certificate does not have is None."""

    certificate: x509.Certificate
    """The certificate itself. Use it only in this module and for comparisons."""
    subject: str
    issuer: str
    common_name: str
    """The last common name of the subject, in lower case; "" if there is none."""
    not_before: datetime
    not_after: datetime
    names: tuple[str, ...]
    """DNS names of the subject alternative names, in lower case."""
    addresses: tuple[str, ...]
    """IP addresses of the subject alternative names."""
    basic_constraints: x509.BasicConstraints | None
    key_usage: x509.KeyUsage | None
    extended_key_usage: x509.ExtendedKeyUsage | None
    permitted: tuple[x509.GeneralName, ...]
    """The names that the name constraints permit; () if there is no limit."""
    excluded: tuple[x509.GeneralName, ...]
    """The names that the name constraints exclude."""
    key_type: str
    """`RSA`, `EC` for a NIST curve, otherwise the name of the curve or type, such as `Ed25519`."""
    key_bits: int
    public_key: bytes
    """The public key in DER format."""
    hash: str
    """The hash algorithm of the signature, such as `sha256`; "" if the signature needs none."""
    fingerprint: str
    """The SHA-256 sum of the certificate, in lower-case hexadecimal."""

    @property
    def names_itself(self) -> bool:
        """Return True if subject and issuer are the same name."""
        return self.certificate.subject == self.certificate.issuer


def load_chain(content: bytes) -> tuple[CertificateFields, ...]:
    """Return the certificates of a PEM file. Raises: CertificateInvalid."""
    try:
        with warnings.catch_warnings(action="ignore"):  # the library would print them on the screen of the wizard
            chain = x509.load_pem_x509_certificates(content)
    except Exception as error:
        raise CertificateInvalid(_reason(error)) from error
    if len(chain) > MAX_CHAIN:
        raise CertificateInvalid(too_many(len(chain)))
    return tuple(map(read_fields, chain))


def load_der(content: bytes) -> CertificateFields:
    """Return the fields of a certificate in DER format. Raises: CertificateInvalid."""
    try:
        with warnings.catch_warnings(action="ignore"):
            certificate = x509.load_der_x509_certificate(content)
    except Exception as error:
        raise CertificateInvalid(_reason(error)) from error
    return read_fields(certificate)


def too_many(count: int) -> str:
    """Return the reason why a file with `count` certificates is rejected."""
    return _("the file contains {count} certificates; the maximum is {most}").format(count=count, most=MAX_CHAIN)


def read_fields(certificate: x509.Certificate) -> CertificateFields:
    """Read the fields of a certificate. Raises: CertificateInvalid."""
    try:
        with warnings.catch_warnings(action="ignore"):
            return _fields(certificate)
    except CertificateInvalid:
        raise
    except Exception as error:  # the library does not document all of its errors
        raise CertificateInvalid(_reason(error)) from error


def signed_by(certificate: CertificateFields, issuer: CertificateFields) -> bool:
    """Return True if `issuer` signed `certificate`. For old hash algorithms, only the names are compared."""
    if certificate.hash in _OLD_HASHES:
        return certificate.certificate.issuer == issuer.certificate.subject
    try:
        certificate.certificate.verify_directly_issued_by(issuer.certificate)
    except (ValueError, TypeError, InvalidSignature, UnsupportedAlgorithm):
        return False
    return True


def _fields(certificate: x509.Certificate) -> CertificateFields:
    if problem := client_problem(certificate):
        raise CertificateInvalid(problem)
    key = certificate.public_key()
    key_type, key_bits = type(key).__name__.removesuffix("PublicKey"), 0
    if isinstance(key, rsa.RSAPublicKey):
        key_type, key_bits = "RSA", key.key_size
    elif isinstance(key, ec.EllipticCurvePublicKey):
        key_type, key_bits = "EC" if key.curve.name in _NIST else key.curve.name, key.curve.key_size
    alternative = _extension(certificate, x509.SubjectAlternativeName)
    limits = _extension(certificate, x509.NameConstraints)
    permitted = tuple(limits.permitted_subtrees or ()) if limits else ()
    excluded = tuple(limits.excluded_subtrees or ()) if limits else ()
    if max(len(list(alternative or ())), len(permitted), len(excluded)) > _MAX_NAMES:
        raise CertificateInvalid(_("it contains more than {count} names").format(count=_MAX_NAMES))
    return CertificateFields(
        certificate=certificate,
        subject=_shown(certificate.subject),
        issuer=_shown(certificate.issuer),
        common_name="".join(
            str(attribute.value).lower()
            for attribute in certificate.subject.get_attributes_for_oid(NameOID.COMMON_NAME)[-1:]
        ),
        not_before=certificate.not_valid_before_utc,
        not_after=certificate.not_valid_after_utc,
        names=tuple(map(str.lower, alternative.get_values_for_type(x509.DNSName))) if alternative else (),
        addresses=tuple(map(str, alternative.get_values_for_type(x509.IPAddress))) if alternative else (),
        basic_constraints=_extension(certificate, x509.BasicConstraints),
        key_usage=_extension(certificate, x509.KeyUsage),
        extended_key_usage=_extension(certificate, x509.ExtendedKeyUsage),
        permitted=permitted,
        excluded=excluded,
        key_type=key_type,
        key_bits=key_bits,
        public_key=key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo),
        hash=_hash(certificate),
        fingerprint=sha256(certificate.public_bytes(Encoding.DER)).hexdigest(),
    )


def _extension(certificate: x509.Certificate, kind: type[E]) -> E | None:
    try:
        return certificate.extensions.get_extension_for_class(kind).value
    except x509.ExtensionNotFound:
        return None


def _hash(certificate: x509.Certificate) -> str:
    try:
        algorithm = certificate.signature_hash_algorithm
    except UnsupportedAlgorithm:
        return certificate.signature_algorithm_oid.dotted_string
    return algorithm.name if algorithm else ""


def _shown(name: x509.Name) -> str:
    return truncate(sanitize(name.rfc4514_string()), _MAX_TEXT)


def _reason(error: Exception) -> str:
    return truncate(" ".join(sanitize(str(error) or type(error).__name__).split()), _MAX_TEXT)
