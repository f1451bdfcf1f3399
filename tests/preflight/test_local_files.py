"""Files that the plan names: an SSH key file that cannot be read is told, by its place in the plan."""

import json
from pathlib import Path

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
def test_a_key_that_is_not_there(
    changes: dict[str, JsonValue], path: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "plan.yaml"
    file.write_text(yaml.safe_dump(plan_data(**changes)), encoding="utf-8")
    assert main(["validate", str(file), "--json"]) == 1
    told = [v for v in json.loads(capsys.readouterr().out)["verdicts"] if v["requirement"] == "P-SSH-KEY"]
    assert [v["verdict"] for v in told] == ["fail"] * len(told)
    assert any("none cannot be read" in v["observed"] for v in told)
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
def test_a_file_in_the_home_of_a_user_who_is_not_there(
    changes: dict[str, JsonValue], rule: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "plan.yaml"
    file.write_text(yaml.safe_dump(plan_data(**changes)), encoding="utf-8")
    assert main(["validate", str(file), "--json"]) == 1
    told = [v for v in json.loads(capsys.readouterr().out)["verdicts"] if v["verdict"] == "fail"]
    assert {v["requirement"] for v in told} == {rule}
    assert "~no.such.user" in told[0]["observed"]
