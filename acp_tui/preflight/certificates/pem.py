"""Recognise the format of a certificate or key file, and name the command that converts it for the installer.

The installer reads PEM strictly: a block must begin at the start of a line. The cryptography library also accepts
indented text and a byte order mark. The installer would lose the first block of such a file, so acp-tui rejects it.
"""

import re
import shlex
from binascii import a2b_base64
from dataclasses import dataclass
from pathlib import Path

from cryptography.hazmat.primitives.serialization import load_der_private_key

from acp_tui.checks.certificate_facts import FileError
from acp_tui.core.i18n import _, ngettext, pgettext
from acp_tui.core.text import truncate
from acp_tui.preflight.certificates.client_rules import has_explicit_curve
from acp_tui.preflight.certificates.fields import CertificateInvalid, load_der

_BEGIN = re.compile(rb"^-----BEGIN ([A-Z0-9 ]+)-----", re.MULTILINE)
_INDENTED = re.compile(rb"^[^\n]*[^\n-]-----BEGIN [A-Z0-9 ]+-----", re.MULTILINE)
_JOINED = re.compile(rb"-----END [A-Z0-9 ]+----------BEGIN ")
_BYTE_ORDER_MARK = b"\xef\xbb\xbf"
_SIGNED_DATA = bytes.fromhex("06092a864886f70d010702")
"""The object identifier at the beginning of a PKCS#7 file in DER format."""
_PFX = re.compile(rb"\x30(?:[\x00-\x7f]|\x80|\x81.|\x82..|\x83...|\x84....)\x02\x01\x03", re.DOTALL)
_KEY_STORE = b"\xfe\xed\xfe\xed"
_KEY_BLOCK = re.compile(rb"^-----BEGIN (?:[A-Z]+ )*PRIVATE KEY-----([^-]*)-----END ", re.MULTILINE)
_KEY_START = re.compile(
    rb"\x30(?:[\x00-\x7f]|\x81.|\x82..|\x83...)(\x02\x01[\x00\x01](?:\x30|\x02|\x04)|\x30)", re.DOTALL
)
"""The start of a key in DER format. The type of the second element differs in each format."""
_KEY_LABELS = {
    b"\x02\x01\x00\x30": "PRIVATE KEY",
    b"\x02\x01\x01\x30": "PRIVATE KEY",
    b"\x02\x01\x00\x02": "RSA PRIVATE KEY",
    b"\x02\x01\x01\x04": "EC PRIVATE KEY",
    b"\x30": "ENCRYPTED PRIVATE KEY",
}
"""Start of the content of a key → the label of its PEM block (RFC 7468, RFC 5915, RFC 8017)."""
_MAX_KEY = 6000
"""The maximum size of a private key in DER format, in bytes. An RSA key with 8192 bits has about 4700 bytes.

TLS clients reject longer keys, and the check of such a key takes minutes."""
_SHOWN_LABELS = 3


