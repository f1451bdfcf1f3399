"""Import of nodes from Ansible inventories (INI, YAML, JSON) and CSV tables."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from acp_tui.core.redaction import unmask
from acp_tui.plan.model import Plan
from acp_tui.plan.node_import.detect import mask_nodes, read_list
from acp_tui.plan.node_import.merge import merge_hosts
from acp_tui.plan.sections.node import Node

INI = """
# kept by hand
[all:vars]
ansible_user=admin
ansible_become_pass=canary-become

[kube_control_plane]
m[01:02]
10.0.0.3   ansible_port=2222

[workers]
w1 ansible_host=10.0.1.1 ansible_ssh_pass="canary 1" # with a comment
w2 ansible_host=10.0.1.2 ansible_user=root
w3.example.com

[workers:vars]
ansible_ssh_private_key_file = /root/.ssh/id

[m:children]
kube_control_plane

[bastion]
b1 ansible_host=10.9.9.9

[ungrouped]
m01 ansible_host=10.0.0.1
m02 ansible_host=10.0.0.2
"""

YAML = """
all:
  vars:
    ansible_user: admin
    ansible_become_password: canary-become
  hosts:
    m01: {ansible_host: 10.0.0.1}
    m02: {ansible_host: 10.0.0.2}
    b1: {ansible_host: 10.9.9.9}
  children:
    m:
      children:
        kube_control_plane:
          hosts:
            m[01:02]:
            10.0.0.3: {ansible_port: 2222}
    workers:
      vars: {ansible_ssh_private_key_file: /root/.ssh/id}
      hosts:
        w1:
          ansible_host: 10.0.1.1
          ansible_ssh_pass: "canary 1"
        w2: {ansible_host: 10.0.1.2, ansible_user: root}
        w3.example.com:
"""

CSV = """Name;IP;Role;User;Port;Key;Password;Rack
m01;10.0.0.1;master;admin;;;;r1
m02;10.0.0.2;master;admin;;;;r1
m03;10.0.0.3;control plane;admin;2222;;;r2
w1;10.0.1.1;worker;admin;;/root/.ssh/id;"canary 1";r2
w2;10.0.1.2;worker;root;;/root/.ssh/id;;r2
w3;w3.example.com;worker;;;;;r2
"""


@pytest.mark.parametrize("text", [INI, YAML, CSV], ids=["ini", "yaml", "csv"])
def test_ini_yaml_and_csv_give_the_same_nodes(text: str) -> None:
    reading = read_list(text)
    assert [
        (h.address, h.role, h.username, h.port, h.password.get_secret_value() if h.password else None, h.key_file)
        for h in sorted(reading.hosts, key=lambda host: host.address)
    ] == [
        ("10.0.0.1", "control-plane", "admin", None, None, None),
        ("10.0.0.2", "control-plane", "admin", None, None, None),
        ("10.0.0.3", "control-plane", "admin", "2222", None, None),
        ("10.0.1.1", "worker", "admin", None, "canary 1", "/root/.ssh/id"),
        ("10.0.1.2", "worker", "root", None, None, "/root/.ssh/id"),
    ]
    [fault] = reading.faults
    assert "w3.example.com" in fault.text
    assert text.split("\n")[fault.line - 1].strip().removeprefix("w3;").startswith("w3.example.com")
    masked, hidden = mask_nodes(text, reading)
    assert "canary" not in masked + repr(reading) + "".join(map(str, (*reading.faults, *reading.notes)))
    assert unmask(masked, hidden) == text


@pytest.mark.parametrize("text", [INI, YAML], ids=["ini", "yaml"])
def test_skipped_values_have_notes(text: str) -> None:
    notes = " ".join(str(note) for note in read_list(text).notes)
    assert "'b1' is not imported, because it is not in a group of control plane nodes or workers" in notes
    assert "sudo password is not imported" in notes


def test_unknown_csv_column_has_a_note() -> None:
    assert "Rack" in str(read_list(CSV).notes[0])


@pytest.mark.parametrize(
    ("text", "line", "reason"),
    [
        ("ip,role\n10.0.0.1,boss\n", 2, "is not a role. The role must be control-plane or worker"),
        ("ip,role\n,worker\n", 2, "the row has no address"),
        ("ip,role\n10.0.0.1,worker,9\n", 2, "more cells"),
        ("ip,port\n10.0.0.1-3,70000\n", 2, "must be at most 65535"),
        ("[masters]\n10.0.0.1 admin\n", 2, "'admin' after '10.0.0.1' is not a variable"),
        ("[masters]\n10.0.0.1 ansible_user='x\n", 2, "the line has an opening quote, but no closing quote"),
        ("[masters:host]\n", 1, "is not a valid section of an Ansible inventory"),
        ("[all:vars]\nnothing\n", 2, "is not a variable"),
        ("[masters]\nn[3:1]\n", 2, "range"),
        ("[masters]\nn1 ansible_host=10.0.0.1-2\n", 2, "has a range of addresses instead of one address"),
        ("[masters]\nn1 ansible_host={{ip}}\n", 2, "is a host name"),
        ("all:\n  hosts:\n    n1: {ansible_host: 10.0.0.999}\n", 3, "not an IPv4 or IPv6 address"),
        ("all:\n  hots:\n  vars: {}\n", 2, "can contain only hosts, children and vars"),
        ("all:\n  hosts: [\n", 3, "invalid YAML"),
    ],
)
def test_fault_has_its_line_and_reason(text: str, line: int, reason: str) -> None:
    [fault] = read_list(text).faults
    assert (fault.line, reason in fault.text) == (line, True), str(fault)


def test_vault_and_template_values_are_skipped_with_a_note() -> None:
    vault = (
        "all:\n  hosts:\n    10.0.0.1:\n      ansible_password: !vault |\n        $ANSIBLE_VAULT;1.1\n        6162\n"
    )
    template = '[masters]\n10.0.0.1 ansible_password="{{ pw }}"\n'
    for text in (vault, template):
        reading = read_list(text)
        assert [host.password for host in reading.hosts] == [None]
        assert "only Ansible can read the value of" in reading.notes[0].text


def test_group_nodes_means_workers_only_if_masters_exist() -> None:
    assert [host.role for host in read_list("[nodes]\n10.0.0.[1:2]\n").hosts] == [None, None]
    both = read_list("[nodes]\n10.0.0.[1:2]\n[masters]\n10.0.0.1\n")
    assert [host.role for host in both.hosts] == ["control-plane", "worker"]


def test_hostile_yaml_is_rejected() -> None:
    bomb = "a: &a {hosts: {x: 1}}\n" + "".join(
        f"{name}: &{name} {{children: {{p: *{above}, q: *{above}, r: *{above}, s: *{above}}}}}\n"
        for above, name in zip("abcdefghijklm", "bcdefghijklmn", strict=True)
    )
    assert read_list(bomb).faults
    assert "refer to themselves" in str(read_list("all: &x\n  children: {y: *x}\n").faults[0])
    assert "nested too deeply" in str(read_list("hosts: " + "[" * 5000).faults[0])
    assert "larger than" in str(read_list("x" * (1 << 21)).faults[0])


@given(st.text(alphabet="[]:{}&*!-'\"=#\n abhostsvrcildren0123.", max_size=200))
def test_arbitrary_inventory_never_raises(text: str) -> None:
    for document in (f"[masters]\n{text}", f"all:\n  hosts:\n{text}", f"ip,role\n{text}"):
        reading = read_list(document)
        masked, hidden = mask_nodes(document, reading)
        assert unmask(masked, hidden) == document.replace("\r", "\n")


def test_json_inventory_is_read() -> None:
    document = {
        "masters": {"hosts": ["10.0.0.1", "10.0.0.2"]},
        "workers": {"hosts": {"w": {"ansible_host": "10.0.0.3"}}},
    }
    assert [host.address for host in read_list(json.dumps(document)).hosts] == ["10.0.0.1", "10.0.0.2", "10.0.0.3"]


def test_nodes_without_a_role_become_control_plane_nodes_first() -> None:
    def roles(plan: Plan, text: str) -> list[str]:
        return [node.role[0] for node in merge_hosts(plan, read_list(text)).imported]

    assert roles(Plan(), "10.0.0.1-5") == ["c", "c", "c", "w", "w"]
    assert roles(Plan(), "10.0.0.1\nmaster 10.0.0.9\n10.0.0.2-4") == ["c", "c", "c", "w", "w"]
    two_nodes = Plan(nodes=(Node(address="10.0.0.1"), Node(address="10.0.0.2")))
    assert roles(two_nodes, "10.0.0.3-4") == ["c", "w"]


def test_nodes_already_in_the_plan_and_duplicates_are_skipped() -> None:
    plan = Plan(nodes=(Node(address="10.0.0.1", role="worker"),))
    merged = merge_hosts(plan, read_list("master 10.0.0.1\n10.0.0.2\n10.0.0.2 admin\n"))
    assert [node.address for node in merged.imported] == ["10.0.0.2"]
    assert [host.line for host in merged.already_in_plan] == [1]
    assert [host.line for host in merged.duplicates] == [3]


def test_common_values_become_the_common_login_of_an_empty_plan() -> None:
    merged = merge_hosts(
        Plan(), read_list("[masters]\n10.0.0.[1:3]\n10.0.0.9 ansible_port=2222\n[all:vars]\nansible_user=admin\n")
    )
    assert dict(merged.login) == {"username": "admin"}
    assert [(node.ssh.username, node.ssh.port) for node in merged.imported][-1] == (None, 2222)
    plan = Plan(nodes=(Node(address="10.9.0.1"),))
    assert merge_hosts(plan, read_list("10.0.0.1 admin\n10.0.0.2 admin")).login == {}
