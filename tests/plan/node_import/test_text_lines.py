"""Import of nodes from lines of text in any order and with any separator."""

from ipaddress import IPv4Address, IPv6Address

import pytest
from hypothesis import given
from hypothesis import strategies as st

from acp_tui.core.redaction import MASK, unmask
from acp_tui.plan.node_import.detect import mask_nodes, read_list
from acp_tui.plan.node_import.host import Host, InvalidHostLine, addresses, names


def read_one(text: str) -> Host:
    reading = read_list(text)
    assert not reading.faults
    [host] = reading.hosts
    return host


@pytest.mark.parametrize(
    "line",
    [
        "worker 10.0.0.1 admin 2222",
        "10.0.0.1 worker admin 2222",
        "admin 10.0.0.1 2222 worker",
        "worker,10.0.0.1,admin,2222",
        "10.0.0.1;worker;admin;2222",
        "worker\t10.0.0.1\tadmin\t2222",
        "worker admin@10.0.0.1:2222",
        "worker: admin@10.0.0.1:2222",
        "10.0.0.1 role=worker user=admin port=2222",
        '"10.0.0.1" "worker" "admin" "2222"',
        "- wk admin@10.0.0.1 2222   # the first",
        "kube_node admin@10.0.0.1:2222 n1.example.com",
        "worker:\n  admin@10.0.0.1:2222",
        "worker admin@10.0.0.1:2222\r\n",
    ],
)
def test_node_is_read_in_any_common_order(line: str) -> None:
    host = read_one(line)
    assert (host.address, host.role, host.username, host.port) == ("10.0.0.1", "worker", "admin", "2222")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("10.0.0.1,10.0.0.2", ["10.0.0.1", "10.0.0.2"]),
        ("10.0.0.1 10.0.0.2\n\n10.0.0.3", ["10.0.0.1", "10.0.0.2", "10.0.0.3"]),
        ("10.20.0.11-13", ["10.20.0.11", "10.20.0.12", "10.20.0.13"]),
        ("10.20.0.254-10.20.1.1", ["10.20.0.254", "10.20.0.255", "10.20.1.0", "10.20.1.1"]),
        ("root@10.20.0.[1:2]:22", ["10.20.0.1", "10.20.0.2"]),
        ("[fd00::1]:2222", ["fd00::1"]),
        ("FD00:0::5", ["fd00::5"]),
        ("fd00::a-fd00::c", ["fd00::a", "fd00::b", "fd00::c"]),
        ("# 10.0.0.1\n; 10.0.0.2\n10.0.0.3 # 10.0.0.4", ["10.0.0.3"]),
    ],
)
def test_several_nodes_are_read(text: str, expected: list[str]) -> None:
    reading = read_list(text)
    assert [host.address for host in reading.hosts] == expected
    assert not reading.faults


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("10.0.0.300", "is not an IPv4 or IPv6 address"),
        ("010.0.0.1", "is not an IPv4 or IPv6 address"),
        ("10.0.0.0/24", "is a network"),
        ("node1.example.com", "is a host name"),
        ("root@node1", "is a host name"),
        ("10.0.0.9-5", "is lower than its first address"),
        ("10.0.0.1-10.9.0.1", "which is too many"),
        ("10.0.0.1-fd00::1", "has no valid last address"),
        ("two words", "on this line is not recognised"),
        ("worker", "has no address"),
        ("10.0.0.1 admin operator", "'operator' on this line is not recognised"),
        ("10.0.0.1 port=0", "port: the value must be at least 1"),
        ("10.0.0.1 70000", "port: the value must be at most 65535"),
        ("10.0.0.1 role=boss", "is not a role. The role must be control-plane or worker"),
        ("10.0.0.1 22 2222", "two different values for port"),
        ("10.0.0.1 color=red", "the key 'color=' is unknown"),
        ("fe80::1%eth0", "is not an IPv4 or IPv6 address"),
    ],
)
def test_invalid_line_has_its_number_and_a_reason(line: str, reason: str) -> None:
    reading = read_list(f"10.9.9.1\n\n{line}\n10.9.9.2\n")
    assert [host.address for host in reading.hosts] == ["10.9.9.1", "10.9.9.2"], "valid lines are imported"
    [fault] = reading.faults
    assert fault.line == 3
    assert reason in fault.text


