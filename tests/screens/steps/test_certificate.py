"""The certificate and registry steps: facts of the certificate, and fields of the chosen mode."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from pydantic import JsonValue

from acp_tui.checks.certificate_facts import Authority, CertificateFacts
from screens.steps.certificate import described
from tests.support.factories.plans import valid_plan
from tests.support.wizard_pilot import screen_text, wizard

NOW = datetime(2026, 3, 1, tzinfo=UTC)
FACTS = CertificateFacts(
    cert_file="c",
    key_file="k",
    read_at=NOW,
    subject="CN=[bold]acp[/]",
    issuer="CN=ca",
    last_issuer="CN=ca",
    not_before=NOW - timedelta(days=1),
    not_after=NOW + timedelta(days=100, seconds=1),
    names=("acp.example.com",),
    chain_length=2,
    self_signed=False,
    authority=Authority.PRIVATE,
    key_type="RSA",
    key_bits=2048,
    key_encrypted=False,
    key_matches=True,
)


def test_certificate_facts_are_one_a_line() -> None:
    plan = valid_plan(address={"cluster_endpoint": "10.20.0.10", "platform": "acp.example.com", "others": ["b.c"]})
    lines = [line.plain for line in described(plan, FACTS)]
    assert lines[0].endswith("CN=[bold]acp[/]")  # a certificate is input, never markup
    assert "✓ acp.example.com" in lines[2] or "+ acp.example.com" in lines[2]
    assert "! b.c" in lines[2]
    assert lines[3].endswith("2026-02-28 to 2026-06-09, 100 days left")
    assert lines[4].endswith("CN=ca (private authority), 2 certificates")
    assert lines[5].endswith("RSA 2048, the key matches the certificate")


@pytest.mark.parametrize(
    ("registry", "explanation", "password"),
    [
        ({}, ":11443", False),
        ({"username": "u"}, ":11443", True),
        ({"mode": "external", "address": "r.example.com"}, "how to copy them", False),
    ],
)
async def test_registry_step_explains_the_mode(
    tmp_path: Path, registry: JsonValue, explanation: str, password: bool
) -> None:
    async with wizard(tmp_path, valid_plan(registry=registry), "registry") as (pilot, _session):
        text = " ".join(screen_text(pilot).split())
        assert explanation.split()[0] in text
        assert ("Password" in text) is password
