"""The errors of SSH connections and their messages. They contain no secrets and no control characters."""

import re
from collections.abc import Sequence
from enum import Enum
from pathlib import Path

from acp_tui.core.errors import AcpError
from acp_tui.core.i18n import _
from acp_tui.core.text import one_line, sanitize
from acp_tui.nodes.state import NodeState


class ConnectError(AcpError):
    """The connection to a node failed. `detail`: a message for the user, without secrets and control characters."""

    def __init__(self, state: NodeState, stage: str, detail: str, host_key: str | None = None) -> None:
        super().__init__(detail)
        self.state = state
        self.stage = stage
        self.detail = detail
        self.host_key = host_key
        """The host key that the node sent; None if the node sent none before the failure."""


class ConnectionDropped(ConnectError):
    """The node closed the connection before the login. The cause can be temporary."""


class ConnectionLost(AcpError):
    """An open connection broke."""


def stage_timed_out(stage: str, seconds: float, *, greeted: bool = False) -> str:
    """Return the message for a stage that timed out. `greeted`: True if the node has sent its SSH version."""
    if greeted and stage == "handshake":
        return _(
            "the SSH key exchange did not finish within {seconds:g} s. The node hangs, or the network"
            " loses large packets (MTU)."
        ).format(seconds=seconds)
    return {
        "tcp": _("the node did not accept a TCP connection within {seconds:g} s"),
        "handshake": _("the node accepted the TCP connection, but sent no SSH reply within {seconds:g} s"),
        "login": _("the login did not finish within {seconds:g} s. A possible cause is an unreachable name server."),
    }.get(stage, _("the login worked, but the node opened no session within {seconds:g} s")).format(seconds=seconds)


class PasswordState(Enum):
    """The password in a failed login: not in the plan, not sent, not requested by the node, or rejected by the node."""

    NONE = "no password given"
    WITHHELD = "not sent, because the host key is not confirmed"
    NOT_REQUESTED = "the node did not request it"
    REJECTED = "the node rejected it"


def login_denied(user: str, key_file: Path | None, password: PasswordState, prompt: str, *, expired: bool) -> str:
    """Return the message for a rejected login.

    `prompt`: the prompt of the node, if it asks for more than a password, such as a one-time code; else empty."""
    if expired:
        return _("the password of the user {user} has expired. Set a new password on the node.").format(user=user)
    if password is PasswordState.NONE and key_file is None:
        return _("the plan has no password and no key for the user {user}").format(user=user)
    if prompt:
        return _(
            "the node requires a multi-factor login for the user {user}. Use a key instead. The prompt is: {prompt}"
        ).format(user=user, prompt=one_line(prompt))
    messages = []
    if key_file is not None:
        messages.append(_("the node rejected the key {key} of the user {user}").format(key=key_file, user=user))
    if password is PasswordState.REJECTED:
        messages.append(_("the node rejected the password of the user {user}").format(user=user))
        if user == "root":
            messages.append(_("a possible cause is that root login is disabled (PermitRootLogin)"))
    elif password is PasswordState.NOT_REQUESTED:
        messages.append(
            _(
                "the node does not allow password login for the user {user}. Enable password login in its sshd_config "
                "(PasswordAuthentication, PermitRootLogin), or use a key."
            ).format(user=user)
        )
    return "; ".join(messages)


def key_not_confirmed(fingerprint: str) -> str:
    """Return the message for a host key that is neither known nor confirmed, when no credential was offered."""
    return _("the host key {key} is neither known nor confirmed, so nothing was sent to the node").format(
        key=fingerprint
    )


def second_step_denied(user: str, key_file: Path | None, password: PasswordState, prompt: str) -> str:
    """Return the message for a login whose second step failed, after the node accepted the key."""
    if password is PasswordState.REJECTED and not prompt:
        return _(
            "the node accepted the key {key} of the user {user} and requires a password too, but rejected the password"
        ).format(key=key_file, user=user)
    if prompt:
        return _(
            "the node accepted the key {key} of the user {user}, but also asks: {prompt}. If this is the password of "
            "the user, add it to the plan. acp-tui answers no other question."
        ).format(key=key_file, user=user, prompt=one_line(prompt).rstrip(" :"))
    if password is PasswordState.NONE:
        return _(
            "the node accepted the key {key} of the user {user}, but requires a password too. Add the password to the "
            "plan, or allow a login with the key alone (AuthenticationMethods in sshd_config)."
        ).format(key=key_file, user=user)
    return _(
        "the node accepted the key {key} of the user {user}, but requires another step that acp-tui does not support "
        "(AuthenticationMethods in sshd_config)"
    ).format(key=key_file, user=user)


