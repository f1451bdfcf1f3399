"""SSH login to real nodes: every supported method, and every failure as the report describes it."""

import asyncio
import contextlib
import json
import shlex
import shutil
import socket
import subprocess
from pathlib import Path

import pytest
from pydantic import JsonValue, SecretStr

from acp_tui.nodes.collect import collect_facts
from acp_tui.nodes.events import NodeFinished
from acp_tui.nodes.ssh.deadlines import DEADLINES, Deadlines
from acp_tui.nodes.ssh.target import Target
from acp_tui.nodes.state import NodeState
from acp_tui.plan.known_hosts import confirmed
from tests.lab.kit.check_run import as_planned, check, command_lines, plan, started
from tests.lab.kit.faults import ESCAPES, RPM_HANGS
from tests.lab.kit.nodes import KEY_PASSPHRASE, OPERATOR, PASSWORD, Lab, LabNode
from tests.lab.kit.profiles import Fault, NodeProfile

pytestmark = pytest.mark.lab

_SETTINGS = "/etc/ssh/sshd_config"
KEYS_ONLY = Fault("no passwords", f"sed -i 's/^PasswordAuthentication yes/PasswordAuthentication no/' {_SETTINGS}")
INTERACTIVE = Fault(
    "keyboard-interactive only",
    "sed -i 's/^PasswordAuthentication yes/PasswordAuthentication no/; s/^UsePAM no/UsePAM yes/; "
    f"s/^KbdInteractiveAuthentication no/KbdInteractiveAuthentication yes/' {_SETTINGS}",
    {"USR-USEPAM": "fail"},
)
SUDO = Fault("sudo without a password", f"echo '{OPERATOR} ALL=(ALL) NOPASSWD: ALL' >/etc/sudoers.d/{OPERATOR}")
ONE_SESSION = Fault("one session for each connection", f"echo 'MaxSessions 1' >>{_SETTINGS}")
NOISE = Fault(
    "output during login",
    f"echo 'Authorised use only!' >/etc/issue.lab; echo 'Banner /etc/issue.lab' >>{_SETTINGS}; "
    "echo 'echo welcome; echo trouble >&2' | tee /root/.bashrc /root/.profile /root/.bash_profile >/etc/profile",
)
needs_sudo = pytest.mark.skipif(shutil.which("sudo") is None, reason="needs sudo")


def login(address: str, **ssh: JsonValue) -> dict[str, JsonValue]:
    return {"address": address, "role": "control-plane", "ssh": ssh}


def test_root_can_log_in_with_password_key_or_keyboard_interactive(lab: Lab, tmp_path: Path) -> None:
    password, key, interactive = lab.start(
        NodeProfile(faults=(ONE_SESSION, NOISE)), NodeProfile(faults=(KEYS_ONLY,)), NodeProfile(faults=(INTERACTIVE,))
    )
    nodes = [login(password.address), login(key.address, key_file=str(key.key_file)), login(interactive.address)]
    checked = check(tmp_path, plan(nodes, lab.address(0)))
    assert set(checked.states.values()) == {"checked"}
    assert checked.outcomes == {node.address: node.profile.expects for node in (password, key, interactive)}


def test_root_can_log_in_with_an_encrypted_key(lab: Lab, tmp_path: Path) -> None:
    [node] = lab.start(NodeProfile(faults=(KEYS_ONLY,)))
    key = {"key_file": str(node.encrypted_key_file), "key_passphrase": KEY_PASSPHRASE}
    checked = check(tmp_path, plan([login(node.address, **key)], node.address, scenario="single-node"))
    assert checked.states == {node.address: "checked"}
    assert KEY_PASSPHRASE not in str(checked)


