"""Recognise the format of a certificate or key file, and name the command that converts it for the installer.

The installer reads PEM strictly: a block must begin at the start of a line. The cryptography library also accepts
indented text and a byte order mark. The installer would lose the first block of such a file, so acp-tui rejects it.
"""

import re
import shlex
from dataclasses import dataclass
from pathlib import Path

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.serialization import load_der_private_key

from acp_tui.core.i18n import _, ngettext, pgettext

_BEGIN = re.compile(rb"^-----BEGIN ([A-Z0-9 ]+)-----", re.MULTILINE)
_INDENTED = re.compile(rb"^[^\n]*[^\n-]-----BEGIN [A-Z0-9 ]+-----", re.MULTILINE)
_JOINED = re.compile(rb"-----END [A-Z0-9 ]+----------BEGIN ")
_BYTE_ORDER_MARK = b"\xef\xbb\xbf"
_SIGNED_DATA = bytes.fromhex("06092a864886f70d010702")
"""The object identifier at the beginning of a PKCS#7 file in DER format."""
_PFX = re.compile(rb"\x30(?:[\x00-\x7f]|\x80|\x81.|\x82..|\x83...|\x84....)\x02\x01\x03", re.DOTALL)
_KEY_STORE = b"\xfe\xed\xfe\xed"


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
        if trouble := self._unreadable():
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
        if trouble := self._unreadable():
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
            return ""
        if "CERTIFICATE" in self.labels:
            return _(
                "{file} contains a certificate. Check whether the certificate file and the key file are swapped"
            ).format(file=self.path)
        return self._other_format("PRIVATE KEY")

    def _unreadable(self) -> str:
        if not self.content.strip():
            return pgettext("error", "{file} is empty").format(file=self.path)
        if self.content[:2] in (b"\xff\xfe", b"\xfe\xff"):
            return self._converted(pgettext("error", "UTF-16 text"), "iconv -f UTF-16 -t ASCII {file} > {new}")
        if self.content.startswith(_BYTE_ORDER_MARK):
            kind = _("text with a byte order mark (the installer would not read its first block)")
            return self._converted(kind, "tail -c +4 {file} > {new}")
        if b"\r" in self.content and b"\n" not in self.content:
            kind = _("text with classic Macintosh line endings (CR)")
            return self._converted(kind, "tr '\\r' '\\n' < {file} > {new}")
        if _JOINED.search(self.content):
            kind = _("text with two blocks on one line (the installer requires a block at the start of a line)")
            return self._converted(kind, "sed 's/----------/-----\\n-----/' {file} > {new}")
        if _INDENTED.search(self.content):
            kind = _("indented text (the installer requires a block at the start of a line)")
            return self._converted(kind, "sed 's/^[[:space:]]*//' {file} > {new}")
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
            found = ", ".join(dict.fromkeys(labels))
            text = (
                _("{file} contains no private key; it contains {labels}")
                if key
                else _("{file} contains no certificate; it contains {labels}")
            )
            return text.format(file=self.path, labels=found)
        if _PFX.match(self.content):
            return self._converted("PKCS#12", f"openssl pkcs12 {part} -in {{file}} -out {{new}}")
        if self.content.startswith(_KEY_STORE):
            command = "keytool -importkeystore -srckeystore {file} -destkeystore {new} -deststoretype PKCS12"
            return self._converted(_("a Java key store"), command)
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
            return self._converted("DER", "openssl pkey -inform DER -in {file} -out {new}")
        text = (
            _("{file} contains no private key in PEM format")
            if key
            else _("{file} contains no certificate in PEM format")
        )
        return text.format(file=self.path)

    def _converted(self, kind: str, command: str) -> str:
        """Return the message that the file has the format `kind`, with the command that converts it."""
        file, new = shlex.quote(str(self.path)), shlex.quote(f"{self.path}.pem")
        return _("{file} has the wrong format: {format}. Convert it with this command: {command}").format(
            file=self.path, format=kind, command=command.format(file=file, new=new)
        )


def _is_der_certificate(content: bytes) -> bool:
    try:
        x509.load_der_x509_certificate(content)
    except ValueError:
        return False
    return True


def _is_der_key(content: bytes) -> bool:
    try:
        load_der_private_key(content, password=None)
    except TypeError:  # it has a passphrase
        return True
    except (ValueError, UnsupportedAlgorithm):
        return False
    return True
