"""The collector of pings: run by bash with a `ping` that prints recorded output, and its parser."""

import subprocess
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from acp_tui.nodes.collectors import facts_from
from acp_tui.nodes.collectors.pings import ping_collector
from acp_tui.nodes.fact_types import Ping, RoundTrips
from acp_tui.nodes.facts import Facts
from acp_tui.nodes.path_summary import Peer, PingSummary, Spread, peers_of
from acp_tui.nodes.script import LAUNCH_PLAIN, CollectorOutput, Reader, build

MARKER = "0123456789abcdef"
ONE, TWO, THREE = "192.0.2.1", "192.0.2.2", "192.0.2.3"


def collector_of(*addresses: str):  # type: ignore[no-untyped-def]
    peers = peers_of(tuple(Peer(address, 22, (22,)) for address in (ONE, *addresses)), 0.002)
    return ping_collector(peers, frozenset({ONE}))


def collect(folder: Path, reports: Sequence[str], *addresses: str) -> Facts:
    """Run the collector. The calls of ping for an address print the reports one after another, then the last again."""
    for number, report in enumerate(reports):
        (folder / f"report{number}").write_text(report)
    tool = folder / "ping"
    tool.write_text(
        f"#!/bin/bash\ncalls={folder}/calls-${{@: -1}}; echo >>$calls; mapfile -t n <$calls; n=$((${{#n[@]}} - 1))\n"
        f'echo "$*" >>{folder}/arguments\n'
        f"[ -e {folder}/report$n ] || n={len(reports) - 1}\ncat {folder}/report$n\n"
    )
    tool.chmod(0o755)
    collector = collector_of(*(addresses or (TWO,)))
    quick = f"PATH={folder}:$PATH; sleep() {{ :; }}\n"
    program = build((replace(collector, shell=quick + collector.shell),), MARKER).encode()
    done = subprocess.run(["/bin/sh", "-c", LAUNCH_PLAIN], input=program, capture_output=True, timeout=60, check=False)
    return facts_from("10.0.0.1", Reader(MARKER).feed(done.stdout), "lost", (collector,))


def report(
    times: Sequence[str | float | None], *, line: str = "64 bytes from {host}: icmp_seq={number} ttl=64 time={time} ms"
) -> str:
    """Return the output of iputils for these times in milliseconds; None: no reply."""
    replies = [
        line.format(host=TWO, number=number, time=time) for number, time in enumerate(times, 1) if time is not None
    ]
    lost = 100 * (len(times) - len(replies)) // len(times)
    end = f"{len(times)} packets transmitted, {len(replies)} received, {lost}% packet loss, time 183ms"
    return "\n".join(
        (f"PING {TWO} ({TWO}) 1472(1500) bytes of data.", *replies, "", "--- ping statistics ---", end, "")
    )


