"""The recheck before the configuration is sent, on real nodes: it reports only new blockers."""

import asyncio
from pathlib import Path

import pytest

from acp_tui.install.run.recheck import recheck_nodes
from acp_tui.install.run.start_resume_abort import run_spec
from acp_tui.install.run.state import Timeouts
from acp_tui.install.start import bundle_for
from acp_tui.plan.known_hosts import KnownHosts, confirmed
from acp_tui.plan.model import Plan
from acp_tui.preflight.report.model import Report
from acp_tui.preflight.run import PreflightDone, preflight
from tests.lab.kit.check_run import plan
from tests.lab.kit.nodes import Lab
from tests.lab.kit.profiles import NodeProfile

pytestmark = pytest.mark.lab


async def _report(of: Plan, known: KnownHosts) -> Report:
    async for event in preflight(of, known_hosts=known):
        if isinstance(event, PreflightDone):
            return event.report
    raise AssertionError("a preflight ends with its report")


def test_recheck_reports_only_new_blockers_on_nodes_other_than_the_installer_node(lab: Lab, tmp_path: Path) -> None:
    first, second, third = lab.start(NodeProfile(), NodeProfile(), NodeProfile())
    second.sh("echo 127.0.0.2 localhost >/etc/hosts")
    rows = [{"address": node.address, "role": "control-plane"} for node in (first, second, third)]
    answers = {**plan(rows, lab.address(20)), "ssh": {"username": "root", "key_file": str(first.key_file)}}
    ours = Plan.model_validate({**answers, "admin": {"password": "some-Secret-1"}})

    known = {node.address: confirmed(node.host_key) for node in (first, second, third)}

    async def recheck_four_times() -> list[str]:
        bundle = await bundle_for(ours, await _report(ours, known), known, tmp_path / "bundle", plan_dir=tmp_path)
        spec = run_spec(
            ours,
            tmp_path / "run",
            document=bundle / "installer-config.json",
            install_dir=tmp_path,
            bundle=bundle,
            pace=Timeouts(look=0),
        )
        texts = [await recheck_nodes(spec)]
        first.sh("mkdir /var/lib/docker; echo 127.0.0.2 localhost >/etc/hosts")  # setup.sh changes this node
        texts.append(await recheck_nodes(spec))
        third.sh("mkdir /var/lib/docker")
        texts.append(await recheck_nodes(spec))
        third.stop_sshd()
        return [*texts, await recheck_nodes(spec)]

    unchanged, installer_node_changed, new, stopped = asyncio.run(recheck_four_times())
    assert unchanged == installer_node_changed == ""
    assert new.splitlines()[1:] == [line for line in new.splitlines() if f"{third.address}: FS-DIR-DOCKER" in line]
    assert second.address not in new, "this fault was in the report before"
    assert f"{third.address}: unreachable" in stopped
