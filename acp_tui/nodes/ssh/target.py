"""The data types of SSH connections: target, deadlines and errors. This module opens no connections."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from pydantic import SecretStr

from acp_tui.core.errors import AcpError
from acp_tui.nodes.state import NodeState


@dataclass(frozen=True)
class Target:
    """A node and its login.

    acp-tui connects to `host` and `port`. `address` is the address in the plan. `host` is the same address, except on
    the practice cluster."""

    address: str
    host: str
    port: int
    username: str
    password: SecretStr | None = None
    key_file: Path | None = None
    key_passphrase: SecretStr | None = None


@dataclass(frozen=True)
class Deadlines:
    """The seconds allowed for each stage of a connection."""

    tcp: float = 10
    handshake: float = 15
    login: float = 40  # a reverse lookup of this host (UseDNS) at three unreachable name servers takes 30
    session: float = 30  # pam_systemd waits 25 for a login manager that does not reply; sshd is blocked meanwhile
    start: float = 45  # sudo may take 20 twice, if it looks up the host name at unreachable name servers
    """The seconds within which the script must start."""
    script: float = 75
    """The seconds within which the script must end."""
    retry_pauses: tuple[tuple[float, float], ...] = ((0.3, 1.0), (0.7, 1.5), (1.5, 3.0))
    """The minimum and maximum pause before each retry of a dropped connection, in seconds.

    The pause is random, so that the connections to many nodes are not retried at the same time."""


DEADLINES = Deadlines()


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


OnStage = Callable[[str], None]
