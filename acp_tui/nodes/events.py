"""What happens during long work, as frozen data: the same events feed the wizard, the commands and the logs."""

from dataclasses import dataclass

from acp_tui.nodes.facts import Facts
from acp_tui.nodes.state import NodeState


@dataclass(frozen=True)
class NodeStage:
    """A connection reached a stage: `tcp`, `handshake`, `login`, `shell`, `script`."""

    address: str
    stage: str


@dataclass(frozen=True)
class FactsUpdated:
    """More is known of a node. `facts` holds everything learned so far, so only the newest matters."""

    address: str
    facts: Facts


@dataclass(frozen=True)
class LocalFactsDone:
    """A node has told all of itself, and goes on to wait for others that are silent: its `NodeFinished` follows.

    `state` and `detail` as in `NodeFinished`; what is around the node is still a gap in `facts`."""

    address: str
    state: NodeState
    facts: Facts
    detail: str = ""


@dataclass(frozen=True)
class NodeFinished:
    """A node's pass is over. `facts` keeps what was seen before a break; `detail` says what went wrong, and at which
    stage; "" when nothing did. `host_key` is an OpenSSH public key line (without the host), None when none was seen."""

    address: str
    state: NodeState
    facts: Facts
    detail: str = ""
    host_key: str | None = None


NodeEvent = NodeStage | FactsUpdated | LocalFactsDone | NodeFinished
