"""A password next to the user name is rejected in every list format, and is never shown or stored."""

import pytest

from acp_tui.core.redaction import unmask
from acp_tui.plan.model import Plan
from acp_tui.plan.node_import.detect import mask_nodes, read_list
from acp_tui.plan.node_import.merge import merge_hosts
from acp_tui.plan.node_import.passwords import has_secret, login_secret

CANARY = "c4nary"
REJECTED = {
    "text": f"worker root:{CANARY}@10.0.0.1",
    "text with a port": f"root:{CANARY}@10.0.0.1:2222",
    "password with an at sign": f"root:p@{CANARY}@10.0.0.1",
    "password with a colon": f"root:p:{CANARY}@10.0.0.1",
    "password with a blank": f"root:p {CANARY}@10.0.0.1",
    "password with a comma": f"root:p,{CANARY}@10.0.0.1",
    "password of digits": "root:4711081500@10.0.0.1",
    "IPv6": f"root:{CANARY}@[fd00::1]:22",
    "URL": f"ssh://root:{CANARY}@10.0.0.1",
    "without an address": f"10.0.0.1 root:{CANARY}",
    "with an equals sign": f"10.0.0.1 root:{CANARY}=x",
    "user key": f"10.0.0.1 user=root:{CANARY}",
    "CSV user": f"address,user\n10.0.0.1,root:{CANARY}",
    "CSV address": f"address,role\nroot:{CANARY}@10.0.0.1,worker",
    "INI host": f"[workers]\nroot:{CANARY}@10.0.0.1",
    "INI user": f"[workers]\n10.0.0.1 ansible_user=root:{CANARY}",
    "INI address": f"[workers]\nnode ansible_host=root:{CANARY}@10.0.0.1",
    "INI group": f"[workers]\n10.0.0.1\n[workers:vars]\nansible_user=root:{CANARY}",
    "YAML user": f"all:\n  hosts:\n    n1:\n      ansible_host: 10.0.0.1\n      ansible_user: root:{CANARY}",
    "YAML host": f"all:\n  hosts:\n    root:{CANARY}@10.0.0.1:\n",
}


@pytest.mark.parametrize("text", REJECTED.values(), ids=REJECTED)
def test_password_next_to_the_user_is_rejected_and_masked(text: str) -> None:
    secret = CANARY if CANARY in text else "4711081500"
    reading = read_list(text)
    assert reading.faults
    assert not reading.hosts
    assert not merge_hosts(Plan(), reading).imported
    messages = [str(note) for note in (*reading.faults, *reading.notes)]
    assert secret not in "\n".join(messages)
    masked, hidden = mask_nodes(text, reading)
    if "@" in text or "user" in text:
        assert secret not in masked
        assert unmask(masked, hidden) == text


def test_message_names_the_way_out() -> None:
    [fault] = read_list(REJECTED["text"]).faults
    assert "add password=PASSWORD to the line" in fault.text


@pytest.mark.parametrize(
    "text",
    [
        "admin@10.0.0.1",
        "worker fd00::1 root@10.0.0.2",
        "admin@[fd00::1]:22",
        "10.0.0.1:2222",
        "fd00::1-5",
        "fe80::1%eth0",
    ],
)
def test_addresses_are_not_passwords(text: str) -> None:
    assert not has_secret(text)
    assert not login_secret(text)


@pytest.mark.parametrize("text", ["root:p", "root:p@", "root:p@10.0.0", "10.0.0.1 password=", "ssh://root:p@h"])
def test_unfinished_password_is_recognised(text: str) -> None:
    assert has_secret(text)


@pytest.mark.parametrize(
    "text",
    [
        "10.0.0.1 password=c4\u200bnary\n10.0.0.2 password=other",
        "address,password\n10.0.0.1,\ufeffc4nary\n10.0.0.2,other",
        "[workers]\n10.0.0.1 ansible_password=c4\u202enary\n10.0.0.2 ansible_password=other",
        "[workers]\n10.0.0.2 ansible_password=other\n10.0.0.1\n[workers:vars]\nansible_password=c4\x07nary",
    ],
)
def test_secret_is_never_changed_silently(text: str) -> None:
    reading = read_list(text)
    assert [host.address for host in reading.hosts] == ["10.0.0.2"]
    [fault] = reading.faults
    assert "invisible characters" in fault.text
    masked, hidden = mask_nodes(text, reading)
    assert "nary" not in masked
    assert read_list(unmask(masked, hidden)).faults == reading.faults, "the error stays after the text was masked"


