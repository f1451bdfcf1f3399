"""Error messages of SSH connections for the user, without secrets and control characters."""

import re
from enum import Enum
from pathlib import Path

from acp_tui.core.i18n import N_, _, pgettext
from acp_tui.core.text import sanitize

_MOST_CHARACTERS = 600  # of a message from the node or the system


def stage_timed_out(stage: str, seconds: float, *, greeted: bool = False) -> str:
    """Describe the timeout of a stage. `greeted`: the node has sent its SSH version."""
    if greeted and stage == "handshake":
        return _(
            "connected, but the SSH key exchange did not finish within {seconds:g} s: the node hangs, or large packets "
            "are lost on the path (MTU)"
        ).format(seconds=seconds)
    return {
        "tcp": _("connection timed out after {seconds:g} s"),
        "handshake": _("connected, but no SSH reply within {seconds:g} s"),
        "login": _("the login did not finish within {seconds:g} s; the node may wait for an unreachable name server"),
    }.get(stage, _("logged in, but no session opened within {seconds:g} s")).format(seconds=seconds)


class PasswordState(Enum):
    """Use of the password in a failed login."""

    NONE = "no password given"
    NOT_REQUESTED = "the node did not request it"
    REJECTED = "the node rejected it"


def login_denied(user: str, key_file: Path | None, password: PasswordState, prompt: str, *, expired: bool) -> str:
    """Describe a rejected login. `prompt`: the node's prompt that a password does not answer."""
    if expired:
        return _("the password of {user} has expired; set a new one on the node").format(user=user)
    if password is PasswordState.NONE and key_file is None:
        return _("no password and no key given for {user}").format(user=user)
    if prompt:
        return _("multi-factor login required for {user}; use a key instead. Prompt: {prompt}").format(
            user=user, prompt=one_line(prompt)
        )
    messages = []
    if key_file is not None:
        messages.append(_("the node rejected the key {key} of {user}").format(key=key_file, user=user))
    if password is PasswordState.REJECTED:
        messages.append(_("the node rejected the password of {user}").format(user=user))
        if user == "root":
            messages.append(_("root login may be disabled (PermitRootLogin)"))
    elif password is PasswordState.NOT_REQUESTED:
        messages.append(
            _(
                "the node does not allow password login for {user}: enable it in sshd_config "
                "(PasswordAuthentication, PermitRootLogin) or use a key"
            ).format(user=user)
        )
    return "; ".join(messages)


def closed_before_login() -> str:
    return _(
        "the node closed every connection before the login: it blocks this host (hosts.deny, fail2ban), or too many "
        "logins run at the same time (MaxStartups)"
    )


def script_timed_out(seconds: float, *, started: bool) -> str:
    """Describe the timeout of the collectors' script. `started`: the node has sent output of it."""
    if started:
        return _("the node did not finish within {seconds:g} s").format(seconds=seconds)
    return _(
        "logged in, but the node sent no output within {seconds:g} s: a start-up file of the shell (.bashrc) or a "
        "forced command may block it"
    ).format(seconds=seconds)


def no_bash(message: str) -> str:
    """Describe a login that did not run the script. `message`: output of the node."""
    if message:
        return _("logged in, but bash did not run: {message}").format(message=message)
    return _(
        "logged in, but bash did not run and printed nothing: the login shell is disabled (false, nologin), or a "
        "start-up file (.bashrc) exits or reads standard input"
    )


def one_line(message: str) -> str:
    """Return an untrusted message as one line, with a limited length and without control characters."""
    return " ".join(sanitize(message).split())[:_MOST_CHARACTERS]


def with_message(text: str, message: str) -> str:
    """Return `TEXT: MESSAGE` with a message of the node or the system; `text` alone if the message is empty."""
    message = one_line(message)
    return f"{text}: {message}" if message else text


_NOT_ALGORITHMS = ("kex-strict-", "ext-info-")
"""Prefixes of entries in the lists that are not algorithms (RFC 8308, OpenSSH's PROTOCOL)."""


def no_matching_algorithm(message: str) -> str:
    """Describe a failed key exchange. `message`: asyncssh's error, which lists this client's algorithms first."""
    match = re.fullmatch(r"No matching (.+) algorithm found, sent (\S+) and received (\S+)", message)
    if match is None:
        return with_message(_("no matching algorithm"), message)
    kind, ours, theirs = match[1], match[2], match[3]
    setting = {"key exchange": "KexAlgorithms", "server host key": "HostKeyAlgorithms", "encryption": "Ciphers"}
    text = _(
        "no matching {kind} algorithm: the node offers only {theirs}, which are unsafe or not supported here. "
        "Update OpenSSH on the node, or allow one of these in its sshd_config ({setting}): {ours}"
    )
    return text.format(
        kind=kind, theirs=_algorithms(theirs), setting=setting.get(kind, "MACs"), ours=_algorithms(ours, most=8)
    )


def _algorithms(names: str, most: int = 12) -> str:
    algorithms = [name for name in sanitize(names).split(",") if not name.startswith(_NOT_ALGORITHMS)]
    return ", ".join(name[:64] for name in algorithms[:most])


_FORMATS = {
    b"PuTTY-User-Key-File": N_("this is a PuTTY key; convert it: puttygen FILE -O private-openssh -o NEW"),
    b"ssh-": N_("this is a public key; give the private key"),
    b"ecdsa-": N_("this is a public key; give the private key"),
    b"-----BEGIN PUBLIC": N_("this is a public key; give the private key"),
    b"---- BEGIN SSH2 PUBLIC": N_("this is a public key; give the private key"),
    b"-----BEGIN CERTIFICATE": N_("this is a certificate; give a private key"),
}


def describe_key_error(file: Path, content: bytes, message: str, *, has_passphrase: bool) -> str:
    """Describe an unusable key file. `message`: asyncssh's error, which alone distinguishes some cases."""
    reason = _("not a supported private key")
    if other := next((text for start, text in _FORMATS.items() if content.lstrip().startswith(start)), None):
        reason = _(other)
    elif "requires bcrypt" in message:
        reason = _("decryption requires the Python package bcrypt")
    elif not has_passphrase and "assphrase" in message:
        reason = _("it is encrypted, and no passphrase is given")
    elif has_passphrase and ("decrypt" in message or "passphrase" in message):
        reason = pgettext("error", "wrong passphrase")
    return pgettext("error", "key file {file}: {reason}").format(file=file, reason=reason)
