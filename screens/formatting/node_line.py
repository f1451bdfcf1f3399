"""Text of a node: its line in the list of nodes, and its details."""

from rich.text import Text

from acp_tui.checks.labels import role_label, state_label
from acp_tui.core.i18n import _, npgettext, pgettext
from acp_tui.nodes.facts import Facts
from acp_tui.nodes.state import NodeState
from acp_tui.plan.known_hosts import fingerprint
from acp_tui.plan.model import Plan
from acp_tui.plan.secret_mask import secret_mask
from acp_tui.plan.sections.node import Node
from screens.formatting.glyphs import state_mark
from screens.formatting.host_key import source_text
from screens.session.node_status import NodeStatus
from screens.session.wizard_session import Session


def node_line(session: Session, node: Node) -> Text:
    """Return one line with address, role, state, host name and number of blockers of `node`."""
    text = Text(no_wrap=True, overflow="ellipsis")
    status = session.nodes.statuses.get(node.address)
    mark, style = state_mark(status.state) if status is not None else ("-", "dim")
    text.append(f" {mark} ", style)
    text.append(f"{node.address:<16}")
    installer = session.plan.installer_node
    role = role_label(node.role) + ("*" if installer is not None and installer.address == node.address else "")
    text.append(f"{role:<15}")
    text.append(_state(status).ljust(18) if status is None or status.state is not NodeState.CHECKED else "")
    if status is not None and status.facts is not None and status.facts.hostname:
        text.append(secret_mask(session.plan)(status.facts.hostname)[:18].ljust(18))
    if status is not None and status.state is NodeState.CHECKED:
        if blockers := session.verdict_view.blockers_by_node.get(node.address, 0):
            message = npgettext("node", "{count} blocker", "{count} blockers", blockers)
            text.append(message.format(count=blockers), "bold red")
        else:
            text.append(pgettext("node", "ready"), "green")
    elif status is not None and status.notice:
        text.append(status.notice)
    return text


def _state(status: NodeStatus | None) -> str:
    if status is None:
        return credentials_missing()
    if status.state is NodeState.CHECKING and status.stage:
        return f"{state_label(status.state)} ({status.stage})"
    if status.asks_for_host_key:
        return f"{state_label(status.state)}: T"
    return state_label(status.state)


def credentials_missing() -> str:
    """Return the state text of a node that has no password and no key file."""
    return pgettext("node", "credentials missing")


def node_detail(plan: Plan, node: Node, status: NodeStatus | None) -> Text:
    """Return notice, problem, machine and host key of a node, each on its own line."""
    if status is None:
        message = _("{address} has not been checked yet. Enter an SSH password or an SSH key file.").format(
            address=node.address
        )
        return Text(message)
    lines = []
    if status.notice:
        lines.append(Text(f"{state_label(status.state)}, {status.notice}"))
    if status.asks_for_host_key:  # first, because the area can be too small for the detail
        lines.append(Text(_("Press T to compare the host key and to confirm it."), "cyan"))
    if status.detail:
        lines.append(Text(status.detail, "" if status.asks_for_host_key else "red"))
    if machine := machine_line(status.facts) if status.facts else "":
        lines.append(Text(secret_mask(plan)(machine)))
    if status.state is NodeState.HOST_KEY_CHANGED:
        lines.append(Text(_("Press T to compare the keys and to trust the new one.")))
    elif status.host_key and not status.asks_for_host_key:
        message = pgettext("node", "Host key {fingerprint}, {source}").format(
            fingerprint=fingerprint(status.host_key),
            source=source_text(status.known_host, plan.login(node).known_hosts),
        )
        lines.append(Text(message, "dim"))
    return Text("\n").join(lines)


def machine_line(facts: Facts) -> str:
    """Return operating system, kernel, architecture, CPUs and memory (GB) of a node on one line."""
    memory = f"{facts.memory / 1e9:.0f} GB" if facts.memory else None
    cpus = None
    if facts.cpu_count:
        cpus = npgettext("node", "{count} CPU", "{count} CPUs", facts.cpu_count).format(count=facts.cpu_count)
    return ", ".join(part for part in (facts.os_name, facts.kernel, facts.arch, cpus, memory) if part)
