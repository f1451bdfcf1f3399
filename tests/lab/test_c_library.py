"""The parsers of resolv.conf and hosts find the same as the C library of this host."""

from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from acp_tui.nodes.collectors.name_resolution import glibc_nameservers, hosts_addresses
from tests.lab.kit import nodes
from tests.lab.kit.c_library import CLibrary

pytestmark = [pytest.mark.lab, pytest.mark.skipif(bool(nodes.missing()), reason="needs root and namespaces")]


@pytest.fixture(scope="module")
def c_library() -> Iterator[CLibrary]:
    with CLibrary() as running:
        yield running


_ADDRESSES = (
    *("10.0.0.53", "172.20.1.10", "127.0.0.53", "127.0.0.1", "10.1", "010.0.0.1", "0x0a.2", "1.2.3", "4294967295"),
    *("4294967296", "256.1.1.1", "1.2.3.4.5", "09.1.1.1", "1.2.3.65536", "0x.1.1.1", "1..2", "::1", "fe80::1%lo"),
    *("2001:db8::53", "::ffff:10.0.0.1", "1:2", "dns.example", "127.0.0.01", "10.0.0.53#a", "10.0.0.53;a"),
)
_BLANKS = st.sampled_from((" ", "\t", "  ", "", "\r", "\v", "\f", "\ufeff", "\x01", "#", ";"))
_ADDRESS = st.sampled_from(_ADDRESSES)
_NAMES = st.sampled_from(("localhost", "LocalHost", "localhost.localdomain", "node", "xlocalhost", ""))
_KEYWORDS = st.sampled_from(
    ("nameserver", "nameserver", "Nameserver", "nameservers", "search", "domain", "#nameserver")
)
_ENDS = st.sampled_from(("\n", "\r\n", " \n", " # comment\n", "#comment\n", ";c\n", "\n\n", "\t\r\n"))


def _lines(*parts: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    return st.lists(st.tuples(*parts).map("".join), max_size=5).map("".join)


RESOLV = _lines(_BLANKS, _KEYWORDS, _BLANKS, st.sampled_from((" ", "\t")), _ADDRESS, _ENDS)
HOSTS = _lines(_BLANKS, _ADDRESS, _BLANKS, st.sampled_from((" ", "\t")), _NAMES, _BLANKS, _NAMES, _ENDS)


@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(resolv=RESOLV, hosts=HOSTS)
def test_the_parsers_find_what_the_c_library_finds(c_library: CLibrary, resolv: str, hosts: str) -> None:
    servers, addresses = c_library.read(resolv, hosts)
    parsed, _ignored = glibc_nameservers(resolv.split("\n"))
    assert ["6" if ":" in server else server for server in parsed[:3]] == (servers if parsed else [])
    assert parsed or servers == ["127.0.0.1"], "without a name server the C library asks this host"
    found = hosts_addresses(hosts.split("\n"), "localhost")
    # For an IPv4 query, glibc converts the address ::1 to 127.0.0.1.
    assert sorted({"127.0.0.1" if a == "::1" else a for a in found if ":" not in a or a == "::1"}) == addresses
