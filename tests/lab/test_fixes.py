"""Fixes from the report, run on real nodes exactly as printed: each one fixes its fault."""

from pathlib import Path

import pytest

from tests.lab.kit import faults as f
from tests.lab.kit.check_run import QUIET, as_planned, check, plan
from tests.lab.kit.nodes import Lab
from tests.lab.kit.profiles import Fault, NodeProfile

pytestmark = pytest.mark.lab

_UPDATE_GRUB = (
    '. /etc/default/grub; sed -i -E "s|(root=[^ ]+ ro).*|\\1 $GRUB_CMDLINE_LINUX $GRUB_CMDLINE_LINUX_DEFAULT|" '
    "/boot/grub/grub.cfg"
)
_GRUBBY = 'sed -i -E "s|^(options\\|linux)( .*)$|\\1\\2 ${2#--args=}|" /boot/grub2/grub.cfg /boot/loader/entries/*.conf'
BOOT_TOOLS = Fault(
    "tools that update the boot loader menu",
    f"printf '#!/bin/bash\\n%s\\n' '{_UPDATE_GRUB}' >/usr/bin/update-grub; "
    f"printf '#!/bin/bash\\n%s\\n' '{_GRUBBY}' >/usr/bin/grubby; chmod +x /usr/bin/update-grub /usr/bin/grubby",
)
AT_BOOT = (
    ("ubuntu-22.04", (f.THP_ON, f.APPARMOR), {"KRN-THP": "pending-reboot", "SEC-APPARMOR": "pending-reboot"}),
    ("centos-7.9", (f.THP_ON, f.KMEM_ON), {"KRN-THP": "pending-reboot", "KRN-NOKMEM": "pending-reboot"}),
    ("rhel-8.6", (f.THP_ON,), {"KRN-THP": "pending-reboot"}),
    ("kylin-v10-sp3", (f.THP_ON,), {"KRN-THP": "pending-reboot"}),
)
UBUNTU = (
    f.NO_IPVS_SH,
    f.NO_GENEVE,
    f.FSTAB_SWAP,
    f.UFW,
    f.FEW_TASKS,
    f.LOCALHOST_ELSEWHERE,
    f.MANY_SEARCH_DOMAINS,
    f.KUBELET_UNIT,
    f.DOCKER_FOLDER,
    f.POD_LOGS,
    f.TMP_NOEXEC,
    f.LEFTOVER_BINARY,
)
RED_HAT = (f.NO_CONNTRACK4, f.FIREWALLD, f.USE_PAM, f.TIME_ZONE, f.KUBELET_PKI, f.CONTAINERD_FOLDER)


def test_commands_of_a_fix_remove_its_fault(lab: Lab, tmp_path: Path) -> None:
    nodes = lab.start(NodeProfile("ubuntu-22.04", UBUNTU), NodeProfile("centos-7.9", RED_HAT), NodeProfile())
    answers = plan(as_planned(nodes), lab.address(0))
    before = check(tmp_path, answers)
    assert [before.outcomes[node.address] for node in nodes] == [node.profile.expects for node in nodes]
    for node in nodes:
        for verdict in before.verdicts:
            if verdict["node"] == node.address and verdict["verdict"] not in QUIET:
                node.sh(f"{verdict['remedy']}\ntrue")
    assert check(tmp_path, answers).outcomes == {node.address: {} for node in nodes}


def test_boot_parameters_are_written_to_the_boot_loader_once(lab: Lab, tmp_path: Path) -> None:
    nodes = lab.start(*(NodeProfile(base, (*faults, BOOT_TOOLS)) for base, faults, _ in AT_BOOT))
    answers = plan(as_planned(nodes), lab.address(0))
    for verdict in check(tmp_path, answers).verdicts:
        for node in nodes:
            if verdict["node"] == node.address and verdict["verdict"] == "fail":
                remedy = (verdict["remedy"] or "").removesuffix("reboot")
                node.sh(f"{remedy}\n{remedy}\ntrue")  # the second run must change nothing
    assert check(tmp_path, answers).outcomes == {
        node.address: expected for node, (_, _, expected) in zip(nodes, AT_BOOT, strict=True)
    }
    for node in nodes:
        assert node.sh("cat /etc/default/grub").count("transparent_hugepage=never") == 1


def test_backup_file_keeps_the_original_content_if_a_fix_runs_twice(lab: Lab, tmp_path: Path) -> None:
    faults = (f.USE_PAM, f.USE_DNS, f.MANY_SEARCH_DOMAINS, f.SELINUX_ENFORCING)
    [node] = lab.start(NodeProfile("rhel-8.6", faults))
    files = ("/etc/ssh/sshd_config", "/etc/resolv.conf", "/etc/selinux/config")
    before = [node.sh(f"cat {file}") for file in files]
    answers = plan(as_planned([node]), lab.address(0))
    output = ""
    for verdict in check(tmp_path, answers).verdicts:
        if verdict["node"] == node.address and verdict["verdict"] not in QUIET:
            remedy = (verdict["remedy"] or "").removesuffix("reboot")
            output += node.sh(f"{{\n{remedy}\n{remedy}\n}} 2>&1")
    assert output == ""
    assert [node.sh(f"cat {file}.bak") for file in files] == before
    assert check(tmp_path, answers).outcomes == {node.address: {"SEC-SELINUX": "pending-reboot"}}


def test_fix_for_tmp_keeps_the_other_options_in_fstab(lab: Lab, tmp_path: Path) -> None:
    mounted = "mount -t tmpfs -o noexec lab /tmp; echo '/dev/vg/tmp /tmp xfs defaults,noexec 0 0' >>/etc/fstab"
    [node] = lab.start(NodeProfile("rhel-8.6", (Fault("/tmp on a volume, noexec", mounted),)))
    [verdict] = check(tmp_path, plan(as_planned([node]), lab.address(0)), "--only", "FS-TMP-NOEXEC").verdicts
    node.sh(f"{verdict['remedy']}\ntrue")
    assert node.sh("cat /etc/fstab").endswith("/dev/vg/tmp /tmp xfs defaults 0 0\n")
    assert node.sh("ls /etc/systemd/system/tmp.mount.d 2>&1 || :").startswith("ls: ")


def test_fix_for_the_stub_resolver_uses_its_upstream_servers(lab: Lab, tmp_path: Path) -> None:
    upstream = "mkdir -p /run/systemd/resolve; echo 'nameserver 198.51.100.9' >/run/systemd/resolve/resolv.conf"
    [node] = lab.start(NodeProfile("ubuntu-22.04", (f.NAMESERVER_STUB, Fault("systemd-resolved", upstream))))
    [verdict] = check(tmp_path, plan(as_planned([node]), lab.address(0)), "--only", "NET-RESOLV-172").verdicts
    node.sh(verdict["remedy"] or "")
    assert node.sh("cat /etc/resolv.conf") == "nameserver 198.51.100.9\n"


def test_fix_for_firewalls_includes_those_enabled_at_boot(lab: Lab, tmp_path: Path) -> None:
    enabled = Fault("iptables enabled at boot", "echo 'inactive enabled' >/usr/lib/lab/units/iptables")
    [node] = lab.start(NodeProfile("centos-7.9", (f.FIREWALLD, enabled)))
    answers = plan(as_planned([node]), lab.address(0))
    [verdict] = check(tmp_path, answers, "--only", "SEC-FIREWALL").verdicts
    node.sh(verdict["remedy"] or "")
    assert check(tmp_path, answers, "--only", "SEC-FIREWALL").outcomes == {node.address: {}}
