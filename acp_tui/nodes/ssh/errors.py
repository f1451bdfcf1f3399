"""What goes wrong on the way to a node, in words for the operator. No secrets, no control characters."""

import re
from enum import Enum
from pathlib import Path

from acp_tui.core.i18n import N_, _
from acp_tui.core.text import sanitize


def no_answer(stage: str, seconds: float, *, greeted: bool = False) -> str:
    """`greeted`: the node has told which SSH it speaks."""
    if greeted and stage == "handshake":
        return _(
            "connected, and SSH is there, but it did not agree on keys within {seconds:g} s: the node hangs, or the "
            "way loses large packets (MTU)"
        ).format(seconds=seconds)
    return {
        "tcp": _("no answer to the connection within {seconds:g} s"),
        "handshake": _("connected, but no SSH answer within {seconds:g} s"),
        "login": _("the login did not finish within {seconds:g} s; the node may be waiting for a dead name server"),
    }.get(stage, _("logged in, but no session opened within {seconds:g} s")).format(seconds=seconds)


class PasswordFate(Enum):
    """What became of the password in a login that failed."""

    NONE = "there is none"
    NOT_ASKED = "the node never asked for it"
    REFUSED = "it was not accepted"


def denied(user: str, key_file: Path | None, password: PasswordFate, question: str, *, expired: bool) -> str:
    """Why a login was refused. `question`: what the node asked that no password answers."""
    if expired:
        return _("the password of {user} has expired; set a new one on the node").format(user=user)
    if password is PasswordFate.NONE and key_file is None:
        return _("neither password nor key is given for {user}").format(user=user)
    if question:
        words = _("the node asks {user} for more than a password, so give a key; it asks").format(user=user)
        return quoted(words, question)
    refused = []
    if key_file is not None:
        refused.append(_("the node does not accept the key {key} for {user}").format(key=key_file, user=user))
    if password is PasswordFate.REFUSED:
        refused.append(_("the node does not accept the password of {user}").format(user=user))
        if user == "root":
            refused.append(_("its sshd_config may keep root out (PermitRootLogin)"))
    elif password is PasswordFate.NOT_ASKED:
        refused.append(
            _(
                "the node takes no password from {user}: allow it in its sshd_config "
                "(PasswordAuthentication, PermitRootLogin) or give a key"
            ).format(user=user)
        )
    return "; ".join(refused)


def closed_early() -> str:
    return _(
        "the node closed the connection before the login, each time: it keeps this host out (hosts.deny, fail2ban), "
        "or too many log in at once (MaxStartups)"
    )


def unfinished(seconds: float, *, begun: bool) -> str:
    if begun:
        return _("the node did not finish within {seconds:g} s").format(seconds=seconds)
    return _(
        "logged in, but the node told nothing within {seconds:g} s: a start-up file of its shell (.bashrc) or a forced "
        "command may wait"
    ).format(seconds=seconds)


def no_bash(said: str) -> str:
    if said:
        return _("logged in, but the node ran no bash: {said}").format(said=said)
    return _(
        "logged in, but the node ran no bash and said nothing: the login shell lets nobody in (false, nologin), or one "
        "of its start-up files (.bashrc) exits or reads what is meant for the script"
    )


def quoted(words: str, said: str) -> str:
    """`words` with what the other side or the system said: hostile text, so cut and cleaned."""
    said = " ".join(sanitize(said).split())[:600]
    return f"{words}: {said}" if said else words


_LEFT_OUT = ("kex-strict-", "ext-info-")
"""Beginnings of names in the lists that are no methods (RFC 8308, OpenSSH's PROTOCOL)."""


def no_method_in_common(said: str) -> str:
    """`said`: asyncssh's words, which list ours first; what the node offers is what the operator has to know first."""
    found = re.fullmatch(r"No matching (.+) algorithm found, sent (\S+) and received (\S+)", said)
    if found is None:
        return quoted(_("node and client share no method"), said)
    kind, ours, theirs = found[1], found[2], found[3]
    setting = {"key exchange": "KexAlgorithms", "server host key": "HostKeyAlgorithms", "encryption": "Ciphers"}
    words = _(
        "node and client share no {kind} method: the node offers only {theirs}, not safe any more or not known here. "
        "Update OpenSSH on the node, or allow one of these in its sshd_config ({setting}): {ours}"
    )
    return words.format(
        kind=kind, theirs=_methods(theirs), setting=setting.get(kind, "MACs"), ours=_methods(ours, most=8)
    )


def _methods(names: str, most: int = 12) -> str:
    kept = [name for name in sanitize(names).split(",") if not name.startswith(_LEFT_OUT)]
    return ", ".join(name[:64] for name in kept[:most])


_FORMATS = {
    b"PuTTY-User-Key-File": N_("it is a key of PuTTY: convert it with puttygen FILE -O private-openssh -o NEW"),
    b"ssh-": N_("it is a public key; the private one is needed"),
    b"ecdsa-": N_("it is a public key; the private one is needed"),
    b"-----BEGIN PUBLIC": N_("it is a public key; the private one is needed"),
    b"---- BEGIN SSH2 PUBLIC": N_("it is a public key; the private one is needed"),
    b"-----BEGIN CERTIFICATE": N_("it is a certificate; a private key is needed"),
}


def key_trouble(file: Path, content: bytes, said: str, *, has_passphrase: bool) -> str:
    """Why this key file cannot be used. asyncssh tells some of these cases apart only by its words."""
    words = _("not a private key that can be read")
    if other := next((words for start, words in _FORMATS.items() if content.lstrip().startswith(start)), None):
        words = _(other)
    elif "requires bcrypt" in said:
        words = _("opening it needs the Python package bcrypt")
    elif not has_passphrase and "assphrase" in said:
        words = _("it is encrypted, and no passphrase is given")
    elif has_passphrase and ("decrypt" in said or "passphrase" in said):
        words = _("wrong passphrase")
    return _("key file {file}: {why}").format(file=file, why=words)
