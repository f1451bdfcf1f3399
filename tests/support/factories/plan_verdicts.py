"""Verdicts of the plan rules on changed plans, for tests; no facts of nodes are necessary."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import yaml

from acp_tui.checks.certificate_facts import CertificateFacts
from acp_tui.checks.local_file_facts import LocalFiles
from acp_tui.checks.plan.evaluate_plan import evaluate_plan
from acp_tui.checks.verdict import Verdict
from acp_tui.cli.main import main
from tests.support.factories.plan_changes import Changes
from tests.support.factories.plans import plan_data, valid_plan

NOW = datetime(2026, 3, 1, tzinfo=UTC)
GOOD_PAIR = CertificateFacts(
    cert_file="tls.crt",
    key_file="tls.key",
    read_at=NOW,
    subject="CN=acp.example.com",
    not_before=NOW - timedelta(days=1),
    not_after=NOW + timedelta(days=365),
    names=("acp.example.com", "b.example.com"),
    addresses=("10.20.0.10",),
    chain_length=2,
    chain_ordered=True,
    self_signed=False,
    key_encrypted=False,
    key_matches=True,
)

OF_FILES = {"XR-CERT-PAIR", "XR-CERT-VALID"}
"""Rules of the certificate files, which do not exist here; they have their own tests."""
OF_SIZE = ("CAP-", "HW-", "NETRES-")
"""Prefixes of rules about sizing and network resources, which have their own tests."""


def verdicts_of(changes: Changes, pair: CertificateFacts | None = GOOD_PAIR) -> tuple[Verdict, ...]:
    return evaluate_plan(valid_plan(**changes), LocalFiles(pair))


def rules_failed_by_validate(folder: Path, capsys: pytest.CaptureFixture[str], changes: Changes) -> set[str]:
    """Return the rules that fail in `acp-tui validate`."""
    (folder / "id").write_text("a key", encoding="utf-8")
    path = folder / "plan.yaml"
    path.write_text(yaml.safe_dump(plan_data(**changes), allow_unicode=True), encoding="utf-8")
    main(["validate", str(path), "--json"])
    report = json.loads(capsys.readouterr().out)
    rules = {v["requirement"] for v in report["verdicts"] if v["verdict"] in ("fail", "pending-reboot")}
    return {rule for rule in rules if not rule.startswith(OF_SIZE)}
