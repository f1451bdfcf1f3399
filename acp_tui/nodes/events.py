"""The events of fact collection. The wizard, the commands and the logs receive them."""

from dataclasses import dataclass, field

from acp_tui.nodes.facts import Facts
from acp_tui.nodes.script import CollectorOutput
from acp_tui.nodes.state import NodeState

_KEY_REJECTED = (NodeState.HOST_KEY_UNKNOWN, NodeState.HOST_KEY_CHANGED)


@dataclass(frozen=True)
class NodeStage:
    """The connection to a node has reached a stage: `tcp`, `handshake`, `login`, `shell` or `script`."""

    address: str
    stage: str


@dataclass(frozen=True)
class FactsUpdated:
    """New facts of a node are collected. `facts` contains all facts so far, so only the last event is needed."""

    address: str
    facts: Facts


@dataclass(frozen=True)
class LocalFactsDone:
    """All local facts of a node are collected, but its connectivity tests still run.

    Facts about connectivity are therefore still missing in `facts`. `NodeFinished` follows later. `state` and `detail`
    have the same meaning as in `NodeFinished`."""

    address: str
    state: NodeState
    facts: Facts
    detail: str = ""


@dataclass(frozen=True)
class NodeFinished:
    """The collection on a node has ended. `facts` includes the facts collected before an error.

    `detail`: the error message; "" on success. `host_key`: the OpenSSH public key of the node without the host
    name; None if the node sent no key."""

    address: str
    state: NodeState
    facts: Facts
    detail: str = ""
    host_key: str | None = None
    outputs: tuple[CollectorOutput, ...] = field(default=(), repr=False)
    """The outputs of the collectors, in the order in which they arrived."""

    @property
    def accepted_host_key(self) -> str | None:
        """The host key if acp-tui has logged in with it; None if the key is not confirmed or has changed."""
        return None if self.state in _KEY_REJECTED else self.host_key


NodeEvent = NodeStage | FactsUpdated | LocalFactsDone | NodeFinished
