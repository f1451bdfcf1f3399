"""The parser of `nft list ruleset`: rules of real nft versions, and hostile text."""

from contextlib import suppress

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from acp_tui.nodes.packet_filter.model import Action, Hook, Match, Rule, What
from acp_tui.nodes.packet_filter.nft import NotAList, parse_ruleset
from tests.support.packet_filters import chain


def rules(*lines: str) -> tuple[Rule, ...]:
    [parsed], _names = parse_ruleset(chain("input", *lines).split("\n"))
    return parsed.rules


def rule(line: str) -> Rule:
    [parsed] = rules(line)
    return parsed


PROTOCOL_TCP = Match(What.PROTOCOL, ((6, 6),))


@pytest.mark.parametrize(
    ("line", "matches"),
    [
        ("drop", ()),
        ("tcp dport 22 drop", (PROTOCOL_TCP, Match(What.DESTINATION_PORT, ((22, 22),)))),
        ("tcp dport ssh drop", (PROTOCOL_TCP, Match(What.DESTINATION_PORT, ((22, 22),)))),
        ("tcp dport { 80, 22, 81-90 } drop", (PROTOCOL_TCP, Match(What.DESTINATION_PORT, ((22, 22), (80, 90))))),
        ("tcp dport != 22 drop", (PROTOCOL_TCP, Match(What.DESTINATION_PORT, ((22, 22),), negated=True))),
        ("th dport >= 1024 drop", (Match(What.DESTINATION_PORT, ((1024, 1 << 32),)),)),
        ("ct state established,related drop", (Match(What.STATE, names=("established", "related")),)),
        ('iifname { "eth0", "docker*" } drop', (Match(What.IN, names=("eth0", "docker*")),)),
        ("meta mark & 0x0000ff00 == 0x00000100 drop", (Match(What.MARK, ((256, 256),), mask=0xFF00),)),
        ("tcp flags != syn / fin,syn,rst,ack drop",
         (PROTOCOL_TCP, Match(What.FLAGS, ((2, 2),), negated=True, mask=23))),
        ("tcp flags & (syn | rst) == syn drop", (PROTOCOL_TCP, Match(What.FLAGS, ((2, 2),), mask=6))),
        ("tcp flags syn drop", (PROTOCOL_TCP, Match(What.FLAGS, ((0, 0),), negated=True, mask=2))),
        ("limit rate over 10/minute burst 5 packets drop", (Match(What.RATE, negated=True),)),
        ('log prefix "a drop b" level info counter packets 3 bytes 9 drop', ()),
        ("icmp type redirect drop", (Match(What.PROTOCOL, ((1, 1),)), Match(What.ICMP, ((1280, 1535),)))),
        ("ip ttl < 5 drop", (Match(What.FAMILY, ((4, 4),)), Match(What.CONSTANT, negated=True))),
        ("fib saddr . iif oif missing drop", (Match(What.CONSTANT, negated=True),)),
        ("ct status dnat drop", (Match(What.CONSTANT, negated=True),)),
        ("meta skuid 1000 drop", (Match(What.UNKNOWN, names=("meta skuid 1000",)),)),
        ('xt match "comment" drop', ()),
        ("meta l4proto tcp # xt_tcp counter packets 0 bytes 0 drop",
         (PROTOCOL_TCP, Match(What.UNKNOWN, names=("xt tcp",)))),
    ],
)  # fmt: skip
def test_conditions_of_a_rule(line: str, matches: tuple[Match, ...]) -> None:
    assert rule(line).matches == matches
    assert rule(line).action is Action.DROP


@pytest.mark.parametrize(
    ("line", "action", "target"),
    [
        ("reject with icmpx type admin-prohibited", Action.REJECT, ""),
        ("counter packets 1 bytes 2 # xt_REJECT", Action.REJECT, ""),
        ('xt target "MASQUERADE"', Action.MASQUERADE, ""),
        ("tcp dport 80 jump other", Action.JUMP, "other"),
        ("goto other", Action.GOTO, "other"),
        ("queue num 0 bypass", Action.UNKNOWN, ""),
        ("oif eth0 snat to 10.0.0.1-10.0.0.5 persistent", Action.SNAT, "10.0.0.1-10.0.0.5 persistent"),
        ("tcp dport 80 dnat to 10.0.0.5:8080", Action.DNAT, "10.0.0.5:8080"),
        ("notrack", Action.UNTRACK, ""),
    ],
)
def test_actions(line: str, action: Action, target: str) -> None:
    assert (rule(line).action, rule(line).target) == (action, target)


