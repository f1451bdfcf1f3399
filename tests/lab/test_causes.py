"""One cause gives one finding in the text and in the HTML page of a check of real nodes."""

import json
import re
from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from pydantic import JsonValue

from tests.lab.kit import faults as f
from tests.lab.kit.check_run import as_planned, plan, shown, started
from tests.lab.kit.nodes import OPERATOR, Lab, changed
from tests.lab.kit.profiles import Fault, NodeProfile
from tests.lab.kit.shell import append, program
from tests.lab.test_load_balancer import balancer

pytestmark = pytest.mark.lab

DROPPED = Fault(
    "the SSH session ends during the collection",
    program(
        "/usr/bin/systemctl",
        "process=$PPID",
        'while [ "$process" -gt 1 ]; do',
        'read -r name </proc/"$process"/comm',
        'case $name in sshd*) kill -9 "$process"; exit 1 ;; esac',
        'while read -r key value; do [ "$key" != PPid: ] || parent=$value; done </proc/"$process"/status',
        "process=$parent",
        "done",
    ),
)


NO_IP = Fault("no ip", "rm -f /usr/sbin/ip /sbin/ip /bin/ip /usr/bin/ip")
ADVICE = {
    ("-", name) for name in ("NETRES-CERT", "CAP-SC-MIN-WK", "X-FIREWALL", "BND-CORE", "BND-INSTNODE", "BND-FREE-100G")
}
"""Findings of these plans, which have no package and no test of UDP, on a host that is not the installer node."""
_FINDING = re.compile(r"(?:Failed|After reboot|Unknown|Advice) {2,}(\S+(?: nodes)?) {2,}([A-Z0-9-]+)")
_ARTICLE = re.compile(r'<article class="(?:fail|unknown|warn)">\s*<h3>.*?<code>([^<]*)</code>', re.DOTALL)
_UNCHECKED = re.compile(r'<article id="node-([^"]*)"')


def findings(text: str) -> set[tuple[str, str]]:
    """Return node and rule of the findings in the output, without advice that every plan of these tests has."""
    return {(match[1], match[2]) for line in text.splitlines() if (match := _FINDING.match(line))} - ADVICE


def articles(page: str) -> list[str]:
    """Return the rule or the node of each finding on the page, without those that a person must confirm."""
    return [name for name in (*_UNCHECKED.findall(page), *_ARTICLE.findall(page)) if ("-", name) not in ADVICE]


def document(folder: Path, answers: Mapping[str, JsonValue], *options: str) -> Any:
    """Return the JSON report."""
    with started(folder, answers, *options) as process:
        return json.loads(process.communicate()[0])


def blocks(verdict: Mapping[str, Any]) -> bool:
    """Return True if a verdict of a JSON report blocks, as docs/contract.md defines it."""
    if verdict["waived"] is not None:
        return False
    return verdict["verdict"] in ("fail", "pending-reboot") or (
        verdict["severity"] == "must" and verdict["verdict"] in ("unknown", "manual")
    )


def test_lost_and_unreachable_nodes_are_one_finding_each(lab: Lab, tmp_path: Path) -> None:
    *nodes, lost = lab.start(*[NodeProfile()] * 3, NodeProfile(faults=(DROPPED, f.FEW_CPUS)))
    silent: dict[str, JsonValue] = {"address": lab.address(25), "role": "worker"}
    answers = plan([*as_planned((*nodes, lost)), silent], lab.address(0))
    text, page = shown(tmp_path, answers)
    for address in (lost.address, lab.address(25)):
        [line] = [line for line in text.splitlines() if line.startswith(f"{address}: ")]
        assert "requirements could not be checked" in line
    assert findings(text) == {(lost.address, "HW-CPU-CORES")}, "only the fault that was seen before the loss"
    assert sorted(articles(page)) == sorted([lost.address, lab.address(25), "HW-CPU-CORES"])

    report = document(tmp_path, answers)
    verdicts = report["verdicts"]
    unknown = [v for v in verdicts if v["node"] == lost.address and v["verdict"] == "unknown"]
    assert len(unknown) > 20
    assert [v["requirement"] for v in unknown if v["cause"] is None] == [
        next(v["cause"] for v in unknown if v["cause"])
    ]
    blocking = [v for v in verdicts if blocks(v) and v["cause"] is None]
    assert report["blockers"] == len(blocking)


def test_endpoint_that_answers_from_elsewhere_is_one_finding(lab: Lab, tmp_path: Path) -> None:
    *nodes, other = lab.start(*[NodeProfile()] * 4)
    endpoint = lab.address(0)
    answers = plan(as_planned(nodes), endpoint)
    with ExitStack() as balancers:
        for port in (443, 6443, 11443):
            balancers.enter_context(balancer(endpoint, port, [other]))
        text, page = shown(tmp_path, answers, "--also", "load-balancer")
    assert findings(text) == {("-", "LB-443")}
    assert articles(page) == ["LB-443"]

    first, on_a_node = nodes[0], lab.address(20)
    answers = plan(as_planned(nodes), on_a_node)
    with changed(first, f"ip addr add {on_a_node}/27 dev eth0", f"ip addr del {on_a_node}/27 dev eth0"):
        text, page = shown(tmp_path, answers, "--also", "load-balancer")
        with_all = shown(tmp_path, answers, "--also", "load-balancer", "--all")[0]
    [(_node, rule)] = findings(text)
    assert rule == "LB-443"
    assert articles(page) == ["LB-443"]
    assert with_all.count("LB-6443") > text.count("LB-6443")


def test_causes_on_nodes_are_one_finding_each(lab: Lab, tmp_path: Path) -> None:
    no_sudo, no_ip, unresolved = lab.start(NodeProfile(), NodeProfile(faults=(NO_IP,)), NodeProfile())
    first, *others = as_planned([no_sudo, no_ip, unresolved])
    name = "api.example.com"
    for node in (no_sudo, no_ip):
        node.sh(append("/etc/hosts", f"{lab.address(0)} {name}"))
    answers = plan([{**first, "ssh": {"username": OPERATOR}}, *others], name)
    text, page = shown(tmp_path, answers)
    expected = {(no_sudo.address, "USR-SUDO"), (no_ip.address, "SW-BINARIES"), (unresolved.address, "NETRES-DOMAIN")}
    assert {(node, rule) for node, rule in findings(text) if not rule.startswith("LB-")} == expected
    assert (unresolved.address, "LB-443") not in findings(text)
    assert {"USR-SUDO", "SW-BINARIES", "NETRES-DOMAIN"} == {
        name for name in articles(page) if not name.startswith("LB-")
    }
