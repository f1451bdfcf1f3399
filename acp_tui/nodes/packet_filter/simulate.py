"""Send an example packet through the chains of a packet filter, as the kernel does.

A condition that acp-tui cannot evaluate is neither true nor false. The packet then follows both ways.
"""

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from acp_tui.nodes.packet_filter.model import Action, Chain, Hook, Match, PacketFilter, Ranges, Rule, What

TCP, UDP, ICMP, ICMP6, IPIP = 6, 17, 1, 58, 4
SYN, ACK = 2, 16
ANY_NIC = "?"
"""The name of an interface whose name is unknown, but which is neither `lo` nor a bridge of a container runtime."""

POLICY = "policy drop"
"""The text of a verdict that comes from the policy of a chain."""
_DEEPEST = 16
MOST_STEPS = 300_000
"""The maximum number of rules and conditions that are evaluated for one node. The result beyond it is unknown."""
_BLOCKING = (Action.DROP, Action.REJECT, Action.UNKNOWN)
_TRANSLATING = (Action.MASQUERADE, Action.SNAT)
_ENDING = (Action.ACCEPT, Action.DNAT, *_TRANSLATING)


@dataclass(frozen=True, slots=True)
class Packet:
    """An example packet. Addresses are as `number` returns them; `nic_in` and `nic_out` are "" if not used."""

    family: int
    protocol: int
    source: int
    destination: int
    hooks: tuple[Hook, ...]
    source_port: int = -1
    destination_port: int = -1
    nic_in: str = ""
    nic_out: str = ""
    state: str = "new"
    flags: int = 0
    icmp: int = -1
    local: bool = False
    """True if the destination is this node."""
    steady: bool = False
    """True if the packets are so few that no limit of their rate applies."""


@dataclass(frozen=True)
class Verdict:
    """What can happen to a packet. A rule or policy is a text; None means that nothing can happen."""

    dropped: str | None = None
    """What drops or rejects the packet."""
    chain: Chain | None = None
    """The chain of this rule or policy."""
    certain: bool = False
    """True if the packet is certainly dropped; False if acp-tui cannot determine it."""
    translated: str | None = None
    """The rule that replaces the source address."""
    target: str = ""
    """The new source address; "" for the address of the interface."""


class Simulation:
    """The packet filter of one node, prepared for many packets."""

    def __init__(self, packet_filter: PacketFilter) -> None:
        self._base: dict[Hook, list[Chain]] = defaultdict(list)
        self._chains: dict[tuple[str, str, str], Mapping[str, Chain]] = {}
        self._left = MOST_STEPS
        by_table: dict[tuple[str, str, str], dict[str, Chain]] = defaultdict(dict)
        for chain in packet_filter.chains:
            by_table[_table(chain)][chain.name] = chain
            if chain.hook is not None:
                self._base[chain.hook].append(chain)
        self._chains.update(by_table)
        for chains in self._base.values():
            chains.sort(key=lambda chain: chain.priority)

    def send(self, packet: Packet) -> Verdict:
        """Return what happens to `packet`."""
        walk = _Walk(packet)
        for hook in packet.hooks:
            for chain in self._base.get(hook, ()):
                if not _passes(chain, packet, walk.state):
                    continue
                walk.begin(hook)
                result = self._run(chain, walk, sure=True, depth=0)
                if result is None and chain.policy is Action.DROP:
                    result, walk.last, walk.chain = Action.DROP, POLICY, chain
                if result in (Action.DROP, Action.REJECT):
                    if not walk.may_accept:
                        return Verdict(walk.last, walk.chain, certain=True)
                    walk.may_drop = walk.may_drop or (walk.last, walk.chain)
        last, at = walk.may_drop or (None, None)
        return Verdict(last, at, translated=walk.translated, target=walk.target)

    def _run(self, chain: Chain, walk: "_Walk", *, sure: bool, depth: int) -> Action | None:
        """Return the action that ends the packet in `chain`; None if the packet returns from it.

        `sure`: False if it is unknown whether the packet reaches the chain. The result is then None."""
        for rule in chain.rules:
            self._left -= 1
            if self._left < 0:
                walk.may_end(chain, Rule((), Action.UNKNOWN, text="..."))
                return None
            applies = self._applies(rule, walk)
            if applies is False:
                continue
            certain = sure and applies is True
            if rule.action in (Action.JUMP, Action.GOTO):
                result = self._jump(chain, rule, walk, sure=certain, depth=depth)
                if certain and (result is not None or rule.action is Action.GOTO):
                    return result
                if rule.action is Action.GOTO:
                    sure = False
                    if applies is True:
                        return None
            elif rule.action is Action.RETURN:
                if applies is True:
                    return None
                sure = False
            elif rule.action is Action.CONTINUE:
                continue
            elif rule.action in (Action.MARK, Action.UNTRACK):
                walk.change(rule, certain=certain)
            elif certain and rule.action is not Action.UNKNOWN:
                return walk.end(chain, rule)
            else:
                walk.may_end(chain, rule)
                if applies is True and rule.action is not Action.UNKNOWN:
                    return None
        return None

    def _jump(self, chain: Chain, rule: Rule, walk: "_Walk", *, sure: bool, depth: int) -> Action | None:
        target = self._chains[_table(chain)].get(rule.target)
        if target is None:
            return None
        if depth >= _DEEPEST:
            walk.may_drop = walk.may_drop or (rule.text, chain)
            return None
        return self._run(target, walk, sure=sure, depth=depth + 1)

    def _applies(self, rule: Rule, walk: "_Walk") -> bool | None:
        """Return whether all conditions of the rule hold; None if it is unknown."""
        result: bool | None = True
        for match in rule.matches:
            held = self._holds(match, walk)
            if held is False:
                return False
            result = result if held else None
        return result

    def _holds(self, match: Match, walk: "_Walk") -> bool | None:
        self._left -= 1
        if match.what is What.ANY:
            held = self._any(match.alternatives, walk)
            return held if held is None else held != match.negated
        held = _compare(match, walk)
        if held is None or match.what is What.RATE:
            return held
        return held != match.negated

    def _any(self, alternatives: Iterable[tuple[Match, ...]], walk: "_Walk") -> bool | None:
        result: bool | None = False
        for group in alternatives:
            held: bool | None = True
            for match in group:
                one = self._holds(match, walk)
                if one is False:
                    held = False
                    break
                held = held if one else None
            if held is True:
                return True
            result = None if held is None else result
        return result