def test_byte_order_mark_of_the_file_is_removed() -> None:
    [host] = read_list("\ufeff10.0.0.1 password=secret").hosts
    assert host.password is not None
    assert host.password.get_secret_value() == "secret"


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("!vault x", None),
        ("!!binary aGk=", None),
        ("!mine x", None),
        ("!unsafe x", "x"),
        ("!!str x", "x"),
        ("12", "12"),
    ],
)
def test_only_plain_values_of_an_inventory_are_used(value: str, expected: str | None) -> None:
    reading = read_list(f"all:\n  hosts:\n    n1:\n      ansible_host: 10.0.0.1\n      ansible_password: {value}\n")
    [host] = reading.hosts
    assert (host.password.get_secret_value() if host.password else None) == expected
    assert [note.line for note in reading.notes] == ([] if expected else [5])


NOT_READ = {
    "YAML syntax": f"all:\n  hosts:\n    n1: {{ansible_password: {CANARY}}}\n  vars: [\n",
    "YAML syntax before the password": f"all:\n  hosts: [}}\n  vars: {{pw: {CANARY}}}\n",
    "YAML depth": "all:\n" + "".join(f"{'  ' * n}children:\n{'  ' * n} g:\n" for n in range(1, 30)) + f"# {CANARY}\n",
    "YAML twice": f"all:\n  hosts:\n    n1: {{ansible_password: {CANARY}}}\n    n1: {{ansible_password: another}}\n",
    "YAML twice on a line": f"hosts: {{n1: {{ansible_password: {CANARY}}}, n1: {{ansible_password: another}}}}",
    "YAML unknown key": f"all:\n  host:\n    n1: {{ansible_password: {CANARY}}}\n  vars: {{}}\n",
    "YAML text block": f"all:\n  vars:\n    ansible_password: |\n      {CANARY}\n",
    "YAML list": f"all:\n  vars:\n    ansible_password:\n    - {CANARY}\n",
    "YAML anchor": f"all:\n  vars:\n    x: &pw {CANARY}\n    ansible_password: *pw\n",
    "JSON": f'{{"all": {{"host": {{"n1": {{"ansible_password": "{CANARY}"}}}}}}}}',
    "INI open quote": f"[masters]\n10.0.0.1 ansible_password='{CANARY}\n",
    "INI range": f"[masters]\nn[3:1] ansible_password={CANARY}\n",
    "INI section": f"[masters:host]\n10.0.0.1 ansible_password={CANARY}\n",
    "INI twice": f"[a]\n10.0.0.1 ansible_password={CANARY}\n[b]\n10.0.0.1 ansible_password=another\n",
    "INI comment": f"[masters]\n10.0.0.1\n# ansible_password={CANARY}\n",
    "CSV open quote": f'address,role,password\n10.0.0.1,"worker,x\n10.0.0.2,worker,{CANARY}\n',
    "CSV heading": f'address,"role\n10.0.0.2,{CANARY}\n',
    "CSV more cells": f"address,password\n10.0.0.1,worker,{CANARY}\n",
    "CSV unknown heading": f"address,sudo password\n10.0.0.1,{CANARY}\n",
    "CSV large cell": f"address,password\n10.0.0.1,{'x' * 140_000}\n10.0.0.2,{CANARY}\n",
}


@pytest.mark.parametrize("text", NOT_READ.values(), ids=NOT_READ)
def test_password_that_is_not_imported_is_masked(text: str) -> None:
    reading = read_list(text)
    masked, hidden = mask_nodes(text, reading)
    assert CANARY not in masked + " ".join(map(str, (*reading.faults, *reading.notes)))
    assert unmask(masked, hidden) == text
