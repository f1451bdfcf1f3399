"""Which host keys the operator must confirm, and whether more keys can still arrive."""

import pytest

from acp_tui.nodes.state import NodeState
from acp_tui.plan.known_hosts import KeySource, KnownHost, confirmed
from acp_tui.plan.model import Plan
from acp_tui.plan.sections.node import Node
from screens.session.host_keys import keys_awaited, keys_to_confirm
from screens.session.node_status import NodeStatus
from tests.support.host_keys import host_key, not_confirmed

NODE = "192.0.2.1"
SEEN = KnownHost((host_key(NODE),), KeySource.SEEN)
STATUSES = {
    "new": not_confirmed(NODE),
    "no key was sent": NodeStatus(NodeState.HOST_KEY_UNKNOWN, last_contact=1.0),
    "seen": NodeStatus(NodeState.CHECKED, known_host=SEEN, last_contact=1.0),
    "seen, then changed": NodeStatus(NodeState.HOST_KEY_CHANGED, known_host=SEEN, host_key="x y", last_contact=1.0),
    "confirmed": NodeStatus(NodeState.CHECKED, known_host=confirmed(host_key(NODE)), last_contact=1.0),
    "first check": NodeStatus(NodeState.CHECKING),
    "local facts complete": NodeStatus(NodeState.CHECKED),
    "confirmed, checking": NodeStatus(NodeState.CHECKING, known_host=confirmed(host_key(NODE))),
    "unreachable": NodeStatus(NodeState.UNREACHABLE, last_contact=1.0),
}


@pytest.mark.parametrize(
    ("name", "to_read", "to_change", "awaited"),
    [
        ("new", True, True, False),
        ("no key was sent", False, False, False),
        ("seen", False, True, False),
        ("seen, then changed", False, False, False),
        ("confirmed", False, False, False),
        ("first check", False, False, True),
        ("local facts complete", False, False, True),
        ("confirmed, checking", False, False, False),
        ("unreachable", False, False, False),
    ],
)
def test_keys_to_confirm(name: str, to_read: bool, to_change: bool, awaited: bool) -> None:
    plan, statuses = Plan(nodes=(Node(address=NODE),)), {NODE: STATUSES[name]}
    assert keys_to_confirm(plan, statuses, changes=False) == ({NODE: host_key(NODE)} if to_read else {})
    assert keys_to_confirm(plan, statuses, changes=True) == ({NODE: host_key(NODE)} if to_change else {})
    assert keys_awaited(plan, statuses) is awaited
