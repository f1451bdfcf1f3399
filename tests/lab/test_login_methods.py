"""Every way into a node, and every way of not getting in, as the report tells it."""

import asyncio
import json
import shlex
import shutil
import socket
from pathlib import Path

import pytest
from pydantic import JsonValue, SecretStr

from acp_tui.nodes.collect import collect_facts
from acp_tui.nodes.events import NodeFinished
from acp_tui.nodes.ssh.connection import DEADLINES, Deadlines, Target
from acp_tui.nodes.state import NodeState
from tests.lab.kit.check_run import as_planned, check, command_lines, plan, started
from tests.lab.kit.faults import ESCAPES, RPM_HANGS
from tests.lab.kit.nodes import KEY_PASSPHRASE, OPERATOR, PASSWORD, Lab, LabNode
from tests.lab.kit.profiles import Fault, NodeProfile

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


_HOST_KEY = "/etc/ssh/ssh_host_ed25519_key"
OLD = Fault(
    "an sshd of ten years ago, with a host key of its time",
    "printf 'KexAlgorithms diffie-hellman-group14-sha1\\nCiphers aes128-ctr\\nMACs hmac-sha1\\nHostKeyAlgorithms "
    f"ssh-rsa\\n' >>{_SETTINGS}; rm {_HOST_KEY}*; ssh-keygen -q -t rsa -b 2048 -N '' -f {_HOST_KEY}",
)
TOO_OLD = Fault("ciphers that nobody should use", f"echo 'Ciphers 3des-cbc,aes128-cbc' >>{_SETTINGS}")
GROUP_1 = Fault("a key exchange that is broken", f"echo 'KexAlgorithms diffie-hellman-group1-sha1' >>{_SETTINGS}")
FORCED = Fault("a forced command", f"echo 'ForceCommand /bin/echo ask the owner' >>{_SETTINGS}")


def test_old_methods_are_taken_or_named_with_the_way_out(lab: Lab, tmp_path: Path) -> None:
    faults = (OLD, TOO_OLD, GROUP_1, FORCED)
    old, too_old, group_1, forced = nodes = lab.start(*(NodeProfile(faults=(fault,)) for fault in faults))
    checked = check(tmp_path, plan(as_planned(nodes), lab.address(0)))
    assert checked.states == {
        old.address: "checked",
        too_old.address: "unreachable",
        group_1.address: "unreachable",
        forced.address: "auth-failed",
    }
    assert checked.found[old.address] == {}
    assert f"{too_old.address}: unreachable" in checked.errors
    assert (
        "no matching encryption algorithm: the node offers only 3des-cbc, aes128-cbc, which are unsafe"
        in checked.errors
    )
    assert (
        "no matching key exchange algorithm: the node offers only diffie-hellman-group1-sha1, which are unsafe"
        in checked.errors
    )
    assert "sshd_config (Ciphers): " in checked.errors
    assert "sshd_config (KexAlgorithms): " in checked.errors
    assert "bash did not run: ask the owner" in checked.errors


ONE_AT_A_TIME = Fault("one login at a time", f"printf 'MaxStartups 1\\nLogLevel DEBUG\\n' >>{_SETTINGS}")
LOUD = Fault(
    "a banner as long as SSH allows",
    f"head -c 170000 /dev/urandom | base64 >/etc/issue.lab; echo 'Banner /etc/issue.lab' >>{_SETTINGS}",
)
BOTH = Fault("a key and a password", f"echo 'AuthenticationMethods publickey,password' >>{_SETTINGS}")


