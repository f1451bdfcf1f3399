"""Collectors of hosts, nsswitch.conf and resolv.conf: the parsers agree with their readers."""

from pathlib import Path

import pytest

from acp_tui.nodes.collectors.name_resolution import hosts_addresses, kubelet_settings
from acp_tui.nodes.facts import Facts
from tests.support.collector_shell import facts_of, put

FOLDERS = ("/etc/", "/run/systemd/", "/run/NetworkManager/")


def resolver(tmp_path: Path, text: bytes, *, active: bool = False, **more: bytes) -> Facts:
    """Return the facts of a node with this resolv.conf; `more`: content of `resolved` and of `upstream`."""
    paths = {
        "resolved": "/run/systemd/resolve/resolv.conf",
        "upstream": "/run/NetworkManager/no-stub-resolv.conf",
    }
    put(tmp_path, {paths[name]: "" for name in more} | {"/etc/resolv.conf": ""})
    for path, content in {"/etc/resolv.conf": text, **{paths[name]: content for name, content in more.items()}}.items():
        (tmp_path / path.lstrip("/")).write_bytes(content)
    state = "echo active" if active else "echo inactive; exit 3"
    return facts_of("resolv", tmp_path, *FOLDERS, tools={"systemctl": state})


@pytest.mark.parametrize(
    ("text", "servers", "ignored"),
    [
        (b"nameserver 10.0.0.53\n", ("10.0.0.53",), ()),
        (b"nameserver\t 10.0.0.53 # comment", ("10.0.0.53",), ()),
        (b"nameserver 10.0.0.53\r\n", (), ("nameserver 10.0.0.53\\r",)),
        (b"nameserver 10.0.0.53 \r\n", ("10.0.0.53",), ()),
        (b"\xef\xbb\xbfnameserver 10.0.0.53\n", (), ("<BOM>nameserver 10.0.0.53",)),
        (b"\xef\xbb\xbf# comment\nnameserver 10.0.0.53\n", ("10.0.0.53",), ()),
        (b"  nameserver 10.0.0.53\n", (), ("nameserver 10.0.0.53",)),
        (b"nameserver 10.0.0.53#comment\n", (), ("nameserver 10.0.0.53#comment",)),
        (b"Nameserver 10.0.0.53\n", (), ("Nameserver 10.0.0.53",)),
        (b"nameserver=10.0.0.53\n", (), ()),
        (b"# nameserver 10.0.0.1\n;nameserver 10.0.0.2\n", (), ()),
        (b"nameserver 10.1\nnameserver 010.0.0.1\n", ("10.0.0.1", "8.0.0.1"), ()),
        (b"nameserver fe80::1%eth0\nnameserver ::1\n", ("fe80::1%eth0", "::1"), ()),
        (b"nameserver dns%25.example\\r\n", (), ("nameserver dns%25.example\\r",)),
        (b"nameserver 10.0.0.53\xc2\xa0\n", (), ("nameserver 10.0.0.53??",)),
        (b"nameserver\n", (), ("nameserver",)),
        (b"", (), ()),
    ],
)
def test_name_servers_that_the_c_library_accepts(
    tmp_path: Path, text: bytes, servers: tuple[str, ...], ignored: tuple[str, ...]
) -> None:
    facts = resolver(tmp_path, text)
    assert (facts.resolv_exists, facts.nameservers, facts.ignored_nameservers) == (True, servers, ignored)


STUB = b"nameserver 127.0.0.53\noptions edns0 trust-ad\n"
REAL = b"nameserver 172.20.1.10\nsearch a.example b.example\n"


def test_pods_get_the_name_servers_behind_the_stub(tmp_path: Path) -> None:
    facts = resolver(tmp_path, STUB, resolved=REAL)
    assert (facts.nameservers, facts.pod_nameservers) == (("127.0.0.53",), ("172.20.1.10",))
    assert facts.search_domains == ("a.example", "b.example")
    assert facts.pod_resolv == "/run/systemd/resolve/resolv.conf"


