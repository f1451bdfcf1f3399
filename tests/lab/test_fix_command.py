"""`acp-tui fix` on real nodes: it fixes planted faults, backs up the files, and can restore them exactly."""

import re
import time
from pathlib import Path

import pytest

from acp_tui.checks.labels import outcome_label
from acp_tui.checks.verdict import Outcome
from acp_tui.preflight.fixes.script import BACKUPS
from tests.lab.kit import faults as f
from tests.lab.kit.check_run import as_planned, check, plan
from tests.lab.kit.fix_run import files, fix, running, single
from tests.lab.kit.nodes import OPERATOR, Lab
from tests.lab.kit.profiles import Fault, NodeProfile
from tests.lab.kit.shell import program
from tests.support.unpacked_files import record_package

pytestmark = pytest.mark.lab

_UPDATE_GRUB = (
    '. /etc/default/grub; sed -i -E "s|(root=[^ ]+ ro).*|\\1 $GRUB_CMDLINE_LINUX $GRUB_CMDLINE_LINUX_DEFAULT|" '
    "/boot/grub/grub.cfg"
)
_GRUBBY = 'sed -i -E "s|^(options\\|linux)( .*)$|\\1\\2 ${2#--args=}|" /boot/grub2/grub.cfg /boot/loader/entries/*.conf'

UPDATE_GRUB = Fault("an update-grub", program("/usr/bin/update-grub", _UPDATE_GRUB))
GRUBBY = Fault("a grubby", program("/usr/bin/grubby", _GRUBBY))
KNOWN_CLIENT = Fault("an entry for the client in /etc/hosts", 'echo "$LAB_GATEWAY admin.example" >>/etc/hosts')
NOEXEC_FSTAB = Fault(
    "/tmp noexec, at the next boot too", "printf 'lab /tmp tmpfs rw,noexec,nosuid 0 0\\n' >>/etc/fstab"
)
SUDO = Fault("sudo without a password", f"echo '{OPERATOR} ALL=(ALL) NOPASSWD: ALL' >/etc/sudoers.d/{OPERATOR}")
UBUNTU = (
    KNOWN_CLIENT,
    UPDATE_GRUB,
    NOEXEC_FSTAB,
    f.NO_IPVS_SH,
    f.NO_GENEVE,
    f.FSTAB_SWAP,
    f.UFW,
    f.FEW_TASKS,
    f.LOCALHOST_ELSEWHERE,
    f.MANY_SEARCH_DOMAINS,
    f.KUBELET_UNIT,
    f.TMP_NOEXEC,
    f.USE_DNS,
    f.USE_PAM,
    f.LEFTOVER_BINARY,
)


def test_blockers_are_fixed_once_and_undo_restores_every_file(lab: Lab, tmp_path: Path) -> None:
    [node] = lab.start(NodeProfile("ubuntu-22.04", UBUNTU))
    answers, before = single(node), files(node)

    shown = fix(tmp_path, answers)
    assert shown.status == 1
    assert "modprobe -a ip_vs_sh" in shown.output
    assert "Nothing was changed" in shown.output
    assert files(node) == before
    assert "backups" not in node.sh("ls /var")

    fixed = fix(tmp_path, answers, "--yes")
    assert fixed.status == 0, fixed
    assert "the second login succeeded" in fixed.errors
    assert check(tmp_path, answers).outcomes[node.address] == {"SYS-SWAP": "warn", "PKG-LEFTOVER-BIN": "warn"}
    assert " noexec" not in node.sh("cat /etc/fstab")

    named = fix(tmp_path, answers, "--yes", "--only", "SYS-SWAP", "--only", "pkg-leftover-bin")
    assert named.status == 0, named
    assert check(tmp_path, answers).outcomes[node.address] == {}

    after = files(node)
    again = fix(tmp_path, answers, "--yes")
    assert (again.status, files(node)) == (0, after), again
    first, second = node.sh(f"ls -d {BACKUPS}/*").split()

    node.sh(f"bash {second}/undo.sh && bash {first}/undo.sh")
    assert files(node) == before
    node.sh(f"bash {first}/undo.sh")
    assert files(node) == before


def test_boot_parameters_are_pending_until_the_reboot(lab: Lab, tmp_path: Path) -> None:
    ubuntu, centos, rhel = lab.start(
        NodeProfile("ubuntu-20.04", (UPDATE_GRUB, f.THP_ON, f.APPARMOR)),
        NodeProfile("centos-7.9", (GRUBBY, f.THP_ON, f.KMEM_ON, f.NO_CONNTRACK4, f.FIREWALLD)),
        NodeProfile("rhel-8.6", (GRUBBY, f.SELINUX_ENFORCING, f.TIME_ZONE)),
    )
    answers = plan(as_planned([ubuntu, centos, rhel]), lab.address(0))
    before = [files(node) for node in (ubuntu, centos, rhel)]
    fixed = fix(tmp_path, answers, "--yes")
    assert fixed.status == 1
    waiting = "pending-reboot"
    assert check(tmp_path, answers).outcomes == {
        ubuntu.address: {"KRN-THP": waiting, "SEC-APPARMOR": waiting},
        centos.address: {"KRN-THP": waiting, "KRN-NOKMEM": waiting},
        rhel.address: {"SEC-SELINUX": waiting},
    }
    assert len(re.findall("pass(?:es)? after you reboot the node", fixed.output)) == 5
    assert 'GRUB_CMDLINE_LINUX="apparmor=0 transparent_hugepage=never' in ubuntu.sh("cat /etc/default/grub")
    for node, files_before in zip((ubuntu, centos, rhel), before, strict=True):
        node.sh(f"bash {BACKUPS}/*/undo.sh")
        assert files(node) == files_before


