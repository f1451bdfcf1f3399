"""The VRRP listener on real nodes: it reports the VRIDs in use on the node's own network."""

import shlex
from pathlib import Path

import pytest
from pydantic import JsonValue

from acp_tui.nodes.active.vrrp import vrrp_collector
from acp_tui.nodes.script import Reader, build
from tests.lab.kit.check_run import as_planned, check, plan
from tests.lab.kit.nodes import Lab
from tests.lab.kit.profiles import Fault, NodeProfile

pytestmark = pytest.mark.lab

_GROUP = "01005e000012"
_GROUP6 = "333300000012"
_IP = "45c0002000000000ff70c7910a090901e0000012"  # with its checksum: the lab's bridge drops packets with a wrong one
_IP6 = "60000000001870ff{source}ff020000000000000000000000000012"


def test_vrid_in_use_fails_and_names_a_free_one(lab: Lab, tmp_path: Path) -> None:
    nodes = lab.start(*[NodeProfile()] * 3)
    packet = bytes([0x21, 137, 100, 1, 0, 1, 0, 0, 10, 0, 0, 1, *[0] * 8])
    sender = (
        "import socket, time\n"
        "s = socket.socket(socket.AF_INET, socket.SOCK_RAW, 112)\n"
        f"s.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_IF, socket.inet_aton('{nodes[2].address}'))\n"
        f"while True: s.sendto({packet!r}, ('224.0.0.18', 0)); time.sleep(0.5)\n"
    )
    nodes[2].sh(f"setsid python3 -c {shlex.quote(sender)} </dev/null >/dev/null 2>&1 &")
    answers: dict[str, JsonValue] = {"cluster_endpoint": lab.address(20), "self_built_vip": True, "vrid": 137}
    checked = check(tmp_path, plan(as_planned(nodes), lab.address(20), address=answers), "--also", "vrrp")
    [verdict] = [v for v in checked.verdicts if v["requirement"] == "VIP-VRID"]
    assert verdict["verdict"] == "fail"
    assert "138" in (verdict["remedy"] or "")
    answers["vrid"] = 138
    checked = check(tmp_path, plan(as_planned(nodes), lab.address(20), address=answers), "--also", "vrrp")
    assert [v["verdict"] for v in checked.verdicts if v["requirement"] == "VIP-VRID"] == ["pass"]
    for node in nodes[:2]:
        node.sh("rm -f $(type -aP python3 python2 python); printf '#!/bin/sh\\nexit 1\\n' >/usr/bin/tcpdump")
        node.sh("chmod +x /usr/bin/tcpdump")
    nodes[2].sh("rm -f $(type -aP python3 python2 python tcpdump)")
    unable = check(tmp_path, plan(as_planned(nodes), lab.address(20), address=answers), "--also", "vrrp")
    [verdict] = [v for v in unable.verdicts if v["requirement"] == "VIP-VRID"]
    assert verdict["verdict"] == "manual", "a failed listener proves nothing"
    assert "no node could listen for VRRP advertisements" in (verdict["observed"] or "")


def _sending(nic: str, *frames: str) -> str:
    """Return a shell line that sends these Ethernet frames (hexadecimal) on `nic` repeatedly."""
    program = (
        "import socket, time\ns = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)\n"
        f"s.bind(({nic!r}, 0))\nwhile True:\n for f in {frames!r}: s.send(bytes.fromhex(f))\n time.sleep(0.3)\n"
    )
    return f"setsid python3 -c {shlex.quote(program)} </dev/null >/dev/null 2>&1 &"


def _advert(version: int, vrid: int) -> str:
    """Return the advert of one IPv4 group as an Ethernet frame."""
    return f"{_GROUP}020000000009" + "0800" + _IP + f"{version}1{vrid:02x}6401" + "0064ffff0a090909"


def _advert6(vrid: int) -> str:
    source, body = "fe80" + "00" * 13 + "09", f"31{vrid:02x}6401" + "0064ffff" + "fe80" + "00" * 13 + "10"
    return f"{_GROUP6}020000000009" + "86dd" + _IP6.format(source=source) + body


def test_only_groups_of_the_same_network_and_ip_family_are_reported(lab: Lab) -> None:
    """VRRP 2 and 3 over IPv4, and VRRP 3 over IPv6. Groups on another network do not count."""
    other = Fault(
        "a second network",
        "ip link add side type veth peer name there; ip link set side up; ip link set there up; "
        "ip addr add 10.9.9.2/24 dev side; ip -6 addr add fd00:9::2/64 dev eth0 nodad",
    )
    receiver, sender = lab.start(NodeProfile(faults=(other,)), NodeProfile())
    sender.sh(_sending("eth0", _advert(2, 21), _advert(3, 31), _advert6(61)))
    receiver.sh(_sending("there", _advert(2, 99), _advert6(98)))

    def vrids_seen(address: str) -> object:
        collector = vrrp_collector(address)
        program = build((collector,), "ab12")
        [reading] = Reader("ab12").feed(receiver.sh(f"bash -s <<'END'\n{program}\nEND").encode())
        return collector.parse(reading)["vrids_seen"]

    assert vrids_seen(receiver.address) == {21, 31}
    assert vrids_seen("fd00:9::2") == {61}
