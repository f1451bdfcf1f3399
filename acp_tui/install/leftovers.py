"""Find the leftovers of a failed run on the installer node, and describe them before a new run starts.

Only one leftover prevents a new run: an installer container that still exists. The other leftovers are for the
operator's information, because the preflight checks every node again.
"""

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass

from acp_tui.checks.catalog import FunctionCheck, catalogue
from acp_tui.core.i18n import _
from acp_tui.install.observe.phase_labels import phase_label
from acp_tui.install.run.state import Phase, RunState, removal
from acp_tui.install.verify.collect import NodeAccess, query_node
from acp_tui.install.verify.facts import Installed
from acp_tui.install.verify.queries import installed_from, installer_collectors, ports_collector, read_ports
from acp_tui.nodes.script import CollectorOutput
from acp_tui.package.install_dir import unpacked as unpacked_packages
from acp_tui.plan.model import Plan

_SENT = (Phase.POSTED, Phase.INSTALLING)


@dataclass(frozen=True)
class Leftovers:
    """Leftovers of a failed run. `ports`: the installer's ports that are in use; None: unknown."""

    run: RunState
    installed: Installed
    ports: tuple[int, ...] | None
    unpacked: bool
    release: str

    @property
    def posted(self) -> bool:
        """Return True if the installer received the configuration. It may then have changed every node."""
        return self.run.post_status == 200 or self.run.failed_in in _SENT or self.run.phase in _SENT

    @property
    def blocks_new_install(self) -> bool:
        """Return True if the installer container must be removed before a new run."""
        return bool(self.installed.left_over)


async def find_leftovers(access: NodeAccess, run: RunState) -> Leftovers:
    """Return the leftovers on the installer node. Values that are not known are None. Nothing is changed."""
    plan, release = access.plan, access.plan.effective_release
    unpacked = "core" in await asyncio.to_thread(unpacked_packages, run.spec.setup_dir.parent)
    node = plan.installer_node
    if node is None:
        return Leftovers(run, installed_from({}, _("the plan has no control plane node")), None, unpacked, release)
    output = await query_node(access, node, (*installer_collectors(release), ports_collector()))
    installed = installed_from(output.readings, output.detail or _("the query of the node returned no output"))
    return Leftovers(run, installed, _ports_in_use(plan, output.readings.get("ports")), unpacked, release)


def _ports_in_use(plan: Plan, reading: CollectorOutput | None) -> tuple[int, ...] | None:
    if reading is None or reading.status:
        return None
    row = catalogue(plan.effective_release)["NET-PORTS-INST"].check
    assert isinstance(row, FunctionCheck)
    installer_ports: set[int] = set()
    for port_range in row.texts("ports"):
        first, _dash, last = port_range.partition("-")
        installer_ports.update(range(int(first), int(last or first) + 1))
    return tuple(sorted(installer_ports & read_ports(reading.text)))


def lines(leftovers: Leftovers) -> Iterator[str]:
    """Yield the messages about the leftovers, one line each. They are printed before a new run."""
    run = leftovers.run
    yield (
        _("The last install started on {moment}. Its result: {phase}. {message}")
        .format(
            moment=f"{run.started:%Y-%m-%d %H:%M} UTC",
            phase=phase_label(run.phase),
            message=run.message.partition("\n")[0],
        )
        .rstrip()
    )
    if leftovers.installed.left_over is None:
        reason = leftovers.installed.missing.get("left_over", "")
        yield _("acp-tui could not check if the installer container of the last install exists: {reason}").format(
            reason=reason
        )
    elif leftovers.installed.left_over:
        yield _(
            "The installer container of the last install still exists ({status}). Remove it first: {command}"
        ).format(status=leftovers.installed.left_over[0].status, command=removal(leftovers.release))
    else:
        yield _("The installer container of the last install no longer exists.")
    if leftovers.ports is None:
        yield _("acp-tui could not check which ports of the installer node are in use.")
    elif leftovers.ports:
        yield _("The installer requires these ports, but they are in use on the installer node: {ports}.").format(
            ports=", ".join(map(str, leftovers.ports))
        )
    if leftovers.posted:
        yield _(
            "The configuration was sent, so the installer has possibly changed every node. Clean or reinstall the "
            "nodes. The next preflight reports the leftovers that it finds."
        )
    else:
        yield _("The configuration was not sent. Only the installer node was changed.")
    if leftovers.unpacked:
        yield _("The package is still unpacked in {folder}. A new run can use it.").format(
            folder=run.spec.setup_dir.parent
        )
