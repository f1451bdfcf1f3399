"""The parser of iptables-save and ipset: options of all versions, and hostile text."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from acp_tui.nodes.packet_filter.iptables import NotAList, parse_rule, parse_save, parse_sets
from acp_tui.nodes.packet_filter.model import Action, Hook, Match, Rule, What
from tests.support.packet_filters import saved

TCP = Match(What.PROTOCOL, ((6, 6),))


def rule(text: str) -> Rule:
    parsed = parse_rule(text, ("other",), {})
    assert parsed is not None
    return parsed


@pytest.mark.parametrize(
    ("text", "matches"),
    [
        ("-p tcp -m tcp --dport 22 -j DROP", (TCP, Match(What.DESTINATION_PORT, ((22, 22),)))),
        ("-p tcp -m tcp ! --dport 22 -j DROP", (TCP, Match(What.DESTINATION_PORT, ((22, 22),), negated=True))),
        ("-p tcp -m multiport --dports 22,80:90 -j DROP", (TCP, Match(What.DESTINATION_PORT, ((22, 22), (80, 90))))),
        ("! -i lo -j DROP", (Match(What.IN, names=("lo",), negated=True),)),
        ("-i ! lo -j DROP", (Match(What.IN, names=("lo",), negated=True),)),
        ("-i eth+ -o docker0 -j DROP", (Match(What.IN, names=("eth*",)), Match(What.OUT, names=("docker0",)))),
        ("-s 10.0.0.0/255.0.0.0 -j DROP", (Match(What.SOURCE, ((167772160, 184549375),)),)),
        ("-m state --state NEW,RELATED -j DROP", (Match(What.STATE, names=("new", "related")),)),
        ("-m conntrack ! --ctstate NEW -j DROP", (Match(What.STATE, names=("new",), negated=True),)),
        ("-p tcp -m tcp --tcp-flags FIN,SYN,RST,ACK SYN -j DROP", (TCP, Match(What.FLAGS, ((2, 2),), mask=23))),
        ("-p tcp -m tcp ! --syn -j DROP", (TCP, Match(What.FLAGS, ((2, 2),), negated=True, mask=23))),
        ("-p icmp -m icmp --icmp-type 3/4 -j DROP",
         (Match(What.PROTOCOL, ((1, 1),)), Match(What.ICMP, ((772, 772),)))),
        ("-p icmp -m icmp --icmp-type any -j DROP",
         (Match(What.PROTOCOL, ((1, 1),)), Match(What.ICMP, ((0, 65535),)))),
        ("-m mark --mark 0x8000/0x8000 -j DROP", (Match(What.MARK, ((32768, 32768),), mask=32768),)),
        ('-m comment --comment "a -j ACCEPT b" -j DROP', (Match(What.CONSTANT),)),
        ("-m limit --limit 3/min --limit-burst 10 -j DROP", (Match(What.RATE),)),
        ("-m hashlimit --hashlimit-above 5/sec --hashlimit-mode srcip --hashlimit-name x -j DROP",
         (Match(What.RATE, negated=True),)),
        ("-m rpfilter --loose --invert -j DROP", (Match(What.CONSTANT, negated=True),)),
        ("-m addrtype ! --dst-type LOCAL -j DROP", (Match(What.DESTINATION_TYPE, names=("local",), negated=True),)),
        ("-m geoip ! --source-country DE -j DROP", (Match(What.UNKNOWN, names=("! --source-country DE",)),)),
        ("-m connmark --mark 0x1 -j DROP", (Match(What.UNKNOWN, names=("connmark 0x1",)),)),
        ("-f -j DROP", (Match(What.CONSTANT, negated=True),)),
    ],
)  # fmt: skip
def test_conditions_of_a_rule(text: str, matches: tuple[Match, ...]) -> None:
    assert (rule(text).matches, rule(text).action) == (matches, Action.DROP)


@pytest.mark.parametrize(
    ("text", "action", "target"),
    [
        ("-j REJECT --reject-with icmp-host-prohibited", Action.REJECT, ""),
        ("-j other", Action.JUMP, "other"),
        ("-g other", Action.GOTO, "other"),
        ("-j SNAT --to-source 10.0.0.1", Action.SNAT, "10.0.0.1"),
        ("-j NFQUEUE --queue-num 0 --queue-bypass", Action.UNKNOWN, ""),
        ("-j CT --notrack", Action.UNTRACK, ""),
        ("-j TARPIT", Action.DROP, ""),
        ("-j missing", Action.UNKNOWN, "missing"),
    ],
)
def test_actions(text: str, action: Action, target: str) -> None:
    assert (rule(text).action, rule(text).target) == (action, target)


@pytest.mark.parametrize(
    ("text", "change"),
    [
        ("--set-xmark 0x4000/0x4000", (0x4000, 0x4000)),
        ("--set-mark 0x1", (1, 0xFFFFFFFF)),
        ("--and-mark 0xff", (0, 0xFFFFFF00)),
    ],
)
def test_marks(text: str, change: tuple[int, int]) -> None:
    assert rule(f"-j MARK {text}").mark == change


@pytest.mark.parametrize("text", ['-j LOG --log-prefix "-j DROP"', "-p tcp", "-j CONNMARK --save-mark"])
def test_rules_without_an_effect(text: str) -> None:
    assert parse_rule(text, (), {}) is None


def test_tables_and_hooks() -> None:
    text = "# Warning: iptables-legacy tables present\n" + saved("INPUT -j mine", INPUT="DROP", mine="-")
    text += saved("POSTROUTING -o eth0 -j MASQUERADE", table="nat")
    chains = {(each.table, each.name): each for each in parse_save(text.split("\n"), "ip", "iptables", {})}
    assert (chains["filter", "INPUT"].hook, chains["filter", "INPUT"].policy) == (Hook.INPUT, Action.DROP)
    assert chains["filter", "mine"].hook is None
    assert (chains["nat", "POSTROUTING"].priority, chains["nat", "POSTROUTING"].nat) == (100, True)
    assert chains["nat", "PREROUTING"].priority == -100


def test_counters_before_a_rule() -> None:
    [chain] = parse_save(("*filter", ":INPUT ACCEPT [0:0]", "[12:34] -A INPUT -j DROP", "COMMIT"), "ip", "iptables", {})
    assert [each.action for each in chain.rules] == [Action.DROP]


@pytest.mark.parametrize(
    "text", ["*filter\n:INPUT ACCEPT [0:0]", "iptables-save: Permission denied", "-A INPUT -j DROP"]
)
def test_text_that_is_no_list(text: str) -> None:
    with pytest.raises(NotAList):
        parse_save(text.split("\n"), "ip", "iptables", {})


def test_sets() -> None:
    rows = "create a hash:ip family inet\nadd a 10.0.0.1 timeout 5\nadd a 10.0.0.2\ncreate b hash:ip,port family inet\n"
    assert parse_sets(rows.split("\n")) == {"a": ("hash:ip", ("10.0.0.1", "10.0.0.2")), "b": ("hash:ip,port", ())}


WORDS = [
    *(
        "-p",
        "-m",
        "-s",
        "-d",
        "-i",
        "-o",
        "!",
        "tcp",
        "icmp",
        "--dport",
        "--dports",
        "22",
        "80:90",
        "1,",
        "--icmp-type",
    ),
    *("3/4", "--tcp-flags", "SYN", "ALL", "NONE", "--mark", "0x1/0x2", "-j", "DROP", "other", "MARK", "--set-xmark"),
    *("--match-set", "src", '"a', "--comment", "--ctstate", "NEW", "10.0.0.1/33", "::", "-f", "-g"),
]


@settings(max_examples=300, deadline=None)
@given(st.lists(st.sampled_from(WORDS) | st.text(max_size=5), max_size=40).map(" ".join))
def test_any_rule_is_parsed_or_unknown(text: str) -> None:
    parse_rule(text, ("other",), {"a": ("hash:ip", ("x",))})
