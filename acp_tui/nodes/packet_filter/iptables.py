"""Parser of the output of `iptables-save` and `ip6tables-save`, and of `ipset save`."""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from acp_tui.nodes.packet_filter.iptables_options import NO_ARGUMENTS, SILENT, Sets, condition
from acp_tui.nodes.packet_filter.model import Action, Chain, Hook, Match, Rule
from acp_tui.nodes.packet_filter.nft_fields import constant, unknown
from acp_tui.nodes.packet_filter.nft_rule import shown
from acp_tui.nodes.packet_filter.values import plain

_TOKEN = re.compile(r'"(?:[^"\\]|\\.)*"|\S+')
_PRIORITIES: Mapping[tuple[str, str], int] = {("nat", "INPUT"): 100, ("nat", "POSTROUTING"): 100}
_TABLES: Mapping[str, int] = {"raw": -300, "mangle": -150, "nat": -100, "filter": 0, "security": 50}
_HOOKS: Mapping[str, Hook] = {hook.name: hook for hook in Hook if hook is not Hook.INGRESS}
_ACTIONS: Mapping[str, Action] = {
    "ACCEPT": Action.ACCEPT, "DROP": Action.DROP, "REJECT": Action.REJECT, "RETURN": Action.RETURN,
    "QUEUE": Action.UNKNOWN, "NFQUEUE": Action.UNKNOWN, "MASQUERADE": Action.MASQUERADE, "SNAT": Action.SNAT,
    "DNAT": Action.DNAT, "REDIRECT": Action.DNAT, "NETMAP": Action.DNAT, "TPROXY": Action.ACCEPT,
    "SYNPROXY": Action.ACCEPT, "TARPIT": Action.DROP, "DELUDE": Action.DROP, "CHAOS": Action.DROP,
    "STEAL": Action.DROP, "NOTRACK": Action.UNTRACK, "MARK": Action.MARK,
}  # fmt: skip
_PASSING = frozenset(
    ("LOG", "NFLOG", "ULOG", "TRACE", "CONNMARK", "CT", "TCPMSS", "CHECKSUM", "CLASSIFY", "DSCP", "TOS", "TTL", "HL",
     "SET", "AUDIT", "SECMARK", "CONNSECMARK", "RATEEST", "IDLETIMER", "LED", "TCPOPTSTRIP", "ECN", "HMARK", "TEE",
     "ACCOUNT", "SYSRQ", "NFACCT")
)  # fmt: skip
"""Targets after which the next rule follows."""


class NotAList(ValueError):
    """The output contains text that iptables-save does not print. The message is the first such line."""


@dataclass
class _Table:
    name: str
    policies: dict[str, str] = field(default_factory=dict)
    """Chain → its policy; `-` for a chain of the operator."""
    rules: dict[str, list[str]] = field(default_factory=dict)


def parse_save(rows: Iterable[str], family: str, tool: str, sets: Sets) -> list[Chain]:
    """Return the chains in the output of iptables-save. `family`: `ip` or `ip6`. `tool`: the command that made it.

    Raises NotAList: the output contains another text, such as an error, or it ends within a table."""
    return [chain for table in _tables(rows) for chain in _chains(table, family, tool, sets)]


def incompatible(rows: Iterable[str]) -> set[str]:
    """Return the tables that iptables-save does not list, because rules of nft are in them."""
    return {match[1] for row in rows if (match := re.match(r"# Table `([a-z]{1,20})' is incompatible", row))}


def _tables(rows: Iterable[str]) -> Iterator[_Table]:
    table: _Table | None = None
    for row in rows:
        text = row.strip()
        if not text or text.startswith("#"):
            continue
        if text.startswith("*"):
            table = _Table(text[1:40])
        elif text == "COMMIT" and table is not None:
            yield table
            table = None
        elif table is not None and text.startswith(":"):
            name, _, rest = text[1:].partition(" ")
            table.policies[name] = rest.partition(" ")[0]
        elif table is not None and (match := re.match(r"(?:\[[0-9]{1,20}:[0-9]{1,20}\] )?-A (\S{1,64})", text)):
            table.rules.setdefault(match[1], []).append(text[match.end() :].strip())
        else:
            raise NotAList(text[:200])
    if table is not None:
        raise NotAList(f"*{table.name}")


