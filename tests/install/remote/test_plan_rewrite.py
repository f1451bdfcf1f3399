"""What goes to the machine that installs: the plan with that machine's paths, and the files which it names."""

from pathlib import Path

from acp_tui.install.remote.plan_rewrite import rewrite_for_remote
from tests.support.factories.plans import valid_plan


def test_a_standbys_primary_stays_here(tmp_path: Path) -> None:
    """It was held against here, and that machine needs none of its secrets."""
    plan = valid_plan(disaster_recovery={"role": "standby", "primary": "primary/plan.yaml"}, ssh={"key_file": "id"})
    sent = rewrite_for_remote(plan, tmp_path, "/root/acp-tui-install")
    assert (sent.plan.disaster_recovery.role, sent.plan.disaster_recovery.primary) == ("standby", None)
    assert [one.local for one in sent.keys] == [tmp_path / "id"]