def test_words_that_differ_on_each_line_are_names_not_users() -> None:
    named = read_list("10.0.0.1 m1 m1.lab\n10.0.0.2 m2\n")
    assert [host.username for host in named.hosts] == [None, None]
    assert "read as node names" in named.notes[0].text
    users = read_list("10.0.0.1 admin\n10.0.0.2 admin\n")
    assert [host.username for host in users.hosts] == ["admin", "admin"]


def test_password_is_read_and_masked() -> None:
    text = "10.0.0.1 password=canary-1f0\n10.0.0.300 pass=canary-2f0\nworker password=canary-3f0"
    reading = read_list(text)
    [host] = reading.hosts
    assert host.password is not None
    assert host.password.get_secret_value() == "canary-1f0"
    masked, hidden = mask_nodes(text, reading)
    assert "canary" not in masked + repr(reading) + "".join(map(str, reading.faults))
    assert unmask(masked, hidden) == text


# A plan does not accept an IPv4 address written as IPv6 (::ffff:10.0.0.1).
ADDRESSES = st.one_of(
    st.builds(IPv4Address, st.integers(0, 2**32 - 1)),
    st.builds(IPv6Address, st.integers(0, 2**128 - 1)).filter(lambda address: address.ipv4_mapped is None),
)
SEPARATORS = st.sampled_from([" ", "\t", ",", " , ", ";", "   "])


@given(
    ADDRESSES,
    st.sampled_from(["control-plane", "worker", "cp", "wk", "Master", "kube_node"]),
    st.sampled_from(["root", "admin", "ubuntu", "deploy_1", "_svc"]),
    st.integers(1, 65535),
    st.permutations(range(4)),
    SEPARATORS,
)
def test_order_and_separator_do_not_change_the_node(
    address: IPv4Address | IPv6Address, role: str, user: str, port: int, order: list[int], separator: str
) -> None:
    parts = [str(address), role, user, str(port)]
    host = read_one(separator.join(parts[index] for index in order))
    is_control_plane = role in ("control-plane", "cp", "Master")
    assert (host.address, host.username, host.port) == (str(address), user, str(port))
    assert host.role == ("control-plane" if is_control_plane else "worker")


@given(st.builds(IPv4Address, st.integers(0, 2**32 - 300)), st.integers(0, 299))
def test_range_has_all_its_addresses(first: IPv4Address, count: int) -> None:
    assert addresses(f"{first}-{first + count}") == tuple(str(first + step) for step in range(count + 1))


@given(st.text(alphabet=st.sampled_from("ab0123456789.:-,;@[]=# \t\n'\"worke"), max_size=80) | st.text(max_size=80))
def test_arbitrary_text_never_raises_and_each_line_is_read_or_faulty(text: str) -> None:
    reading = read_list(text)
    lines = {host.line for host in reading.hosts} | {fault.line for fault in reading.faults}
    for host in reading.hosts:
        assert str(IPv6Address(host.address) if ":" in host.address else IPv4Address(host.address)) == host.address
    if not any(sign in text for sign in "#;[=:'\"\\") and text.isprintable() and text.strip(" ,-*"):
        assert lines, text
    masked, hidden = mask_nodes(text, reading)
    assert unmask(masked, hidden) == unmask(mask_nodes(masked, read_list(masked))[0], hidden) or hidden


PIECES = st.sampled_from(["a", "b", "•", MASK, "1", "#", "'", " "])


@given(st.lists(st.lists(PIECES, min_size=1, max_size=6).map("".join), min_size=1, max_size=4))
def test_unmask_restores_the_text_for_any_secret(secrets: list[str]) -> None:
    text = "[masters]\n" + "\n".join(
        f'10.0.0.{n} ansible_password="{secret}" ansible_become_pass="{secret}"' for n, secret in enumerate(secrets, 1)
    )
    masked, hidden = mask_nodes(text, read_list(text))
    assert unmask(masked, hidden) == text


@pytest.mark.parametrize(
    "pattern", ["n[3:1]", "n[a:1]", "n[1:]", "n[]", "n[1:9999999]", "n[1:900]x[1:900]", "n[1:5:0]"]
)
def test_invalid_name_range_is_rejected(pattern: str) -> None:
    with pytest.raises(InvalidHostLine):
        names(pattern)


def test_name_ranges_are_expanded() -> None:
    assert names("n[08:10].lab") == ("n08.lab", "n09.lab", "n10.lab")
    assert names("[a:c]") == ("a", "b", "c")
    assert names("n[1:5:2]") == ("n1", "n3", "n5")
    assert names("r[1:2]n[1:2]") == ("r1n1", "r1n2", "r2n1", "r2n2")
