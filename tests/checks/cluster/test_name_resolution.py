"""The check that all nodes resolve the platform domain to the cluster endpoint."""

from dataclasses import replace

import pytest

from acp_tui.checks.verdict import Outcome
from tests.support.factories.plans import CONTROL_PLANES, DOMAIN, VIP, valid_plan
from tests.support.factories.verdicts import FAIL, PASS, UNKNOWN, WARN, cluster, outcomes

ONE, TWO = CONTROL_PLANES[:2]
PLAN = valid_plan()


@pytest.mark.parametrize(
    ("answers", "expected"),
    [
        ((VIP,), {None: PASS}),
        ((), {TWO: FAIL}),
        (None, {TWO: FAIL}),
        (("10.9.9.9",), {TWO: FAIL}),
        ((VIP, "10.9.9.9"), {TWO: FAIL}),
        ((VIP, "2001:db8::1"), {None: PASS}),  # the other nodes have no IPv6
    ],
)
def test_domain_resolved_differently_on_one_node_fails(
    answers: tuple[str, ...] | None, expected: dict[str | None, Outcome]
) -> None:
    facts = cluster(PLAN)
    facts[TWO] = replace(facts[TWO], names={DOMAIN: answers})
    assert outcomes("NETRES-DOMAIN", facts) == expected


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        ("127.0.1.1", FAIL),
        (ONE, FAIL),
        (f"{VIP} {ONE}", FAIL),
        ("203.0.113.9", WARN),
        (f"{VIP} 203.0.113.9", WARN),
        (VIP, PASS),
        (f"{VIP} 2001:db8::1", PASS),
        ("2001:db8::1", FAIL),
        ("198.51.100.7", PASS),
    ],
)
def test_domain_must_resolve_to_the_endpoint(address: str, expected: Outcome) -> None:
    """The plan contains 198.51.100.7 as a further address."""
    plan = valid_plan(address={"cluster_endpoint": VIP, "platform": DOMAIN, "others": ["198.51.100.7"]})
    facts = {a: replace(f, names={DOMAIN: tuple(address.split())}) for a, f in cluster(plan).items()}
    results = outcomes("NETRES-DOMAIN", facts, plan)
    assert set(results.values()) == {expected}
    assert expected is FAIL or set(results) == {None}


def test_the_domain_of_the_endpoint_fails_if_it_resolves_to_a_node_as_the_address_of_the_node_does() -> None:
    plan = valid_plan(address={"cluster_endpoint": DOMAIN})
    facts = {a: replace(f, names={DOMAIN: (ONE,)}) for a, f in cluster(plan).items()}
    for rule in ("XR-ENDPOINT-NODE", "NETRES-DOMAIN"):
        assert set(outcomes(rule, facts, plan).values()) == {FAIL}
    facts = {a: replace(f, names={DOMAIN: ("203.0.113.9",)}) for a, f in cluster(plan).items()}
    assert set(outcomes("XR-ENDPOINT-NODE", facts, plan).values()) == {PASS}


def test_another_name_that_resolves_to_a_node_is_a_warning() -> None:
    plan = valid_plan(address={"cluster_endpoint": VIP, "platform": VIP, "others": [DOMAIN]})
    facts = {a: replace(f, names={DOMAIN: (ONE,)}) for a, f in cluster(plan).items()}
    assert set(outcomes("NETRES-DOMAIN", facts, plan).values()) == {WARN}


def test_any_address_passes_if_the_endpoint_is_a_domain() -> None:
    plan = valid_plan(address={"cluster_endpoint": DOMAIN})
    facts = {a: replace(f, names={DOMAIN: ("203.0.113.9",)}) for a, f in cluster(plan).items()}
    assert outcomes("NETRES-DOMAIN", facts, plan) == {None: PASS}


@pytest.mark.parametrize(
    ("on_two", "on_all", "expected"),
    [
        ((), False, {TWO: WARN}),
        (None, False, {TWO: WARN}),
        ((VIP,), False, {None: PASS}),
        (("10.9.9.9",), False, {TWO: WARN}),
        ((), True, {None: PASS}),
        (None, True, {None: PASS}),
    ],
)
def test_domain_resolved_by_etc_hosts_only_on_one_node_is_a_warning(
    on_two: tuple[str, ...] | None, on_all: bool, expected: dict[str | None, Outcome]
) -> None:
    facts = {
        a: replace(f, names_by_servers={DOMAIN: on_two} if on_all or a == TWO else {}) for a, f in cluster(PLAN).items()
    }
    assert outcomes("NETRES-DOMAIN", facts) == expected


def test_name_that_was_not_resolved_yet_is_unknown() -> None:
    facts = {a: replace(f, names={}) for a, f in cluster(PLAN).items()}
    assert set(outcomes("NETRES-DOMAIN", facts).values()) == {UNKNOWN}
