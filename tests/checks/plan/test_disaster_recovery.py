"""Plan rules of disaster recovery: shared values are equal, each cluster's own values differ, no secret is shown.

An unknown value of the primary never passes.
"""

from dataclasses import replace
from datetime import UTC, datetime

import pytest
from pydantic import JsonValue

from acp_tui.checks.certificate_facts import CertificateFacts
from acp_tui.checks.local_file_facts import LocalFiles, PrimaryCluster
from acp_tui.checks.plan.evaluate_plan import evaluate_plan
from acp_tui.checks.verdict import Outcome, Verdict
from acp_tui.plan.model import Plan
from acp_tui.plan.paths import answer_at
from tests.support.factories.plans import DOMAIN, VIP, node, nodes, valid_plan

FAIL, WARN, PASS = Outcome.FAIL, Outcome.WARN, Outcome.PASS
MANUAL, UNKNOWN = Outcome.MANUAL, Outcome.UNKNOWN
Changes = dict[str, JsonValue]
RuleOutcomes = set[tuple[str, Outcome]]

OTHER_VIP = "10.30.0.10"
SECRETS = ("Correct-Horse-7", "Correct-Horse-8", "r3gistry-pass", "r3gistry-other")
RULES = ("CAP-DR-FIRST", "XR-DOMAIN-DR", "XR-DR-PORTS", "XR-DR-OTHERADDR", "XR-CERT-DR", "XR-REG-DR")
PAIR = CertificateFacts("tls.crt", "tls.key", datetime(2026, 3, 1, tzinfo=UTC), sums=("a1" * 32, "b2" * 32),
                        key_sum="c3" * 32)  # fmt: skip
THEIRS = replace(PAIR, cert_file="/p/tls.crt", key_file="/p/tls.key")
SHARED: Changes = {
    "package": {"core": "/root/installer-core-v4.0.3-x86.tar"},
    "certificate": {"mode": "existing", "cert_file": "tls.crt", "key_file": "tls.key"},
    "registry": {"address": DOMAIN, "username": "u", "password": "r3gistry-pass"},
}


def primary_plan(**changes: JsonValue) -> Plan:
    recovery: Changes = {"disaster_recovery": {"role": "primary"}, "address": {"http_port": 80, "others": [VIP]}}
    return valid_plan(**{**SHARED, **recovery, **changes})


def standby_plan(**changes: JsonValue) -> Plan:
    own: Changes = {
        "disaster_recovery": {"role": "standby", "primary": "/p/plan.yaml"},
        "address": {"cluster_endpoint": OTHER_VIP, "platform": DOMAIN, "http_port": 80, "others": [OTHER_VIP]},
        "nodes": [node(f"10.30.0.{n}") for n in (11, 12, 13)],
    }
    return valid_plan(**{**SHARED, **own, **changes})


def standby_address(**changes: JsonValue) -> Changes:
    own: Changes = {"cluster_endpoint": OTHER_VIP, "platform": DOMAIN, "http_port": 80, "others": [OTHER_VIP]}
    return {"address": {**own, **changes}}


def standby_registry(**changes: JsonValue) -> Changes:
    return {"registry": {"address": DOMAIN, "username": "u", "password": "r3gistry-pass", **changes}}


def findings(plan: Plan, primary: PrimaryCluster | None, pair: CertificateFacts | None = PAIR) -> tuple[Verdict, ...]:
    """Return the findings of disaster recovery. Their paths must exist, and their texts must not show a secret."""
    verdicts = tuple(
        v for v in evaluate_plan(plan, LocalFiles(pair, primary)) if v.requirement in RULES and v.outcome is not PASS
    )
    for verdict in verdicts:
        assert verdict.observed
        assert not any(secret in f"{verdict.observed}{verdict.remedy}" for secret in SECRETS)
        for path in verdict.paths:
            answer_at(plan, path)
    return verdicts