@needs_sudo
def test_user_with_sudo_passes_and_user_without_sudo_is_reported(lab: Lab, tmp_path: Path) -> None:
    with_sudo, without_sudo = lab.start(NodeProfile(faults=(SUDO,)), NodeProfile())
    nodes = [login(with_sudo.address, username=OPERATOR), login(without_sudo.address, username=OPERATOR)]
    checked = check(tmp_path, plan(nodes, lab.address(0)))
    assert checked.states == {with_sudo.address: "checked", without_sudo.address: "no-sudo"}
    assert checked.outcomes[with_sudo.address] == {}
    assert checked.outcomes[without_sudo.address]["USR-SUDO"] == "fail"
    assert checked.hostnames[without_sudo.address] is not None  # facts that need no root were collected


def test_failed_nodes_are_named_and_do_not_delay_the_others(lab: Lab, tmp_path: Path) -> None:
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
    assert checked.outcomes[hanging.address] == hanging.profile.expects
    assert set(checked.outcomes[stopped.address].values()) == {"unknown"}
    assert not checked.ready
    assert "not-the-password" not in str(checked)


_HOST_KEY = "/etc/ssh/ssh_host_ed25519_key"
OLD = Fault(
    "the algorithms and host key of an sshd of 2016",
    "printf 'KexAlgorithms diffie-hellman-group14-sha256\\nCiphers aes128-ctr\\nMACs hmac-sha2-256\\nHostKeyAlgorithms "
    f"rsa-sha2-256\\n' >>{_SETTINGS}; rm {_HOST_KEY}*; ssh-keygen -q -t rsa -b 2048 -N '' -f {_HOST_KEY}",
)
SHA_1 = Fault(
    "a host key with SHA-1 only",
    f"echo 'HostKeyAlgorithms ssh-rsa' >>{_SETTINGS}; rm {_HOST_KEY}*; "
    f"ssh-keygen -q -t rsa -b 2048 -N '' -f {_HOST_KEY}",
)
TOO_OLD = Fault("unsafe ciphers", f"echo 'Ciphers 3des-cbc,aes128-cbc' >>{_SETTINGS}")
GROUP_1 = Fault("an unsafe key exchange", f"echo 'KexAlgorithms diffie-hellman-group1-sha1' >>{_SETTINGS}")
FORCED = Fault("a forced command", f"echo 'ForceCommand /bin/echo ask the owner' >>{_SETTINGS}")


def test_old_algorithms_are_accepted_and_unsafe_ones_named(lab: Lab, tmp_path: Path) -> None:
    faults = (OLD, TOO_OLD, GROUP_1, FORCED, SHA_1)
    old, too_old, group_1, forced, sha_1 = nodes = lab.start(*(NodeProfile(faults=(fault,)) for fault in faults))
    checked = check(tmp_path, plan(as_planned(nodes), lab.address(0)))
    assert checked.states == {
        old.address: "checked",
        too_old.address: "unreachable",
        group_1.address: "unreachable",
        forced.address: "auth-failed",
        sha_1.address: "unreachable",
    }
    assert checked.outcomes[old.address] == {}
    assert f"{too_old.address}: unreachable" in checked.errors
    assert (
        "this host and the node have no common encryption algorithm. "
        "The node offers only 3des-cbc, aes128-cbc, which acp-tui does not use" in checked.errors
    )
    assert (
        "this host and the node have no common key exchange algorithm. "
        "The node offers only diffie-hellman-group1-sha1, which acp-tui does not use" in checked.errors
    )
    assert "it has no host key that acp-tui accepts" in checked.errors
    assert "sshd_config (HostKeyAlgorithms): ssh-ed25519, " in checked.errors
    assert "sshd_config (Ciphers): " in checked.errors
    assert "sshd_config (KexAlgorithms): " in checked.errors
    assert "bash did not run: ask the owner" in checked.errors


