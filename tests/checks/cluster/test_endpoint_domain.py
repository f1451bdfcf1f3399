"""XR-ENDPOINT-NODE: the cluster endpoint must not be a node, neither as an address nor as a domain."""

from collections.abc import Mapping
from dataclasses import replace

import pytest

from acp_tui.checks.verdict import Outcome
from tests.support.factories.plan_changes import DUAL, Changes
from tests.support.factories.plans import CONTROL_PLANES, VIP, node, valid_plan
from tests.support.factories.verdicts import FAIL, FIRST, NOT_APPLICABLE, PASS, SECOND, UNKNOWN, cluster, outcomes

RULE, NAME = "XR-ENDPOINT-NODE", "api.example.com"
Answer = tuple[str, ...] | None


def outcome(
    endpoint: str, answer: Answer = (VIP,), others: Mapping[str, Answer] | None = None, changes: Changes | None = None
) -> Outcome:
    """Return the outcome if every node gets `answer` for the endpoint, except the nodes in `others`."""
    with_endpoint: Changes = {**(changes or {}), "address": {"cluster_endpoint": endpoint}}
    plan = valid_plan(**with_endpoint)
    facts = {
        address: replace(known, names={**(known.names or {}), NAME: (others or {}).get(address, answer)})
        for address, known in cluster(plan).items()
    }
    found = outcomes(RULE, facts, plan)
    assert found.keys() == {None}
    return found[None]


@pytest.mark.parametrize(
    ("endpoint", "answer", "expected"),
    [
        (FIRST, (VIP,), FAIL),
        (VIP, (VIP,), PASS),
        (NAME, (VIP,), PASS),
        (NAME, (FIRST,), FAIL),
        (NAME, CONTROL_PLANES, FAIL),  # round robin: a third of the connections fail with a node
        (NAME, (VIP, SECOND), FAIL),
        (NAME, ("10.20.0.21",), FAIL),  # a worker
        (NAME, ("198.51.100.7",), PASS),  # an external address: NETRES-DOMAIN asks for it
        (NAME, (), PASS),  # NETRES-DOMAIN fails
        (NAME, None, PASS),  # NETRES-DOMAIN fails
    ],
)
def test_domain_is_judged_as_its_address(endpoint: str, answer: Answer, expected: Outcome) -> None:
    assert outcome(endpoint, answer) is expected


def test_ipv6_address_of_a_node_counts_in_dual_stack() -> None:
    assert outcome(NAME, (VIP, "2001:db8::12"), changes=DUAL) is FAIL
    assert outcome(NAME, (VIP, "2001:db8::99"), changes=DUAL) is PASS


def test_answers_of_most_nodes_count() -> None:
    assert outcome(NAME, (VIP,), {FIRST: (FIRST,)}) is PASS  # NETRES-DOMAIN fails on this node
    assert outcome(NAME, (FIRST,), {FIRST: (VIP,)}) is FAIL


def test_single_node_may_be_the_endpoint() -> None:
    changes: Changes = {"scenario": "single-node", "nodes": [node(FIRST)]}
    assert outcome(NAME, (FIRST,), changes=changes) is NOT_APPLICABLE


def test_domain_is_unknown_without_an_answer_of_a_node() -> None:
    plan = valid_plan(address={"cluster_endpoint": NAME})
    facts = {address: replace(known, names=None) for address, known in cluster(plan).items()}
    assert set(outcomes(RULE, facts, plan).values()) == {UNKNOWN}
    assert set(outcomes(RULE, facts, valid_plan()).values()) == {PASS}


def test_platform_address_of_one_of_several_nodes_is_a_warning() -> None:
    found = {
        address: outcomes("P-PLATFORM", {}, valid_plan(address={"platform": address}))[None] for address in (FIRST, VIP)
    }
    assert found == {FIRST: Outcome.WARN, VIP: PASS}
