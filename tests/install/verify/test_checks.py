"""Checks of an installed cluster: every fault is found, and nothing else is reported."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import JsonValue

from acp_tui.checks.verdict import Outcome, Verdict
from acp_tui.install.api.progress_reply import Says
from acp_tui.install.run.state import CONTAINER
from acp_tui.install.verify.checks import evaluate_cluster
from acp_tui.install.verify.context import VerifyContext
from acp_tui.install.verify.facts import Answer, Condition, Installed, Served
from acp_tui.install.verify.queries import installed_from, read_console, read_left_over, read_pods, read_releases
from acp_tui.install.verify.workload_checks import chart_state
from acp_tui.nodes.script import ABSENT, CUT, NEEDS_ROOT, NOT_FOUND, TIMED_OUT, CollectorOutput
from acp_tui.plan.model import Plan
from tests.support.factories.plans import CONTROL_PLANES, WORKERS, valid_plan
from tests.support.kubectl_tables import PODS, RELEASES, node_rows, table

NODES = (*CONTROL_PLANES, *WORKERS)
NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
SERVED = Served("CN=acp", "AA:BB", True, NOW + timedelta(days=90), ("acp.example.com",), ())
PLATFORM = Answer("https://acp.example.com/", 200, SERVED)
REGISTRY = Answer("https://10.20.0.10:11443/v2/", 401)
Verdicts = set[tuple[str, str | None, str]]


def cluster(
    pods: Sequence[str] = PODS,
    releases: Sequence[str] = RELEASES,
    nodes: Sequence[str] = node_rows(NODES),
    left_over: str = "",
    module: str = "",
    console: str = "closed",
) -> Installed:
    texts = {
        "nodes": table(nodes),
        "pods": table(pods),
        "releases": table(releases),
        "left_over": left_over,
        "console": console,
        "module": f"\t{module}\nend\t1\n",
    }
    return installed_from({name: CollectorOutput(name, 0, text) for name, text in texts.items()}, "not asked")


def evaluate(
    installed: Installed,
    plan: Plan | None = None,
    platform: Answer = PLATFORM,
    registry: Answer | None = REGISTRY,
    *,
    certificate: str | None = None,
    minutes: int | None = 5,
) -> tuple[Verdict, ...]:
    since = NOW - timedelta(minutes=minutes) if minutes is not None else None
    return evaluate_cluster(VerifyContext(plan or valid_plan(), installed, platform, registry, certificate, NOW, since))


def verdicts_of(verdicts: Sequence[Verdict], rule: str) -> list[Verdict]:
    return [verdict for verdict in verdicts if verdict.requirement == rule]


def not_passed(verdicts: Sequence[Verdict]) -> Verdicts:
    return {(v.requirement, v.node, v.outcome.value) for v in verdicts if v.outcome is not Outcome.PASS}


def test_healthy_cluster_passes_all_checks() -> None:
    found = evaluate(cluster())
    assert not_passed(found) == set()
    assert [v.observed for v in verdicts_of(found, "INS-VERIFY-PODS")] == ["4 Pods are ready or completed"]


@pytest.mark.parametrize(
    ("row", "outcome", "text"),
    [
        ("a\tcrash\tn1\tRunning\t\t\t1\t-CrashLoopBackOff \t", Outcome.FAIL, "a/crash: CrashLoopBackOff 0/1"),
        ("a\tpull\tn1\tPending\t\t\t1\t-ImagePullBackOff \t", Outcome.FAIL, "a/pull: ImagePullBackOff 0/1"),
        ("a\tpending\t\tPending\t\t\t1\t\t", Outcome.FAIL, "a/pending: Pending 0/1"),
        ("a\tevicted\tn1\tFailed\tEvicted\t\t1\t\t", Outcome.FAIL, "a/evicted: Evicted 0/1"),
        ("a\terror\tn1\tFailed\t\t\t1\t-Error \t", Outcome.FAIL, "a/error: Error 0/1"),
        ("a\tinit\tn1\tPending\t\t\t1\t-PodInitializing \t-Error ", Outcome.FAIL, "Init:Error 0/1"),
        ("a\tunknown\tn1\tUnknown\t\t\t1\t+ \t", Outcome.FAIL, "a/unknown: Unknown 1/1"),
        ("a\tlost\tn1\tRunning\t\tdeleting\t1\t- \t", Outcome.FAIL, "a/lost: Terminating 0/1"),
        ("a\tleaving\tn1\tRunning\t\tdeleting\t1\t+ \t", Outcome.WARN, "a/leaving: Terminating 1/1"),
        ("a\thalf\tn1\tRunning\t\t\t2\t+ - \t", Outcome.WARN, "a/half: Running 1/2"),
        ("a\tsidecar\tn1\tRunning\t\t\t2\t+ -Completed \t", Outcome.WARN, "a/sidecar: Running 1/2"),
        ("a\tnone\tn1\tRunning\t\t\t1\t\t", Outcome.WARN, "a/none: Running 0/1"),
    ],
)  # fmt: skip
def test_unhealthy_pod_is_reported_with_its_reason(row: str, outcome: Outcome, text: str) -> None:
    found = verdicts_of(evaluate(cluster(pods=(*PODS, row))), "INS-VERIFY-PODS")
    assert [(v.outcome, v.observed) for v in found] == [(outcome, found[0].observed)]
    assert text in found[0].observed
    assert not any(row.split("\t")[1] in found[0].observed for row in PODS)


def test_report_of_many_unhealthy_pods_is_limited() -> None:
    rows = [f"a\tp{number:03}\tn1\tPending\t\t\t1\t\t" for number in range(200)]
    [verdict] = verdicts_of(evaluate(cluster(pods=rows)), "INS-VERIFY-PODS")
    assert verdict.observed.count("\n") == 12
    assert verdict.observed.endswith("and 188 more")


def test_pods_of_a_node_that_is_not_ready_are_unknown() -> None:
    installed = cluster(nodes=node_rows(NODES, not_ready=NODES[1]))
    assert not_passed(evaluate(installed)) == {
        ("INS-VERIFY-43", NODES[1], "warn"),
        ("INS-VERIFY-PODS", NODES[1], "unknown"),
    }


def test_node_missing_from_the_cluster_blocks() -> None:
    found = evaluate(cluster(nodes=node_rows(NODES[:-1])))
    assert not_passed(found) == {("INS-VERIFY-43", NODES[-1], "warn"), ("INS-VERIFY-PODS", NODES[-1], "unknown")}
    assert any(verdict.blocks for verdict in found)


def test_cordoned_node_is_reported() -> None:
    rows = [row.replace("True ", "cordoned True ") if NODES[1] in row else row for row in node_rows(NODES)]
    [warned, passed] = verdicts_of(evaluate(cluster(nodes=rows)), "INS-VERIFY-43")
    assert (warned.outcome, warned.node, passed.outcome) == (Outcome.WARN, NODES[1], Outcome.PASS)
    assert "SchedulingDisabled" in warned.observed


def test_node_is_recognised_by_its_name() -> None:
    rows = [row.replace(f"n{number}\t{NODES[number - 1]} ", f"{NODES[number - 1]}\tother ") for number, row in
            enumerate(node_rows(NODES), 1)]  # fmt: skip
    assert not_passed(evaluate(cluster(nodes=rows))) == set()


@pytest.mark.parametrize(
    ("row", "outcome"),
    [
        ("x\tbad\tFailed \t", Outcome.FAIL),
        ("x\tbad\tInstallFailed \tSync=True/ ", Outcome.FAIL),
        ("x\tbad\tSynced \tHealth=False/InstallFailed ", Outcome.FAIL),
        ("x\tbad\tSyncError \t", Outcome.FAIL),
        ("x\tslow\tSynced \tHealth=False/Progressing ", Outcome.WARN),
        ("x\tslow\tInstalling \t", Outcome.WARN),
        ("x\tfine\tRunning \t", Outcome.PASS),
        ("x\tmute\t\t", Outcome.UNKNOWN),
        ("x\tfine\tSynced \tInstallFailed=False/ ", Outcome.PASS),
    ],
)
def test_state_of_a_chart(row: str, outcome: Outcome) -> None:
    [release] = read_releases(table([row]))
    assert chart_state(release)[0] is outcome
    found = not_passed(evaluate(cluster(releases=(*RELEASES, row))))
    assert found == (set() if outcome is Outcome.PASS else {("INS-VERIFY-CHARTS", None, outcome.value)})


def test_empty_cluster_is_unknown() -> None:
    found = not_passed(evaluate(cluster(pods=(), releases=())))
    assert found == {("INS-VERIFY-PODS", None, "unknown"), ("INS-VERIFY-CHARTS", None, "unknown")}


@pytest.mark.parametrize(
    ("status", "text", "reason"),
    [
        (TIMED_OUT, "", "Check that the Kubernetes API server responds"),
        (NOT_FOUND, "", "the command kubectl was not found"),
        (ABSENT, "", "/etc/kubernetes/admin.conf is missing"),
        (NEEDS_ROOT, "", "requires root"),
        (CUT, "", "exceeds the size limit"),
        (1, "\nerror\tThe connection to the server 10.20.0.10:6443 was refused", "was refused"),
        (0, table(PODS)[:-8], "incomplete"),
        (0, table(PODS).replace("end\t4", "end\t5"), "incomplete"),
        (0, "", "incomplete"),
        (0, table(["a\tb"]), "incomplete"),
    ],
)
def test_missing_fact_is_unknown_with_reason(status: int, text: str, reason: str) -> None:
    readings = {name: CollectorOutput(name, status, text) for name in ("nodes", "pods", "releases", "left_over")}
    found = evaluate(installed_from(readings, "not asked"))
    for rule in ("INS-VERIFY-43", "INS-VERIFY-PODS", "INS-VERIFY-CHARTS"):
        [verdict] = verdicts_of(found, rule)
        assert verdict.outcome is Outcome.UNKNOWN
        assert reason in verdict.observed
    assert any(verdict.blocks for verdict in found)


@pytest.mark.parametrize(
    ("module", "outcome"),
    [("Completed", "pass"), ("Running", "pass"), ("Failed", "warn"), ("Unhealthy", "warn"), ("Odd", "unknown"),
     ("", "unknown")],
)  # fmt: skip
def test_cluster_module_is_checked_from_release_4_3(module: str, outcome: str) -> None:
    plan = valid_plan(release="4.3")
    found = verdicts_of(evaluate(cluster(module=module), plan), "INS-VERIFY-43")
    assert [verdict.outcome.value for verdict in found] == ["pass", outcome]
    assert len(verdicts_of(evaluate(cluster(module=module)), "INS-VERIFY-43")) == 1


@pytest.mark.parametrize(
    ("answer", "certificate", "outcome", "text"),
    [
        (PLATFORM, None, Outcome.PASS, "self-signed"),
        (Answer("https://x/", None, None, "refused"), None, Outcome.WARN, "refused"),
        (Answer("https://x/", 503, SERVED), None, Outcome.WARN, "503"),
        (Answer("https://x/", 404, SERVED), None, Outcome.WARN, "404"),
        (Answer("https://x/", 302, SERVED), None, Outcome.PASS, "302"),
        (Answer("https://x/", 403, SERVED), None, Outcome.PASS, "403"),
        (Answer("https://x/", 200, None), None, Outcome.WARN, "could not be read"),
    ],
)
def test_status_and_certificate_of_the_platform(
    answer: Answer, certificate: str | None, outcome: Outcome, text: str
) -> None:
    [verdict] = verdicts_of(evaluate(cluster(), platform=answer, certificate=certificate), "INS-ACCESS")
    assert verdict.outcome is outcome
    assert text in verdict.observed


@pytest.mark.parametrize(("fingerprint", "outcome"), [("AA:BB", "pass"), ("CC:DD", "warn"), (None, "warn")])
def test_existing_certificate_is_compared_with_that_of_the_plan(fingerprint: str | None, outcome: str) -> None:
    plan = valid_plan(certificate={"mode": "existing", "cert_file": "c.pem", "key_file": "k.pem"})
    [verdict] = verdicts_of(evaluate(cluster(), plan, certificate=fingerprint), "INS-ACCESS")
    assert verdict.outcome.value == outcome


@pytest.mark.parametrize(
    ("answer", "outcome"),
    [
        (Answer("r", 200), "pass"),
        (Answer("r", 401), "pass"),
        (Answer("r", 404), "fail"),
        (Answer("r", None, None, "refused"), "unknown"),
        (None, "not-applicable"),
    ],
)
def test_status_of_the_registry(answer: Answer | None, outcome: str) -> None:
    [verdict] = verdicts_of(evaluate(cluster(), registry=answer), "P-REG-DOMAIN")
    assert verdict.outcome.value == outcome


@pytest.mark.parametrize(
    ("left", "minutes", "console", "outcome"),
    [
        ("", 5, "closed", "pass"),
        (f"my-{CONTAINER}\tUp\n{CONTAINER}-2\tUp\n", 90, "closed", "pass"),
        (f"{CONTAINER}\tUp 40 minutes\n", 29, "closed", "not-applicable"),
        (f"{CONTAINER}\tUp 40 minutes\n", 30, "closed", "fail"),
        (f"/{CONTAINER}\tExited (0)\n", 31, "closed", "fail"),
        (f"{CONTAINER}\tUp 40 minutes\n", None, "closed", "warn"),
        (f"{CONTAINER}\tUp\n", None, 'HTTP/1.0 200 OK\r\n\r\n{"status": "Running"}\n@next\n', "fail"),
    ],
)
def test_remaining_installer_fails_after_half_an_hour(
    left: str, minutes: int | None, console: str, outcome: str
) -> None:
    [verdict] = verdicts_of(evaluate(cluster(left_over=left, console=console), minutes=minutes), "INS-CLEANUP")
    assert verdict.outcome.value == outcome
    installed = cluster(left_over=left, console=console)
    [later] = verdicts_of(evaluate(installed, valid_plan(release="4.2"), minutes=minutes), "INS-CLEANUP")
    if outcome in ("fail", "warn") and console == "closed":
        assert (verdict.remedy, later.remedy) == (f"docker rm -f {CONTAINER}", f"nerdctl rm -f {CONTAINER}")


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("closed\n", None),
        ("HTTP/1.0 200 OK\r\n\r\n<html>Success</html>\n@next\nHTTP/1.0 404\r\n\r\nx\n@next\n", None),
        ('HTTP/1.0 200 OK\r\n\r\n<p>\n@next\nHTTP/1.1 200 OK\r\nA: b\r\n\r\n["Success"]\n@next\n', Says.SUCCESS),
        ('HTTP/1.0 200 OK\r\n\r\n{"status": "Failed"}\n@next\n', Says.FAILED),
    ],
)  # fmt: skip
def test_console_output_is_read(text: str, says: Says | None) -> None:
    assert read_console(text) is says


def test_waiver_of_the_plan_applies() -> None:
    waiver: dict[str, JsonValue] = {"requirement": "INS-VERIFY-PODS", "node": "*", "reason": "known", "by": "me"}
    plan = valid_plan(waivers=[waiver])
    found = verdicts_of(evaluate(cluster(pods=(*PODS, "a\tp\t\tPending\t\t\t1\t\t")), plan), "INS-VERIFY-PODS")
    assert [(v.outcome, v.waived, v.blocks) for v in found] == [(Outcome.FAIL, "known", False)]


@given(st.text())
def test_arbitrary_output_never_raises(text: str) -> None:
    readings = {
        name: CollectorOutput(name, 0, text) for name in ("nodes", "pods", "releases", "module", "left_over", "console")
    }
    for verdict in evaluate(installed_from(readings, "x"), valid_plan(release="4.3")):
        assert len(verdict.observed) < 5000
    assert read_left_over(text) == () or CONTAINER in text


def test_thousand_pods_fit_into_the_output_limit() -> None:
    rows = [
        f"cpaas-system-namespace\tsome-long-deployment-name-{number:04}-7d9c6bd8f5-x{number:04}\tcontrol-plane-1.example.com"
        "\tRunning\t\t\t3\t+ + + \t+Completed +Completed "
        for number in range(1000)
    ]
    assert len(table(rows)) < 200_000
    assert len(read_pods(table(rows))) == 1000


def test_conditions_of_a_release_are_read() -> None:
    [release] = read_releases(table(["ns\tn\tSynced Ready \tSync=True/Done Health=Unknown/ "]))
    assert release.phases == ("Synced", "Ready")
    assert release.conditions == (Condition("Sync", "True", "Done"), Condition("Health", "Unknown", ""))