ONE_AT_A_TIME = Fault("MaxStartups 1", f"printf 'MaxStartups 1\\nLogLevel DEBUG\\n' >>{_SETTINGS}")
LONG_BANNER = Fault(
    "a banner as long as SSH allows",
    f"head -c 170000 /dev/urandom | base64 >/etc/issue.lab; echo 'Banner /etc/issue.lab' >>{_SETTINGS}",
)
BOTH = Fault("a key and a password", f"echo 'AuthenticationMethods publickey,password' >>{_SETTINGS}")


def test_logins_dropped_by_max_startups_are_retried(lab: Lab, tmp_path: Path) -> None:
    one, long_banner, both, keys = lab.start(
        *(NodeProfile(faults=(f,)) for f in (ONE_AT_A_TIME, LONG_BANNER, BOTH, KEYS_ONLY))
    )
    nodes = as_planned((one, long_banner, both, keys))
    nodes[2]["ssh"] = {"key_file": str(both.key_file)}
    with (
        socket.create_connection((one.address, 22)) as other,
        started(tmp_path, plan(nodes, lab.address(0))) as process,
    ):
        one.sh("until [ $(grep -c 'drop connection' /var/log/sshd.log) -ge 2 ]; do sleep 0.05; done")
        other.close()
        report = json.loads(process.communicate()[0])
    states = {node["address"]: node["state"] for node in report["nodes"]}
    assert states == {
        one.address: "checked",
        long_banner.address: "checked",
        both.address: "checked",
        keys.address: "auth-failed",
    }
    [observed] = [
        v["observed"] for v in report["verdicts"] if (v["node"], v["requirement"]) == (keys.address, "OS-DISTRO")
    ]
    assert "does not allow password login for the user root" in observed


def _frozen(stage: str) -> Fault:
    """Make the node stop responding at this stage."""
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
    "shell": "the node opened no session within 6 s",
    "script": "sent no output within 20 s",
    "stream": "sent no output within 20 s",
}
"""Stage at which a node freezes → text of the report."""


async def test_node_that_freezes_is_reported_with_the_stage(lab: Lab) -> None:
    nodes = lab.start(*(NodeProfile(faults=(_frozen(stage),)) for stage in FROZEN), NodeProfile())
    nodes[0].freeze()
    short = Deadlines(tcp=3, handshake=3, login=6, session=6, script=20)

    async def last(node: LabNode) -> NodeFinished:
        target = Target(node.address, node.address, 22, "root", SecretStr(PASSWORD))
        events = [
            event
            async for event in collect_facts(
                target, confirmed(node.host_key), deadlines=short if node is not nodes[-1] else DEADLINES
            )
        ]
        assert isinstance(events[-1], NodeFinished)
        return events[-1]

    *frozen, healthy = await asyncio.gather(*map(last, nodes))
    assert healthy.state is NodeState.CHECKED
    for done, (stage, text) in zip(frozen, FROZEN.items(), strict=True):
        # OpenSSH itself may close a connection that no process serves.
        assert done.state in (NodeState.TIMEOUT, NodeState.LOST), stage
        assert text in done.detail or done.state is NodeState.LOST, (stage, done.detail)


def test_nodes_with_only_ipv6_are_checked(lab: Lab, tmp_path: Path) -> None:
    setup = (
        "ip -6 addr add fd00:51:100::{n}/64 dev eth0 nodad; ip -6 route add default via fd00:51:100::99; "
        "echo fd00:51:100::99 acp.lab >>/etc/hosts"
    )
    *_running, stopped = lab.start(*(NodeProfile(faults=(Fault("IPv6", setup.format(n=n)),)) for n in (1, 2, 3)))
    lab.outside("ip -6 addr add fd00:51:100::99/64 dev {leg} nodad")
    stopped.stop_sshd()
    one, two, three = (f"fd00:51:100::{n}" for n in (1, 2, 3))
    checked = check(tmp_path, plan([login(a) for a in (one, two, three)], "acp.lab", network={"ip_family": "ipv6"}))
    assert checked.states == {one: "checked", two: "checked", three: "unreachable"}
    assert checked.outcomes[one] == checked.outcomes[two] == {}