def test_a_node_that_lets_in_one_after_the_other_is_waited_for(lab: Lab, tmp_path: Path) -> None:
    one, loud, both, keys = lab.start(*(NodeProfile(faults=(f,)) for f in (ONE_AT_A_TIME, LOUD, BOTH, KEYS_ONLY)))
    nodes = as_planned((one, loud, both, keys))
    nodes[2]["ssh"] = {"key_file": str(both.key_file)}
    with socket.create_connection((one.address, 22)) as other, started(tmp_path, plan(nodes, lab.address(0))) as going:
        one.sh("until [ $(grep -c 'drop connection' /var/log/sshd.log) -ge 2 ]; do sleep 0.05; done")
        other.close()
        report = json.loads(going.communicate()[0])
    states = {node["address"]: node["state"] for node in report["nodes"]}
    assert states == {
        one.address: "checked",
        loud.address: "checked",
        both.address: "checked",
        keys.address: "auth-failed",
    }
    [told] = [v["observed"] for v in report["verdicts"] if (v["node"], v["requirement"]) == (keys.address, "OS-DISTRO")]
    assert "does not allow password login for root" in told


def _frozen(stage: str) -> Fault:
    """Nobody answers any longer from this stage on."""
    rules = ["auth required pam_unix.so", "account required pam_unix.so", "session required pam_unix.so"]
    sleep = "optional pam_exec.so /bin/sleep 600"
    rules = {"login": [f"auth {sleep}", *rules], "shell": [*rules, f"session {sleep}"]}.get(stage, rules)
    script = {"script": "sleep 600", "stream": "kill -STOP $PPID; sleep 600"}.get(stage, ":")
    return Fault(
        stage,
        f"sed -i 's/^UsePAM no/UsePAM yes/' {_SETTINGS}; printf '%s\\n' {shlex.join(rules)} >/etc/pam.d/sshd; "
        f"echo '{script}' >/root/.bashrc",
    )


FROZEN = {
    "handshake": "no SSH reply within 3 s",
    "login": "the login did not finish within 6 s",
    "shell": "no session opened within 6 s",
    "script": "sent no output within 20 s",
    "stream": "sent no output within 20 s",
}
"""Stage at which a node freezes → what is said of it."""


async def test_a_node_may_freeze_at_every_stage_and_the_stage_is_named(lab: Lab) -> None:
    nodes = lab.start(*(NodeProfile(faults=(_frozen(stage),)) for stage in FROZEN), NodeProfile())
    nodes[0].freeze()
    short = Deadlines(tcp=3, handshake=3, login=6, session=6, script=20)

    async def last(node: LabNode) -> NodeFinished:
        target = Target(node.address, node.address, 22, "root", SecretStr(PASSWORD))
        events = [
            event
            async for event in collect_facts(target, None, deadlines=short if node is not nodes[-1] else DEADLINES)
        ]
        assert isinstance(events[-1], NodeFinished)
        return events[-1]

    *frozen, well = await asyncio.gather(*map(last, nodes))
    assert well.state is NodeState.CHECKED
    for done, (stage, words) in zip(frozen, FROZEN.items(), strict=True):
        # OpenSSH itself may break off a connection that nobody serves.
        assert done.state in (NodeState.TIMEOUT, NodeState.LOST), stage
        assert words in done.detail or done.state is NodeState.LOST, (stage, done.detail)


def test_nodes_may_have_ipv6_alone(lab: Lab, tmp_path: Path) -> None:
    setup = (
        "ip -6 addr add fd00:51:100::{n}/64 dev eth0 nodad; ip -6 route add default via fd00:51:100::99; "
        "echo fd00:51:100::99 acp.lab >>/etc/hosts"
    )
    *_well, gone = lab.start(*(NodeProfile(faults=(Fault("IPv6", setup.format(n=n)),)) for n in (1, 2, 3)))
    lab.outside("ip -6 addr add fd00:51:100::99/64 dev {leg} nodad")
    gone.stop_sshd()
    one, two, three = (f"fd00:51:100::{n}" for n in (1, 2, 3))
    checked = check(tmp_path, plan([login(a) for a in (one, two, three)], "acp.lab", network={"ip_family": "ipv6"}))
    assert checked.states == {one: "checked", two: "checked", three: "unreachable"}
    assert checked.found[one] == checked.found[two] == {}


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
