"""Where a node is, how to log in there, how long that may take, and how it fails: no SSH is spoken here."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from pydantic import SecretStr

from acp_tui.core.errors import AcpError
from acp_tui.nodes.state import NodeState


@dataclass(frozen=True)
class Target:
    """A node and how to log in. `host` and `port`: where to dial; differs from `address` on the practice cluster."""

    address: str
    host: str
    port: int
    username: str
    password: SecretStr | None = None
    key_file: Path | None = None
    key_passphrase: SecretStr | None = None


@dataclass(frozen=True)
class Deadlines:
    """Seconds that each stage may take; `script` is for all of it, `word` until the node runs it."""

    tcp: float = 10
    handshake: float = 15
    login: float = 40  # a node that looks up our name (UseDNS) at three dead servers takes 30
    session: float = 30  # pam_systemd waits 25 for a login manager that does not answer, and meanwhile sshd is deaf
    word: float = 45  # sudo may take 20 twice, where it looks up our name at dead servers
    script: float = 75
    retry_pauses: tuple[tuple[float, float], ...] = ((0.3, 1.0), (0.7, 1.5), (1.5, 3.0))
    """Minimum and maximum pause before each retry of a dropped connection; random, so that retries spread."""


DEADLINES = Deadlines()


class ConnectError(AcpError):
    """A stage of reaching a node failed. `detail` is for people, without secrets and cleaned of control characters."""

    def __init__(self, state: NodeState, stage: str, detail: str, host_key: str | None = None) -> None:
        super().__init__(detail)
        self.state = state
        self.stage = stage
        self.detail = detail
        self.host_key = host_key
        """The key that the node showed, where it came that far."""


class ConnectionDropped(ConnectError):
    """Closed before the login: may be chance."""


class ConnectionLost(AcpError):
    """An open connection broke."""


OnStage = Callable[[str], None]
