"""Data types of SSH connections: target, deadlines and errors. This module opens no connections."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from pydantic import SecretStr

from acp_tui.core.errors import AcpError
from acp_tui.nodes.state import NodeState


@dataclass(frozen=True)
class Target:
    """A node and its login. `host` and `port`: where to connect; they differ from `address` on the practice cluster."""

    address: str
    host: str
    port: int
    username: str
    password: SecretStr | None = None
    key_file: Path | None = None
    key_passphrase: SecretStr | None = None


@dataclass(frozen=True)
class Deadlines:
    """Seconds allowed for each stage."""

    tcp: float = 10
    handshake: float = 15
    login: float = 40  # a reverse lookup of this host (UseDNS) at three unreachable name servers takes 30
    session: float = 30  # pam_systemd waits 25 for a login manager that does not reply; sshd is blocked meanwhile
    start: float = 45  # sudo may take 20 twice, if it looks up the host name at unreachable name servers
    """Until the script starts."""
    script: float = 75
    """Until the script ends."""
    retry_pauses: tuple[tuple[float, float], ...] = ((0.3, 1.0), (0.7, 1.5), (1.5, 3.0))
    """Minimum and maximum pause before each retry of a dropped connection; random, so that retries spread."""


DEADLINES = Deadlines()


class ConnectError(AcpError):
    """No connection was made. `detail`: text for the user, without secrets and control characters."""

    def __init__(self, state: NodeState, stage: str, detail: str, host_key: str | None = None) -> None:
        super().__init__(detail)
        self.state = state
        self.stage = stage
        self.detail = detail
        self.host_key = host_key
        """The host key that the node sent; None if the connection failed before."""


class ConnectionDropped(ConnectError):
    """The node closed the connection before the login; this can be temporary."""


class ConnectionLost(AcpError):
    """An open connection broke."""


OnStage = Callable[[str], None]
