"""An address belongs to this host only if the kernel says so."""

from pathlib import Path

import pytest

from acp_tui.core.local_host import is_local_address

_TRIE = """Main:
  +-- 0.0.0.0/0 3 0 5
     |-- 127.0.0.1
        /32 host LOCAL
     |-- 192.0.2.0
        /24 link UNICAST
     |-- 192.0.2.255
        /32 link BROADCAST
"""


@pytest.mark.parametrize(("address", "local"), [("127.0.0.1", True), ("192.0.2.77", False), ("2001:db8::77", False)])
def test_address_of_this_host(address: str, local: bool) -> None:
    assert is_local_address(address) is local


def test_bind_proves_nothing_if_a_load_balancer_allows_foreign_addresses(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With net.ipv4.ip_nonlocal_bind a socket can be bound to any address."""
    monkeypatch.setattr("socket.socket.bind", lambda self, address: None)
    (tmp_path / "sys/net/ipv4").mkdir(parents=True)
    (tmp_path / "net").mkdir()
    setting = tmp_path / "sys/net/ipv4/ip_nonlocal_bind"
    setting.write_text("1\n", encoding="ascii")
    (tmp_path / "net/fib_trie").write_text(_TRIE.replace("|-- 127.0.0.1", "|-- 10.0.0.5"), encoding="ascii")
    found = [is_local_address(a, tmp_path) for a in ("10.0.0.5", "192.0.2.255", "192.0.2.77", "127.0.0.3")]
    assert found == [True, False, False, True]
    setting.write_text("0\n", encoding="ascii")
    assert is_local_address("192.0.2.77", tmp_path), "bind worked, and it proves the address"
