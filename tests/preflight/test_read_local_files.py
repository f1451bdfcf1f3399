"""Local files of a plan: an unreadable key or certificate file fails with its path in the plan."""

import json
from pathlib import Path

import asyncssh
import pytest
import yaml
from pydantic import JsonValue

from acp_tui.cli.main import main
from tests.support.factories.plans import nodes, plan_data


@pytest.mark.parametrize(
    ("changes", "path"),
    [
        ({"ssh": {"key_file": "none"}}, "ssh.key_file"),
        ({"nodes": nodes(ssh={"key_file": "none"})}, "nodes[0].ssh.key_file"),
    ],
)
def test_missing_ssh_key_file_fails(
    changes: dict[str, JsonValue], path: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "plan.yaml"
    file.write_text(yaml.safe_dump(plan_data(**changes)), encoding="utf-8")
    assert main(["validate", str(file), "--json"]) == 1
    verdicts = [v for v in json.loads(capsys.readouterr().out)["verdicts"] if v["requirement"] == "P-SSH-KEY"]
    assert [v["verdict"] for v in verdicts] == ["fail"] * len(verdicts)
    assert any("none cannot be read" in v["observed"] for v in verdicts)
    assert main(["validate", str(file)]) == 1
    assert f"P-SSH-KEY ({path})" in capsys.readouterr().out
    (tmp_path / "none").write_text("a key", encoding="utf-8")
    assert main(["validate", str(file)]) == 0


@pytest.mark.parametrize(
    ("changes", "rule"),
    [
        ({"ssh": {"key_file": "~no.such.user/key"}}, "P-SSH-KEY"),
        (
            {"certificate": {"mode": "existing", "cert_file": "~no.such.user/c", "key_file": "~no.such.user/k"}},
            "XR-CERT-PAIR",
        ),
    ],
)
def test_file_in_the_home_of_an_unknown_user_fails(
    changes: dict[str, JsonValue], rule: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "plan.yaml"
    file.write_text(yaml.safe_dump(plan_data(**changes)), encoding="utf-8")
    assert main(["validate", str(file), "--json"]) == 1
    verdicts = [v for v in json.loads(capsys.readouterr().out)["verdicts"] if v["verdict"] == "fail"]
    assert {v["requirement"] for v in verdicts} == {rule}
    assert "~no.such.user" in verdicts[0]["observed"]


@pytest.mark.parametrize("form", ["openssh", "pkcs8-pem", "pkcs1-pem"])
def test_key_with_a_passphrase_fails_without_a_password(
    form: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Also if the plan does not contain the passphrase."""
    key = asyncssh.generate_private_key("ssh-rsa")
    file = tmp_path / "plan.yaml"
    for passphrase, password, verdict in ((None, None, "pass"), ("p", None, "fail"), ("p", "x", "pass")):
        (tmp_path / "key").write_bytes(key.export_private_key(form, passphrase))
        plan = plan_data(ssh={"key_file": "key", "password": password})
        file.write_text(yaml.safe_dump(plan), encoding="utf-8")
        main(["validate", str(file), "--json"])
        verdicts = [v for v in json.loads(capsys.readouterr().out)["verdicts"] if v["requirement"] == "P-SSH-KEY"]
        assert {v["verdict"] for v in verdicts} == {verdict}
