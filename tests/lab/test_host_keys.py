"""First contact with real nodes: which command sends what to a host key that is not confirmed."""

import json
import os
import pty
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest
import yaml
from pydantic import JsonValue

from acp_tui.core.errors import ExitStatus
from acp_tui.plan.known_hosts import fingerprint
from tests.lab.kit.check_run import as_planned, plan
from tests.lab.kit.nodes import Lab, LabNode
from tests.lab.kit.profiles import NodeProfile

pytestmark = pytest.mark.lab


def acp_tui(
    folder: Path, answers: Mapping[str, JsonValue], command: str, *options: str, typed: str | None = None
) -> "subprocess.CompletedProcess[str]":
    """Run a command on the plan `answers`. With `typed`, it runs in a terminal that receives this input."""
    file = folder / "plan.yaml"
    file.write_text(yaml.safe_dump(dict(answers)), encoding="utf-8")
    stdin = subprocess.DEVNULL
    if typed is not None:
        ours, stdin = pty.openpty()
        os.write(ours, typed.encode())
    environment = {**os.environ, "HOME": str(folder), "XDG_STATE_HOME": str(folder / "state")}
    return subprocess.run(
        (sys.executable, "-m", "acp_tui", command, str(file), *options),
        capture_output=True,
        text=True,
        env=environment,
        stdin=stdin,
        check=False,
    )


def logins(node: LabNode) -> int:
    """Return how many credentials the sshd of the node has checked."""
    return int(node.sh("grep -cE 'Accepted|Failed' /var/log/sshd.log || true"))


def states(output: str) -> list[str]:
    return [node["state"] for node in json.loads(output)["nodes"]]


@pytest.fixture
def pair(lab: Lab) -> list[LabNode]:
    return lab.start(NodeProfile(), NodeProfile())


def with_password(nodes: list[LabNode], **more: JsonValue) -> dict[str, JsonValue]:
    return plan(as_planned(nodes), nodes[0].address, **more)


def with_key(node: LabNode) -> dict[str, JsonValue]:
    ssh: JsonValue = {"username": "root", "key_file": str(node.key_file)}
    return plan(as_planned([node]), node.address, scenario="single-node", ssh=ssh)


def test_unattended_check_sends_no_password_before_the_keys_are_confirmed(pair: list[LabNode], tmp_path: Path) -> None:
    answers = with_password(pair)
    refused = acp_tui(tmp_path, answers, "check", "--json")
    assert refused.returncode == ExitStatus.CHECK_FAILED
    assert states(refused.stdout) == ["host-key-unknown"] * 2
    assert "acp-tui trust PLAN" in refused.stderr
    assert "--accept-new" in refused.stderr
    for node in pair:
        assert fingerprint(node.host_key) in refused.stderr
    assert [logins(node) for node in pair] == [0, 0]

    again = acp_tui(tmp_path, answers, "check", "--json")
    assert states(again.stdout) == ["host-key-unknown"] * 2, "a refused key is not recorded"
    accepted = acp_tui(tmp_path, answers, "check", "--json", "--accept-new")
    assert states(accepted.stdout) == ["checked"] * 2
    recorded = acp_tui(tmp_path, answers, "check", "--json")
    assert states(recorded.stdout) == ["checked"] * 2
    assert "SHA256" not in recorded.stderr, "a known key is not shown again"


def test_terminal_asks_once_for_all_nodes(pair: list[LabNode], tmp_path: Path) -> None:
    answers = with_password(pair)
    denied = acp_tui(tmp_path, answers, "check", "--json", typed="\n")
    assert denied.stderr.count("Are these your nodes?") == 1
    assert states(denied.stdout) == ["host-key-unknown"] * 2
    assert [logins(node) for node in pair] == [0, 0]
    confirmed = acp_tui(tmp_path, answers, "check", "--json", typed="y\n")
    assert confirmed.stderr.count("Are these your nodes?") == 1
    assert states(confirmed.stdout) == ["checked"] * 2
    assert "Are these your nodes?" not in acp_tui(tmp_path, answers, "check", typed="n\n").stderr


def test_rejected_key_names_the_way_to_send_the_password(pair: list[LabNode], tmp_path: Path) -> None:
    key = tmp_path / "other_key"
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(key)], check=True)
    answers = with_password(pair)
    answers["ssh"] = {"username": "root", "password": "c4nary", "key_file": str(key)}
    refused = acp_tui(tmp_path, answers, "check", "--json")
    assert states(refused.stdout) == ["host-key-unknown"] * 2
    assert refused.stderr.count("acp-tui trust PLAN") == 1
    for node in pair:
        assert node.sh("grep -c 'Failed password' /var/log/sshd.log || true").strip() == "0"


