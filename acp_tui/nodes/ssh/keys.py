"""Keys of an SSH login: the host key that a node is known by, and the private key in a file of the operator."""

from functools import lru_cache

import asyncssh
from pydantic import SecretStr

from acp_tui.core.files import open_regular_file
from acp_tui.core.i18n import _
from acp_tui.nodes.ssh.errors import key_trouble, quoted
from acp_tui.nodes.ssh.target import ConnectError, Target
from acp_tui.nodes.state import NodeState

_KEY_FILE_LIMIT = 64 * 1024  # bytes; the longest keys have a few thousand


def key_line(key: asyncssh.SSHKey) -> str:
    """`type base64`, without a comment."""
    return " ".join(key.export_public_key("openssh").decode().split()[:2])


def host_key(line: str | None) -> asyncssh.SSHKey | None:
    if line is None:
        return None
    try:
        return asyncssh.import_public_key(line)
    except asyncssh.KeyImportError:
        raise ConnectError(
            NodeState.HOST_KEY_CHANGED, "handshake", _("the host key kept for this node cannot be read")
        ) from None


def client_key(target: Target) -> asyncssh.SSHKey | None:
    """The private key to log in with. ConnectFailed (auth-failed) with the file's name: it cannot be used."""
    if target.key_file is None:
        return None
    try:
        with open_regular_file(target.key_file) as file:
            content = file.read(_KEY_FILE_LIMIT)
    except OSError as error:
        why = error.strerror or str(error)
        detail = quoted(_("key file {file}").format(file=target.key_file), why)
        raise ConnectError(NodeState.AUTH_FAILED, "login", detail) from None
    try:
        return _read_key(content, target.key_passphrase)
    except (asyncssh.KeyImportError, asyncssh.KeyEncryptionError) as error:
        has_passphrase = target.key_passphrase is not None
        detail = key_trouble(target.key_file, content, str(error), has_passphrase=has_passphrase)
        raise ConnectError(NodeState.AUTH_FAILED, "login", detail) from None


@lru_cache(maxsize=16)
def _read_key(content: bytes, passphrase: SecretStr | None) -> asyncssh.SSHKey:
    """Decrypting is slow by design: once for all nodes."""
    return asyncssh.import_private_key(content, passphrase.get_secret_value() if passphrase else None)