@dataclass(frozen=True)
class PemFile:
    """A certificate or key file. `path` is the path that messages show."""

    path: Path
    content: bytes

    @property
    def labels(self) -> tuple[str, ...]:
        """The labels of the PEM blocks in the file, such as `CERTIFICATE`."""
        return tuple(label.decode() for label in _BEGIN.findall(self.content))

    @property
    def keys(self) -> tuple[str, ...]:
        return tuple(label for label in self.labels if label.endswith("PRIVATE KEY"))

    def certificate_trouble(self) -> str:
        """Return the reason why the file is not a certificate file; "" if it is one."""
        if trouble := self._unreadable(key=False):
            return trouble
        if self.keys:
            if "CERTIFICATE" not in self.labels:
                return _(
                    "{file} contains a private key. Check whether the certificate file and the key file are swapped"
                ).format(file=self.path)
            return _(
                "{file} contains a private key next to the certificate, so the key would be published. Remove "
                "the key from this file"
            ).format(file=self.path)
        if "CERTIFICATE" in self.labels:
            return ""
        return self._other_format("CERTIFICATE")

    def key_trouble(self) -> str:
        """Return the reason why the file is not a file with one private key; "" if it is one."""
        if trouble := self._unreadable(key=True):
            return trouble
        if len(self.keys) > 1:
            count = len(self.keys)
            return ngettext(
                "{file} contains {count} private key; keep only the key of the certificate",
                "{file} contains {count} private keys; keep only the key of the certificate",
                count,
            ).format(file=self.path, count=count)
        if "OPENSSH PRIVATE KEY" in self.labels:
            return self._converted(_("a key in OpenSSH format"), "ssh-keygen -p -m PEM -f {file}")
        if self.keys:
            return self._block_trouble()
        if "CERTIFICATE" in self.labels:
            return _(
                "{file} contains a certificate. Check whether the certificate file and the key file are swapped"
            ).format(file=self.path)
        return self._other_format("PRIVATE KEY")

    def _block_trouble(self) -> str:
        """Return the reason why the block with the private key cannot be used; "" if nothing is known to be wrong."""
        label, der = self.keys[0], _key_of(self.content)
        if len(der) > _MAX_KEY:
            return _("{file}: the private key is too long; clients accept RSA keys with at most 8192 bits").format(
                file=self.path
            )
        start = _KEY_START.match(der)
        right = _KEY_LABELS.get(start[1], label) if start else label
        if right != label and label in _KEY_LABELS.values():
            kind = _("a private key with the label {label}; for its content, the label must be {right}")
            command = f"sed 's/ {label}-/ {right}-/' {{file}} > {{new}}"
            if right == "PRIVATE KEY":  # every version of OpenSSL reads this format, whatever its label is
                command = "openssl pkey -in {file} -out {new}"
            return self._converted(kind.format(label=label, right=right), command, key=True)
        if has_explicit_curve(der):
            kind = _("an EC key with explicit curve parameters (clients require a named curve, RFC 5480)")
            return self._converted(kind, "openssl ec -in {file} -param_enc named_curve -out {new}", key=True)
        return ""

    def _unreadable(self, *, key: bool) -> str:
        if not self.content.strip():
            return pgettext("error", "{file} is empty").format(file=self.path)
        if self.content[:2] in (b"\xff\xfe", b"\xfe\xff"):
            return self._converted(pgettext("error", "UTF-16 text"), "iconv -f UTF-16 -t ASCII {file} > {new}", key=key)
        if self.content.startswith(_BYTE_ORDER_MARK):
            kind = _("text with a byte order mark (the installer would not read its first block)")
            return self._converted(kind, "tail -c +4 {file} > {new}", key=key)
        if b"\r" in self.content and b"\n" not in self.content:
            kind = _("text with classic Macintosh line endings (CR)")
            return self._converted(kind, "tr '\\r' '\\n' < {file} > {new}", key=key)
        if _JOINED.search(self.content):
            kind = _("text with two blocks on one line (the installer requires a block at the start of a line)")
            return self._converted(kind, "sed 's/----------/-----\\n-----/' {file} > {new}", key=key)
        if _INDENTED.search(self.content):
            kind = _("indented text (the installer requires a block at the start of a line)")
            return self._converted(kind, "sed 's/^[[:space:]]*//' {file} > {new}", key=key)
        return ""

    def _other_format(self, expected: str) -> str:
        """Return the message that names the wrong format of the file, and how to convert it to PEM."""
        labels, key = self.labels, expected == "PRIVATE KEY"
        part = "-nocerts -nodes" if key else "-nokeys"
        if any(label.endswith("CERTIFICATE REQUEST") for label in labels):
            return _("{file} is a certificate request; use the certificate that the authority issued for it").format(
                file=self.path
            )
        if key and (_SIGNED_DATA in self.content[:40] or labels[:1] in (("PKCS7",), ("CMS",))):
            return _("{file} is PKCS#7, which contains certificates but no key").format(file=self.path)
        if labels and labels[0] in ("PKCS7", "CMS"):
            return self._converted("PKCS#7", "openssl pkcs7 -print_certs -in {file} -out {new}")
        if labels and labels[0].endswith(" CERTIFICATE"):
            return self._converted(labels[0], "openssl x509 -in {file} -out {new}")
        if labels:
            found = ", ".join(truncate(one, 60) for one in [*dict.fromkeys(labels)][:_SHOWN_LABELS])
            text = (
                _("{file} contains no private key; it contains {labels}")
                if key
                else _("{file} contains no certificate; it contains {labels}")
            )
            return text.format(file=self.path, labels=found)
        if _PFX.match(self.content):
            return self._converted("PKCS#12", f"openssl pkcs12 {part} -in {{file}} -out {{new}}", key=key)
        if self.content.startswith(_KEY_STORE):
            command = "keytool -importkeystore -srckeystore {file} -destkeystore {new} -deststoretype PKCS12"
            return self._converted(_("a Java key store"), command, key=True)
        if _SIGNED_DATA in self.content[:40]:
            return self._converted("PKCS#7 (DER)", "openssl pkcs7 -inform DER -print_certs -in {file} -out {new}")
        if _is_der_certificate(self.content):
            if key:
                return _(
                    "{file} contains a certificate. Check whether the certificate file and the key file are swapped"
                ).format(file=self.path)
            return self._converted("DER", "openssl x509 -inform DER -in {file} -out {new}")
        if _is_der_key(self.content):
            if not key:
                return _(
                    "{file} contains a private key. Check whether the certificate file and the key file are swapped"
                ).format(file=self.path)
            return self._converted("DER", "openssl pkey -inform DER -in {file} -out {new}", key=True)
        text = (
            _("{file} contains no private key in PEM format")
            if key
            else _("{file} contains no certificate in PEM format")
        )
        return text.format(file=self.path)

    def _converted(self, kind: str, command: str, *, key: bool = False) -> str:
        """Return the message that the file has the format `kind`, with the command that converts it.

        `key`: True if the command writes a private key, which only its owner may read."""
        command = f"(umask 077; {command})" if key else command
        file, new = shlex.quote(str(self.path)), shlex.quote(f"{self.path}.pem")
        reason = _("{file} has the wrong format: {format}").format(file=self.path, format=kind)
        return FileError.with_command(reason, command.format(file=file, new=new))


def _key_of(content: bytes) -> bytes:
    """Return the private key of a PEM file in DER format; b"" if its block is damaged, or has headers of its own."""
    block = _KEY_BLOCK.search(content)
    try:
        return a2b_base64(block[1]) if block and b":" not in block[1] else b""
    except ValueError:
        return b""


def _is_der_certificate(content: bytes) -> bool:
    try:
        load_der(content)
    except CertificateInvalid:
        return False
    return True


def _is_der_key(content: bytes) -> bool:
    if len(content) > _MAX_KEY:
        return False
    try:
        load_der_private_key(content, password=None)
    except TypeError:  # it has a passphrase
        return True
    except Exception:  # the library does not document all of its errors
        return False
    return True