def outcomes(plan: Plan, primary: PrimaryCluster | None, pair: CertificateFacts | None = PAIR) -> RuleOutcomes:
    return {(v.requirement, v.outcome) for v in findings(plan, primary, pair)}


def primary_cluster(plan: Plan, certificate: CertificateFacts | None = THEIRS, error: str = "") -> PrimaryCluster:
    return PrimaryCluster("/p/plan.yaml", plan, secrets_error=error, certificate=certificate)


def test_standby_that_matches_its_primary_passes() -> None:
    assert outcomes(standby_plan(), primary_cluster(primary_plan())) == set()


def test_primary_is_not_compared() -> None:
    assert outcomes(primary_plan(), None) == set()


def test_rules_do_not_apply_without_disaster_recovery() -> None:
    results = {v.requirement: v.outcome for v in evaluate_plan(valid_plan())}
    assert {results[rule] for rule in RULES} == {Outcome.NOT_APPLICABLE}


STANDBYS: list[tuple[Changes, RuleOutcomes, str]] = [
    (standby_address(platform="acp2.example.com"), {("XR-DOMAIN-DR", FAIL), ("XR-REG-DR", FAIL)}, "address.platform"),
    (standby_address(cluster_endpoint=VIP, others=[VIP]), {("XR-DOMAIN-DR", FAIL)}, "address.cluster_endpoint"),
    (standby_address(others=[VIP]), {("XR-DR-OTHERADDR", FAIL)}, "address.others"),
    (standby_address(https_port=8443), {("XR-DR-PORTS", FAIL)}, "address.https_port"),
    (standby_registry(username="v"), {("XR-REG-DR", FAIL)}, "registry.username"),
    (standby_registry(password="r3gistry-other"), {("XR-REG-DR", FAIL)}, "registry.password"),
    (standby_registry(mode="external", address="r.example.com:5000"), {("XR-REG-DR", FAIL)}, "registry.mode"),
    ({"admin": {"username": "root"}}, {("CAP-DR-FIRST", FAIL)}, "admin.username"),
    ({"admin": {"password": "Correct-Horse-8"}}, {("CAP-DR-FIRST", FAIL)}, "admin.password"),
    ({"nodes": [node("10.30.0.11"), node("10.20.0.21"), node("10.30.0.13")]}, {("CAP-DR-FIRST", FAIL)},
     "nodes[1].address"),
    ({"package": {"core": "/root/installer-core-v4.0.4-x86.tar"}}, {("CAP-DR-FIRST", WARN)}, "package.core"),
    ({"kubernetes": {"version": "1.31.6"}}, {("CAP-DR-FIRST", WARN)}, "kubernetes.version"),
    ({"network": {"cni": "calico"}}, {("CAP-DR-FIRST", WARN)}, "network.cni"),
    ({"components": {"products": ["acp", "base", "devops"]}}, {("CAP-DR-FIRST", WARN)}, "components.products"),
    ({"components": {"products": ["acp", "base"]}}, set(), ""),
    ({"package": {"core": "/mnt/installer-core-v4.0.3-arm.tar"}}, set(), ""),
    ({"network": {"cluster_cidr": {"ipv4": "10.9.0.0/16"}}}, set(), ""),
    ({"nodes": [node("10.30.0.11", ssh={"port": 2222})]}, set(), ""),
]  # fmt: skip


@pytest.mark.parametrize(("changes", "expected", "path"), STANDBYS)
def test_each_difference_is_reported_by_its_rule(changes: Changes, expected: RuleOutcomes, path: str) -> None:
    plan, primary = standby_plan(**changes), primary_cluster(primary_plan())
    assert outcomes(plan, primary) == expected
    assert not path or any(path in verdict.paths for verdict in findings(plan, primary))


