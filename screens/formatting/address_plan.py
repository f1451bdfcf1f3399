"""Draw the address plan: the CIDR ranges and addresses in numeric order, with size and purpose.

A range inside a larger one is indented. Overlaps have a mark and a text, so the drawing is clear without colour.
"""

import textwrap
from collections.abc import Iterator, Mapping, Sequence

from rich.text import Text

from acp_tui.checks.free_subnets import suggestions, with_room
from acp_tui.checks.subnets import Kind, Network, Taken, interface_of, meet, taken
from acp_tui.core.i18n import NC_, _, npgettext, pgettext
from acp_tui.nodes.facts import Facts
from acp_tui.plan.field_types import is_domain
from acp_tui.plan.model import Plan
from acp_tui.plan.secret_mask import secret_mask
from screens.formatting.glyphs import RICH, glyphs

_NAMES: Mapping[Kind, str] = {
    Kind.PODS: NC_("purpose", "Pods"),
    Kind.SERVICES: NC_("purpose", "Services"),
    Kind.JOIN: NC_("purpose", "join range"),
    Kind.NODES: NC_("purpose", "nodes"),
    Kind.ENDPOINT: NC_("purpose", "endpoint"),
    Kind.PLATFORM: NC_("purpose", "platform"),
    Kind.OTHER: NC_("purpose", "other address"),
    Kind.REGISTRY: NC_("purpose", "registry"),
    Kind.DNS: NC_("purpose", "name server"),
    Kind.ROUTE: NC_("purpose", "other network"),
    Kind.RESERVED: NC_("purpose", "reserved"),
}
_EXCLUSIVE = (Kind.NODES, Kind.ENDPOINT, Kind.DNS, Kind.PODS, Kind.SERVICES, Kind.JOIN)
"""Kinds of networks that must not overlap each other if the network plugin is Kube-OVN.

Any other overlap is only advice."""
_QUIET = (Kind.ROUTE, Kind.RESERVED)
"""Kinds of networks that the drawing shows only if they overlap a range of the plan."""
_BAR = {4: 2, 6: 8}
"""Number of host bits for each block of a size bar, by IP version. An IPv4 /24 has 8 host bits, so 4 blocks."""
_HEAD, _MARK = 14, 2


def drawing(plan: Plan, facts: Mapping[str, Facts], width: int) -> Text:
    """Return the drawing of the address plan, in lines of at most `width` columns."""
    everything = taken(plan, facts)
    text = Text()
    for name, host, detail in _heads(plan, facts):
        text.append_text(_row("", name.ljust(_HEAD) + host, [detail], _HEAD, _HEAD + 26, width))
    for version in (4, 6):
        family = sorted(
            (one for one in everything if one.network.version == version),
            key=lambda one: (one.network.network_address, one.network.prefixlen, one.kind),
        )
        met = {one: _overlaps(one, family) for one in family}
        family = [one for one in family if one.kind not in _QUIET or met[one]]
        if any(one.of_plan for one in family):
            text.append(f"\nIPv{version}", "bold")
            text.append(
                "  "
                + _("Each additional block means {times} times as many addresses.").format(times=2 ** _BAR[version]),
                "dim",
            )
            text.append("\n")
            text.append_text(_family(plan, facts, family, met, width))
    kinds = {one.path: one.kind for one in everything if one.of_plan}
    for path, free in suggestions(plan, facts).items():
        text.append(
            "\n"
            + pgettext("address plan", "Free range for {purpose}: {range}").format(
                purpose=_(_NAMES[kinds[path]]), range=free
            ),
            "cyan",
        )
    return text


def _heads(plan: Plan, facts: Mapping[str, Facts]) -> Iterator[tuple[str, str, str]]:
    """Yield (label, address, details) for the platform address, the cluster endpoint and each other address."""
    address = plan.address
    ports = pgettext("port", "HTTPS {https}").format(https=address.https_port)
    if address.http_port:
        ports += ", " + pgettext("port", "HTTP {http}").format(http=address.http_port)
    platform = plan.platform_address
    yield (
        pgettext("row", "Platform"),
        platform or "-",
        ", ".join(part for part in (ports, *_resolved(platform, facts)) if part),
    )
    if address.self_built_vip:
        kind = _("Self-built VIP, VRID {vrid}").format(vrid=address.vrid)
    else:
        kind = _("address of the node") if plan.single else pgettext("address plan", "load balancer")
    endpoint = address.cluster_endpoint
    yield pgettext("address plan", "Endpoint"), endpoint or "-", ", ".join(("6443", kind, *_resolved(endpoint, facts)))
    for other in address.others:
        if is_domain(other):
            yield pgettext("address plan", "Other address"), other, ", ".join(_resolved(other, facts))