def test_trust_shows_and_records_all_keys(pair: list[LabNode], tmp_path: Path) -> None:
    answers = with_password(pair)
    shown = acp_tui(tmp_path, answers, "trust", "--json")
    assert shown.returncode == ExitStatus.CHECK_FAILED
    items = json.loads(shown.stdout)
    assert [item["state"] for item in items] == ["new", "new"]
    assert [item["fingerprint"] for item in items] == [fingerprint(node.host_key) for node in pair]
    assert "--accept-new" in shown.stderr
    trusted = acp_tui(tmp_path, answers, "trust", typed="y\n")
    assert trusted.returncode == ExitStatus.DONE, trusted.stderr
    assert all(fingerprint(node.host_key) in trusted.stdout for node in pair)
    assert [logins(node) for node in pair] == [0, 0]
    assert states(acp_tui(tmp_path, answers, "check", "--json").stdout) == ["checked"] * 2


def test_changed_key_is_never_accepted_without_a_person(pair: list[LabNode], tmp_path: Path) -> None:
    answers = with_password(pair)
    acp_tui(tmp_path, answers, "trust", "--accept-new")
    pair[1].change_host_key()
    checked = acp_tui(tmp_path, answers, "check", "--json", "--accept-new")
    assert states(checked.stdout) == ["checked", "host-key-changed"]
    shown = acp_tui(tmp_path, answers, "trust", "--json", "--accept-new")
    assert shown.returncode == ExitStatus.CHECK_FAILED
    [_first, second] = json.loads(shown.stdout)
    assert second["state"] == "changed"
    assert second["known"] == [fingerprint(pair[1].host_key)]
    assert second["fingerprint"] not in second["known"]
    assert acp_tui(tmp_path, answers, "trust", typed="y\n").returncode == ExitStatus.DONE
    assert states(acp_tui(tmp_path, answers, "check", "--json").stdout) == ["checked"] * 2


def test_known_hosts_file_in_the_plan_needs_no_question(pair: list[LabNode], tmp_path: Path) -> None:
    lines = "".join(f"{node.address} {node.host_key}\n" for node in pair)
    (tmp_path / "hosts").write_text(lines, encoding="utf-8")
    answers = with_password(pair)
    ssh = answers["ssh"]
    assert isinstance(ssh, dict)
    named = {**answers, "ssh": {**ssh, "known_hosts": "hosts"}}
    assert states(acp_tui(tmp_path, named, "check", "--json").stdout) == ["checked"] * 2
    (tmp_path / ".ssh").mkdir()
    (tmp_path / ".ssh" / "known_hosts").write_text(lines, encoding="utf-8")
    users = {**answers, "ssh": {**ssh, "known_hosts": "user"}}
    assert states(acp_tui(tmp_path, users, "check", "--json").stdout) == ["checked"] * 2
    without = acp_tui(tmp_path, answers, "check", "--json")
    assert states(without.stdout) == ["host-key-unknown"] * 2, "the file of the user counts only on request"
    missing = acp_tui(tmp_path, {**answers, "ssh": {**ssh, "known_hosts": "gone"}}, "check")
    assert missing.returncode == ExitStatus.COULD_NOT_RUN
    assert "gone" in missing.stderr


def test_key_login_reads_without_a_question_but_changes_nothing(lab: Lab, tmp_path: Path) -> None:
    [node] = lab.start(NodeProfile())
    answers = with_key(node)
    checked = acp_tui(tmp_path, answers, "check", "--json")
    assert states(checked.stdout) == ["checked"]
    assert "is recorded, but not confirmed" in checked.stderr
    for command in (("fix", "--yes"), ("check", "--also", "disk")):
        refused = acp_tui(tmp_path, answers, *command)
        assert refused.returncode == ExitStatus.CHECK_FAILED, command
        assert "are not confirmed" in refused.stderr
    assert acp_tui(tmp_path, answers, "trust", "--accept-new").returncode == ExitStatus.DONE
    assert "are not confirmed" not in acp_tui(tmp_path, answers, "fix", "--yes").stderr


def test_bundle_contains_only_confirmed_keys(pair: list[LabNode], tmp_path: Path) -> None:
    ssh: JsonValue = {"username": "root", "key_file": str(pair[0].key_file)}
    answers = {**with_password(pair), "ssh": ssh}
    acp_tui(tmp_path, answers, "trust", "--accept-new", "--node", pair[0].address)
    written = acp_tui(tmp_path, answers, "bundle", str(tmp_path / "bundle"))
    assert pair[1].address in written.stderr
    hosts = (tmp_path / "bundle" / "known_hosts").read_text(encoding="utf-8")
    assert pair[0].address in hosts
    assert pair[1].address not in hosts
