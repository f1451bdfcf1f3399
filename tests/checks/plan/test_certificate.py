"""The rule of the platform certificate: each fault of a certificate or key has its outcome and text."""

from dataclasses import replace
from datetime import timedelta

import pytest

from acp_tui.checks.certificate_facts import CertificateFacts
from acp_tui.checks.verdict import Outcome
from tests.support.factories.plan_changes import PAIR, Changes
from tests.support.factories.plan_verdicts import GOOD_PAIR, NOW, verdicts_of
from tests.support.factories.verdicts import FAIL, PASS, UNKNOWN, WARN

CERTIFICATES: list[tuple[CertificateFacts | None, str, Outcome, str]] = [
    (GOOD_PAIR, "XR-CERT-VALID", PASS, "until 2027-03-01"),
    (None, "XR-CERT-VALID", UNKNOWN, "is unknown"),
    (replace(GOOD_PAIR, unreadable=("tls.key: No such file",)), "XR-CERT-PAIR", FAIL, "No such file"),
    (replace(GOOD_PAIR, errors=("no PEM",), subject=None), "XR-CERT-VALID", FAIL, "no PEM"),
    (replace(GOOD_PAIR, key_matches=False), "XR-CERT-VALID", FAIL, "does not belong"),
    (replace(GOOD_PAIR, key_encrypted=True, key_matches=None), "XR-CERT-VALID", FAIL, "passphrase"),
    (replace(GOOD_PAIR, not_after=NOW - timedelta(seconds=1)), "XR-CERT-VALID", FAIL, "expired on 2026-02-28"),
    (replace(GOOD_PAIR, not_before=NOW + timedelta(days=2)), "XR-CERT-VALID", FAIL, "not valid before 2026-03-03"),
    (replace(GOOD_PAIR, not_after=NOW + timedelta(days=29)), "XR-CERT-VALID", WARN, "expires on"),
    (replace(GOOD_PAIR, names=("other.example.com",)), "XR-CERT-VALID", WARN, "acp.example.com"),
    (replace(GOOD_PAIR, chain_ordered=False), "XR-CERT-VALID", WARN, "order"),
]


@pytest.mark.parametrize(("pair", "rule", "outcome", "text"), CERTIFICATES)
def test_certificate_errors_are_reported(pair: CertificateFacts | None, rule: str, outcome: Outcome, text: str) -> None:
    results = [v for v in verdicts_of({"certificate": PAIR}, pair) if v.requirement == rule]
    assert [v.outcome for v in results] == [outcome]
    assert text in results[0].observed


def test_further_address_missing_in_the_certificate_is_named() -> None:
    changes: Changes = {"certificate": PAIR, "address": {"others": ["b.example.com", "10.20.0.10", "c.example.com"]}}
    results = [v.observed for v in verdicts_of(changes) if v.requirement == "XR-CERT-VALID"]
    assert len(results) == 1
    assert "c.example.com" in results[0]
