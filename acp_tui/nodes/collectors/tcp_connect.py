"""The collector of X-FIREWALL. It needs only bash, and opens TCP connections to many targets at the same time.

One process tests all ports of a reachable host within a few milliseconds. A port that does not reply is tried again and
again: on a lossy line an attempt fails because a packet is lost, and only a port that stays silent is closed. The
number of attempts follows from `FALSE_ALARM`, so the result does not depend on luck. The attempts overlap, because the
kernel sends a lost packet again only after a second.

The node summarises the healthy paths to its peers, and lists all other paths.
"""

import re
from collections.abc import Iterator, Mapping
from functools import lru_cache
from math import ceil, log
from shlex import quote

from acp_tui.core.i18n import _
from acp_tui.core.text import fill_template
from acp_tui.nodes.collectors.parsing import lines
from acp_tui.nodes.collectors.tcp_connect_shell import SHELL
from acp_tui.nodes.fact_types import TcpPath, TcpResult
from acp_tui.nodes.path_summary import PathSummary, Peers, Spread
from acp_tui.nodes.script import Collector, CollectorOutput
from acp_tui.plan.field_types import is_ip

LOSS = 0.3
"""The share of lost packets in each direction up to which an open path must not count as closed."""
FALSE_ALARM = 1e-4
"""The highest probability that a preflight at `LOSS` reports an open path as closed."""
_MOST_CHILDREN = 200  # at a time on one node
_MOST_ATTEMPTS = 4000  # of one node at ports that do not reply
_QUIET = 15  # hundredths of a second without a result: then the ports without one are tried again
_PAUSE = 10  # hundredths of a second between two attempts at a port
_SECONDS = 25  # after which the collector reports the remaining ports as silent


def attempts(paths: int) -> int:
    """Return the number of attempts after which a path without a reply is closed. `paths`: all paths of the cluster.

    An attempt succeeds if two packets arrive, the request and the reply. With a `LOSS` of 0.3 it fails with a
    probability of 0.51. Three nodes have 60 paths and need 20 attempts, 100 nodes have 90,000 and need 31."""
    failure = 1 - (1 - LOSS) ** 2
    return ceil(log(FALSE_ALARM / max(1, paths)) / log(failure))


_RESULTS: Mapping[str, TcpResult] = {
    "connected": TcpResult.CONNECTED,
    "Connection refused": TcpResult.REFUSED,
    "Connection timed out": TcpResult.TIMEOUT,
    "(silent)": TcpResult.TIMEOUT,
    "No route to host": TcpResult.NO_ROUTE,
    "Host is down": TcpResult.NO_ROUTE,
    "Network is unreachable": TcpResult.FORBIDDEN,
    "Permission denied": TcpResult.FORBIDDEN,
    "Operation not permitted": TcpResult.FORBIDDEN,
    "Invalid argument": TcpResult.FORBIDDEN,
}
"""Errors of connect(2) in the C locale. A blackhole route on the node itself causes "Invalid argument"."""


def tcp_connect_collector(
    tcp_targets: tuple[tuple[str, int], ...], peers: Peers | None = None, own: frozenset[str] = frozenset()
) -> Collector:
    """Return the collector that connects to each host and port of `tcp_targets` and to all peers.

    `own`: the addresses of the peers that are those of the node itself."""
    by_host: dict[str, list[str]] = {}
    for host, port in tcp_targets:
        by_host.setdefault(host, []).append(str(port))
    named = [
        f"named {quote(host)} {'ip' if is_ip(host) else 'name'} {' '.join(ports)}" for host, ports in by_host.items()
    ]
    others = len(peers.peers) - len(own) if peers else 0
    paths = peers.paths * others if peers else 0
    shell = fill_template(
        SHELL,
        NAMED="\n".join(named),
        OWN=quote(" ".join(sorted(own))),
        PEERS=_peer_calls(peers) if peers else "",
        LIMIT=str(ceil(peers.limit * 1000) if peers else 1000),
        ATTEMPTS=str(attempts(paths + len(tcp_targets))),
        BUDGET=str(_MOST_ATTEMPTS),
        CHILDREN=str(_MOST_CHILDREN),
        SECONDS=str(_SECONDS * 100),
        QUIET=str(_QUIET),
        PAUSE=str(_PAUSE),
    )

    def parse(output: CollectorOutput) -> Mapping[str, object]:
        return _paths(tcp_targets, peers, own, output)

    return Collector("paths", ("paths",), shell, parse, timeout=_SECONDS + 20, early=True)


@lru_cache(maxsize=4)
def _peer_calls(peers: Peers) -> str:
    """Return the shell lines that name the peers. All nodes get the same lines."""
    groups: dict[tuple[int, tuple[int, ...]], list[str]] = {}
    for peer in peers.peers:
        groups.setdefault((peer.ssh_port, peer.ports), []).append(quote(peer.address))
    return "\n".join(
        f"peers {ssh_port} {','.join(map(str, ports))} {' '.join(hosts)}" for (ssh_port, ports), hosts in groups.items()
    )


