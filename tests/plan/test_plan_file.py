"""The plan file: all errors with their lines, secrets in the overlay, and the same plan after saving and loading."""

import os
import re
import time
from itertools import pairwise
from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from pydantic import SecretStr

from acp_tui.plan.file import (
    PlanErrors,
    dump_plan,
    dump_secrets,
    load_plan,
    read_plan,
    save_plan,
    schema,
    secret_values,
)
from acp_tui.plan.model import Plan
from acp_tui.plan.sections.admin import Admin
from acp_tui.plan.sections.node import Node, NodeSsh, Ssh

CANARY = "canary-7f3a9c"


def write(folder: Path, text: str) -> Path:
    path = folder / "plan.yaml"
    path.write_text(text, encoding="utf-8")
    return path


def problems(folder: Path, text: str) -> list[str]:
    return [str(problem) for problem in read_plan(write(folder, text)).problems]


def test_missing_keys_have_their_defaults(tmp_path: Path) -> None:
    assert load_plan(write(tmp_path, "")) == Plan()


def test_empty_section_has_its_defaults(tmp_path: Path) -> None:
    text = "network:\n  # cni: calico\nnodes:\n  - address: 10.0.0.1\n    ssh:\naddress:\n  cluster_endpoint:\n"
    assert problems(tmp_path, text) == ["plan.yaml:7 address.cluster_endpoint: the value must be text"]


def test_device_or_pipe_is_not_a_plan(tmp_path: Path) -> None:
    (tmp_path / "endless.yaml").symlink_to("/dev/zero")
    os.mkfifo(tmp_path / "pipe.yaml")
    for name in ("endless.yaml", "pipe.yaml"):
        with pytest.raises(OSError, match="a regular file is required"):
            read_plan(tmp_path / name)
    with pytest.raises(IsADirectoryError, match="Is a directory"):
        read_plan(tmp_path)


def test_device_pipe_or_folder_is_not_a_secrets_overlay(tmp_path: Path) -> None:
    overlay = tmp_path / "secrets.yaml"
    os.mkfifo(overlay)
    special = "secrets.yaml:1 the file cannot be read: the file is a device or a pipe; a regular file is required"
    assert problems(tmp_path, "") == [special]
    overlay.unlink()
    overlay.symlink_to("/dev/zero")
    assert problems(tmp_path, "") == [special]
    overlay.unlink()
    overlay.mkdir()
    assert problems(tmp_path, "") == ["secrets.yaml:1 the file cannot be read: Is a directory"]
    overlay.rmdir()
    overlay.symlink_to("missing")
    assert problems(tmp_path, "") == ["secrets.yaml:1 the file cannot be read: No such file or directory"]


def test_many_invalid_nodes_are_omitted_quickly(tmp_path: Path) -> None:
    started = time.process_time()
    reading = read_plan(write(tmp_path, "nodes:\n" + "- a\n" * 15_000))
    assert (len(reading.problems), reading.plan) == (15_000, Plan())
    assert time.process_time() - started < 20


@pytest.mark.parametrize("text", ["{a: " + "a," * 500_000, "?\n" * 500_000, "[" + "*a," * 300_000])
def test_text_with_many_yaml_nodes_is_rejected_quickly(tmp_path: Path, text: str) -> None:
    started = time.process_time()
    assert problems(tmp_path, text)
    assert time.process_time() - started < 10


