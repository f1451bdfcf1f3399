"""Find the rules of TLS clients that a certificate breaks, although the cryptography library reads it.

The clients of the platform use OpenSSL, the TLS library of Go (container runtimes, Kubernetes) and browsers. Go parses
each certificate that a server sends, and ends the connection if one of them breaks a rule.
"""

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import ExtensionOID, PublicKeyAlgorithmOID

from acp_tui.core.i18n import _

_FIELD_TYPES = (bytes.fromhex("06072a8648ce3d0101"), bytes.fromhex("06072a8648ce3d0102"))
"""The object identifiers of prime and binary fields. They occur only in explicit parameters of a curve."""
_MAX_EXPONENT = 2**31 - 1
"""The largest public exponent of an RSA key that Go accepts."""
_UNDERSTOOD = frozenset(
    {
        ExtensionOID.KEY_USAGE,
        ExtensionOID.BASIC_CONSTRAINTS,
        ExtensionOID.SUBJECT_ALTERNATIVE_NAME,
        ExtensionOID.NAME_CONSTRAINTS,
        ExtensionOID.CRL_DISTRIBUTION_POINTS,
        ExtensionOID.AUTHORITY_KEY_IDENTIFIER,
        ExtensionOID.SUBJECT_KEY_IDENTIFIER,
        ExtensionOID.EXTENDED_KEY_USAGE,
        ExtensionOID.CERTIFICATE_POLICIES,
        ExtensionOID.POLICY_CONSTRAINTS,
        ExtensionOID.INHIBIT_ANY_POLICY,
    }
)
"""The critical extensions that Go and OpenSSL process. A client must reject others (RFC 5280, 4.2)."""


def client_problem(certificate: x509.Certificate) -> str:
    """Return the reason why clients reject the certificate; "" if they accept it.

    Raises what the cryptography library raises for a damaged certificate.
    """
    if has_explicit_curve(certificate.tbs_certificate_bytes):
        return _("its EC key has explicit curve parameters; clients require a named curve (RFC 5480)")
    serial = certificate.serial_number
    if serial < 0 or (serial == 0 and certificate.subject != certificate.issuer):  # old roots have the number 0
        return _("its serial number is {number}; clients require a positive number (RFC 5280)").format(number=serial)
    if certificate.public_key_algorithm_oid == PublicKeyAlgorithmOID.RSASSA_PSS:
        return _("its key is limited to RSA-PSS; container runtimes accept only general RSA keys")
    key = certificate.public_key()
    if isinstance(key, rsa.RSAPublicKey) and key.public_numbers().e > _MAX_EXPONENT:
        return _("the public exponent of its RSA key is too large; clients accept at most 31 bits")
    for extension in certificate.extensions:
        if extension.critical and extension.oid not in _UNDERSTOOD:
            if extension.oid == ExtensionOID.PRECERT_POISON:
                return _("it is a precertificate, not the certificate that the authority issued")
            text = _("it has the critical extension {oid}, which clients do not know")
            return text.format(oid=extension.oid.dotted_string)
    return ""


def has_explicit_curve(der: bytes) -> bool:
    """Return True if a key in DER format, or a certificate, has explicit parameters of a curve (RFC 5480, 2.1.1)."""
    return any(field_type in der for field_type in _FIELD_TYPES)
