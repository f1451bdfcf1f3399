"""SSH keys: the host keys of nodes, and the private key file of the operator."""

import re
import shlex
from binascii import a2b_base64
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path

import asyncssh
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, load_pem_private_key
from pydantic import SecretStr

from acp_tui.core.files import open_regular_file
from acp_tui.core.i18n import N_, _, pgettext
from acp_tui.core.text import one_line
from acp_tui.nodes.ssh.errors import ConnectError
from acp_tui.nodes.ssh.target import Target
from acp_tui.nodes.state import NodeState

_FORMATS = {
    b"PuTTY-User-Key-File": N_(
        "the file is a PuTTY key. Convert it with: (umask 077; puttygen FILE -O private-openssh -o NEW)"
    ),
    b"ssh-": N_("the file is a public key. Enter the path of the private key."),
    b"ecdsa-": N_("the file is a public key. Enter the path of the private key."),
    b"-----BEGIN PUBLIC": N_("the file is a public key. Enter the path of the private key."),
    b"---- BEGIN SSH2 PUBLIC": N_("the file is a public key. Enter the path of the private key."),
    b"-----BEGIN CERTIFICATE": N_("the file is a certificate. Enter the path of a private key."),
}
HOST_KEY_ALGORITHMS = (
    "ssh-ed25519", "ecdsa-sha2-nistp256", "ecdsa-sha2-nistp384", "ecdsa-sha2-nistp521", "rsa-sha2-512", "rsa-sha2-256",
)  # fmt: skip
"""The accepted signature algorithms of host keys, the preferred one first. `ssh-rsa` is missing: it uses SHA-1."""
_KEY_FILE_LIMIT = 64 * 1024  # bytes; the longest keys have a few thousand

_HEADER = b"-----BEGIN "
"""The start of the header of an armored key."""
_PEM_KEY = b"PRIVATE KEY-----"
_UNKNOWN_METHOD = "unknown method of encryption"
_SECURITY_KEYS = (b"sk-ssh-ed25519@openssh.com", b"sk-ecdsa-sha2-nistp256@openssh.com")
"""The types of keys that are stored on a FIDO security key."""
_ODD = re.compile(rb"[^A-Z0-9\s-]")
"""A character that no valid header has."""


def key_line(key: asyncssh.SSHKey) -> str:
    """Return a public key as `type base64`, without a comment."""
    return " ".join(key.export_public_key("openssh").decode().split()[:2])


def public_key(text: str | bytes) -> asyncssh.SSHKey:
    """Return the public key in `text`. Raises asyncssh.KeyImportError."""
    check_headers(text.encode("utf-8", "surrogateescape") if isinstance(text, str) else text)
    with only_key_errors():
        return asyncssh.import_public_key(text)


def check_headers(content: bytes) -> None:
    """Raise asyncssh.KeyImportError if the header of an armored key in `content` has odd characters.

    asyncssh uses the header as a regular expression, and the search for a hostile expression never ends."""
    if any(_ODD.search(line.partition(_HEADER)[2]) for line in content.split(b"\n")):
        raise asyncssh.KeyImportError(_("the header of a key is invalid"))


@contextmanager
def only_key_errors() -> Iterator[None]:
    """Replace other errors of asyncssh with KeyImportError. For damaged keys, asyncssh passes on errors of many types.

    Raises asyncssh.KeyImportError, asyncssh.KeyEncryptionError."""
    try:
        yield
    except (asyncssh.KeyImportError, asyncssh.KeyEncryptionError):
        raise
    except Exception as error:
        raise asyncssh.KeyImportError(str(error)) from error


def host_key_algorithms(lines: Sequence[str]) -> list[str]:
    """Return the signature algorithms of the host keys `lines`, each as `type base64`, without those that use SHA-1.

    A server with several keys then sends the one that is known. Raises ConnectError if a text is not a key."""
    try:
        keys = [public_key(line) for line in lines]
    except asyncssh.KeyImportError:
        raise ConnectError(
            NodeState.HOST_KEY_CHANGED, "handshake", _("the recorded host key of the node is not a valid public key")
        ) from None
    names = (name.decode() for key in keys for name in key.sig_algorithms)
    return [name for name in dict.fromkeys(names) if name in HOST_KEY_ALGORITHMS]