def test_all_errors_are_reported_with_line_and_path(tmp_path: Path) -> None:
    errors = problems(
        tmp_path,
        "nodes:\n  - address: 10.0.0.1\n  - address: 10.0.0.300\n    rol: worker\n"
        "address: {https_port: 70000, vrid: x}\nnetwrk: {}\nisolation: yes\n",
    )
    assert errors == [
        "plan.yaml:3 nodes[1].address: '10.0.0.300' is not an IPv4 or IPv6 address",
        "plan.yaml:4 nodes[1].rol: this key is unknown. Did you mean 'role'?",
        "plan.yaml:5 address.vrid: the value is not an integer",
        "plan.yaml:5 address.https_port: the value must be at most 65535",
        "plan.yaml:6 netwrk: this key is unknown. Did you mean 'network'?",
        "plan.yaml:7 isolation: 'yes' is not a valid value. Enter true or false.",
    ]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a: [", "plan.yaml:1 invalid YAML"),
        ("- just\n- a list\n", "the file is not a plan. A plan must be a YAML mapping of keys to values."),
        ("acp_tui: 2\n", "acp_tui: plan format 2 is not supported. This version of acp-tui reads only format 1"),
        ("release: 4.0\nrelease: 4.1\n", "plan.yaml:2 release: duplicate key"),
        ("nodes: {address: 10.0.0.1}\n", "nodes: the value must be a list"),
        ("network: kube-ovn\n", "network: the value must be a mapping of keys to values"),
        ("network: {cluster_cidr: {ipv4: 10.3.0.1/16}}\n", "Did you mean 10.3.0.0/16?"),
        ("admin: {password: {env: ACP_TUI_NO_SUCH}}\n", "the environment variable ACP_TUI_NO_SUCH is not set"),
        ("admin: {password: {file: no-such-file}}\n", "cannot read the secret from the file no-such-file"),
        (
            "admin: {password: {file: ~no.such.user/pw}}\n",
            "cannot read the secret from the file ~no.such.user/pw: No such file",
        ),
        (
            "admin: {password: {file: /dev/zero}}\n",
            "cannot read the secret from the file /dev/zero: the file is a device or a pipe",
        ),
        ("admin: {password: !vault x}\n", "plan.yaml:1 admin.password: the YAML tag !vault is not allowed"),
        ("admin:\n  password: !!binary aGk=\n", "plan.yaml:2 admin.password: the YAML tag !!binary is not allowed"),
        ("admin:\n  !!str username: x\n", "plan.yaml:2 admin.username: the YAML tag !!str is not allowed"),
        ("release: !!float 4.0\n", "plan.yaml:1 release: the YAML tag !!float is not allowed"),
        ("nodes: !mine []\n", "plan.yaml:1 nodes: the YAML tag !mine is not allowed"),
        ("!!map\nrelease: 4.0\n", "plan.yaml:1 the YAML tag !!map is not allowed"),
        ("release: ! 4.0\n", "plan.yaml:1 release: the YAML tag ! is not allowed"),
        ("ssh: {username: 'root:pw'}\n", "ssh.username: the user name must not contain a colon"),
        ("ssh: {username: root@host}\n", "ssh.username: the user name must not contain an @ sign"),
        ("nodes: [{address: 10.0.0.1, ssh: {username: a b}}]\n", "username: the user name must not contain blanks"),
        ("nodes: [{address: 'root:pw@10.0.0.1'}]\n", "'root:••••••@10.0.0.1' has a user name or a password"),
        ("registry: {address: 'https://me:pw@r.io'}\n", "'me:••••••@r.io' does not have the form"),
        ("admin: &a\n  username: *a\n", "the YAML values are nested too deeply or refer to themselves"),
        ('ssh: {username: "\\ud800"}\n', "ssh.username: the value contains an invalid Unicode character"),
        ('admin: {password: "\\udc00"}\n', "admin.password: the value contains an invalid Unicode character"),
        (
            "address: {platform: 'https://acp.example.com'}\n",
            "address.platform: 'https://acp.example.com' has a scheme such as https://. Enter only the",
        ),
        ("address: {platform: acp.example.com:8443}\n", "has a port or brackets"),
        (
            "address: {platform: облако.рф}\n",
            "'облако.рф' has non-ASCII characters. Enter the ASCII form of the name: xn--80ab2acne.xn--p1ai",
        ),
        ("address: {platform: my_acp.example.com}\n", "has an underscore"),
        ("nodes: [{address: 10.20.0.011}]\n", "Remove them from the IPv4 address"),
        ("nodes: [{address: 'fe80::1%eth0'}]\n", "has an IPv6 zone"),
        ("nodes: [{address: '::ffff:10.0.0.1'}]\n", "Enter 10.0.0.1"),
        ("network: {cluster_cidr: {ipv4: 224.0.0.0/16}}\n", "overlaps the special-purpose range 224.0.0.0/3"),
    ],
)
def test_unusable_plan_is_rejected_with_a_reason(tmp_path: Path, text: str, message: str) -> None:
    assert any(message in problem for problem in problems(tmp_path, text))
    with pytest.raises(PlanErrors):
        load_plan(tmp_path / "plan.yaml")


def test_binary_and_huge_files_are_not_plans(tmp_path: Path) -> None:
    path = tmp_path / "plan.yaml"
    path.write_bytes(b"\xff\xfe\x00")
    assert "not UTF-8" in str(read_plan(path).problems[0])
    path.write_bytes(b"# \n" * 500_000)
    assert "larger than" in str(read_plan(path).problems[0])


def test_alias_bomb_is_rejected(tmp_path: Path) -> None:
    bomb = "a: &a [x]\n" + "".join(f"{c}: &{c} [{','.join([f'*{p}'] * 10)}]\n" for p, c in pairwise("abcdefghij"))
    assert any("more than 20000 values" in problem for problem in problems(tmp_path, bomb))


def test_only_invalid_nodes_are_omitted(tmp_path: Path) -> None:
    nodes = "".join(f"  - address: {'bad' if n in (9, 10) else f'10.0.0.{n}'}\n" for n in range(13))
    plan = read_plan(write(tmp_path, f"nodes:\n{nodes}")).plan
    assert plan is not None
    assert [node.address for node in plan.nodes] == [f"10.0.0.{n}" for n in range(13) if n not in (9, 10)]


def test_control_characters_of_a_key_are_removed_from_the_error(tmp_path: Path) -> None:
    (problem,) = problems(tmp_path, 'ssh: {"k\\e[31m": 1}\n')
    assert "\x1b" not in problem


