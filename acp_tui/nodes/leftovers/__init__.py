"""Leftovers of a former cluster or container runtime (CAP-FRESH-ENV, FS-KUBELET-UNIT, PKG-LEFTOVER-BIN).

One table names each leftover. The collector, the verdicts, the texts of `explain` and the fixes use this table, so a
new row needs no other code. The folders of FS-DIR-* and the packages of PKG-CONFLICT-* are in the catalogue.
"""

from acp_tui.nodes.leftovers.kubernetes import CLUSTERS, KUBELET
from acp_tui.nodes.leftovers.network import NETWORK
from acp_tui.nodes.leftovers.row import Kind, Leftover
from acp_tui.nodes.leftovers.runtimes import PROGRAMS, RUNTIMES

__all__ = ["LEFTOVERS", "Kind", "Leftover"]

LEFTOVERS: tuple[Leftover, ...] = (*NETWORK, *KUBELET, *CLUSTERS, *RUNTIMES, *PROGRAMS)
