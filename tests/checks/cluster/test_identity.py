"""Clones and duplicate nodes fail at the nodes concerned; similar but separate machines pass."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest

from acp_tui.checks.verdict import Outcome, Verdict
from acp_tui.nodes.fact_types import Interface
from tests.support.factories.plans import valid_plan
from tests.support.factories.verdicts import FAIL, FIRST, SECOND, WARN, cluster, findings, verdicts

UUID = "564d4c8a-7a3b-11d2-9c0e-0a1b2c3d4e5f"


def verdicts_on_two_nodes(one: Mapping[str, object], two: Mapping[str, object]) -> list[Verdict]:
    """Return the verdicts on two nodes with these facts changed; no other verdict may be against a node."""
    plan = valid_plan()
    facts = cluster(plan)
    for node, changes in ((FIRST, one), (SECOND, two)):
        fields: Any = dict(changes)
        facts[node] = replace(facts[node], **fields)
    all_verdicts = verdicts(plan, facts)
    assert {rule for rule, _node, _outcome in findings(all_verdicts)} <= {"XR-NODE-UNIQUE"}
    return [v for v in all_verdicts if v.requirement == "XR-NODE-UNIQUE" and v.outcome is not Outcome.PASS]


@pytest.mark.parametrize(
    ("common", "outcome", "identifier"),
    [
        ({"machine_id": "a" * 32}, FAIL, "machine-id aaaa"),
        ({"product_uuid": UUID}, FAIL, f"product UUID {UUID}"),
        ({"macs": ("52:54:00:01:02:03", "52:54:00:01:02:04")}, FAIL, "MAC 52:54:00:01:02:03, 52:54:00:01:02:04"),
        ({"host_key": "SHA256:abc"}, WARN, "SSH host key SHA256:abc"),
        ({"machine_id": "a" * 32, "host_key": "SHA256:abc"}, FAIL, "SSH host key SHA256:abc"),
    ],
)
def test_clone_is_reported_with_the_other_node(common: Mapping[str, object], outcome: Outcome, identifier: str) -> None:
    results = verdicts_on_two_nodes(common, common)
    assert [(v.node, v.outcome) for v in results] == [(FIRST, outcome), (SECOND, outcome)]
    assert identifier in results[0].observed
    assert f"is also used on {SECOND}" in results[0].observed


def test_fix_is_that_of_the_common_identifier() -> None:
    (one, _two) = verdicts_on_two_nodes({"host_key": "SHA256:abc"}, {"host_key": "SHA256:abc"})
    assert "ssh-keygen -A" in one.remedy
    assert "machine-id" not in one.remedy


@pytest.mark.parametrize(
    "common",
    [
        {"boot_id": "shared by two containers"},
        {"machine_id": "uninitialized"},
        {"machine_id": None},
        {"product_uuid": "03000200-0400-0500-0006-000700080009"},
        {"product_uuid": "FFFFFFFF-FFFF-FFFF-FFFF-FFFFFFFFFFFF"},
        {"product_uuid": "00000000-0000-0000-0000-000000000000"},
        {"product_uuid": "To be filled by O.E.M."},
        {"macs": ("ee:ee:ee:ee:ee:ee",)},
        {"macs": ()},
    ],
    ids=str,
)
def test_common_placeholder_identifiers_are_not_clones(common: Mapping[str, object]) -> None:
    assert verdicts_on_two_nodes(common, common) == []


def test_one_common_mac_address_is_a_warning() -> None:
    usb = "be:af:00:00:00:01"
    results = verdicts_on_two_nodes({"macs": ("52:54:00:00:00:01", usb)}, {"macs": ("52:54:00:00:00:02", usb)})
    assert [(v.node, v.outcome) for v in results] == [(FIRST, WARN), (SECOND, WARN)]
    assert f"MAC {usb} is also used on" in results[0].observed


def test_machine_with_two_entries_fails_at_the_second() -> None:
    plan = valid_plan()
    facts = cluster(plan)
    both = (Interface("eth0", FIRST, 24), Interface("eth1", SECOND, 24))
    facts[FIRST] = replace(facts[FIRST], interfaces=both)
    facts[SECOND] = replace(facts[FIRST], address=SECOND)
    (verdict,) = [v for v in verdicts(plan, facts) if v.requirement == "XR-NODE-UNIQUE"]
    assert (verdict.node, verdict.outcome, verdict.observed) == (
        SECOND,
        FAIL,
        f"this node is the same machine as {FIRST}",
    )


def test_address_of_another_node_fails() -> None:
    (verdict,) = verdicts_on_two_nodes(
        {"interfaces": (Interface("eth0", FIRST, 24), Interface("eth1", SECOND, 24))}, {}
    )
    assert (verdict.node, verdict.outcome) == (FIRST, FAIL)
    assert f"eth1 of this node has the address {SECOND}" in verdict.observed
