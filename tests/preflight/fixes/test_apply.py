"""The output of a fix comes from the node: known secrets in it are masked."""

import pytest

from acp_tui.core.redaction import MASK
from acp_tui.nodes.events import NodeStage
from acp_tui.plan.secret_mask import secret_mask
from acp_tui.preflight.fixes.apply import _masked
from acp_tui.preflight.fixes.job import FixEvent, NodeFixed, SecondLogin, StepDone
from tests.support.factories.plans import valid_plan

ADDRESS = "10.20.0.11"


@pytest.mark.parametrize(
    ("event", "masked"),
    [
        (StepDone(ADDRESS, "SYS-SWAP", 1, "sudo: s3cret-login"), StepDone(ADDRESS, "SYS-SWAP", 1, f"sudo: {MASK}")),
        (SecondLogin(ADDRESS, False, "s3cret-login"), SecondLogin(ADDRESS, False, MASK)),
        (NodeFixed(ADDRESS, "lost: s3cret-login", True), NodeFixed(ADDRESS, f"lost: {MASK}", True)),
        (NodeStage(ADDRESS, "login"), NodeStage(ADDRESS, "login")),
    ],
)
def test_secrets_are_masked_in_events(event: FixEvent, masked: FixEvent) -> None:
    assert _masked(event, secret_mask(valid_plan(ssh={"password": "s3cret-login"}))) == masked