def test_pods_get_the_name_servers_of_systemd_resolved_while_it_is_active(tmp_path: Path) -> None:
    own = b"nameserver 10.0.0.53\n"
    assert resolver(tmp_path, own, active=True, resolved=REAL).pod_nameservers == ("172.20.1.10",)
    assert resolver(tmp_path, own, resolved=REAL).pod_nameservers == ("10.0.0.53",), "a file that was left behind"


def test_systemd_resolved_without_a_name_server_gives_pods_none(tmp_path: Path) -> None:
    facts = resolver(tmp_path, STUB, resolved=b"")
    assert (facts.nameservers, facts.pod_nameservers) == (("127.0.0.53",), ())


def test_name_servers_behind_a_local_name_server(tmp_path: Path) -> None:
    facts = resolver(tmp_path, b"nameserver 127.0.0.1\n", upstream=b"nameserver 172.18.0.2\n")
    assert (facts.pod_nameservers, facts.upstream_nameservers) == (("127.0.0.1",), ("172.18.0.2",))
    assert resolver(tmp_path, b"nameserver 10.0.0.53\n", upstream=b"nameserver 172.18.0.2\n").upstream_nameservers == ()


def test_a_missing_and_an_unreadable_resolv_conf_differ(tmp_path: Path) -> None:
    facts = facts_of("resolv", tmp_path, *FOLDERS)
    assert (facts.resolv_exists, facts.nameservers) == (False, ())


def test_kubelet_reads_more_kindly_than_the_c_library() -> None:
    rows = ["  nameserver 10.0.0.1\r", "nameserver", "#nameserver 10.0.0.2", "search a.b .\r", "search c.d\r"]
    assert kubelet_settings(rows) == (("10.0.0.1",), ("c.d",))


@pytest.mark.parametrize(
    ("row", "addresses"),
    [
        ("127.0.0.1 localhost\r", ("127.0.0.1",)),
        ("  127.0.0.1\tnode LocalHost#comment", ("127.0.0.1",)),
        ("127.0.0.1 localhost.localdomain", ()),
        ("127.0.0.1 # localhost", ()),
        ("\ufeff127.0.0.1 localhost", ()),
        ("127.0.0.01 localhost", ()),
        ("127.1 localhost", ()),
        ("fe80::1%lo0 localhost", ()),
        ("::ffff:10.1.2.3 localhost", ("10.1.2.3",)),
        ("127.0.0.1 localhost\x01", ()),
    ],
)
def test_addresses_that_the_c_library_finds_in_hosts(row: str, addresses: tuple[str, ...]) -> None:
    assert hosts_addresses([row], "localhost") == addresses


@pytest.mark.parametrize(
    ("line", "sources"),
    [
        ("hosts: files dns myhostname", ("files", "dns", "myhostname")),
        ("hosts:\tresolve [!UNAVAIL=return] files dns", ("resolve", "files", "dns")),
        ("hosts: mdns4_minimal [NOTFOUND=return] files", ("mdns4_minimal", "files")),
        ("hosts: dns [NOTFOUND=return] files", ("dns",)),
        ("hosts: dns [!UNAVAIL=return] files # files", ("dns", "files")),
        ("# hosts: dns", ()),
        ("passwd: files", ()),
    ],
)
def test_sources_of_host_names(tmp_path: Path, line: str, sources: tuple[str, ...]) -> None:
    put(tmp_path, {"/etc/hosts": "127.0.0.1 localhost\r\n", "/etc/nsswitch.conf": f"passwd: files\n{line}\n"})
    facts = facts_of("hosts", tmp_path, "/etc/")
    assert (facts.hosts_localhost, facts.hosts_sources) == (("127.0.0.1",), sources)


def test_without_nsswitch_conf_no_source_is_named(tmp_path: Path) -> None:
    put(tmp_path, {"/etc/hosts": ""})
    assert facts_of("hosts", tmp_path, "/etc/").hosts_sources == ()