def test_undo_keeps_files_changed_after_the_fix(lab: Lab, tmp_path: Path) -> None:
    [node] = lab.start(NodeProfile(faults=(f.LOCALHOST_ELSEWHERE, f.FEW_TASKS)))
    tasks = node.sh("ls -R /etc/systemd")
    assert fix(tmp_path, single(node), "--yes").status == 0
    node.sh("echo '10.0.0.9 other-host' >>/etc/hosts")
    output = node.sh(f"bash {BACKUPS}/*/undo.sh || true")
    assert "/etc/hosts was not restored, because it has changed since the fix" in output
    assert "other-host" in node.sh("cat /etc/hosts")
    assert node.sh("ls -R /etc/systemd").replace("system.conf.d:\n", "").count("90-acp.conf") == tasks.count("90-acp")


def test_failed_step_does_not_prevent_the_others(lab: Lab, tmp_path: Path) -> None:
    broken = Fault("a ufw that fails", program("/usr/bin/ufw", "echo no such thing >&2; exit 4"))
    [node] = lab.start(NodeProfile(faults=(f.UFW, broken, f.FEW_TASKS)))
    fixed = fix(tmp_path, single(node), "--yes")
    assert fixed.status == 1
    assert "SEC-FIREWALL: the fix failed with exit status 4\n    no such thing" in fixed.errors
    assert f"SEC-FIREWALL  {outcome_label(Outcome.FAIL)}: these firewall units are active: ufw" in fixed.output
    assert "SYS-TASKSMAX  fixed" in fixed.output


def test_started_step_completes_after_a_lost_connection(lab: Lab, tmp_path: Path) -> None:
    slow = Fault("a slow ufw", program("/usr/bin/ufw", "sleep 2; sed -i 's/^ENABLED=.*/ENABLED=no/' /etc/ufw/ufw.conf"))
    [node] = lab.start(NodeProfile(faults=(f.UFW, slow, f.FEW_TASKS)))
    answers = single(node)
    with running(tmp_path, answers, "--yes") as process:
        while "sec_firewall" not in node.sh(f"cat {BACKUPS}/*/begun 2>/dev/null || true"):
            assert process.poll() is None
        node.sh("kill $(pgrep -f '^sshd: root@notty')")
        _output, errors = process.communicate()
    assert process.returncode == 1
    assert "the node still completes the steps that it has started" in errors
    while "systasks" not in node.sh(f"ls {BACKUPS}/*").replace("sys_tasksmax.log", "systasks"):
        time.sleep(0.1)
    assert check(tmp_path, answers).outcomes == {node.address: {}}


def test_vendor_script_runs_as_root_if_named(lab: Lab, tmp_path: Path) -> None:
    [node] = lab.start(NodeProfile(faults=(SUDO, f.NO_GENEVE)))
    init = tmp_path / "unpacked/installer/res/init.sh"
    init.parent.mkdir(parents=True)
    init.write_text('echo "prepared by $(id -un) from $0"; touch /opt/prepared; read -r line || echo no input\n')
    (init.parents[1] / "setup.sh").touch()
    record_package(tmp_path / "unpacked")
    answers = single(node, package={"install_dir": str(tmp_path / "unpacked")})
    answers["nodes"] = [{"address": node.address, "role": "control-plane", "ssh": {"username": OPERATOR}}]
    assert fix(tmp_path, answers, "--yes").status == 0
    assert "prepared" not in node.sh("ls /opt")
    done = fix(tmp_path, answers, "--yes", "--only", "PRE-INIT")
    assert "prepared by root" in done.errors
    assert "no input" in done.errors
    assert "prepared" in node.sh("ls /opt")
    assert "prepared by root" in node.sh(f"cat {BACKUPS}/*/pre_init.log")


def test_each_node_needs_its_own_confirmation(lab: Lab, tmp_path: Path) -> None:
    nodes = lab.start(*(NodeProfile(faults=(f.NO_GENEVE,)),) * 3)
    answers = plan(as_planned(nodes), lab.address(0))
    fixed = fix(tmp_path, answers, typed="n\ny\n\n")
    assert fixed.status == 1
    assert fixed.errors.count("[y/N]") == 3
    first, confirmed, third = nodes
    assert check(tmp_path, answers).outcomes == {
        first.address: {"KRN-OVN": "fail"},
        confirmed.address: {},
        third.address: {"KRN-OVN": "fail"},
    }


def test_printed_script_fixes_the_node_and_can_run_twice(lab: Lab, tmp_path: Path) -> None:
    [node] = lab.start(NodeProfile(faults=(f.NO_GENEVE, f.LOCALHOST_ELSEWHERE)))
    answers = single(node)
    before = files(node)
    printed = fix(tmp_path, answers, "--script")
    assert (printed.status, files(node)) == (0, before)
    node.sh(printed.output)
    after = files(node)
    assert check(tmp_path, answers).outcomes[node.address] == {}
    node.sh(printed.output)
    assert files(node) == after