class _Walk:
    """The way of one packet. The attributes change from chain to chain."""

    def __init__(self, packet: Packet) -> None:
        self.packet = packet
        self.state = packet.state
        self.mark: int | None = 0
        self.nic_in = ""
        self.nic_out = ""
        self.last = ""
        """The rule that ended the packet, and its chain."""
        self.chain: Chain | None = None
        self.may_accept = False
        """True if an earlier rule of the current chain possibly accepted the packet."""
        self.may_drop: tuple[str, Chain | None] | None = None
        self.translated: str | None = None
        self.target = ""

    def begin(self, hook: Hook) -> None:
        """Prepare for a base chain. Not every hook knows both interfaces."""
        self.may_accept = False
        self.nic_in = self.packet.nic_in if hook is not Hook.OUTPUT else ""
        self.nic_out = self.packet.nic_out if hook in (Hook.FORWARD, Hook.OUTPUT, Hook.POSTROUTING) else ""

    def end(self, chain: Chain, rule: Rule) -> Action:
        self.last, self.chain = rule.text, chain
        if rule.action in _TRANSLATING and self.translated is None:
            self.translated, self.target = f"{described(chain)}: {rule.text}", rule.target
        return Action.ACCEPT if rule.action in _ENDING else rule.action

    def may_end(self, chain: Chain, rule: Rule) -> None:
        if rule.action in _BLOCKING:
            self.may_drop = self.may_drop or (rule.text, chain)
        if rule.action not in (Action.DROP, Action.REJECT):
            self.may_accept = True
            if rule.action in _TRANSLATING and self.translated is None:
                self.translated, self.target = f"{described(chain)}: {rule.text}", rule.target

    def change(self, rule: Rule, *, certain: bool) -> None:
        if rule.action is Action.UNTRACK:
            self.state = "untracked" if certain else self.state
        elif certain and self.mark is not None:
            value, mask = rule.mark
            self.mark = (self.mark & ~mask) ^ value
        else:
            self.mark = None


def _table(chain: Chain) -> tuple[str, str, str]:
    return chain.tool, chain.family, chain.table


def described(chain: Chain) -> str:
    """Return the command that lists the chain, its table and its name."""
    table = f"{chain.family} {chain.table}" if chain.tool == "nft" else chain.table
    return f"{chain.tool} {table} {chain.name}"


def _passes(chain: Chain, packet: Packet, state: str) -> bool:
    """Return whether the packet passes through a base chain."""
    if chain.nat and state != "new":
        return False
    if chain.devices:
        return packet.nic_in in chain.devices
    return chain.family in ("inet", "ip" if packet.family == 4 else "ip6")


def _compare(match: Match, walk: _Walk) -> bool | None:
    """Return whether the comparison holds, before it is negated; None if it is unknown."""
    packet = walk.packet
    match match.what:
        case What.FAMILY:
            return _within(packet.family, match.ranges)
        case What.PROTOCOL:
            return _within(packet.protocol, match.ranges)
        case What.SOURCE:
            return _within(packet.source, match.ranges)
        case What.DESTINATION:
            return _within(packet.destination, match.ranges)
        case What.SOURCE_PORT:
            return _within(packet.source_port, match.ranges)
        case What.DESTINATION_PORT:
            return _within(packet.destination_port, match.ranges)
        case What.IN:
            return _named(walk.nic_in, match.names)
        case What.OUT:
            return _named(walk.nic_out, match.names)
        case What.STATE:
            return walk.state in match.names
        case What.ICMP:
            return _within(packet.icmp, match.ranges)
        case What.FLAGS:
            return _within(packet.flags & match.mask, match.ranges)
        case What.MARK:
            return None if walk.mark is None else _within(walk.mark & match.mask, match.ranges)
        case What.DESTINATION_TYPE:
            return ("local" if packet.local else "unicast") in match.names
        case What.SOURCE_TYPE:
            own = packet.nic_in in ("", "lo")
            return ("local" if own else "unicast") in match.names
        case What.PACKET_TYPE:
            return bool({"host", "unicast"} & set(match.names))
        case What.RATE:  # negated: the rule applies above the limit
            return not match.negated if packet.steady else None
        case What.CONSTANT:
            return True
        case _:
            return None


def _within(value: int, ranges: Ranges) -> bool:
    at = bisect_right(ranges, (value, 1 << 200))
    return at > 0 and value <= ranges[at - 1][1]


def _named(nic: str, names: tuple[str, ...]) -> bool | None:
    for name in names:
        if name.endswith("*") and (nic.startswith(name[:-1]) or name == "*"):
            return True
        if name == nic:
            return True
    if nic != ANY_NIC or all(name == "lo" for name in names):
        return False
    return None
