"""Ask for the memory channels of physical machines."""

from acp_tui.checks.finding import ClusterSubject, Finding, Findings
from acp_tui.checks.verdict import Outcome
from acp_tui.core.i18n import _


def memory_channels(subject: ClusterSubject) -> Findings:
    """HW-MEM-CHANNELS: a person must confirm the memory channels of the nodes that are not virtual machines."""
    facts = {node.address: subject.facts.get(node.address) for node in subject.plan.nodes}
    machines = [address for address, known in facts.items() if known is None or known.virtual is not True]
    if not machines:
        return (Finding(Outcome.NOT_APPLICABLE, _("all nodes are virtual machines")),)
    observed = _("these nodes are, or could be, physical machines: {nodes}").format(nodes=", ".join(machines))
    return (Finding(Outcome.MANUAL, observed),)
