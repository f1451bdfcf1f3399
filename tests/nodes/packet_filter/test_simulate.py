"""The way of a packet through the chains: hooks, jumps, marks, unknown conditions, and hostile rule sets."""

import time

import pytest

from acp_tui.nodes.packet_filter.model import Hook
from acp_tui.nodes.packet_filter.simulate import SYN, TCP, Packet, Simulation, Verdict
from tests.support.packet_filters import chain, iptables, nft

PACKET = Packet(
    4, TCP, 0x0A140001, 0x0A140002, (Hook.PREROUTING, Hook.INPUT), 40000, 443, nic_in="eth0", flags=SYN, local=True
)


def sent(*tables: str, packet: Packet = PACKET) -> tuple[str | None, bool]:
    """Return what dropped the packet, and whether it was certainly dropped."""
    verdict = Simulation(nft("".join(tables))).send(packet)
    return verdict.dropped, verdict.certain


def with_chain(table: str, name: str, *rules: str) -> str:
    body = "".join(f"\t\t{line}\n" for line in rules)
    return f"{table.removesuffix('}' + chr(10))}\n\tchain {name} {{\n{body}\t}}\n}}\n"


PASSED, UNKNOWN = (None, False), "meta skuid 1"


@pytest.mark.parametrize(
    ("table", "expected"),
    [
        (chain("input"), PASSED),
        (chain("input", policy="drop"), ("policy drop", True)),
        (chain("input", "accept", "drop"), PASSED),
        (chain("input", "drop", "accept"), ("drop", True)),
        (chain("input", f"{UNKNOWN} drop"), (f"{UNKNOWN} drop", False)),
        (chain("input", f"{UNKNOWN} accept", policy="drop"), ("policy drop", False)),
        (chain("input", f"{UNKNOWN} drop", "drop"), ("drop", True)),
        (chain("input", f"{UNKNOWN} drop", "accept"), (f"{UNKNOWN} drop", False)),
        (chain("input", f"{UNKNOWN} return", "drop"), ("drop", False)),
        (chain("input", f"{UNKNOWN} return", "accept", policy="drop"), ("policy drop", False)),
        (chain("input", "return", policy="drop"), ("policy drop", True)),
        (chain("forward", "drop") + chain("output", "drop"), PASSED),
        (chain("input", "drop", family="ip6"), PASSED),
        (with_chain(chain("input", "jump a", "drop"), "a", "tcp dport 443 accept"), PASSED),
        (with_chain(chain("input", "jump a", "drop"), "a", "return"), ("drop", True)),
        (with_chain(chain("input", "goto a", "drop"), "a", "return"), PASSED),
        (with_chain(chain("input", "goto a", policy="drop"), "a", "tcp dport 22 accept"), ("policy drop", True)),
        (with_chain(chain("input", f"{UNKNOWN} jump a"), "a", "drop"), ("drop", False)),
        (with_chain(chain("input", f"{UNKNOWN} goto a", "drop"), "a", "accept"), ("drop", False)),
        (chain("input", "jump missing", "drop"), ("drop", True)),
        (chain("input", "meta mark set 0x1", "meta mark 0x1 accept", "drop"), PASSED),
        (chain("input", f"{UNKNOWN} meta mark set 0x1", "meta mark 0x1 accept", "drop"), ("drop", False)),
        (chain("input", "notrack", "ct state untracked accept", "drop"), PASSED),
        (chain("input", "queue num 0", "accept"), ("queue num 0", False)),
    ],
)
def test_first_rule_that_applies_decides(table: str, expected: tuple[str | None, bool]) -> None:
    dropped, certain = sent(table)
    assert (dropped, certain) == expected


def test_a_packet_must_pass_every_table() -> None:
    first = chain("input", "accept", priority="-10")
    assert sent(first, chain("input", "drop").replace("site", "second")) == ("drop", True)
    assert sent(chain("prerouting", "drop"), first)[1]


def test_address_translation_only_sees_new_connections() -> None:
    table = (
        "table ip nat {\n\tchain in {\n\t\ttype nat hook prerouting priority dstnat; policy accept;\n\t\tdrop\n\t}\n}\n"
    )
    assert sent(table) == ("drop", True)
    known = Packet(4, TCP, 1, 2, (Hook.PREROUTING,), 443, 40000, nic_in="eth0", state="established")
    assert sent(table, packet=known) == PASSED


def test_translated_source() -> None:
    packet = Packet(4, TCP, 0x0A140001, 2, (Hook.OUTPUT, Hook.POSTROUTING), 40000, 443, nic_out="eth0")
    found = Simulation(iptables("POSTROUTING -o eth0 -j SNAT --to-source 192.0.2.1", table="nat")).send(packet)
    assert (found.dropped, found.target) == (None, "192.0.2.1")
    assert found.translated is not None
    assert Simulation(iptables("POSTROUTING -o eth1 -j MASQUERADE", table="nat")).send(packet) == Verdict()


def test_jumps_that_multiply_end_soon() -> None:
    """Each chain has a hundred jumps to the next: 100 to the power of 15 rules."""
    rules = [f"c{n} -j c{n + 1}" for n in range(15) for _ in range(100)]
    chains = {f"c{n}": "-" for n in range(16)}
    simulation = Simulation(iptables("INPUT -j c0", *rules, "c15 -s 1.2.3.4 -j DROP", **chains))
    started = time.process_time()
    verdict = simulation.send(PACKET)
    assert time.process_time() - started < 5
    assert (verdict.dropped is not None, verdict.certain) == (True, False)


def test_chains_that_jump_to_each_other_end() -> None:
    table = with_chain(with_chain(chain("input", "jump a"), "a", "jump b"), "b", "jump a")
    dropped, certain = sent(table)
    assert (dropped is not None, certain) == (True, False)
