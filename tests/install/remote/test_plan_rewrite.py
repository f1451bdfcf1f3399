"""The plan for a remote install: paths on the installer node, and the local files to upload."""

from pathlib import Path

from acp_tui.install.remote.plan_rewrite import rewrite_for_remote
from tests.support.factories.plans import valid_plan


def test_standby_plan_is_uploaded_without_its_primary(tmp_path: Path) -> None:
    """This host already compared the two plans, and the installer node does not need the primary's secrets."""
    plan = valid_plan(disaster_recovery={"role": "standby", "primary": "primary/plan.yaml"}, ssh={"key_file": "id"})
    rewritten = rewrite_for_remote(plan, tmp_path, "/root/acp-tui-install")
    assert (rewritten.plan.disaster_recovery.role, rewritten.plan.disaster_recovery.primary) == ("standby", None)
    assert [key.local for key in rewritten.keys] == [tmp_path / "id"]
