"""The settings of the sshd that runs, on real nodes: changed files count only after a restart or a reload."""

from pathlib import Path

import pytest

from tests.lab.kit.check_run import as_planned, check, plan
from tests.lab.kit.faults import USE_PAM
from tests.lab.kit.fix_run import fix, single
from tests.lab.kit.nodes import Lab, LabNode
from tests.lab.kit.profiles import Fault, NodeProfile

pytestmark = pytest.mark.lab

CONFIG, DROP_IN = "/etc/ssh/sshd_config", "/etc/ssh/sshd_config.d/50-site.conf"
INCLUDING = Fault(
    "an Include line", f"mkdir {DROP_IN.rpartition('/')[0]}; sed -i '1i Include sshd_config.d/*.conf' {CONFIG}"
)
NO_PAM = f"sed -i '/^UsePAM/Id' {CONFIG}; sed -i '1i UsePAM no' {CONFIG}"
RELOAD = "pid=$(</run/sshd.pid); rm /run/sshd.pid; kill -HUP $pid; until [ -s /run/sshd.pid ]; do sleep 0.01; done"
"""sshd writes the file again when it has read its settings."""


def outcomes(folder: Path, lab: Lab, *nodes: LabNode) -> list[dict[str, str]]:
    checked = check(folder, plan(as_planned(nodes), lab.address(0)), "--only", "USR-USEPAM", "--only", "USR-USEDNS")
    return [dict(checked.outcomes[node.address]) for node in nodes]


def test_changed_files_count_after_a_reload_or_a_restart(lab: Lab, tmp_path: Path) -> None:
    profiles = (NodeProfile(faults=(USE_PAM,)), NodeProfile(), NodeProfile(faults=(INCLUDING,)))
    pam, touched, included = nodes = lab.start(*profiles)
    assert outcomes(tmp_path, lab, *nodes) == [{"USR-USEPAM": "fail"}, {}, {}]

    pam.sh(NO_PAM)
    touched.sh(f"touch {CONFIG}")
    included.sh(f"echo 'PermitRootLogin yes' >{DROP_IN}")
    # The modules of PAM in the login show UsePAM. Nothing shows UseDNS of an sshd that has not read its files.
    unread = {"USR-USEDNS": "unknown"}
    assert outcomes(tmp_path, lab, *nodes) == [{"USR-USEPAM": "fail", **unread}, unread, unread]

    for node in (pam, included):
        node.sh(RELOAD)
    touched.stop_sshd()
    touched.start_sshd()
    assert outcomes(tmp_path, lab, *nodes) == [{}, {}, {}]


def test_changes_without_an_effect_on_sshd_are_no_finding(lab: Lab, tmp_path: Path) -> None:
    permissions, keys, behind, moved = nodes = lab.start(*[NodeProfile()] * 4)
    permissions.sh(f"chmod 600 {CONFIG}")
    keys.sh("touch /etc/ssh/moduli; ssh-keygen -q -t ecdsa -N '' -f /etc/ssh/another_key")
    behind.sh(f"echo 'Include sshd_config.d/*.conf' >>{CONFIG}")
    behind.stop_sshd()
    behind.start_sshd()
    behind.sh(f"mkdir {DROP_IN.rpartition('/')[0]}; echo 'UseDNS yes' >{DROP_IN}")
    moved.sh(f"cp -p {CONFIG} {CONFIG}.new; mv {CONFIG}.new {CONFIG}")  # an old file, but sshd has not read it
    assert outcomes(tmp_path, lab, *nodes) == [{}, {}, {}, {"USR-USEDNS": "unknown"}]


def test_a_broken_configuration_fails_with_the_message_of_sshd(lab: Lab, tmp_path: Path) -> None:
    [node] = lab.start(NodeProfile())
    node.sh(f"echo 'UseDsn no' >>{CONFIG}")
    checked = check(tmp_path, plan(as_planned([node]), lab.address(0)))
    assert checked.outcomes[node.address]["USR-USEDNS"] == "fail"
    assert "Bad configuration option: UseDsn" in checked.observed(node.address, "USR-USEDNS")


def test_options_of_the_command_line_are_judged(lab: Lab, tmp_path: Path) -> None:
    [node] = lab.start(NodeProfile())
    node.stop_sshd()
    node.sh(
        "/usr/sbin/sshd -o PidFile=/run/sshd.pid -o HostKey=/etc/ssh/ssh_host_ed25519_key -o UseDNS=yes; "
        "until [ -s /run/sshd.pid ]; do sleep 0.01; done"
    )
    assert outcomes(tmp_path, lab, node) == [{"USR-USEDNS": "fail"}]


def test_an_sshd_for_each_connection_reads_its_files_each_time(lab: Lab, tmp_path: Path) -> None:
    [node] = lab.start(NodeProfile())
    node.stop_sshd()
    server = (
        "import socket, subprocess\n"
        'listener = socket.create_server(("", 22))\n'
        'open("/run/ready", "w").close()\n'
        "while True:\n"
        "    connection, _ = listener.accept()\n"
        '    subprocess.Popen(["/usr/sbin/sshd", "-i"], stdin=connection, stdout=connection)\n'
        "    connection.close()\n"
    )
    node.sh(f"python3 -c '{server}' </dev/null >/dev/null 2>&1 & until [ -e /run/ready ]; do sleep 0.01; done")
    node.sh(f"touch {CONFIG}")
    assert outcomes(tmp_path, lab, node) == [{}]


def test_a_fix_of_sshd_passes_at_once_and_a_missing_restart_is_left_to_a_person(lab: Lab, tmp_path: Path) -> None:
    [node] = lab.start(NodeProfile(faults=(USE_PAM,)))
    answers = single(node)
    assert fix(tmp_path, answers, "--yes").status == 0
    assert outcomes(tmp_path, lab, node) == [{}]
    node.sh(f"sed -i 's/UsePAM no/UsePAM yes/' {CONFIG}; {RELOAD}; {NO_PAM}")
    fixed = fix(tmp_path, answers, "--yes")
    assert "Restart sshd yourself" in fixed.output + fixed.errors
