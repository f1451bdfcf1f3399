"""The collection of facts over SSH: its events, its shell, and the facts that remain after an error."""

import asyncio
from pathlib import Path

from acp_tui.nodes.collect import collect_facts
from acp_tui.nodes.collectors import COLLECTORS
from acp_tui.nodes.events import FactsUpdated, LocalFactsDone, NodeEvent, NodeStage
from acp_tui.nodes.script import LAUNCH, Collector
from acp_tui.nodes.ssh.deadlines import Deadlines
from acp_tui.nodes.state import NodeState
from tests.support.ssh_server import HOST_KEY, KNOWN, Behaviour, collect, finished_event, login_target, server


async def test_collection_emits_stages_then_facts_then_the_end() -> None:
    async with server(Behaviour()) as port:
        events = await collect(login_target(port))
    stages = [event.stage for event in events if isinstance(event, NodeStage)]
    assert stages == ["tcp", "handshake", "login", "shell", "script"]
    assert sum(isinstance(event, FactsUpdated) for event in events) > 3
    done = finished_event(events)
    assert (done.state, done.detail) == (NodeState.CHECKED, "")
    assert done.facts.hostname
    assert done.facts.host_key == HOST_KEY.get_fingerprint()
    assert done.host_key == " ".join(HOST_KEY.export_public_key("openssh").decode().split()[:2])
    assert done.facts.clock is not None
    assert abs(done.facts.clock.offset) <= done.facts.clock.uncertainty < 5


async def test_a_login_that_floods_output_is_aborted() -> None:
    async with server(Behaviour(command="yes a menu")) as port:
        done = finished_event(await collect(login_target(port)))
    assert done.state is NodeState.AUTH_FAILED
    assert "bash did not run: " in done.detail
    assert "a menu a menu" in done.detail


async def test_local_facts_are_emitted_while_connectivity_tests_run(tmp_path: Path) -> None:
    shell = f"until [ -e {tmp_path}/seen ]; do sleep 0.05; done"
    waiting = Collector(
        "waiting", ("vrids_seen",), shell, lambda output: {"vrids_seen": frozenset()}, timeout=60, early=True
    )
    events = []
    async with server(Behaviour()) as port:
        async for event in collect_facts(login_target(port), KNOWN, collectors=(*COLLECTORS, waiting)):
            events.append(event)
            if isinstance(event, LocalFactsDone):
                (tmp_path / "seen").touch()
    [local] = [event for event in events if isinstance(event, LocalFactsDone)]
    assert (local.state, local.detail) == (NodeState.CHECKED, "")
    assert local.facts.hostname
    assert local.facts.vrids_seen is None
    assert "the connectivity tests are still in progress" in local.facts.missing_reason("vrids_seen")
    done = finished_event(events)
    assert done.facts.vrids_seen == frozenset()
    assert not [e for e in await _quick() if isinstance(e, LocalFactsDone)]


async def _quick() -> list[NodeEvent]:
    """Collect without slow collectors."""
    async with server(Behaviour()) as port:
        return await collect(login_target(port))


async def test_facts_collected_before_a_broken_connection_remain() -> None:
    async with server(Behaviour(cut_after=4000)) as port:
        done = finished_event(await collect(login_target(port)))
    assert done.state is NodeState.LOST
    assert done.facts.hostname
    assert done.facts.snap_packages is None
    assert done.facts.missing_reason("snap_packages") == done.detail
    assert "while a command ran" in done.detail


async def test_facts_collected_before_a_timeout_remain() -> None:
    async with server(Behaviour(command="bash -s | { head -c 3000; sleep 30; }")) as port:
        done = finished_event(await collect(login_target(port), deadlines=Deadlines(script=2)))
    assert done.state is NodeState.TIMEOUT
    assert done.facts.hostname
    assert "within 2 s" in done.detail


async def test_a_disabled_shell_is_reported_with_its_message() -> None:
    async with server(Behaviour(command="echo 'This account is not available'; exit 1")) as port:
        done = finished_event(await collect(login_target(port)))
    assert done.state is NodeState.AUTH_FAILED
    assert "bash did not run: This account is not available" in done.detail


async def test_a_login_without_output_is_reported_with_likely_causes() -> None:
    async with server(Behaviour(command="cat >/dev/null")) as port:
        done = finished_event(await collect(login_target(port)))
    assert done.state is NodeState.AUTH_FAILED
    assert "sent no error message" in done.detail
    assert ".bashrc" in done.detail


async def test_one_session_is_enough_and_output_of_a_profile_is_ignored() -> None:
    async with server(Behaviour(sessions=1, noise=b"Welcome to m1!\n\x1b[1mLast login")) as port:
        done = finished_event(await collect(login_target(port)))
    assert done.state is NodeState.CHECKED
    assert done.facts.os_id


async def test_no_sudo_keeps_the_facts_that_need_no_root(tmp_path: Path) -> None:
    (tmp_path / "id").write_text("#!/bin/sh\necho 1000\n")
    (tmp_path / "sudo").write_text("#!/bin/sh\necho 'sudo: sorry, you must have a tty to run sudo' >&2\nexit 1\n")
    for tool in ("id", "sudo"):
        (tmp_path / tool).chmod(0o755)
    async with server(Behaviour(command=f"PATH={tmp_path}:$PATH; export PATH; {LAUNCH}")) as port:
        done = finished_event(await collect(login_target(port), deadlines=Deadlines(script=6)))
    assert done.state is NodeState.NO_SUDO
    assert "requiretty" in done.detail
    assert done.facts.os_id
    assert (done.facts.uid, done.facts.sudo) == (1000, False)


async def test_a_script_that_does_not_start_times_out_before_a_slow_one() -> None:
    short = Deadlines(start=2.5, script=20)
    async with server(Behaviour(command="sleep 30")) as port:
        silent = finished_event(await collect(login_target(port), deadlines=short))
    assert silent.state is NodeState.TIMEOUT
    assert "sent no output within 2.5 s" in silent.detail
    slow = Collector("slow", ("vrids_seen",), "sleep 4", lambda output: {"vrids_seen": frozenset()}, timeout=10)
    async with server(Behaviour()) as port:
        events = [
            event async for event in collect_facts(login_target(port), KNOWN, deadlines=short, collectors=(slow,))
        ]
    assert finished_event(events).facts.vrids_seen == frozenset()


async def test_closing_the_events_closes_the_connection() -> None:
    behaviour = Behaviour(command="sleep 30")
    async with server(behaviour) as port:
        events = collect_facts(login_target(port), KNOWN)
        async for event in events:
            if isinstance(event, NodeStage) and event.stage == "script":
                break
        await asyncio.wait_for(events.aclose(), 5)


async def test_all_collectors_work_on_this_host() -> None:
    async with server(Behaviour()) as port:
        done = finished_event(await collect(login_target(port)))
    requested = {name for collector in COLLECTORS for name in collector.fields}
    present = {name for name in requested if getattr(done.facts, name) is not None}
    assert len(present) > len(requested) * 0.8, done.facts.missing
    assert all(done.facts.missing[name] for name in requested - present)