def password_withheld(user: str, key_file: Path | None, fingerprint: str, *, accepted: bool) -> str:
    """Return the message for a login that needs the password, while the host key is not confirmed.

    `accepted`: True if the node accepted the key."""
    if accepted:
        return _(
            "the node accepted the key {key_file} of the user {user}, and requires the password too. The password was "
            "not sent, because the host key {key} is not confirmed."
        ).format(key_file=key_file, user=user, key=fingerprint)
    return _(
        "the node rejected the key {key_file} of the user {user}. The password was not sent, because the host key "
        "{key} is not confirmed."
    ).format(key_file=key_file, user=user, key=fingerprint)


def key_changed(known: Sequence[str], sent: str) -> str:
    """Return the message for a host key that differs from the known ones. All arguments are fingerprints."""
    if not known:
        return _("the known hosts file revokes the host key {sent} of the node").format(sent=sent)
    return _("the host key of the node has changed: the known host key is {known}, the node sent {sent}").format(
        known=" / ".join(known), sent=sent
    )


def invalid_ssh_data() -> str:
    """Return the message for data of a node that asyncssh cannot parse."""
    return _("the node sent data that is not valid in the SSH protocol. Another program may be using the SSH port.")


def closed_before_login(*, greeted: bool, host_key_algorithms: Sequence[str]) -> str:
    """Return the message for a node that closed the connection before the login.

    `greeted`: True if the node has sent its SSH version. `host_key_algorithms`: those that acp-tui accepts."""
    if greeted:
        return _(
            "the node closed every connection during the SSH key exchange. A possible cause is that it has no host key "
            "that acp-tui accepts. Create one on the node (ssh-keygen -A), or allow one of these algorithms in its "
            "sshd_config (HostKeyAlgorithms): {algorithms}"
        ).format(algorithms=", ".join(host_key_algorithms))
    return _(
        "the node closed every connection before the login. Either the node blocks this host (hosts.deny, "
        "fail2ban), or too many logins run at the same time (MaxStartups)."
    )


def script_timed_out(seconds: float, *, started: bool) -> str:
    """Return the message for a timeout of the script with the collectors. `started`: True if the script sent output."""
    if started:
        return _("the collection of facts did not finish within {seconds:g} s").format(seconds=seconds)
    return _(
        "the login worked, but the node sent no output within {seconds:g} s. A possible cause is "
        "a start-up file of the shell (.bashrc) or a forced command."
    ).format(seconds=seconds)


_OTHER_SHELL = re.compile(r"(?:^|\s)-?((?:fi|da|z|[mlpo]?k|t?c|xon|el)sh|nu|pwsh|ash)(?=: | \(line )")
"""The start of a line in which a shell other than bash reports an error."""


def no_bash(message: str) -> str:
    """Return the message for a login that worked, but did not run the script. `message`: the output of the node."""
    shell = _OTHER_SHELL.search(message)
    if shell:
        return _(
            "the login worked, but a start-up file of the user (.bashrc, .profile) starts another shell, {shell}, "
            "which does not run commands of SSH. Start it only in interactive sessions. Its message: {message}"
        ).format(shell=shell[1], message=message)
    if message:
        return _("the login worked, but bash did not run: {message}").format(message=message)
    return _(
        "the login worked, but bash did not run, and the node sent no error message. Either the login "
        "shell is disabled (false, nologin), or a start-up file (.bashrc) exits or reads standard input."
    )


def with_message(text: str, message: str) -> str:
    """Return `text`, a colon and a message of the node or the system; only `text` if the message is empty."""
    message = one_line(message)
    return f"{text}: {message}" if message else text


_NOT_ALGORITHMS = ("kex-strict-", "ext-info-")
"""The lists of algorithms that SSH sends also contain names of extensions, which start with these prefixes.

RFC 8308 and the file PROTOCOL of OpenSSH define them."""


def no_matching_algorithm(message: str) -> str:
    """Return the message for a failed key exchange.

    `message`: the error of asyncssh, which lists the algorithms of this client first."""
    match = re.fullmatch(r"No matching (.+) algorithm found, sent (\S+) and received (\S+)", message)
    if match is None:
        return with_message(_("this host and the node have no common SSH algorithm"), message)
    kind, ours, theirs = match[1], match[2], match[3]
    setting = {"key exchange": "KexAlgorithms", "server host key": "HostKeyAlgorithms", "encryption": "Ciphers"}
    text = _(
        "this host and the node have no common {kind} algorithm. The node offers only {theirs}, "
        "which acp-tui does not use. Update OpenSSH on the node, or allow one of these algorithms on "
        "the node, in sshd_config ({setting}): {ours}"
    )
    return text.format(
        kind=kind, theirs=_algorithms(theirs), setting=setting.get(kind, "MACs"), ours=_algorithms(ours, most=8)
    )


def _algorithms(names: str, most: int = 12) -> str:
    algorithms = [name for name in sanitize(names).split(",") if not name.startswith(_NOT_ALGORITHMS)]
    return ", ".join(name[:64] for name in algorithms[:most])
