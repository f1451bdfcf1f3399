"""Real runs of the command `check` on a practice node: complete, selected, and without a package."""

import asyncio
import json
import os
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from pydantic import JsonValue

from acp_tui.core.errors import ExitStatus
from acp_tui.demo import ssh_nodes
from acp_tui.demo.machine_profile import cluster
from acp_tui.plan.file import save_plan
from acp_tui.plan.model import Plan

ADDRESS, OTHER = "127.0.0.1", "127.0.0.2"
WAIVED = ("HW-DISK-IOPS", "HW-DISK-TPUT", "PRE-INIT", "NET-IP-VALID", "P-NIC")


@asynccontextmanager
async def plan_of_a_node(folder: Path, *nodes: dict[str, JsonValue], **changes: JsonValue) -> AsyncIterator[str]:
    """Yield the path of a plan with one healthy practice node at 127.0.0.1, and with `nodes`."""
    async with ssh_nodes.serve(cluster().machines[:1], folder / "nodes", faults=False, seconds=0) as served:
        [one] = served.values()
        first: dict[str, JsonValue] = {"address": ADDRESS, "ssh": {"port": one.port}}
        data: dict[str, JsonValue] = {
            "release": "4.0",
            "scenario": "single-node",
            "admin": {"password": "Correct-Horse-7"},
            "ssh": {"username": ssh_nodes.USERNAME, "password": ssh_nodes.PASSWORD},
            "nodes": [first, *nodes],
            "address": {"cluster_endpoint": ADDRESS},
            "waivers": [{"requirement": name, "reason": "practice", "by": "test"} for name in WAIVED],
            **changes,
        }
        save_plan(Plan.model_validate(data), folder / "plan.yaml")
        yield str(folder / "plan.yaml")


async def check(folder: Path, *arguments: str) -> tuple[int, str]:
    """Run `acp-tui check` in a process of its own. Return the exit status and the standard output."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "acp_tui",
        "check",
        *arguments,
        "--accept-new",
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
        env={**os.environ, "XDG_STATE_HOME": str(folder / "state"), "ACP_TUI_LANG": "en"},
    )
    output, _nothing = await process.communicate()
    assert process.returncode is not None
    return process.returncode, output.decode()


async def test_selected_requirement_that_passes_exits_0_but_is_not_ready(tmp_path: Path) -> None:
    async with plan_of_a_node(tmp_path) as plan:
        status, output = await check(tmp_path, plan, "--only", "SYS-SWAP", "--json")
        report = json.loads(output)
        assert (status, report["ready"], report["partial"]) == (ExitStatus.DONE, False, True)
        assert list(report)[list(report).index("ready") + 1] == "partial"
        assert [v["requirement"] for v in report["verdicts"]] == ["SYS-SWAP"]
        status, output = await check(tmp_path, plan, "--only", "SYS-SWAP")
        assert status == ExitStatus.DONE
        assert "Partial check: nothing that was checked blocks." in output
        assert "requirements were not checked." in output
        assert "Ready to install" not in output


async def test_requirement_that_is_judged_elsewhere_selects_its_judges(tmp_path: Path) -> None:
    async with plan_of_a_node(tmp_path) as plan:
        _status, output = await check(tmp_path, plan, "--only", "os-other", "--json")
        assert {v["requirement"] for v in json.loads(output)["verdicts"]} == {"OS-DISTRO", "OS-KERNEL", "OS-ARCH"}


async def test_selected_requirement_of_the_package_is_judged(tmp_path: Path) -> None:
    async with plan_of_a_node(tmp_path) as plan:
        status, output = await check(tmp_path, plan, "--only", "BND-SIGN", "--json")
        [verdict] = json.loads(output)["verdicts"]
        assert (status, verdict["verdict"]) == (ExitStatus.CHECK_FAILED, "unknown")
        assert verdict["remedy"]


async def test_selected_node_is_not_ready_and_names_the_others(tmp_path: Path) -> None:
    async with plan_of_a_node(tmp_path, {"address": OTHER, "role": "worker"}) as plan:
        _status, output = await check(tmp_path, plan, "--node", ADDRESS)
        assert f"1 node was not checked: {OTHER}." in output
        assert "Ready to install" not in output
        _status, output = await check(tmp_path, plan, "--node", ADDRESS, "--json")
        report = json.loads(output)
        assert (report["ready"], report["partial"]) == (False, True)
        assert [node["address"] for node in report["nodes"]] == [ADDRESS]


async def test_html_page_names_what_was_left_out(tmp_path: Path) -> None:
    async with plan_of_a_node(tmp_path) as plan:
        await check(tmp_path, plan, "--only", "SYS-SWAP", "--html", str(tmp_path / "page.html"))
    page = (tmp_path / "page.html").read_text(encoding="utf-8")
    assert "Partial check" in page
    assert "requirements were not checked." in page
    assert "Ready to install" not in page


async def test_plan_without_package_is_complete_but_not_ready(tmp_path: Path) -> None:
    async with plan_of_a_node(tmp_path) as plan:
        status, output = await check(tmp_path, plan, "--json")
        report = json.loads(output)
        assert (status, report["ready"], report["partial"]) == (ExitStatus.CHECK_FAILED, False, False)
        package = {v["requirement"]: v["verdict"] for v in report["verdicts"] if v["requirement"].startswith("BND-")}
        blocking = {"BND-CORE-NAME", "BND-TAR-OK", "BND-SIGN", "BND-KEY-FPR", "BND-NODE-ARCH", "BND-FREE-100G"}
        assert package["BND-CORE"] == "fail"
        assert {name for name, verdict in package.items() if verdict == "unknown"} == blocking
        others = [
            v["requirement"]
            for v in report["verdicts"]
            if v["verdict"] in ("fail", "unknown") and not v["waived"] and not v["requirement"].startswith("BND-")
        ]
        assert set(others) == {"XR-ENDPOINT-SYNTAX", "P-CP"}  # the address of this host
        _status, output = await check(tmp_path, plan)
        assert "Not ready to install." in output
