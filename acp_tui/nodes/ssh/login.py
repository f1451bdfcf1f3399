"""The client side of an SSH login. It answers the requests of the server with the credentials of the plan."""

from collections.abc import Sequence

import asyncssh

from acp_tui.nodes.ssh.errors import PasswordState
from acp_tui.nodes.ssh.keys import key_line
from acp_tui.nodes.ssh.target import OnStage, Target
from acp_tui.plan.known_hosts import KnownHost


class LoginClient(asyncssh.SSHClient):
    """The callbacks of asyncssh during a login. Each credential of the target is offered once.

    If the host key is not confirmed, the password is withheld, and only a login with a key works, unless `changes` is
    True. `log_in`: False ends the connection after the host key, before any credential is offered. `on_stage` is called
    at each stage of the connection."""

    def __init__(
        self,
        target: Target,
        key: asyncssh.SSHKey | None,
        known: KnownHost | None,
        on_stage: OnStage,
        *,
        changes: bool = False,
        log_in: bool = True,
    ) -> None:
        self._password = target.password
        self.password = PasswordState.NONE if target.password is None else PasswordState.NOT_REQUESTED
        self._key = key
        self._key_requests = 0
        self._known = known
        self._changes = changes
        self._log_in = log_in
        self._on_stage = on_stage
        self.conn: asyncssh.SSHClientConnection | None = None
        self.server_key: asyncssh.SSHKey | None = None
        self.expired = False
        self.prompt = ""
        """A prompt of the node that the password does not answer."""
        self._answered_prompt = ""
        self.banner = ""
        """The last message that the node sent before the login."""

    @property
    def server_key_line(self) -> str | None:
        """Return the host key of the node as `type base64`; None if the node sent no key."""
        return key_line(self.server_key) if self.server_key else None

    @property
    def greeted(self) -> bool:
        """Return True if the node has sent its SSH version."""
        return self.conn is not None and bool(self.conn.get_extra_info("server_version"))

    def connection_made(self, conn: asyncssh.SSHClientConnection) -> None:
        self.conn = conn
        self._on_stage("handshake")

    def validate_host_public_key(self, host: str, addr: str, port: int, key: asyncssh.SSHKey) -> bool:
        self.server_key = key
        if not self._log_in or self.key_changed:
            return False
        if self._known is not None and self._known.confirmed:
            return self._known.accepts(key_line(key))
        if self._password is not None:
            self._password, self.password = None, PasswordState.WITHHELD
        return self._key is not None and not self._changes

    @property
    def key_changed(self) -> bool:
        """Return True if the node sent a host key that differs from its known host keys."""
        sent = self.server_key_line
        return self._known is not None and sent is not None and self._known.is_changed(sent)

    def auth_banner_received(self, msg: str, lang: str) -> None:
        self.banner = msg[-1000:]

    def begin_auth(self, username: str) -> None:
        self._on_stage("login")

    def public_key_auth_requested(self) -> asyncssh.SSHKey | None:
        key, self._key = self._key, None
        self._key_requests += key is not None or self._key_requests > 0
        return key

    @property
    def key_accepted(self) -> bool:
        """Return True if the node accepted the key and required a second step.

        A server that rejects a key asks for another one, and a server that accepts it does not (RFC 4252, 5.1)."""
        return self._key_requests == 1

    def password_auth_requested(self) -> str | None:
        secret, self._password = self._password, None
        if secret is None:
            return None
        self.password = PasswordState.REJECTED
        return secret.get_secret_value()

    def password_change_requested(self, prompt: str, lang: str) -> tuple[str, str]:
        self.expired = True
        return super().password_change_requested(prompt, lang)  # type: ignore[return-value] # declines

    def kbdint_auth_requested(self) -> str | None:
        return "" if self._password or self.key_accepted else None

    def kbdint_challenge_received(
        self, name: str, instructions: str, lang: str, prompts: Sequence[tuple[str, bool]]
    ) -> list[str] | None:
        if not prompts:
            return []  # the request contains only a message
        secret = self.password_auth_requested() if len(prompts) == 1 and not prompts[0][1] else None
        if secret is not None:
            self._answered_prompt = prompts[0][0]
            return [secret]
        if [prompt for prompt, _echo in prompts] != [self._answered_prompt]:  # the same prompt again: wrong password
            self.prompt = " ".join((instructions, *(prompt for prompt, _echo in prompts)))
        return None  # not a password prompt: do not send the password