def client_key(target: Target) -> asyncssh.SSHKey | None:
    """Return the private key for the login; None if the login uses a password.

    Raises ConnectError with the name of the key file."""
    if target.key_file is None:
        return None
    try:
        with open_regular_file(target.key_file) as file:
            content = file.read(_KEY_FILE_LIMIT)
    except OSError as error:
        reason = error.strerror or str(error)
        detail = pgettext("error", "key file {file}: {reason}").format(file=target.key_file, reason=one_line(reason))
        raise ConnectError(NodeState.AUTH_FAILED, "login", detail) from None
    try:
        return _read_key(content, target.key_passphrase)
    except (asyncssh.KeyImportError, asyncssh.KeyEncryptionError) as error:
        has_passphrase = target.key_passphrase is not None
        detail = _describe_key_error(target.key_file, content, str(error), has_passphrase=has_passphrase)
        raise ConnectError(NodeState.AUTH_FAILED, "login", detail) from None


@lru_cache(maxsize=16)
def _read_key(content: bytes, passphrase: SecretStr | None) -> asyncssh.SSHKey:
    """Decrypt a private key. The result is cached for all nodes, because decryption is slow by design."""
    check_headers(content)
    with only_key_errors():
        if passphrase is None:
            return asyncssh.import_private_key(content)
        try:
            return asyncssh.import_private_key(content, passphrase.get_secret_value())
        except (asyncssh.KeyImportError, asyncssh.KeyEncryptionError):
            if _PEM_KEY not in content:
                raise
        return asyncssh.import_private_key(_decrypted(content, passphrase))


def _decrypted(content: bytes, passphrase: SecretStr) -> bytes:
    """Decrypt a PEM key with the cryptography library, which knows more methods than asyncssh, such as scrypt.

    Raises asyncssh.KeyEncryptionError for a wrong passphrase, and KeyImportError for an unknown method."""
    try:
        key = load_pem_private_key(content, passphrase.get_secret_value().encode())
    except Exception as error:  # the library does not document all of its errors
        if "Incorrect password" in str(error):
            raise asyncssh.KeyEncryptionError(str(error)) from None
        raise asyncssh.KeyImportError(_UNKNOWN_METHOD) from None
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


def _describe_key_error(file: Path, content: bytes, message: str, *, has_passphrase: bool) -> str:
    """Return the message for a key file that cannot be used.

    `message`: the error of asyncssh. Some causes are visible only in this error."""
    reason = _("the file is not a supported private key")
    if other := next((text for start, text in _FORMATS.items() if content.lstrip().startswith(start)), None):
        reason = _(other)
    elif _is_on_security_key(content):
        reason = _("the key is stored on a security key (FIDO), which acp-tui does not support")
    elif "requires bcrypt" in message:
        reason = _("the key is encrypted, and decryption requires the Python package bcrypt")
    elif not has_passphrase and "assphrase" in message:
        reason = _("the key is encrypted, but the plan has no passphrase for it")
    elif message == _UNKNOWN_METHOD:
        reason = _(
            "acp-tui does not support the method with which the key is encrypted, or the passphrase is wrong. Encrypt "
            "it as OpenSSH does: ssh-keygen -p -f {file}"
        ).format(file=shlex.quote(str(file)))
    elif has_passphrase and ("decrypt" in message or "passphrase" in message):
        reason = pgettext("error", "the passphrase in the plan is wrong")
    return pgettext("error", "key file {file}: {reason}").format(file=file, reason=reason)


def _is_on_security_key(content: bytes) -> bool:
    body = b"".join(line for line in content.splitlines() if not line.startswith(b"-"))
    try:
        return any(kind in a2b_base64(body) for kind in _SECURITY_KEYS)
    except ValueError:
        return False