def test_node_secret_is_matched_by_normalised_address(tmp_path: Path) -> None:
    path = write(tmp_path, 'nodes: [{address: "2001:DB8:0::1"}, {address: [10]}]\n')
    overlay = "nodes: [{address: '2001:db8::1', ssh: {password: x}}, {address: [10], ssh: {password: y}}]\n"
    (tmp_path / "secrets.yaml").write_text(overlay, encoding="utf-8")
    reading = read_plan(path)
    assert reading.plan is not None
    assert secret_values(reading.plan) == {"nodes[0].ssh.password": "x"}
    assert len(reading.problems) == 1


def test_invalid_value_leaves_the_other_values_usable(tmp_path: Path) -> None:
    reading = read_plan(write(tmp_path, "nodes: [{address: bad}, {address: 10.0.0.2}]\nisolation: true\n"))
    assert reading.plan is not None
    assert [node.address for node in reading.plan.nodes] == ["10.0.0.2"]
    assert reading.plan.isolation


@pytest.mark.parametrize("typed", ["0123", "yes", "4.10", "1e3", "null and more", "2026-11-23", "~x"])
def test_password_scalar_stays_text(tmp_path: Path, typed: str) -> None:
    password = load_plan(write(tmp_path, f"admin: {{password: {typed}}}\n")).admin.password
    assert password is not None
    assert password.get_secret_value() == typed


def test_release_without_quotes_is_accepted(tmp_path: Path) -> None:
    assert load_plan(write(tmp_path, "release: 4.1\n")).effective_release == "4.1"


def test_secrets_are_read_from_environment_and_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ACP_TUI_TEST_SECRET", CANARY)
    (tmp_path / "pw").write_bytes(b"from file\r\n")
    plan = load_plan(write(tmp_path, "admin: {password: {env: ACP_TUI_TEST_SECRET}}\nssh: {password: {file: pw}}\n"))
    assert secret_values(plan) == {"admin.password": CANARY, "ssh.password": "from file"}


def plan_with_secrets() -> Plan:
    node_login = NodeSsh(password=SecretStr(CANARY + "-node"))
    return Plan(
        admin=Admin(password=SecretStr(CANARY)),
        ssh=Ssh(password=SecretStr("null"), key_passphrase=SecretStr("true")),
        nodes=(Node(address="10.0.0.1"), Node(address="10.0.0.2", ssh=node_login)),
    )


def test_secrets_are_written_only_to_the_overlay(tmp_path: Path) -> None:
    path = tmp_path / "plan.yaml"
    save_plan(plan_with_secrets(), path)
    assert CANARY not in path.read_text(encoding="utf-8")
    overlay = tmp_path / "secrets.yaml"
    assert overlay.stat().st_mode & 0o777 == 0o600
    assert load_plan(path) == plan_with_secrets()


def test_reordered_nodes_keep_their_own_secrets(tmp_path: Path) -> None:
    plan = plan_with_secrets()
    path = tmp_path / "plan.yaml"
    save_plan(plan, path)
    path.write_text(dump_plan(plan.model_copy(update={"nodes": plan.nodes[::-1]})), encoding="utf-8")
    nodes = load_plan(path).nodes
    assert nodes[0].address == "10.0.0.2"
    assert nodes[0].ssh.password is not None
    assert nodes[1].ssh.password is None


def test_every_key_is_written_with_a_comment() -> None:
    text = dump_plan(Plan(nodes=(Node(address="10.0.0.1"),)))
    lines = text.splitlines()
    keys = [i for i, line in enumerate(lines) if not line.lstrip().startswith("#")]
    assert all(lines[i - 1].lstrip().startswith("#") for i in keys)
    assert set(Plan.model_fields) == set(yaml.safe_load(text))


def test_written_default_plan_is_read_unchanged(tmp_path: Path) -> None:
    plan = Plan(nodes=(Node(address="10.0.0.1"), Node(address="fd00::1", role="worker")))
    assert load_plan(write(tmp_path, dump_plan(plan))) == plan


@given(st.text(max_size=40).filter(lambda text: "\x00" not in text and text.isprintable()))
def test_any_text_survives_saving_and_loading(tmp_path_factory: pytest.TempPathFactory, text: str) -> None:
    user = re.sub(r"[\s:@]", "", text) or "root"
    plan = Plan(ssh=Ssh(username=user, password=SecretStr(text)), admin=Admin(password=SecretStr(text)))
    path = tmp_path_factory.mktemp("plan") / "plan.yaml"
    save_plan(plan, path)
    loaded = load_plan(path)
    assert loaded.ssh.username == plan.ssh.username
    assert secret_values(loaded) == secret_values(plan)


def test_overlay_has_only_secrets() -> None:
    overlay = yaml.safe_load(dump_secrets(plan_with_secrets()))
    assert overlay == {
        "admin": {"password": CANARY},
        "ssh": {"password": "null", "key_passphrase": "true"},
        "nodes": [{"address": "10.0.0.2", "ssh": {"password": CANARY + "-node"}}],
    }


def test_schema_accepts_a_reference_for_a_secret() -> None:
    definitions = schema()["$defs"]
    assert isinstance(definitions, dict)
    assert "anyOf" in str(definitions["Admin"]["properties"]["password"])
