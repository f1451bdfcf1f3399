"""Events of fact collection, for the wizard, the commands and the logs."""

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
    """New facts of a node. `facts` has everything collected so far, so only the last event matters."""

    address: str
    facts: Facts


@dataclass(frozen=True)
class LocalFactsDone:
    """All local facts of a node are collected; its connectivity tests still run. `NodeFinished` follows.

    `state` and `detail` as in `NodeFinished`; facts about connectivity are still missing in `facts`."""

    address: str
    state: NodeState
    facts: Facts
    detail: str = ""


@dataclass(frozen=True)
class NodeFinished:
    """Collection on a node has ended. `facts` includes those collected before an error. `detail`: the error and its
    stage; "" on success. `host_key`: OpenSSH public key line without the host, None if the node sent none."""

    address: str
    state: NodeState
    facts: Facts
    detail: str = ""
    host_key: str | None = None


NodeEvent = NodeStage | FactsUpdated | LocalFactsDone | NodeFinished
