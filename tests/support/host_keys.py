"""Host keys of simulated nodes. They are valid OpenSSH public keys, and each address always has the same one."""

import hashlib
from base64 import b64encode

from acp_tui.nodes.state import NodeState
from acp_tui.plan.known_hosts import fingerprint
from screens.session.node_status import NodeStatus


def host_key(address: str, version: int = 1) -> str:
    """Return the host key of a node as `type base64`. `version`: another number is another key of the same node."""
    name = b"ssh-ed25519"
    public = hashlib.sha256(f"{address} {version}".encode()).digest()
    blob = len(name).to_bytes(4, "big") + name + len(public).to_bytes(4, "big") + public
    return f"ssh-ed25519 {b64encode(blob).decode()}"


def not_confirmed(address: str) -> NodeStatus:
    """Return the status of a node whose new host key the operator has not confirmed."""
    key = host_key(address)
    detail = f"the host key {fingerprint(key)} is neither known nor confirmed, so nothing was sent to the node"
    return NodeStatus(NodeState.HOST_KEY_UNKNOWN, detail=detail, host_key=key, last_contact=1.0)