def _resolved(host: str, facts: Mapping[str, Facts]) -> tuple[str, ...]:
    answers = {a for known in facts.values() for a in (known.names or {}).get(host) or ()} if is_domain(host) else ()
    return (
        (pgettext("address plan", "resolves to {addresses}").format(addresses=", ".join(sorted(answers)[:3])),)
        if answers
        else ()
    )


def _overlaps(one: Taken, family: Sequence[Taken]) -> tuple[Taken, ...]:
    """Return the networks of `family` that overlap `one`. An overlap counts only if one of the two is in the plan."""
    return tuple(
        other
        for other in family
        if other is not one and (one.of_plan or other.of_plan) and any(meet(a, b) for a in one.sure for b in other.sure)
    )


def _family(
    plan: Plan, facts: Mapping[str, Facts], family: Sequence[Taken], met: Mapping[Taken, tuple[Taken, ...]], width: int
) -> Text:
    inside = " └ " if glyphs() is RICH else " - "
    outer_ranges: list[Network] = []
    labels = []
    for one in family:
        while outer_ranges and not meet(outer_ranges[-1], one.network):
            outer_ranges.pop()
        single = one.network.prefixlen == one.network.max_prefixlen
        name = str(one.network.network_address if single else one.network)
        labels.append(("   " * (len(outer_ranges) - 1) + inside if outer_ranges else "") + name)
        outer_ranges.append(one.network)
    label_width = max(map(len, labels)) + 1
    longest = max(_blocks(one) for one in family) + 1
    name_width = max(len(pgettext("purpose", _NAMES[one.kind])) for one in family) + 1
    text = Text()
    for one, label in zip(family, labels, strict=True):
        bar = (glyphs().bar * _blocks(one)).ljust(longest)
        start = label.ljust(label_width) + bar + pgettext("purpose", _NAMES[one.kind]).ljust(name_width)
        overlaps = met[one]
        fails = plan.network.cni == "kube-ovn" and any({one.kind, other.kind} <= set(_EXCLUSIVE) for other in overlaps)
        mark, style = ("", "")
        if overlaps or _too_small(plan, one):
            mark, style = (glyphs().failed, "bold red") if fails else (glyphs().warned, "yellow")
        names = ", ".join(dict.fromkeys(pgettext("purpose", _NAMES[other.kind]) for other in overlaps))
        details = [
            *_detail(plan, facts, one),
            *([pgettext("address plan", "overlaps: {others}").format(others=names)] if overlaps else []),
        ]
        text.append_text(_row(mark, start, details, label_width + longest, len(start), width, style))
    return text


def _detail(plan: Plan, facts: Mapping[str, Facts], one: Taken) -> Iterator[str]:
    if one.kind is Kind.NODES:
        nics = {
            owner.nic
            for host in one.hosts
            for known in facts.values()
            if (owner := interface_of(host, known.interfaces or ())) is not None
        }
        count = len(one.hosts)
        nodes = npgettext("address plan", "{count} node", "{count} nodes", count).format(count=count)
        yield ", ".join([_size(one.network), nodes, *map(secret_mask(plan), sorted(nics)[:3])])
        if one.guessed:
            yield pgettext("address plan", "prefix length unknown")
    elif one.kind is Kind.PODS:
        most, count = plan.kubernetes.max_pods_per_node, len(plan.nodes)
        needed = most * count
        sizes = {"size": _size(one.network), "nodes": count, "most": most, "needed": f"{needed:,}"}
        yield pgettext("address plan", "{size} for {nodes} x {most} = {needed} Pods").format(**sizes)
        if _too_small(plan, one):
            yield pgettext("address plan", "too small for the Pods")
    elif one.network.prefixlen < one.network.max_prefixlen:
        yield _size(one.network)


def _too_small(plan: Plan, one: Taken) -> bool:
    return one.of_plan and with_room(plan, one.path, one.network) != one.network


def _size(network: Network) -> str:
    bits = network.max_prefixlen - network.prefixlen
    return f"{network.num_addresses:,}" if bits <= 32 else f"2^{bits}"


def _blocks(one: Taken) -> int:
    return -(-(one.network.max_prefixlen - one.network.prefixlen) // _BAR[one.network.version])


def _row(mark: str, start: str, details: Sequence[str], under: int, indent: int, width: int, style: str = "") -> Text:
    """Return the line of one range. Details that do not fit continue on the next line, at column `under`."""
    line, below = f"{mark:<{_MARK}}{start:<{indent}}", list[str]()
    for detail in details:
        if not below and len(line) + len(detail) + 2 <= width:
            line += (", " if len(line) > _MARK + indent else " ") + detail
        else:
            below += textwrap.wrap(detail, width - _MARK - under)
    return Text("\n".join([line.rstrip(), *(" " * (_MARK + under) + more for more in below)]) + "\n", style)