def test_changed_host_key_is_reported_on_that_node_only(lab: Lab, tmp_path: Path) -> None:
    same, changed, third = lab.start(*(NodeProfile(),) * 3)
    answers = plan(as_planned([same, changed, third]), lab.address(0))
    assert set(check(tmp_path, answers).states.values()) == {"checked"}
    changed.change_host_key()
    assert check(tmp_path, answers).states == {
        same.address: "checked",
        changed.address: "host-key-changed",
        third.address: "checked",
    }


def test_control_characters_and_commands_from_a_node_are_harmless(lab: Lab, tmp_path: Path) -> None:
    [node] = lab.start(NodeProfile("ubuntu-22.04", (ESCAPES,)))
    checked = check(tmp_path, plan(as_planned([node]), node.address, scenario="single-node"), "--only", "OS-DISTRO")
    assert checked.outcomes == {node.address: node.profile.expects}
    assert "[bold]Plan 9" in checked.observed(node.address, "OS-DISTRO")
    output = checked.errors + "".join(text or "" for verdict in checked.verdicts for text in verdict.values())
    assert not any(character < " " and character != "\n" for character in output)
    assert node.sh("ls /tmp") == ""


def test_password_is_not_in_processes_files_or_output(lab: Lab, tmp_path: Path) -> None:
    [node] = lab.start(NodeProfile())
    answers = plan(as_planned([node]), node.address, scenario="single-node")
    arguments: list[bytes] = []
    output: bytes | None = None
    with started(tmp_path, answers) as process:
        while output is None:
            with contextlib.suppress(subprocess.TimeoutExpired):
                output = b"".join(process.communicate(timeout=0.01))
            arguments += command_lines()
    assert process.returncode is not None
    files = [file.read_bytes() for file in (tmp_path / "state").rglob("*") if file.is_file()]
    assert files
    assert not any(PASSWORD.encode() in text for text in (*arguments, *files, output))
    assert PASSWORD not in node.sh("cat /var/log/sshd.log; find /tmp /root /var/log -type f -exec cat {} +")


_PAM_ACCEPTS = "auth sufficient pam_permit.so\\naccount sufficient pam_permit.so\\nsession optional pam_permit.so\\n"
SILENT_STEP = Fault(
    "a key, then a step without a question",
    f"sed -i 's/^UsePAM no/UsePAM yes/; s/^Kbd.*/KbdInteractiveAuthentication yes/' {_SETTINGS}; "
    f"echo 'AuthenticationMethods publickey,keyboard-interactive' >>{_SETTINGS}; "
    f"printf '{_PAM_ACCEPTS}' >/etc/pam.d/sshd",
)
OTHER_SHELL = Fault("a start-up file starts dash", "echo 'exec dash' >/root/.bashrc")


def test_second_steps_and_other_shells_get_their_own_messages(lab: Lab, tmp_path: Path) -> None:
    silent, both, shell = lab.start(*(NodeProfile(faults=(fault,)) for fault in (SILENT_STEP, BOTH, OTHER_SHELL)))
    nodes: list[dict[str, JsonValue]] = []
    for node, password in ((silent, None), (both, None), (shell, PASSWORD)):
        nodes.append(login(node.address, key_file=str(node.key_file), password=password))
    answers = plan(nodes, lab.address(0)) | {"ssh": {"username": "root"}}
    checked = check(tmp_path, answers, "--only", "OS-DISTRO")
    assert checked.states == {
        silent.address: "checked",
        both.address: "auth-failed",
        shell.address: "auth-failed",
    }
    assert "the node accepted the key" in checked.observed(both.address, "OS-DISTRO")
    assert "requires a password too" in checked.observed(both.address, "OS-DISTRO")
    assert "starts another shell, dash" in checked.observed(shell.address, "OS-DISTRO")
