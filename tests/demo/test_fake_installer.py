"""The practice installer accepts rendered configurations and rejects incomplete ones."""

import json
from pathlib import Path

import pytest

from acp_tui.demo.config_schema import faults_of
from acp_tui.install.config.render import render
from acp_tui.plan.model import Plan
from tests.support.factories.plans import valid_plan
from tests.support.install_harness import config


@pytest.mark.parametrize("plan", [valid_plan(), valid_plan(network={"cni": "calico"}), valid_plan(isolation=True)])
def test_a_rendered_configuration_is_accepted(plan: Plan, tmp_path: Path) -> None:
    assert faults_of(render(plan, tmp_path).encode()) == []


@pytest.mark.parametrize("path", ["basic", "cluster.version", "cluster.features.ha.vport", "product", "console.cert"])
def test_an_incomplete_configuration_is_rejected(path: str) -> None:
    document = config()
    section = document
    *parents, last = path.split(".")
    for key in parents:
        child = section[key]
        assert isinstance(child, dict)
        section = child
    del section[last]
    assert any(fault.startswith(path) for fault in faults_of(json.dumps(document).encode()))


@pytest.mark.parametrize("body", [b"", b"null", b"[]", b'{"basic": "x"}', b"\xff\xfe"])
def test_invalid_json_is_rejected(body: bytes) -> None:
    assert faults_of(body)


def test_a_machine_without_a_login_is_rejected() -> None:
    document = json.loads(json.dumps(config()))
    del document["cluster"]["features"]["machines"][0]["password"]
    assert faults_of(json.dumps(document).encode()) == ["cluster.features.machines[0].password"]
