"""Addresses in records: replaced, consistently, with the same relations between them."""

from ipaddress import IPv4Address, ip_address, ip_network

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from acp_tui.preflight.record.addresses import replacer

KEY = b"a fixed key for tests"
replace = replacer(KEY)


@pytest.mark.parametrize(
    "text",
    ["127.0.0.1", "0.0.0.0/0", "255.255.255.0", "169.254.1.2", "224.0.0.18", "::1", "::/0", "fe80::1/64", "ff02::1",
     "5.15.0-56-generic", "4.19.90-52.22.v2207", "12:34:56", "v1.2.3", "sha256:00ff00ff", "2.10.1.2.3"],
)  # fmt: skip
def test_texts_that_are_kept(text: str) -> None:
    assert replace(text) == text


def test_addresses_are_replaced_in_any_text() -> None:
    text = "eth0 10.20.30.11/24 brd 10.20.30.255, 'fd00:51:100::11' 52:54:00:AA:bb:cc nameserver 8.8.4.4"
    new = replace(text)
    for part in ("10.20.30", "fd00:51:100::", "00:aa:bb:cc", "8.8.4.4"):
        assert part not in new.lower()
    assert new.startswith("eth0 10.")
    assert "brd 10." in new
    assert ".255," in new
    assert "'fd00:" in new
    assert replacer(b"another key")(text) != new


@given(st.ip_addresses(v=4), st.ip_addresses(v=4), st.integers(8, 24))
def test_two_addresses_are_in_one_subnet_before_and_after(one: IPv4Address, two: IPv4Address, length: int) -> None:
    assume(not any(a.is_reserved or a.is_loopback or a.is_multicast or a.is_link_local for a in (one, two)))

    def together(first: str, second: str) -> bool:
        return ip_address(second) in ip_network(f"{first}/{length}", strict=False)

    assert together(str(one), str(two)) == together(replace(str(one)), replace(str(two)))
    assert replace(str(one)).split(".")[3] == str(one).split(".")[3]


@given(st.ip_addresses(v=4) | st.ip_addresses(v=6), st.integers(1, 24))
def test_a_network_stays_a_network(address: object, length: int) -> None:
    network = ip_network(f"{address}/{length}", strict=False)
    new = ip_network(replace(str(network)))
    assert (new.version, new.prefixlen) == (network.version, network.prefixlen)


@pytest.mark.parametrize(("address", "inside"), [("172.16.5.1", True), ("172.32.9.9", True), ("172.33.0.1", False)])
def test_range_of_docker_is_kept(address: str, inside: bool) -> None:
    assert (16 <= int(replace(address).split(".")[1]) <= 32) == inside
