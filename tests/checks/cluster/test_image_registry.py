"""The checks of an external image registry: its answer, its certificate and the login from each node."""

from dataclasses import replace

import pytest
from pydantic import JsonValue

from acp_tui.checks.topology import external_registry
from acp_tui.checks.verdict import Outcome
from acp_tui.nodes.fact_types import Login, RegistryAnswer, TcpResult, Trust
from acp_tui.nodes.facts import Facts
from acp_tui.plan.model import Plan
from tests.support.factories.plans import CONTROL_PLANES, valid_plan
from tests.support.factories.verdicts import FAIL, MANUAL, PASS, UNKNOWN, WARN, cluster, of_rule, outcomes, with_paths

TWO = CONTROL_PLANES[1]
PLAN = valid_plan()
REGISTRY: dict[str, JsonValue] = {"mode": "external", "address": "registry.example.com:5000"}


def with_registry(
    plan: Plan, answer: RegistryAnswer | None, result: TcpResult = TcpResult.CONNECTED
) -> dict[str, Facts]:
    return {
        address: with_paths(
            replace(facts, registry_answer=answer), lambda p: p._replace(result=result) if p.port == 5000 else p
        )
        for address, facts in cluster(plan).items()
    }


@pytest.mark.parametrize(
    ("result", "answer", "expected"),
    [
        (TcpResult.CONNECTED, RegistryAnswer(401), MANUAL),
        (TcpResult.CONNECTED, None, UNKNOWN),
        (TcpResult.CONNECTED, RegistryAnswer(404, "", Trust.PLAIN), WARN),
        (TcpResult.CONNECTED, RegistryAnswer(None, "error 52"), WARN),
        (TcpResult.CONNECTED, RegistryAnswer(401, "", Trust.SELF_SIGNED), WARN),
        (TcpResult.CONNECTED, RegistryAnswer(200, "", Trust.EXPIRED), WARN),
        (TcpResult.CONNECTED, RegistryAnswer(401, "", Trust.PLAIN), WARN),
        (TcpResult.REFUSED, RegistryAnswer(None, "error 7"), FAIL),
        (TcpResult.TIMEOUT, None, FAIL),
    ],
)
def test_external_registry_must_answer_with_a_trusted_certificate(
    result: TcpResult, answer: RegistryAnswer | None, expected: Outcome
) -> None:
    plan = valid_plan(registry=REGISTRY)
    results = outcomes("XR-REG-EXT", with_registry(plan, answer, result), plan)
    assert set(results.values()) == {expected, MANUAL}  # the manual check remains


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        (RegistryAnswer(401, login=Login.ACCEPTED), {None: PASS}),
        (RegistryAnswer(200, login=Login.OPEN), {None: PASS}),
        (RegistryAnswer(401, login=Login.REFUSED, login_detail="401"), {None: FAIL}),
        (RegistryAnswer(401, "", Trust.SELF_SIGNED, Login.UNSENT), dict.fromkeys(cluster(PLAN), UNKNOWN)),
        (RegistryAnswer(401, login=Login.FAILED, login_detail="HTTP 500"), dict.fromkeys(cluster(PLAN), UNKNOWN)),
        (RegistryAnswer(401), dict.fromkeys(cluster(PLAN), UNKNOWN)),
        (RegistryAnswer(None, "no route"), dict.fromkeys(cluster(PLAN), UNKNOWN)),
        (None, dict.fromkeys(cluster(PLAN), UNKNOWN)),
    ],
)
def test_login_of_an_external_registry_is_checked(
    answer: RegistryAnswer | None, expected: dict[str | None, Outcome]
) -> None:
    plan = valid_plan(registry={**REGISTRY, "username": "u", "password": "p"})
    assert outcomes("XR-REG-AUTH", with_registry(plan, answer), plan) == expected
    without = valid_plan(registry=REGISTRY)
    assert outcomes("XR-REG-AUTH", with_registry(without, answer), without) == {None: PASS}


@pytest.mark.parametrize(
    ("status", "reason"),
    [(404, "is not an image registry"), (301, "a redirect"), (429, "not available"), (503, "not available")],
)
def test_unexpected_status_of_the_registry_is_reported(status: int, reason: str) -> None:
    plan = valid_plan(registry={**REGISTRY, "username": "u", "password": "p"})
    answer = RegistryAnswer(status, login=Login.FAILED, login_detail="unsupported login method")
    for rule in ("XR-REG-EXT", "XR-REG-AUTH"):
        observed = [v.observed for v in of_rule(rule, with_registry(plan, answer), plan) if v.node == TWO]
        assert [f"returned {status}" in text and reason in text for text in observed] == [True], rule


def test_login_rejected_on_one_node_fails_there() -> None:
    plan = valid_plan(registry={**REGISTRY, "username": "u", "password": "p"})
    facts = with_registry(plan, RegistryAnswer(401, login=Login.ACCEPTED))
    facts[TWO] = replace(facts[TWO], registry_answer=RegistryAnswer(401, login=Login.REFUSED, login_detail="403"))
    (verdict,) = of_rule("XR-REG-AUTH", facts, plan)
    assert (verdict.node, verdict.outcome) == (TWO, FAIL)
    assert "HTTP 403" in verdict.observed


@pytest.mark.parametrize(
    ("address", "target"),
    [
        ("registry.example.com", ("registry.example.com", 443)),
        ("registry.example.com:5000", ("registry.example.com", 5000)),
        ("203.0.113.9:5000", ("203.0.113.9", 5000)),
        ("[2001:db8::5]:5000", ("2001:db8::5", 5000)),
        ("2001:db8::5", ("2001:db8::5", 443)),
    ],
)
def test_host_and_port_of_an_external_registry(address: str, target: tuple[str, int]) -> None:
    assert external_registry(valid_plan(registry={"mode": "external", "address": address})) == target
