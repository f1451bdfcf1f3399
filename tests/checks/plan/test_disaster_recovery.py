"""Plan rules of disaster recovery: shared values are equal, each cluster's own values differ, no secret is shown.

An unknown value of the primary never passes.
"""

from dataclasses import replace
from datetime import UTC, datetime

import pytest
from pydantic import JsonValue

from acp_tui.checks.certificates.model import CertificateFacts
from acp_tui.checks.local_files import LocalFiles, PrimaryCluster
from acp_tui.checks.plan.evaluate import evaluate_plan
from acp_tui.checks.verdict import Outcome, Verdict
from acp_tui.plan.model import Plan
from acp_tui.plan.paths import answer_at
from tests.support.factories.plans import DOMAIN, VIP, node, nodes, valid_plan

FAIL, WARN, PASS = Outcome.FAIL, Outcome.WARN, Outcome.PASS
MANUAL, UNKNOWN = Outcome.MANUAL, Outcome.UNKNOWN
Changes = dict[str, JsonValue]
Found = set[tuple[str, Outcome]]

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


def the_primary(**changes: JsonValue) -> Plan:
    recovery: Changes = {"disaster_recovery": {"role": "primary"}, "address": {"http_port": 80, "others": [VIP]}}
    return valid_plan(**{**SHARED, **recovery, **changes})


def the_standby(**changes: JsonValue) -> Plan:
    own: Changes = {
        "disaster_recovery": {"role": "standby", "primary": "/p/plan.yaml"},
        "address": {"cluster_endpoint": OTHER_VIP, "platform": DOMAIN, "http_port": 80, "others": [OTHER_VIP]},
        "nodes": [node(f"10.30.0.{n}") for n in (11, 12, 13)],
    }
    return valid_plan(**{**SHARED, **own, **changes})


def address(**changes: JsonValue) -> Changes:
    own: Changes = {"cluster_endpoint": OTHER_VIP, "platform": DOMAIN, "http_port": 80, "others": [OTHER_VIP]}
    return {"address": {**own, **changes}}


def registry(**changes: JsonValue) -> Changes:
    return {"registry": {"address": DOMAIN, "username": "u", "password": "r3gistry-pass", **changes}}


def reported(plan: Plan, primary: PrimaryCluster | None, pair: CertificateFacts | None = PAIR) -> tuple[Verdict, ...]:
    """What the rules of disaster recovery say, but for what is met; it leads to answers and shows no secret."""
    found = tuple(
        v for v in evaluate_plan(plan, LocalFiles(pair, primary)) if v.requirement in RULES and v.outcome is not PASS
    )
    for verdict in found:
        assert verdict.observed
        assert not any(secret in f"{verdict.observed}{verdict.remedy}" for secret in SECRETS)
        for path in verdict.paths:
            answer_at(plan, path)
    return found


def outcomes(plan: Plan, primary: PrimaryCluster | None, pair: CertificateFacts | None = PAIR) -> Found:
    return {(v.requirement, v.outcome) for v in reported(plan, primary, pair)}


def known(plan: Plan, certificate: CertificateFacts | None = THEIRS, closed: str = "") -> PrimaryCluster:
    return PrimaryCluster("/p/plan.yaml", plan, secrets_error=closed, certificate=certificate)


def test_a_standby_like_its_primary_passes() -> None:
    assert outcomes(the_standby(), known(the_primary())) == set()


def test_a_primary_is_held_against_nothing() -> None:
    assert outcomes(the_primary(), None) == set()


def test_no_recovery_is_not_asked_for_a_primary() -> None:
    found = {v.requirement: v.outcome for v in evaluate_plan(valid_plan())}
    assert {found[rule] for rule in RULES} == {Outcome.NOT_APPLICABLE}


