"""Starting again after a run that failed: what it left on the installer's node is looked at and told first.

The preflight looks at every node anew; this is about what a person has to know before, and about the one thing that
must not be there: an installer that is still at work, or in the way of the next one.
"""

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass

from acp_tui.checks.catalog import FunctionCheck, catalogue
from acp_tui.core.i18n import _
from acp_tui.install.observe.labels import phase_label
from acp_tui.install.run.state import Phase, RunState, removal
from acp_tui.install.verify.collect import NodeAccess, query_node
from acp_tui.install.verify.facts import Installed
from acp_tui.install.verify.queries import installed_from, installer_collectors, ports_collector, read_ports
from acp_tui.nodes.script import CollectorOutput
from acp_tui.plan.model import Plan

_SENT = (Phase.POSTED, Phase.INSTALLING)


@dataclass(frozen=True)
class Leftovers:
    """What a run that did not succeed has left. `ports`: the installer's that are taken; None: nobody could look."""

    run: RunState
    installed: Installed
    ports: tuple[int, ...] | None
    unpacked: bool
    release: str

    @property
    def posted(self) -> bool:
        """Whether the configuration has reached the installer, so that it may have changed every node."""
        return self.run.post_status == 200 or self.run.failed_in in _SENT or self.run.phase in _SENT

    @property
    def blocks_new_install(self) -> bool:
        """Whether a new run cannot begin before something is removed."""
        return bool(self.installed.left_over)


async def find_leftovers(access: NodeAccess, run: RunState) -> Leftovers:
    """Look at the installer's node. Changes nothing; what cannot be seen is told as such."""
    plan, release = access.plan, access.plan.effective_release
    unpacked = await asyncio.to_thread((run.spec.setup_dir / "setup.sh").exists)
    node = plan.installer_node
    if node is None:
        return Leftovers(run, installed_from({}, _("the plan has no control plane node")), None, unpacked, release)
    said = await query_node(access, node, (*installer_collectors(release), ports_collector()))
    installed = installed_from(said.readings, said.detail or _("the node did not answer this"))
    return Leftovers(run, installed, _taken(plan, said.readings.get("ports")), unpacked, release)


def _taken(plan: Plan, reading: CollectorOutput | None) -> tuple[int, ...] | None:
    if reading is None or reading.status:
        return None
    row = catalogue(plan.effective_release)["NET-PORTS-INST"].check
    assert isinstance(row, FunctionCheck)
    wanted: set[int] = set()
    for word in row.words("ports"):
        first, _dash, last = word.partition("-")
        wanted.update(range(int(first), int(last or first) + 1))
    return tuple(sorted(wanted & read_ports(reading.text)))


def lines(left: Leftovers) -> Iterator[str]:
    """What is to be known before a new run, a line each."""
    run = left.run
    yield (
        _("The last run began on {moment} and ended: {phase}. {message}")
        .format(
            moment=f"{run.started:%Y-%m-%d %H:%M} UTC",
            phase=phase_label(run.phase),
            message=run.message.partition("\n")[0],
        )
        .rstrip()
    )
    if left.installed.left_over is None:
        why = left.installed.missing.get("left_over", "")
        yield _("Whether its container is still there is not known: {why}").format(why=why)
    elif left.installed.left_over:
        yield _("Its container is still there ({status}). Remove it first: {command}").format(
            status=left.installed.left_over[0].status, command=removal(left.release)
        )
    else:
        yield _("Its container is gone.")
    if left.ports is None:
        yield _("Which ports are taken on the installer's node is not known.")
    elif left.ports:
        yield _("Taken on the installer's node: {ports}.").format(ports=", ".join(map(str, left.ports)))
    if left.posted:
        yield _(
            "The configuration had been sent, so every node may have been changed: clean or reinstall them. "
            "The preflight finds what is left."
        )
    else:
        yield _("The configuration had not been sent: only the installer's node was touched.")
    if left.unpacked:
        yield _("The package stays unpacked in {folder} and is used again.").format(folder=run.spec.setup_dir.parent)
