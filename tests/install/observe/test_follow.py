"""Several processes follow a real run: they receive its output, and its end."""

import asyncio
from dataclasses import replace

from acp_tui.core.redaction import MASK
from acp_tui.install.observe.follow import RunUpdate, follow
from acp_tui.install.run.state import Phase
from tests.support.install_harness import (
    CANARY,
    QUICK,
    SLOW,
    InstallHarness,
    encoded,
    kill_runner,
    reports_progress,
    wait,
)


async def test_all_followers_receive_all_lines(harness: InstallHarness) -> None:
    harness.unpack(replace(QUICK, seconds=1.5))
    run_dir = await asyncio.to_thread(harness.start)

    async def updates_of_run() -> list[RunUpdate]:
        return [update async for update in follow(run_dir)]

    for updates in await asyncio.gather(updates_of_run(), updates_of_run(), updates_of_run()):
        assert updates[-1].state.phase is Phase.SUCCESS
        text = {(line.source, line.text) for update in updates for line in update.lines}
        assert ("setup.sh", "[PRACTICE] loading images ...") in text
        assert ("acp-tui", "The installer accepted the configuration.") in text
        assert any(source == "installer" and "configuration accepted" in line for source, line in text)
    late_updates = await updates_of_run()
    assert late_updates[-1].state.phase is Phase.SUCCESS
    assert any(line.source == "setup.sh" for update in late_updates for line in update.lines)


async def test_hostile_output_has_no_control_characters_or_long_lines(harness: InstallHarness) -> None:
    harness.setup_dir.mkdir(parents=True)
    (harness.setup_dir / "setup.sh").write_text(
        r"""printf 'a\033[2Jb\033]0;title\007c\r50%%\r100%%\n'; printf '\377\376 bytes\n'
        head -c 300000 /dev/zero | tr '\0' x; printf '\nno newline at the end'; exit 3"""
    )
    run_dir = await asyncio.to_thread(harness.start)
    lines = [line.text async for update in follow(run_dir) for line in update.lines if line.source == "setup.sh"]
    assert lines[-1] == "no newline at the end"
    assert all(len(line) <= 500 for line in lines)
    assert not any("\x1b" in line or "\r" in line for line in lines)


async def test_secrets_in_the_output_are_masked(harness: InstallHarness) -> None:
    harness.setup_dir.mkdir(parents=True)
    (harness.setup_dir / "setup.sh").write_text(f"echo 'login failed: {CANARY} {encoded(CANARY)}'; exit 3")
    run_dir = await asyncio.to_thread(harness.start)
    lines = [line.text async for update in follow(run_dir) for line in update.lines if line.source == "setup.sh"]
    assert lines == [f"login failed: {MASK} {MASK}"]


async def test_following_ends_when_the_runner_dies(harness: InstallHarness) -> None:
    harness.unpack(SLOW)
    run_dir = await asyncio.to_thread(harness.start)
    await asyncio.to_thread(wait, run_dir, reports_progress)
    await asyncio.to_thread(kill_runner, run_dir)
    updates = [update async for update in follow(run_dir)]
    assert updates[-1].state.interrupted
    assert updates[-1].state.phase is Phase.INSTALLING
