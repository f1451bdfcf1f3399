"""Every way into a node, and every way of not getting in, as the report tells it."""

import shutil
from pathlib import Path

import pytest
from lab_check import as_planned, check, command_lines, plan, started
from lab_faults import ESCAPES, RPM_HANGS
from lab_nodes import KEY_PASSPHRASE, OPERATOR, PASSWORD, Lab
from lab_profile import Fault, NodeProfile
from pydantic import JsonValue

pytestmark = pytest.mark.lab

_SETTINGS = "/etc/ssh/sshd_config"
KEYS_ONLY = Fault("no passwords", f"sed -i 's/^PasswordAuthentication yes/PasswordAuthentication no/' {_SETTINGS}")
ASKED = Fault(
    "keyboard-interactive alone",
    "sed -i 's/^PasswordAuthentication yes/PasswordAuthentication no/; s/^UsePAM no/UsePAM yes/; "
    f"s/^KbdInteractiveAuthentication no/KbdInteractiveAuthentication yes/' {_SETTINGS}",
    {"USR-USEPAM": "fail"},
)
SUDO = Fault("sudo without a password", f"echo '{OPERATOR} ALL=(ALL) NOPASSWD: ALL' >/etc/sudoers.d/{OPERATOR}")
ONE_SESSION = Fault("one session a connection", f"echo 'MaxSessions 1' >>{_SETTINGS}")
NOISE = Fault(
    "a talkative login",
    f"echo 'Authorised use only!' >/etc/issue.lab; echo 'Banner /etc/issue.lab' >>{_SETTINGS}; "
    "echo 'echo welcome; echo trouble >&2' | tee /root/.bashrc /root/.profile /root/.bash_profile >/etc/profile",
)
needs_sudo = pytest.mark.skipif(shutil.which("sudo") is None, reason="needs sudo")


def login(address: str, **ssh: JsonValue) -> dict[str, JsonValue]:
    return {"address": address, "role": "control-plane", "ssh": ssh}


def test_root_gets_in_by_password_key_and_question(lab: Lab, tmp_path: Path) -> None:
    password, key, asked = lab.start(
        NodeProfile(faults=(ONE_SESSION, NOISE)), NodeProfile(faults=(KEYS_ONLY,)), NodeProfile(faults=(ASKED,))
    )
    nodes = [login(password.address), login(key.address, key_file=str(key.key_file)), login(asked.address)]
    checked = check(tmp_path, plan(nodes, lab.address(0)))
    assert set(checked.states.values()) == {"checked"}
    assert checked.found == {node.address: node.profile.expects for node in (password, key, asked)}


def test_root_gets_in_by_a_key_with_a_passphrase(lab: Lab, tmp_path: Path) -> None:
    [node] = lab.start(NodeProfile(faults=(KEYS_ONLY,)))
    key = {"key_file": str(node.encrypted_key_file), "key_passphrase": KEY_PASSPHRASE}
    checked = check(tmp_path, plan([login(node.address, **key)], node.address, scenario="single-node"))
    assert checked.states == {node.address: "checked"}
    assert KEY_PASSPHRASE not in str(checked)


@needs_sudo
def test_a_user_with_sudo_sees_what_root_sees_and_one_without_is_told(lab: Lab, tmp_path: Path) -> None:
    able, unable = lab.start(NodeProfile(faults=(SUDO,)), NodeProfile())
    nodes = [login(able.address, username=OPERATOR), login(unable.address, username=OPERATOR)]
    checked = check(tmp_path, plan(nodes, lab.address(0)))
    assert checked.states == {able.address: "checked", unable.address: "no-sudo"}
    assert checked.found[able.address] == {}
    assert checked.found[unable.address]["USR-SUDO"] == "fail"
    assert checked.hostnames[unable.address] is not None  # what needs no root was still gathered


