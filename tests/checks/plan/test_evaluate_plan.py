"""Evaluation of the plan alone: which rules apply, that each has a verdict, and that no secret is shown."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from acp_tui.checks.catalog import catalogue
from acp_tui.checks.function_tables import PLAN_CHECKS
from acp_tui.plan.release import RELEASES
from tests.support.factories.plan_changes import RECOVERY, SINGLE, Changes
from tests.support.factories.plan_verdicts import verdicts_of
from tests.support.factories.plans import node
from tests.support.factories.verdicts import NOT_APPLICABLE, PASS, WARN


@pytest.mark.parametrize(
    ("changes", "rules"),
    [
        ({}, {"XR-DUAL-NODES", "XR-DUAL-COUNT", "XR-SELFVIP-VRID", "XR-SELFVIP-DOMAIN", "XR-DOMAIN-DR", "XR-REG-DR"}),
        ({}, {"XR-DR-PORTS", "XR-DR-OTHERADDR", "XR-CERT-DR", "XR-CERT-VALID", "XR-REG-EXT", "XR-HTTPS-LB"}),
        (SINGLE, {"XR-ENDPOINT-NODE"}),
        ({"network": {"cni": "calico"}}, {"XR-CIDR-HOST"}),
        ({**RECOVERY, "registry": {"mode": "external", "address": "r.example.com"}}, {"XR-REG-DR"}),
        (RECOVERY, {"XR-HTTP-ADVICE"}),
        ({"address": {"https_port": 8443, "self_built_vip": True}}, {"XR-HTTPS-LB"}),
    ],
)
def test_rule_does_not_apply_without_its_condition(changes: Changes, rules: set[str]) -> None:
    results = {v.requirement: v.outcome for v in verdicts_of(changes)}
    assert {rule: results[rule] for rule in rules} == dict.fromkeys(rules, NOT_APPLICABLE)


def test_every_rule_has_a_verdict_and_every_function_a_row() -> None:
    rows = [r for r in catalogue("4.0").values() if r.scope == "plan" and r.check.kind == "function"]
    assert {v.requirement for v in verdicts_of({})} == {r.id for r in rows}
    assert {r.check.name for r in rows if r.check.kind == "function"} == set(PLAN_CHECKS)


def test_reserved_range_depends_on_the_release() -> None:
    changes: Changes = {"network": {"cluster_cidr": {"ipv4": "172.20.0.0/16"}}}
    results = {
        release: [v.outcome for v in verdicts_of({"release": release, **changes}) if v.requirement == "XR-CIDR-172"]
        for release in RELEASES
    }
    assert results == {release: [WARN if release < "4.2" else PASS] for release in RELEASES}


def test_verdicts_contain_no_secret() -> None:
    changes: Changes = {
        "admin": {"password": "canary-1"},
        "ssh": {"password": "canary-2", "key_file": "k", "key_passphrase": "canary-3"},
        "registry": {"password": "canary-4"},
    }
    assert "canary" not in repr(verdicts_of(changes))


@given(
    st.lists(st.sampled_from(["10.20.0.11", "10.20.0.12", "2001:db8::1", "127.0.0.1"]), max_size=7),
    st.sampled_from(["ipv4", "ipv6", "dual"]),
    st.sampled_from(["", "10.20.0.11", "a.example.com"]),
    st.sampled_from(["none", "primary", "standby"]),
    st.booleans(),
)
def test_incomplete_plan_is_evaluated_without_a_crash(
    addresses: list[str], family: str, endpoint: str, role: str, isolated: bool
) -> None:
    changes: Changes = {
        "nodes": [node(address, "worker" if n % 3 else "control-plane") for n, address in enumerate(addresses)],
        "network": {"ip_family": family},
        "address": {"cluster_endpoint": endpoint, "platform": None},
        "disaster_recovery": {"role": role},
        "isolation": isolated,
        "admin": {"password": None},
        "ssh": {"password": None},
    }
    assert verdicts_of(changes, None)