_DETAIL_LENGTH = 80
_DURATION = re.compile(r"\b(\d{1,4}[.,]\d{3})\b")
_NUMBER = re.compile(r"[0-9]{1,7}")


def _paths(
    tcp_targets: tuple[tuple[str, int], ...], peers: Peers | None, own: frozenset[str], output: CollectorOutput
) -> Mapping[str, object]:
    """Parse lines `HOST PORT MESSAGE`, `= slow HOST MILLISECONDS` and the last line
    `= healthy CONNECTED REFUSED [LOW MEDIAN HIGH]` with times in milliseconds.

    The message includes the duration of the connect in seconds. A target of `tcp_targets` without a line gets the
    result UNKNOWN. So does each peer path without a line, if the number of healthy paths is not that of all others.
    If the output contains no result at all, the fact `paths` is missing."""
    named = {(host, str(port)): (host, port) for host, port in tcp_targets}
    listed, slow, counts, times = dict[tuple[str, int], TcpPath](), dict[str, float](), (0, 0), None
    for line in lines(output):
        host, _space, rest = line.partition(" ")
        if host == "=":
            word, *columns = rest.split()
            if word == "slow" and len(columns) == 2 and _NUMBER.fullmatch(columns[1]):
                slow[columns[0]] = int(columns[1]) / 1000
            elif word == "healthy" and len(columns) in (2, 5) and all(map(_NUMBER.fullmatch, columns)):
                counts = int(columns[0]), int(columns[1])
                times = Spread(*(int(column) / 1000 for column in columns[2:])) if columns[2:] else None
            continue
        port, _space, message = rest.partition(" ")
        target = named.get((host, port)) or _peer_target(peers, own, host, port)
        if target is not None:
            listed[target] = _path(target, message)
    reason = _("the node did not report the result of the TCP connect")
    listed |= (
        {
            target: TcpPath(*target, TcpResult.UNKNOWN, detail=reason)
            for target in dict.fromkeys(tcp_targets)
            if target not in listed
        }
        if listed or sum(counts)
        else {}
    )
    missing = list(_without_result(tcp_targets, peers, own, listed, sum(counts)))
    if not listed and not sum(counts) and (tcp_targets or missing):
        return {}
    if missing:
        counts, times = (0, 0), None
        listed |= {target: TcpPath(*target, TcpResult.UNKNOWN, detail=reason) for target in missing}
    known = {host: seconds for host, seconds in slow.items() if peers and host in peers.by_address}
    return {"paths": PathSummary(tuple(listed.values()), peers, own, *counts, times, known)}


def _peer_target(peers: Peers | None, own: frozenset[str], host: str, port: str) -> tuple[str, int] | None:
    peer = peers.by_address.get(host) if peers and host not in own else None
    number = int(port) if _NUMBER.fullmatch(port) else 0
    return (host, number) if peer and number in peer.ports else None


def _without_result(
    tcp_targets: tuple[tuple[str, int], ...],
    peers: Peers | None,
    own: frozenset[str],
    listed: Mapping[tuple[str, int], TcpPath],
    healthy: int,
) -> Iterator[tuple[str, int]]:
    """Yield each unlisted path to a peer, unless their number is that of the healthy paths."""
    if peers is None:
        return
    excluded = {target for target in (*listed, *tcp_targets) if target[0] in peers.by_address and target[0] not in own}
    of_peers = sum(target[1] in peers.by_address[target[0]].ports for target in excluded)
    expected = peers.paths - sum(len(peers.by_address[address].ports) for address in own) - of_peers
    if healthy != expected:
        yield from (
            (peer.address, port)
            for peer in peers.peers
            if peer.address not in own
            for port in peer.ports
            if (peer.address, port) not in excluded
        )


def _path(target: tuple[str, int], message: str) -> TcpPath:
    result, seconds = _parse_message(message)
    if result is TcpResult.FORBIDDEN and "Invalid argument" in message and not is_ip(target[0]):
        result = TcpResult.UNRESOLVED  # bash's message for a name that it cannot resolve
    return TcpPath(*target, result, seconds, message.strip()[:_DETAIL_LENGTH] if result is TcpResult.UNKNOWN else "")


@lru_cache(maxsize=256)
def _parse_message(message: str) -> tuple[TcpResult, float | None]:
    """Return the result of the connect that `message` reports, and its duration in seconds.

    The results are cached, because many connects have the same message."""
    took = _DURATION.search(message)
    result = next((result for text, result in _RESULTS.items() if text in message), TcpResult.UNKNOWN)
    return result, float(took[1].replace(",", ".")) if took else None