PRIMARIES: list[tuple[Changes, RuleOutcomes]] = [
    ({"address": {"http_port": 80, "https_port": 8443, "others": [VIP]}}, {("XR-DR-PORTS", FAIL)}),
    ({"certificate": {"mode": "self-signed"}}, {("XR-CERT-DR", FAIL)}),
    ({"disaster_recovery": {"role": "none"}}, {("CAP-DR-FIRST", WARN)}),
    ({"disaster_recovery": {"role": "standby"}}, {("CAP-DR-FIRST", WARN)}),
    ({"admin": {"password": None}}, {("CAP-DR-FIRST", UNKNOWN)}),
    (standby_registry(password=None), {("XR-REG-DR", UNKNOWN)}),
    (standby_registry(username=None, password=None), {("XR-REG-DR", FAIL), ("XR-REG-DR", UNKNOWN)}),
    ({"nodes": [*nodes(2, 0), node("10.20.0.13", ipv6="2001:db8::1")]}, set()),
]


@pytest.mark.parametrize(("changes", "expected"), PRIMARIES)
def test_errors_of_the_primary_are_reported(changes: Changes, expected: RuleOutcomes) -> None:
    assert outcomes(standby_plan(), primary_cluster(primary_plan(**changes))) == expected


PAIRS: list[tuple[CertificateFacts | None, CertificateFacts | None, Outcome | None]] = [
    (PAIR, THEIRS, None),
    (PAIR, replace(THEIRS, sums=("a1" * 32,)), FAIL),
    (PAIR, replace(THEIRS, sums=("d4" * 32, "b2" * 32)), FAIL),
    (PAIR, replace(THEIRS, key_sum="d4" * 32), FAIL),
    (PAIR, replace(THEIRS, key_sum=""), UNKNOWN),
    (PAIR, replace(THEIRS, sums=(), key_sum="", unreadable=("/p/tls.crt: No such file",)), UNKNOWN),
    (PAIR, None, UNKNOWN),
    (None, THEIRS, UNKNOWN),
    (replace(PAIR, key_sum=""), THEIRS, UNKNOWN),
    (PAIR, PAIR, MANUAL),  # the same path, possibly on two machines
]


@pytest.mark.parametrize(("own", "theirs", "outcome"), PAIRS)
def test_certificates_are_compared_by_checksums(
    own: CertificateFacts | None, theirs: CertificateFacts | None, outcome: Outcome | None
) -> None:
    results = outcomes(standby_plan(), primary_cluster(primary_plan(), theirs), own)
    assert results == ({("XR-CERT-DR", outcome)} if outcome else set())


def test_encrypted_secrets_of_the_primary_are_unknown_with_the_reason() -> None:
    primary = primary_cluster(primary_plan(), None, "the secrets of /p are encrypted")
    results = findings(standby_plan(), primary)
    assert {(v.requirement, v.outcome) for v in results} == {
        ("CAP-DR-FIRST", UNKNOWN),
        ("XR-CERT-DR", UNKNOWN),
        ("XR-REG-DR", UNKNOWN),
    }
    assert all("encrypted" in verdict.observed for verdict in results)


def test_unreadable_primary_plan_blocks() -> None:
    results = findings(standby_plan(), PrimaryCluster("/p/plan.yaml", error="/p/plan.yaml: No such file or directory"))
    assert {(v.requirement, v.outcome) for v in results} == {("CAP-DR-FIRST", FAIL), ("XR-CERT-DR", UNKNOWN)}
    first = results[0]
    assert (first.observed, first.blocks) == ("/p/plan.yaml: No such file or directory", True)
    assert first.paths == ("disaster_recovery.primary",)


def test_missing_path_of_the_primary_plan_is_to_confirm() -> None:
    plan = standby_plan(disaster_recovery={"role": "standby"})
    assert outcomes(plan, None) == {("CAP-DR-FIRST", MANUAL), ("XR-CERT-DR", MANUAL)}


def test_primary_plan_that_was_not_read_is_unknown() -> None:
    assert outcomes(standby_plan(), None) == {("CAP-DR-FIRST", UNKNOWN), ("XR-CERT-DR", UNKNOWN)}
