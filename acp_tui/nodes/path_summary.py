"""The connectivity facts of one node: a summary of its healthy paths, and a list of all others.

A cluster of a hundred nodes has ninety thousand TCP paths. A node therefore reports only how many of its paths are
healthy, so that the cost of a preflight grows with the number of nodes and not with the number of pairs of nodes.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import NamedTuple

from acp_tui.nodes.fact_types import Ping, TcpPath, TcpResult


class Spread(NamedTuple):
    """The shortest time, the median and the longest time of several times, in seconds."""

    low: float
    median: float
    high: float


class Peer(NamedTuple):
    """One address of a node, and the TCP ports that the other nodes test there."""

    address: str
    ssh_port: int
    """The port of the SSH server. It must accept connections; the other ports may also refuse them."""
    ports: tuple[int, ...]
    """All ports to test, with `ssh_port`."""


@dataclass(frozen=True, eq=False)
class Peers:
    """The addresses and ports that all nodes of a plan test. Each node leaves out its own addresses.

    All nodes share one object, so `peers_of` creates it, and two objects are equal only if they are identical."""

    peers: tuple[Peer, ...]
    limit: float
    """The longest round trip time of a healthy path, in seconds."""

    @cached_property
    def by_address(self) -> Mapping[str, Peer]:
        return {peer.address: peer for peer in self.peers}

    @cached_property
    def paths(self) -> int:
        """The number of TCP paths to all addresses."""
        return sum(len(peer.ports) for peer in self.peers)


@lru_cache(maxsize=16)
def peers_of(peers: tuple[Peer, ...], limit: float) -> Peers:
    """Return the same object for equal arguments."""
    return Peers(peers, limit)


@dataclass(frozen=True)
class PathSummary:
    """The TCP connects from this node to the other nodes, the cluster endpoint and the external registry."""

    listed: tuple[TcpPath, ...] = ()
    """The paths to other nodes that are not healthy, and all paths to other hosts."""
    peers: Peers | None = None
    """The addresses and ports of the plan at the time of the test; None if the plan had only one node."""
    own: frozenset[str] = frozenset()
    """The addresses in `peers` that the node did not test, because they are its own."""
    connected: int = 0
    """The number of healthy paths to other nodes on which a program accepted the connection."""
    refused: int = 0
    """The number of healthy paths to other nodes on which no program listens."""
    times: Spread | None = None
    """The spread of the fastest connect to each address of another node."""
    slow: Mapping[str, float] | None = None
    """Each address whose fastest connect took longer than `peers.limit` → this time in seconds."""

    @cached_property
    def by_target(self) -> Mapping[tuple[str, int], TcpPath]:
        """The listed paths by host and port."""
        return {(path.host, path.port): path for path in self.listed}

    def path(self, host: str, port: int) -> TcpPath | None:
        """Return the path to `host` and `port`; None if the node did not test it.

        The result of a healthy path that is not listed is `CONNECTED` for the SSH port, and else `REFUSED`."""
        if (listed := self.by_target.get((host, port))) is not None:
            return listed
        peer = self.peers.by_address.get(host) if self.peers and host not in self.own else None
        if peer is None or port not in peer.ports:
            return None
        return TcpPath(host, port, TcpResult.CONNECTED if port == peer.ssh_port else TcpResult.REFUSED)


@dataclass(frozen=True)
class PingSummary:
    """The pings from this node to all addresses of the other nodes.

    The path to an address is healthy if no packet was lost, a packet of the full size passed, and neither the median
    nor the mean of the round trip times was above `limit`."""

    limit: float
    """In seconds."""
    healthy: int = 0
    """The number of addresses with a healthy path."""
    times: Spread | None = None
    """The spread of the median round trip times on the healthy paths; None without a healthy path."""
    listed: tuple[Ping, ...] = ()
    """The pings of all other addresses."""
