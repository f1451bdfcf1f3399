"""The current state of one node in the wizard."""

from collections.abc import Collection
from dataclasses import dataclass, replace

from acp_tui.nodes.collectors.connectivity import NodeTestSpec
from acp_tui.nodes.events import FactsUpdated, LocalFactsDone, NodeEvent, NodeFinished, NodeStage
from acp_tui.nodes.facts import Facts
from acp_tui.nodes.state import NodeState
from acp_tui.plan.known_hosts import KnownHost, is_confirmed


@dataclass(frozen=True)
class NodeStatus:
    """The current state and facts of a node."""

    state: NodeState
    stage: str = ""
    detail: str = ""
    facts: Facts | None = None
    login: object = None
    """The SSH login that the check used. If the login in the plan differs, a new check is required."""
    host_key: str = ""
    """The host key that the node sent in the last check, as `type base64`; "" if it sent none."""
    known_host: KnownHost | None = None
    """The host keys of the node that acp-tui accepts; None if the node has none."""
    test_spec: NodeTestSpec | None = None
    """The connectivity tests that the node has run."""
    last_contact: float = 0.0
    """Monotonic time of the last contact in seconds. 0 until the first check ends."""
    retries: int = 0
    """Number of automatic retries after the connection to the node was lost."""
    notice: str = ""
    """A notice for the operator: the node has rebooted, or the time of the next retry."""

    @property
    def confirmed(self) -> bool:
        """True if a password and changes may be sent to the node."""
        return is_confirmed(self.known_host)

    @property
    def asks_for_host_key(self) -> bool:
        """True if the node sent a host key that the operator must confirm before the node can be checked."""
        return self.state is NodeState.HOST_KEY_UNKNOWN and bool(self.host_key)


def with_event(status: NodeStatus, event: NodeEvent, spec: NodeTestSpec, *, first: bool) -> NodeStatus:
    """Return the status after an event of a check. `spec`: the connectivity tests of the check.

    `first`: True if the node has no facts from an earlier check. Complete old facts are better than incomplete new
    facts, so a repeated check changes them only at its end."""
    match event:
        case NodeStage():
            return replace(status, stage=event.stage)
        case FactsUpdated() if first:
            return replace(status, facts=event.facts)
        case LocalFactsDone() if first:
            return replace(status, state=event.state, detail=event.detail, facts=event.facts, test_spec=spec)
        case NodeFinished():
            return replace(
                status,
                state=event.state,
                detail=event.detail,
                facts=event.facts,
                host_key=event.host_key or "",
                test_spec=spec,
            )
    return status


def with_active_facts(facts: Facts, found: Facts, names: Collection[str]) -> Facts:
    """Return `facts` with the results of active tests. `names`: the fields of the facts that active tests fill."""
    new = {name: getattr(found, name) for name in names if getattr(found, name) is not None}
    gaps = {**facts.missing, **{name: why for name, why in found.missing.items() if name in names}}
    return replace(facts, missing=gaps, **new)
