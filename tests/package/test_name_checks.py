"""Checks of package names by `acp-tui validate`, without the files."""

import json
from pathlib import Path

import pytest
import yaml

from acp_tui.cli.main import main
from tests.support.factories.plans import plan_data

CORE, EXTENSIONS = "installer-core-v4.0.3-x86.tar", "installer-extensions-v4.0.3-x86.tar"


@pytest.mark.parametrize(
    ("package", "status", "expected"),
    [
        ({"core": CORE, "extensions": EXTENSIONS}, 0, {}),
        ({}, 0, {}),
        ({"core": EXTENSIONS}, 1, {"BND-CORE-NAME": "fail"}),
        ({"core": CORE, "extensions": EXTENSIONS.replace("x86", "arm")}, 1, {"BND-EXT-ARCH": "fail"}),
        ({"core": CORE, "extensions": EXTENSIONS.replace("4.0.3", "4.0.4")}, 0, {"BND-EXT-ARCH": "warn"}),
        ({"core": "acp-4.0.0.tgz"}, 0, {"BND-CORE-NAME": "warn"}),
    ],
)
def test_package_names_are_checked(
    package: dict[str, str], status: int, expected: dict[str, str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "plan.yaml"
    file.write_text(yaml.safe_dump(plan_data(package=dict(package))), encoding="utf-8")
    assert main(["validate", str(file), "--json"]) == status
    verdicts = json.loads(capsys.readouterr().out)["verdicts"]
    outcomes = {v["requirement"]: v["verdict"] for v in verdicts if v["requirement"].startswith("BND-")}
    assert {rule: outcome for rule, outcome in outcomes.items() if outcome != "pass"} == expected
