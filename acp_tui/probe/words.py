"""What goes wrong on the way to a node, in words for the operator. No secrets, no control characters."""

from pathlib import Path

from acp_tui.probe.script import clean
from acp_tui.texts import _


def no_answer(stage: str, seconds: float) -> str:
    return {
        "tcp": _("no answer to the connection within {seconds:g} s"),
        "handshake": _("connected, but no SSH answer within {seconds:g} s"),
        "login": _("the login did not finish within {seconds:g} s; the node may be waiting for a dead name server"),
    }.get(stage, _("logged in, but no session opened within {seconds:g} s")).format(seconds=seconds)


def denied(user: str, has_password: bool, key_file: Path | None, expired: bool) -> str:
    """Why a login was refused."""
    if expired:
        return _("the password of {user} has expired; set a new one on the node").format(user=user)
    if not has_password and key_file is None:
        return _("neither password nor key is given for {user}").format(user=user)
    if not has_password:
        return _("the node does not accept the key {key} for {user}").format(key=key_file, user=user)
    if key_file is None:
        return _("the node does not accept the password of {user}").format(user=user)
    return _("the node accepts neither the key {key} nor the password of {user}").format(key=key_file, user=user)


def quoted(words: str, said: str) -> str:
    """`words` with what the other side or the system said: hostile text, so cut and cleaned."""
    said = " ".join(clean(said).split())[:600]
    return f"{words}: {said}" if said else words


def way_out_of_old_methods() -> str:
    return _(
        "Update OpenSSH on the node, or allow one of the methods sent in its sshd_config "
        "(KexAlgorithms, HostKeyAlgorithms, Ciphers, MACs)"
    )


def key_trouble(said: str, has_passphrase: bool) -> str:
    """asyncssh tells these cases apart only by its words."""
    if "requires bcrypt" in said:
        return _("key file {file}: opening it needs the Python package bcrypt")
    if not has_passphrase and "assphrase" in said:
        return _("key file {file}: it is encrypted, and no passphrase is given")
    if has_passphrase and ("decrypt" in said or "passphrase" in said):
        return _("key file {file}: wrong passphrase")
    return _("key file {file}: not a private key that can be read")