def test_who_cannot_be_reached_is_named_and_holds_nobody_up(lab: Lab, tmp_path: Path) -> None:
    hanging, stopped, frozen, locked = lab.start(
        NodeProfile("rhel-8.6", (RPM_HANGS,)), NodeProfile(), NodeProfile(), NodeProfile()
    )
    stopped.stop_sshd()
    frozen.freeze()
    nodes = [
        *as_planned([hanging, stopped, frozen]),
        {**login(locked.address, password="not-the-password"), "role": "worker"},
    ]
    checked = check(tmp_path, plan(nodes, lab.address(0)))
    assert checked.states == {
        hanging.address: "checked",
        stopped.address: "unreachable",
        frozen.address: "timeout",
        locked.address: "auth-failed",
    }
    assert checked.found[hanging.address] == hanging.profile.expects
    assert set(checked.found[stopped.address].values()) == {"unknown"}
    assert not checked.ready
    assert "not-the-password" not in str(checked)


OLD = Fault(
    "an sshd of ten years ago",
    f"printf 'KexAlgorithms diffie-hellman-group14-sha1\\nCiphers aes128-ctr\\nMACs hmac-sha1\\n' >>{_SETTINGS}",
)
TOO_OLD = Fault("ciphers that nobody should use", f"echo 'Ciphers 3des-cbc' >>{_SETTINGS}")
FORCED = Fault("a forced command", f"echo 'ForceCommand /bin/echo ask the owner' >>{_SETTINGS}")


def test_old_methods_are_taken_or_named_with_the_way_out(lab: Lab, tmp_path: Path) -> None:
    old, too_old, forced = lab.start(*(NodeProfile(faults=(fault,)) for fault in (OLD, TOO_OLD, FORCED)))
    checked = check(tmp_path, plan(as_planned([old, too_old, forced]), lab.address(0)))
    assert checked.states == {old.address: "checked", too_old.address: "unreachable", forced.address: "auth-failed"}
    assert checked.found[old.address] == {}
    assert f"{too_old.address}: unreachable" in checked.errors
    assert "3des-cbc" in checked.errors
    assert "sshd_config" in checked.errors
    assert "no bash: ask the owner" in checked.errors


def test_a_changed_host_key_stops_that_node(lab: Lab, tmp_path: Path) -> None:
    same, changed, third = lab.start(*(NodeProfile(),) * 3)
    answers = plan(as_planned([same, changed, third]), lab.address(0))
    assert set(check(tmp_path, answers).states.values()) == {"checked"}
    changed.change_host_key()
    assert check(tmp_path, answers).states == {
        same.address: "checked",
        changed.address: "host-key-changed",
        third.address: "checked",
    }


def test_a_node_cannot_speak_to_the_terminal_or_run_anything(lab: Lab, tmp_path: Path) -> None:
    [node] = lab.start(NodeProfile("ubuntu-22.04", (ESCAPES,)))
    checked = check(tmp_path, plan(as_planned([node]), node.address, scenario="single-node"), "--only", "OS-DISTRO")
    assert checked.found == {node.address: node.profile.expects}
    assert "[bold]Plan 9" in checked.observed(node.address, "OS-DISTRO")
    said = checked.errors + "".join(text or "" for verdict in checked.verdicts for text in verdict.values())
    assert not any(character < " " and character != "\n" for character in said)
    assert node.sh("ls /tmp") == ""


def test_a_password_stays_out_of_sight(lab: Lab, tmp_path: Path) -> None:
    [node] = lab.start(NodeProfile())
    answers = plan(as_planned([node]), node.address, scenario="single-node")
    seen: list[bytes] = []
    with started(tmp_path, answers) as process:
        while process.poll() is None:
            seen += command_lines()
        said = b"".join(process.communicate())
    assert process.returncode is not None
    kept = [file.read_bytes() for file in (tmp_path / "state").rglob("*") if file.is_file()]
    assert kept
    assert not any(PASSWORD.encode() in text for text in (*seen, *kept, said))
    assert PASSWORD not in node.sh("cat /var/log/sshd.log; find /tmp /root /var/log -type f -exec cat {} +")
