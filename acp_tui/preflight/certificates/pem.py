"""What a file is that was given for a certificate or a private key, and how to make of it what the installer reads.

The installer reads PEM as strictly as PEM is defined: a block begins at the start of a line. What our own library reads
all the same (indented text, a byte order mark) would lose its first block there, so it is refused here.
"""

import re
import shlex
from dataclasses import dataclass
from pathlib import Path

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.serialization import load_der_private_key

from acp_tui.core.i18n import _

_BEGIN = re.compile(rb"^-----BEGIN ([A-Z0-9 ]+)-----", re.MULTILINE)
_INDENTED = re.compile(rb"^[^\n]*[^\n-]-----BEGIN [A-Z0-9 ]+-----", re.MULTILINE)
_JOINED = re.compile(rb"-----END [A-Z0-9 ]+----------BEGIN ")
_BYTE_ORDER_MARK = b"\xef\xbb\xbf"
_SIGNED_DATA = bytes.fromhex("06092a864886f70d010702")
"""The object identifier that a PKCS#7 file in DER begins with."""
_PFX = re.compile(rb"\x30(?:[\x00-\x7f]|\x80|\x81.|\x82..|\x83...|\x84....)\x02\x01\x03", re.DOTALL)
_KEY_STORE = b"\xfe\xed\xfe\xed"


@dataclass(frozen=True)
class PemFile:
    """A file that was given. `path` as it is told to people."""

    path: Path
    content: bytes

    @property
    def labels(self) -> tuple[str, ...]:
        """What its blocks are called, such as `CERTIFICATE`."""
        return tuple(label.decode() for label in _BEGIN.findall(self.content))

    @property
    def keys(self) -> tuple[str, ...]:
        return tuple(label for label in self.labels if label.endswith("PRIVATE KEY"))

    def certificate_trouble(self) -> str:
        """Why it is no file of certificates; "" when it is one."""
        if trouble := self._unreadable():
            return trouble
        if self.keys:
            if "CERTIFICATE" not in self.labels:
                return _("{file} holds a private key; are the two files swapped?").format(file=self.path)
            return _("{file} holds a private key beside the certificate, and would be handed out with it").format(
                file=self.path
            )
        if "CERTIFICATE" in self.labels:
            return ""
        return self._other("CERTIFICATE", _("certificate"))

    def key_trouble(self) -> str:
        """Why it is no file with one private key; "" when it is one."""
        if trouble := self._unreadable():
            return trouble
        if len(self.keys) > 1:
            return _("{file} holds {count} private keys; leave only the certificate's own").format(
                file=self.path, count=len(self.keys)
            )
        if "OPENSSH PRIVATE KEY" in self.labels:
            return self._converted(_("a key in the format of OpenSSH"), "ssh-keygen -p -m PEM -f {file}")
        if self.keys:
            return ""
        if "CERTIFICATE" in self.labels:
            return _("{file} holds a certificate; are the two files swapped?").format(file=self.path)
        return self._other("PRIVATE KEY", _("private key"))

    def _unreadable(self) -> str:
        if not self.content.strip():
            return _("{file} is empty").format(file=self.path)
        if self.content[:2] in (b"\xff\xfe", b"\xfe\xff"):
            return self._converted(_("UTF-16 text"), "iconv -f UTF-16 -t ASCII {file} > {new}")
        if self.content.startswith(_BYTE_ORDER_MARK):
            what = _("text with a byte order mark, which hides its first block from the installer")
            return self._converted(what, "tail -c +4 {file} > {new}")
        if b"\r" in self.content and b"\n" not in self.content:
            what = _("text with the line ends of an old Macintosh")
            return self._converted(what, "tr '\\r' '\\n' < {file} > {new}")
        if _JOINED.search(self.content):
            what = _("text with two blocks joined in one line, and the installer takes a block only from its start")
            return self._converted(what, "sed 's/----------/-----\\n-----/' {file} > {new}")
        if _INDENTED.search(self.content):
            what = _("indented text, and the installer takes a block only from the start of a line")
            return self._converted(what, "sed 's/^[[:space:]]*//' {file} > {new}")
        return ""

    def _other(self, wanted: str, word: str) -> str:
        """What else it is, and what makes a PEM file of it."""
        labels, key = self.labels, wanted == "PRIVATE KEY"
        part = "-nocerts -nodes" if key else "-nokeys"
        if any(label.endswith("CERTIFICATE REQUEST") for label in labels):
            return _("{file} is a request for a certificate; bring what the authority made of it").format(
                file=self.path
            )
        if key and (_SIGNED_DATA in self.content[:40] or labels[:1] in (("PKCS7",), ("CMS",))):
            return _("{file} is PKCS#7, which holds certificates and no key").format(file=self.path)
        if labels and labels[0] in ("PKCS7", "CMS"):
            return self._converted("PKCS#7", "openssl pkcs7 -print_certs -in {file} -out {new}")
        if labels and labels[0].endswith(" CERTIFICATE"):
            return self._converted(labels[0], "openssl x509 -in {file} -out {new}")
        if labels:
            return _("{file} holds no {word}, but: {labels}").format(
                file=self.path, word=word, labels=", ".join(dict.fromkeys(labels))
            )
        if _PFX.match(self.content):
            return self._converted("PKCS#12", f"openssl pkcs12 {part} -in {{file}} -out {{new}}")
        if self.content.startswith(_KEY_STORE):
            command = "keytool -importkeystore -srckeystore {file} -destkeystore {new} -deststoretype PKCS12"
            return self._converted(_("a Java key store"), command)
        if _SIGNED_DATA in self.content[:40]:
            return self._converted("PKCS#7 (DER)", "openssl pkcs7 -inform DER -print_certs -in {file} -out {new}")
        if _is_der_certificate(self.content):
            if key:
                return _("{file} holds a certificate; are the two files swapped?").format(file=self.path)
            return self._converted("DER", "openssl x509 -inform DER -in {file} -out {new}")
        if _is_der_key(self.content):
            if not key:
                return _("{file} holds a private key; are the two files swapped?").format(file=self.path)
            return self._converted("DER", "openssl pkey -inform DER -in {file} -out {new}")
        return _("{file} holds no {word} in PEM").format(file=self.path, word=word)

    def _converted(self, what: str, command: str) -> str:
        file, new = shlex.quote(str(self.path)), shlex.quote(f"{self.path}.pem")
        return _("{file} is {what}; convert it: {command}").format(
            file=self.path, what=what, command=command.format(file=file, new=new)
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