STANDBYS: list[tuple[Changes, Found, str]] = [
    (address(platform="acp2.example.com"), {("XR-DOMAIN-DR", FAIL), ("XR-REG-DR", FAIL)}, "address.platform"),
    (address(cluster_endpoint=VIP, others=[VIP]), {("XR-DOMAIN-DR", FAIL)}, "address.cluster_endpoint"),
    (address(others=[VIP]), {("XR-DR-OTHERADDR", FAIL)}, "address.others"),
    (address(https_port=8443), {("XR-DR-PORTS", FAIL)}, "address.https_port"),
    (registry(username="v"), {("XR-REG-DR", FAIL)}, "registry.username"),
    (registry(password="r3gistry-other"), {("XR-REG-DR", FAIL)}, "registry.password"),
    (registry(mode="external", address="r.example.com:5000"), {("XR-REG-DR", FAIL)}, "registry.mode"),
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


@pytest.mark.parametrize(("changes", "found", "path"), STANDBYS)
def test_each_difference_is_reported_by_its_rule(changes: Changes, found: Found, path: str) -> None:
    plan, primary = the_standby(**changes), known(the_primary())
    assert outcomes(plan, primary) == found
    assert not path or any(path in verdict.paths for verdict in reported(plan, primary))


PRIMARIES: list[tuple[Changes, Found]] = [
    ({"address": {"http_port": 80, "https_port": 8443, "others": [VIP]}}, {("XR-DR-PORTS", FAIL)}),
    ({"certificate": {"mode": "self-signed"}}, {("XR-CERT-DR", FAIL)}),
    ({"disaster_recovery": {"role": "none"}}, {("CAP-DR-FIRST", WARN)}),
    ({"disaster_recovery": {"role": "standby"}}, {("CAP-DR-FIRST", WARN)}),
    ({"admin": {"password": None}}, {("CAP-DR-FIRST", UNKNOWN)}),
    (registry(password=None), {("XR-REG-DR", UNKNOWN)}),
    (registry(username=None, password=None), {("XR-REG-DR", FAIL), ("XR-REG-DR", UNKNOWN)}),
    ({"nodes": [*nodes(2, 0), node("10.20.0.13", ipv6="2001:db8::1")]}, set()),
]


@pytest.mark.parametrize(("changes", "found"), PRIMARIES)
def test_errors_of_the_primary_are_reported(changes: Changes, found: Found) -> None:
    assert outcomes(the_standby(), known(the_primary(**changes))) == found


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
    (PAIR, PAIR, MANUAL),  # one path, and perhaps two machines
]


@pytest.mark.parametrize(("own", "theirs", "outcome"), PAIRS)
def test_the_pair_is_the_same_by_its_sums(
    own: CertificateFacts | None, theirs: CertificateFacts | None, outcome: Outcome | None
) -> None:
    found = outcomes(the_standby(), known(the_primary(), theirs), own)
    assert found == ({("XR-CERT-DR", outcome)} if outcome else set())


def test_closed_secrets_are_unknown_and_say_why() -> None:
    primary = known(the_primary(), None, "the secrets of /p are encrypted")
    found = reported(the_standby(), primary)
    assert {(v.requirement, v.outcome) for v in found} == {
        ("CAP-DR-FIRST", UNKNOWN),
        ("XR-CERT-DR", UNKNOWN),
        ("XR-REG-DR", UNKNOWN),
    }
    assert all("encrypted" in verdict.observed for verdict in found)


def test_a_primary_that_cannot_be_read_blocks() -> None:
    found = reported(the_standby(), PrimaryCluster("/p/plan.yaml", error="/p/plan.yaml: No such file or directory"))
    assert {(v.requirement, v.outcome) for v in found} == {("CAP-DR-FIRST", FAIL), ("XR-CERT-DR", UNKNOWN)}
    first = found[0]
    assert (first.observed, first.blocks) == ("/p/plan.yaml: No such file or directory", True)
    assert first.paths == ("disaster_recovery.primary",)


def test_a_primary_that_nobody_named_is_a_question() -> None:
    plan = the_standby(disaster_recovery={"role": "standby"})
    assert outcomes(plan, None) == {("CAP-DR-FIRST", MANUAL), ("XR-CERT-DR", MANUAL)}


def test_a_primary_that_nobody_read_is_unknown() -> None:
    assert outcomes(the_standby(), None) == {("CAP-DR-FIRST", UNKNOWN), ("XR-CERT-DR", UNKNOWN)}