def _chains(table: _Table, family: str, tool: str, sets: Sets) -> Iterator[Chain]:
    for name, policy in table.policies.items():
        rules = tuple(
            rule for text in table.rules.get(name, ()) if (rule := parse_rule(text, table.policies, sets)) is not None
        )
        hook = _HOOKS.get(name) if policy != "-" else None
        yield Chain(
            family,
            table.name,
            name,
            rules,
            hook,
            _PRIORITIES.get((table.name, name), _TABLES.get(table.name, 0)),
            Action.DROP if policy == "DROP" else Action.ACCEPT,
            table.name == "nat",
            tool=tool,
        )


def parse_rule(text: str, chains: Iterable[str], sets: Sets) -> Rule | None:
    """Return the rule in a line of iptables-save, without `-A CHAIN`.

    The result is None for a rule that neither ends a packet nor changes its mark."""
    options = list(_options(_TOKEN.findall(text)))
    target, goto = "", False
    matches: list[Match] = []
    target_words: dict[str, str] = {}
    modules: list[str] = []
    for option, tokens, negated in options:
        if option in ("-j", "--jump", "-g", "--goto"):
            target, goto = tokens[0] if tokens else "", option in ("-g", "--goto")
        elif option in ("-m", "--match"):
            modules += tokens
        elif target and option.startswith("--"):
            target_words[option] = " ".join(tokens)
        elif option == "--mark" and "connmark" in modules:
            matches.append(unknown("connmark", *tokens))
        elif option not in SILENT:
            matches.append(condition(option, tokens, negated, sets))
    if "rpfilter" in modules:  # each packet of the cluster has a route back to its source
        matches.append(constant("--invert" not in {option for option, _tokens, _negated in options}))
    return _rule(target, goto, tuple(matches), target_words, shown(text), chains)


def _rule(
    target: str, goto: bool, matches: tuple[Match, ...], tokens: Mapping[str, str], text: str, chains: Iterable[str]
) -> Rule | None:
    if target in _ACTIONS:
        action = _ACTIONS[target]
        if action is Action.MARK:
            try:
                return Rule(matches, action, text=text, mark=_mark(tokens))
            except ValueError:
                return Rule((*matches, unknown("mark")), action, text=text)
        return Rule(matches, action, tokens.get("--to-source", tokens.get("--to-destination", ""))[:100], text)
    if target == "CT" and "--notrack" in tokens:
        return Rule(matches, Action.UNTRACK, text=text)
    if not target or target in _PASSING:
        return None
    if target in chains:
        return Rule(matches, Action.GOTO if goto else Action.JUMP, target, text)
    return Rule(matches, Action.UNKNOWN, target, text)


def _mark(tokens: Mapping[str, str]) -> tuple[int, int]:
    """Return value and mask of the target MARK, see `Rule.mark`. Raises ValueError."""
    option, text = next(iter(tokens.items()), ("", ""))
    value, slash, mask = text.partition("/")
    number, bits = plain(value), plain(mask) if slash else 0xFFFFFFFF
    match option:
        case "--set-xmark":
            return number, bits
        case "--set-mark":
            return number, bits | number
        case "--or-mark":
            return number, number
        case "--and-mark":
            return 0, ~number & 0xFFFFFFFF
        case "--xor-mark":
            return number, 0
        case _:
            raise ValueError("unknown change of the mark")


def _options(tokens: list[str]) -> Iterator[tuple[str, list[str], bool]]:
    """Yield the options of a rule, with their arguments, and whether `!` is before or after the option."""
    at, negated = 0, False
    while at < len(tokens):
        token = tokens[at]
        at += 1
        if token == "!":
            negated = True
            continue
        arguments: list[str] = []
        if token not in NO_ARGUMENTS:
            if tokens[at : at + 1] == ["!"]:  # the form of old versions
                negated = True
                at += 1
            while at < len(tokens) and not (tokens[at].startswith("-") and len(tokens[at]) > 1) and tokens[at] != "!":
                arguments.append(tokens[at].strip('"'))
                at += 1
                if token not in ("--match-set", "--tcp-flags"):
                    break
                if len(arguments) == 2:
                    break
        yield token, arguments, negated
        negated = False


def parse_sets(rows: Iterable[str]) -> Sets:
    """Return the ipsets in the output of `ipset save`."""
    kinds: dict[str, str] = {}
    elements: dict[str, list[str]] = {}
    for row in rows:
        tokens = row.split(maxsplit=3)
        if len(tokens) >= 3 and tokens[0] == "create":
            kinds[tokens[1]] = tokens[2]
        elif len(tokens) >= 3 and tokens[0] == "add" and "nomatch" not in tokens[3:]:
            elements.setdefault(tokens[1], []).append(tokens[2])
    return {name: (kind, tuple(elements.get(name, ()))) for name, kind in kinds.items()}
