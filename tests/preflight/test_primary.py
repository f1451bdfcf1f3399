"""The primary that a standby's plan names: read from a plan file or a bundle, with its secrets or without them."""

import json
from base64 import b64encode
from pathlib import Path

import pytest
from pydantic import JsonValue, SecretStr

from acp_tui.checks.local_files import PrimaryCluster
from acp_tui.core.gpg.encryption import ToPassphrase
from acp_tui.plan.file import save_plan
from acp_tui.plan.model import Plan
from acp_tui.preflight.bundle import SecretsMode, write_bundle
from acp_tui.preflight.certificates.reader import read_pair
from acp_tui.preflight.primary import primary_of
from tests.preflight.bundle.test_bundle import report
from tests.preflight.certificates.test_reader import CA_KEY, RSA, certificate, key_pem, pem
from tests.support.factories.plans import valid_plan

CERT, KEY = pem(certificate(RSA, "acp", "ca", CA_KEY, ["acp.example.com"])), key_pem(RSA)
PASSWORD = "Correct-Horse-7"


@pytest.fixture
def site(tmp_path: Path) -> Path:
    (tmp_path / "tls.crt").write_bytes(CERT)
    (tmp_path / "tls.key").write_bytes(KEY)
    return tmp_path


def the_primary() -> Plan:
    pair: JsonValue = {"mode": "existing", "cert_file": "tls.crt", "key_file": "tls.key"}
    return valid_plan(disaster_recovery={"role": "primary"}, certificate=pair)


def read(site: Path, name: str, role: str = "standby") -> PrimaryCluster | None:
    return primary_of(valid_plan(disaster_recovery={"role": role, "primary": name}), site)


def found(site: Path, name: str) -> PrimaryCluster:
    primary = read(site, name)
    assert primary is not None
    return primary


def password(primary: PrimaryCluster) -> str | None:
    secret = primary.plan.admin.password if primary.plan else None
    return secret.get_secret_value() if secret else None


def bundle(site: Path, keep: SecretsMode = "plain") -> Path:
    pair = {"certificate": b64encode(CERT).decode(), "privateKey": b64encode(KEY).decode()}
    document = json.dumps({"console": {"cert": {"thirdParty": pair}}})
    place = site / "bundle"
    return write_bundle(
        the_primary(), report(), {}, place, plan_dir=site, document=document, setup_line="bash setup.sh", keep=keep
    )


def test_a_plan_file_with_its_secrets_beside_it(site: Path) -> None:
    save_plan(the_primary(), site / "plan.yaml")
    primary = found(site, "plan.yaml")
    assert (primary.error, primary.secrets_error, password(primary)) == ("", "", PASSWORD)
    assert primary.certificate is not None
    assert primary.certificate.sums == read_pair(site / "tls.crt", site / "tls.key").sums != ()


def test_a_plan_file_without_its_secrets_says_so(site: Path) -> None:
    save_plan(the_primary(), site / "plan.yaml")
    (site / "secrets.yaml").unlink()
    primary = found(site, "plan.yaml")
    assert (primary.error, password(primary)) == ("", None)
    assert "no secrets" in primary.secrets_error


def test_a_secret_that_is_kept_on_the_other_machine_closes_no_plan(site: Path) -> None:
    (site / "plan.yaml").write_text("admin: {password: {file: /nowhere/password}}\n")
    primary = found(site, "plan.yaml")
    assert primary.plan is not None
    assert "/nowhere/password" in primary.secrets_error


def test_the_pair_of_a_bundle_is_the_one_in_its_document(site: Path) -> None:
    """Its plan names files of another machine; what lies there under the same name on this one is not looked at."""
    bundle(site)
    wanted = read_pair(site / "tls.crt", site / "tls.key")
    (site / "tls.crt").write_text("another machine's")
    primary = found(site, "bundle")
    assert (primary.secrets_error, password(primary)) == ("", PASSWORD)
    assert primary.certificate is not None
    assert (primary.certificate.sums, primary.certificate.key_sum) == (wanted.sums, wanted.key_sum)


@pytest.mark.parametrize(
    ("keep", "why"), [("left-out", "without its secrets"), (ToPassphrase(SecretStr("open")), "encrypted")]
)
def test_a_bundle_without_open_secrets_says_why(site: Path, keep: SecretsMode, why: str) -> None:
    bundle(site, keep)
    primary = found(site, "bundle")
    assert primary.plan is not None
    assert (primary.certificate, password(primary)) == (None, None)
    assert why in primary.secrets_error


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("nothing.yaml", "nothing.yaml: No such file or directory"),
        (".", "neither a plan file nor a bundle folder"),
        ("/dev/zero", "neither a plan file nor a bundle folder"),
        ("tls.crt", "tls.crt:1 the file must contain a YAML mapping"),
        ("broken.yaml", "broken.yaml:1 adress: unknown key"),
        ("bundle", "damaged"),
    ],
)
def test_what_cannot_be_read_is_told(site: Path, name: str, why: str) -> None:
    (site / "broken.yaml").write_text("adress: {}\n")
    (bundle(site) / "plan.yaml").write_text("release: '4.1'\n")
    primary = found(site, name)
    assert primary.plan is None
    assert why in primary.error
    assert "\n" not in primary.error


def test_only_a_standby_has_a_primary(site: Path) -> None:
    assert read(site, "plan.yaml", role="primary") is None
    assert primary_of(valid_plan(disaster_recovery={"role": "standby"}), site) is None