@pytest.mark.parametrize(
    ("line", "change"),
    [
        ("meta mark set 0x00000010", (16, 0xFFFFFFFF)),
        ("meta mark set meta mark | 0x00004000", (0x4000, 0x4000)),
        ("meta mark set mark and 0x000000ff", (0, 0xFFFFFF00)),
    ],
)
def test_marks(line: str, change: tuple[int, int]) -> None:
    assert rule(line).mark == change


def test_a_mark_and_a_verdict_in_one_rule() -> None:
    assert [each.action for each in rules("meta mark set 0x1 accept")] == [Action.MARK, Action.ACCEPT]


def test_rules_without_an_effect_are_left_out() -> None:
    assert (
        rules("counter packets 1 bytes 2", 'log prefix "x"', "ct state { new, untracked } counter packets 0 bytes 0")
        == ()
    )


def test_a_verdict_map_is_a_rule_for_each_element() -> None:
    found = rules("tcp dport vmap { 22 : accept, * : drop, 443 : jump other }")
    assert [(each.action, each.target, len(each.matches)) for each in found] == [
        (Action.ACCEPT, "", 2),
        (Action.JUMP, "other", 2),
        (Action.DROP, "", 1),
    ]


LISTED = """table inet site { # handle 3
	comment "for the web"
	set bad {
		type ipv4_addr
		flags interval,timeout
		timeout 1h
		elements = { 10.0.0.0/8 expires 30m comment "x, y", 192.0.2.5,
			198.51.100.10-198.51.100.20 }
	}

	map verdicts {
		type inet_service : verdict
		elements = { 22 : accept, 80 : drop }
	}

	counter web {
		packets 5 bytes 6
	}

	chain in { # handle 1
		type filter hook input priority mangle + 5; policy drop;
		ip saddr @bad drop # handle 4
		tcp dport vmap @verdicts
		comment "nothing"
	}
}
# Warning: table ip nat is managed by iptables-nft, do not touch!
table ip nat {
	chain out {
		type nat hook postrouting priority srcnat; policy accept;
		oifname "eth0" masquerade
	}
}
table netdev dev {
	chain in {
		type filter hook ingress devices = { "eth0", "eth1" } priority -500; policy accept;
	}
}
"""


def test_tables_chains_sets_and_maps() -> None:
    chains, names = parse_ruleset(LISTED.split("\n"))
    assert names == ["inet site", "ip nat", "netdev dev"]
    site, nat, dev = chains
    assert (site.hook, site.priority, site.policy, site.nat) == (Hook.INPUT, -145, Action.DROP, False)
    bad, accept, drop = site.rules
    assert bad.matches[1].ranges == ((167772160, 184549375), (3221225989, 3221225989), (3325256714, 3325256724))
    assert (accept.action, drop.action) == (Action.ACCEPT, Action.DROP)
    assert (nat.nat, nat.hook, nat.rules[0].action) == (True, Hook.POSTROUTING, Action.MASQUERADE)
    assert dev.devices == ("eth0", "eth1")


@pytest.mark.parametrize("text", ["Error: no such file", "table ip x {\n\tchain y {", "<html>", "chain y {"])
def test_text_that_is_no_list(text: str) -> None:
    with pytest.raises(NotAList):
        parse_ruleset(text.split("\n"))


WORDS = [
    *LISTED.split(),
    "{",
    "}",
    "vmap",
    "&",
    "(",
    "!=",
    "fib",
    "meter",
    "tcp",
    "flags",
    "/",
    "set",
    "#",
    "xt_x",
    ".",
]


@settings(max_examples=300, deadline=None)
@given(st.lists(st.sampled_from(WORDS) | st.text(max_size=5), max_size=60).map(" ".join))
def test_any_rule_is_parsed_or_unknown(text: str) -> None:
    line = " ".join(text.split())
    with suppress(NotAList):
        parse_ruleset(chain("input", line).split("\n"))


@settings(max_examples=200, deadline=None)
@given(st.lists(st.sampled_from([*WORDS, "\n", "\n"]), max_size=80).map(" ".join))
def test_any_text_is_a_list_or_not(text: str) -> None:
    with suppress(NotAList):
        parse_ruleset(text.split("\n"))