IPUTILS_2016 = """\
PING 192.0.2.2 (192.0.2.2) 1472(1500) bytes of data.
1480 bytes from 192.0.2.2: icmp_seq=1 ttl=64 time=0.312 ms
1480 bytes from 192.0.2.2: icmp_seq=2 ttl=64 time=0.288 ms
1480 bytes from 192.0.2.2: icmp_seq=3 ttl=64 time=0.301 ms

--- 192.0.2.2 ping statistics ---
3 packets transmitted, 3 received, 0% packet loss, time 40ms
rtt min/avg/max/mdev = 0.288/0.300/0.312/0.014 ms
"""
IPUTILS_2019 = """\
PING 192.0.2.2 (192.0.2.2) 1472(1500) bytes of data.
1480 bytes from 192.0.2.2: icmp_seq=1 ttl=64 time=0.312 ms
1480 bytes from 192.0.2.2: icmp_seq=2 ttl=64 time=0.288 ms
1480 bytes from 192.0.2.2: icmp_seq=3 ttl=64 time=0.301 ms

--- 192.0.2.2 ping statistics ---
3 packets transmitted, 3 received, 0% packet loss, time 40ms
rtt min/avg/max/mdev = 0.288/0.300/0.312/0.009 ms, pipe 2
"""
IPUTILS_2021 = """\
PING 192.0.2.2 (192.0.2.2) 1472(1500) bytes of data.
1480 bytes from 192.0.2.2: icmp_seq=1 ttl=64 time=0.312 ms
1480 bytes from 192.0.2.2: icmp_seq=2 ttl=64 time=0.288 ms
1480 bytes from 192.0.2.2: icmp_seq=2 ttl=64 time=0.291 ms (DUP!)
1480 bytes from 192.0.2.2: icmp_seq=3 ttl=64 time=0.301 ms

--- 192.0.2.2 ping statistics ---
3 packets transmitted, 3 received, +1 duplicates, 0% packet loss, time 2046ms
rtt min/avg/max/mdev = 0.288/0.300/0.312/0.009 ms
"""
BUSYBOX = """\
PING 192.0.2.2 (192.0.2.2): 1472 data bytes
1480 bytes from 192.0.2.2: seq=0 ttl=64 time=0.312 ms
1480 bytes from 192.0.2.2: seq=1 ttl=64 time=0.288 ms
1480 bytes from 192.0.2.2: seq=2 ttl=64 time=0.301 ms

--- 192.0.2.2 ping statistics ---
3 packets transmitted, 3 packets received, 0% packet loss
round-trip min/avg/max = 0.288/0.300/0.312 ms
"""
FLOOD_REFUSED = "PING 192.0.2.2 (192.0.2.2) 1472(1500) bytes of data.\n"
ONLY_ERRORS = """\
PING 192.0.2.2 (192.0.2.2) 1472(1500) bytes of data.
From 192.0.2.9 icmp_seq=1 Frag needed and DF set (mtu = 1400)
ping: local error: Message too long, mtu=1400

--- 192.0.2.2 ping statistics ---
10 packets transmitted, 0 received, +10 errors, 100% packet loss, time 189ms
"""
HEALTHY = report([0.4] * 10)


def healthy(count: int, *seconds: float) -> PingSummary:
    return PingSummary(0.002, count, Spread(*seconds))


@pytest.mark.parametrize(
    "output", [IPUTILS_2016, IPUTILS_2019, IPUTILS_2021, BUSYBOX], ids=["2016", "2019", "2021", "busybox"]
)
def test_output_of_every_version_is_parsed(tmp_path: Path, output: str) -> None:
    assert collect(tmp_path, [output]).pings == healthy(1, 0.000301, 0.000301, 0.000301)


def test_healthy_peers_are_summarised_and_get_one_burst_without_a_deadline(tmp_path: Path) -> None:
    assert collect(tmp_path, [HEALTHY], TWO, THREE).pings == healthy(2, 0.0004, 0.0004, 0.0004)
    calls = (tmp_path / "arguments").read_text().splitlines()
    assert len(calls) == 2
    assert all("-w" not in call.split() and "-M do" in call for call in calls)


@pytest.mark.parametrize(
    "first",
    [
        report([9.0] * 10),  # a busy node
        report([0.4] * 8 + [40.0, 80.0]),
        report([0.4] * 9 + [None]),  # the last packet was still on its way
        report([None, *[0.4] * 9]),  # one packet was lost while the MAC address was unknown
        FLOOD_REFUSED,
        "",
    ],
    ids=["busy", "late", "on its way", "one lost", "no summary", "nothing"],
)
def test_one_bad_burst_is_no_finding(tmp_path: Path, first: str) -> None:
    assert collect(tmp_path, [first, HEALTHY]).pings == healthy(1, 0.0004, 0.0004, 0.0004)


def test_the_burst_with_the_lowest_median_counts(tmp_path: Path) -> None:
    bursts = [report([time] * 10) for time in (30.0, 9.5, 7.25, 8.0, 12.0)]
    times = RoundTrips(0.00725, 0.00725, 0.00725, 0.00725)
    (ping,) = (collect(tmp_path, bursts).pings or PingSummary(0)).listed
    assert (ping.sent, ping.times) == (60 - 5 - 5 * 2 + 15, times)


