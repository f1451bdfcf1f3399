"""Bundles for tests: a plan with secrets, a report, and the bundle of both."""

import json
import stat
from datetime import UTC, datetime
from pathlib import Path

from acp_tui.checks.verdict import Outcome, Severity, Verdict
from acp_tui.nodes.state import NodeState
from acp_tui.plan.known_hosts import KnownHosts, confirmed
from acp_tui.plan.model import Plan
from acp_tui.preflight.bundle import (
    write_bundle,
)
from acp_tui.preflight.report.model import NodeRecord, Report
from tests.support.factories.plans import nodes, valid_plan

CANARY = "c4nary-S3cret"
KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJustAKeyForTestsThatNobodyHas"


def secret_plan() -> Plan:
    return valid_plan(
        package={"core": "media/installer-core-v4.0.3-x86.tar", "public_key": "/media/verify-key.pub"},
        admin={"password": CANARY},
        ssh={"password": CANARY, "key_file": "keys/id", "key_passphrase": CANARY},
        nodes=[
            *nodes(2, 1),
            {"address": "10.20.0.13", "ssh": {"port": 2222, "password": CANARY, "key_file": "keys/own"}},
        ],
        registry={"mode": "external", "address": "r.example.com:5000", "username": "u", "password": CANARY},
        certificate={"mode": "existing", "cert_file": "tls/crt.pem", "key_file": "tls/key.pem"},
    )


def report(outcome: Outcome = Outcome.PASS) -> Report:
    time = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
    node = NodeRecord("10.20.0.11", "m1", "control-plane", NodeState.CHECKED)
    verdict = Verdict("OS-KERNEL", "10.20.0.11", Severity.MUST, outcome, "5.4", "5.15", "upgrade")
    return Report("4.0", time, time, (node,), (verdict,))


def write(
    directory: Path,
    base: Path,
    plan: Plan | None = None,
    outcome: Outcome = Outcome.PASS,
    known_hosts: KnownHosts | None = None,
) -> Path:
    return write_bundle(
        plan or secret_plan(),
        report(outcome),
        known_hosts or {"10.20.0.11": confirmed(KEY), "10.20.0.13": confirmed(KEY), "10.9.9.9": confirmed(KEY)},
        directory,
        plan_dir=base,
        document=json.dumps({"password": CANARY}),
        setup_line="bash setup.sh --network-mode calico",
    )


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)
