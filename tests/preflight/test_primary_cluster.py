"""The primary of a standby's plan, read from a plan file or a bundle, with or without secrets."""

import json
import os
from base64 import b64encode
from pathlib import Path

import pytest
from pydantic import JsonValue, SecretStr

from acp_tui.checks.local_file_facts import PrimaryCluster
from acp_tui.core.gpg.encryption import ToPassphrase
from acp_tui.plan.file import save_plan
from acp_tui.plan.model import Plan
from acp_tui.preflight.bundle import SecretsMode, write_bundle
from acp_tui.preflight.certificates.reader import read_pair
from acp_tui.preflight.primary_cluster import primary_of
from tests.support.certificates import CA_KEY, RSA, certificate, key_pem, pem
from tests.support.factories.bundles import report
from tests.support.factories.plans import valid_plan
from tests.support.other_users import STRANGER, needs_root

CERT, KEY = pem(certificate(RSA, "acp", "ca", CA_KEY, ["acp.example.com"])), key_pem(RSA)
PASSWORD = "Correct-Horse-7"


@pytest.fixture
def site(tmp_path: Path) -> Path:
    (tmp_path / "tls.crt").write_bytes(CERT)
    (tmp_path / "tls.key").write_bytes(KEY)
    return tmp_path


def primary_plan() -> Plan:
    pair: JsonValue = {"mode": "existing", "cert_file": "tls.crt", "key_file": "tls.key"}
    return valid_plan(disaster_recovery={"role": "primary"}, certificate=pair)


def read(site: Path, name: str, role: str = "standby") -> PrimaryCluster | None:
    return primary_of(valid_plan(disaster_recovery={"role": role, "primary": name}), site)


def read_primary(site: Path, name: str) -> PrimaryCluster:
    primary = read(site, name)
    assert primary is not None
    return primary


def password(primary: PrimaryCluster) -> str | None:
    secret = primary.plan.admin.password if primary.plan else None
    return secret.get_secret_value() if secret else None


def bundle(site: Path, keep: SecretsMode = "plain") -> Path:
    pair = {"certificate": b64encode(CERT).decode(), "privateKey": b64encode(KEY).decode()}
    document = json.dumps({"console": {"cert": {"thirdParty": pair}}})
    folder = site / "bundle"
    return write_bundle(
        primary_plan(), report(), {}, folder, plan_dir=site, document=document, setup_line="bash setup.sh", keep=keep
    )


def test_plan_file_is_read_with_its_secrets_overlay(site: Path) -> None:
    save_plan(primary_plan(), site / "plan.yaml")
    primary = read_primary(site, "plan.yaml")
    assert (primary.error, primary.secrets_error, password(primary)) == ("", "", PASSWORD)
    assert primary.certificate is not None
    assert primary.certificate.sums == read_pair(site / "tls.crt", site / "tls.key").sums != ()


def test_plan_file_without_secrets_has_a_reason(site: Path) -> None:
    save_plan(primary_plan(), site / "plan.yaml")
    (site / "secrets.yaml").unlink()
    primary = read_primary(site, "plan.yaml")
    assert (primary.error, password(primary)) == ("", None)
    assert "no secrets" in primary.secrets_error


def test_missing_secret_file_does_not_prevent_reading_the_plan(site: Path) -> None:
    (site / "plan.yaml").write_text("admin: {password: {file: /nowhere/password}}\n")
    primary = read_primary(site, "plan.yaml")
    assert primary.plan is not None
    assert "/nowhere/password" in primary.secrets_error


def test_pair_of_a_bundle_is_read_from_its_document(site: Path) -> None:
    """The plan of the bundle has paths of another host; files with these paths on this host are not read."""
    bundle(site)
    expected = read_pair(site / "tls.crt", site / "tls.key")
    (site / "tls.crt").write_text("of another host")
    primary = read_primary(site, "bundle")
    assert (primary.secrets_error, password(primary)) == ("", PASSWORD)
    assert primary.certificate is not None
    assert (primary.certificate.sums, primary.certificate.key_sum) == (expected.sums, expected.key_sum)


@pytest.mark.parametrize(
    ("keep", "reason"), [("left-out", "without its secrets"), (ToPassphrase(SecretStr("open")), "encrypted")]
)
def test_bundle_without_plain_secrets_has_a_reason(site: Path, keep: SecretsMode, reason: str) -> None:
    bundle(site, keep)
    primary = read_primary(site, "bundle")
    assert primary.plan is not None
    assert (primary.certificate, password(primary)) == (None, None)
    assert reason in primary.secrets_error


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("nothing.yaml", "nothing.yaml: No such file or directory"),
        (".", "neither a plan file nor a bundle folder"),
        ("/dev/zero", "neither a plan file nor a bundle folder"),
        ("tls.crt", "tls.crt:1 the file is not a plan. A plan must be a YAML mapping of keys to values."),
        ("broken.yaml", "broken.yaml:1 adress: this key is unknown"),
        ("bundle", "damaged"),
    ],
)
def test_unreadable_primary_has_an_error(site: Path, name: str, reason: str) -> None:
    (site / "broken.yaml").write_text("adress: {}\n")
    (bundle(site) / "plan.yaml").write_text("release: '4.1'\n")
    primary = read_primary(site, name)
    assert primary.plan is None
    assert reason in primary.error
    assert "\n" not in primary.error


def test_primary_is_read_only_for_a_standby(site: Path) -> None:
    assert read(site, "plan.yaml", role="primary") is None
    assert primary_of(valid_plan(disaster_recovery={"role": "standby"}), site) is None


@needs_root
@pytest.mark.parametrize(
    ("text", "refused"),
    [("waivers: [{requirement: BND-SIGN, reason: r, by: b}]\n", False), ("ssh: {key_file: /root/key}\n", True)],
    ids=["rule for packages", "reference to a secret"],
)
def test_only_references_to_secrets_count_in_the_plan_of_another_user(site: Path, text: str, refused: bool) -> None:
    plan = site / "theirs.yaml"
    plan.write_text(text)
    os.chown(plan, STRANGER, -1)
    assert ("refers to secrets" in read_primary(site, "theirs.yaml").error) is refused