def test_low_times_with_a_high_mean_are_kept(tmp_path: Path) -> None:
    (ping,) = (collect(tmp_path, [report([0.3, 0.4, 0.4, 0.5, *[60.0] * 2])]).pings or PingSummary(0)).listed
    assert ping.times is not None
    assert (ping.times.low, ping.times.median, ping.times.high) == (0.0003, 0.0004, 0.06)
    assert 0.02 < ping.times.mean < 0.021


@pytest.mark.parametrize("lost", [2, 3, 5])
def test_packets_lost_in_every_burst_are_counted(tmp_path: Path, lost: int) -> None:
    times = [None if number % 10 < lost else 0.4 for number in range(10)]
    (ping,) = (collect(tmp_path, [report(times)]).pings or PingSummary(0)).listed
    assert ping.sent - ping.received == 6 * lost
    assert ping.unfragmented


def test_no_echo_has_exact_counts_and_no_times(tmp_path: Path) -> None:
    (ping,) = (collect(tmp_path, [report([None] * 10)]).pings or PingSummary(0)).listed
    assert (ping.sent, ping.received, ping.times, ping.unfragmented) == (20, 0, None, None)


def test_only_small_packets_pass(tmp_path: Path) -> None:
    reports = [ONLY_ERRORS, HEALTHY, ONLY_ERRORS, ONLY_ERRORS, HEALTHY]
    (ping,) = (collect(tmp_path, reports).pings or PingSummary(0)).listed
    assert (ping.received, ping.sent, ping.unfragmented) == (20, 20, False)


def test_full_packets_that_were_lost_by_chance_are_not_cut(tmp_path: Path) -> None:
    reports = [report([None] * 10), HEALTHY, HEALTHY]
    assert collect(tmp_path, reports).pings == healthy(1, 0.0004, 0.0004, 0.0004)


def read(text: str) -> Facts:
    return facts_from("10.0.0.1", [CollectorOutput("pings", 0, text)], None, (collector_of(TWO, THREE),))


@pytest.mark.parametrize(
    "text",
    [
        "",
        "= healthy 1 1 1 1",
        "= healthy 3 1 1 1",
        f"{TWO} size 1500",
        f"{ONE} (silent)\n= healthy 1 1 1 1",
        "= x\n" * 9,
    ],
)
def test_output_that_does_not_cover_all_nodes_is_no_fact(text: str) -> None:
    facts = read(text)
    assert facts.pings is None
    assert "the pings do not cover all nodes" in facts.missing_reason("pings")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            "size 9000 full 0 sent 50 received 50 times 1 2 3 4",
            Ping(TWO, 50, 50, RoundTrips(1e-6, 2e-6, 3e-6, 4e-6), 9000, False),
        ),
        ("size 0 full 1 sent 50 received 45 times 1 2 3", Ping(TWO, 50, 45, None, None, True)),
        ("size 1500 full 0 sent 20 received 0 times ", Ping(TWO, 20, 0, None, 1500, None)),
        (
            "size 1500 full 1 sent 5 received 9 times 1 1 1 1",
            Ping(TWO, 5, 5, RoundTrips(1e-6, 1e-6, 1e-6, 1e-6), 1500, True),
        ),
        ("(silent)", Ping(TWO, 0, 0)),
        ("size 1500 full 1 sent 5 received 5 times " + "1 " * 50_000, Ping(TWO, 0, 0)),
    ],
)
def test_parsed_line(text: str, expected: Ping) -> None:
    assert read(f"{TWO} {text}\n= healthy 1 300 400 500\n").pings == PingSummary(
        0.002, 1, Spread(0.0003, 0.0004, 0.0005), (expected,)
    )


@given(st.text(alphabet=st.sampled_from("192.0.2.3 sizefulltimes=healthy\n"), max_size=200))
def test_any_output_is_parsed_without_an_error(text: str) -> None:
    read(text)
