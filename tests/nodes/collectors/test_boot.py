"""Collectors of kernel modules, run by bash on test files."""

from pathlib import Path

import pytest

from tests.support.collector_shell import facts_below, facts_of, put


def test_modules_are_loaded_built_in_or_available(tmp_path: Path) -> None:
    put(
        tmp_path,
        {
            "/proc/modules": "ip_vs 151552 0 - Live 0x0\nip_vs_rr 16384 0 - Live 0x0\n",
            "/lib/modules/5.1/modules.builtin": "kernel/ip_vs_wrr.ko\nkernel/openvswitch.ko.xz\nkernel/x.ko\n",
        },
    )
    tools = {"uname": "echo 5.1", "modprobe": "case ${@: -1} in geneve) exit 0 ;; *) exit 1 ;; esac"}
    facts = facts_of("modules", tmp_path, "/proc/", "/lib/modules", "/sys/module", tools=tools)
    assert facts.modules == frozenset({"ip_vs", "ip_vs_rr", "ip_vs_wrr", "openvswitch"})
    assert facts.modules_available == frozenset({"ip_vs", "ip_vs_rr", "ip_vs_wrr", "openvswitch", "geneve"})


@pytest.mark.parametrize(
    ("files", "names", "blocked"),
    [
        pytest.param({"/etc/modules-load.d/a.conf": "# x\n; y\nip-vs\n geneve\n"}, "geneve ip_vs", {}, id="names"),
        pytest.param({"/etc/modules-load.d/a.conf": "ip_vs geneve\n"}, "", {}, id="two names in a line"),
        pytest.param(
            {"/etc/modules-load.d/a.conf": "-> /dev/null", "/usr/lib/modules-load.d/a.conf": "ip_vs\n"},
            "",
            {},
            id="a file that /etc replaces",
        ),
        pytest.param(
            {"/etc/modules-load.d/a.conf": "ip_vs\n", "/etc/modprobe.d/b.conf": "blacklist ip_vs\n"},
            "",
            {},
            id="a module that modules-load.d does not load",
        ),
        pytest.param(
            {"/etc/modprobe.d/b.conf": "install ip_vs /bin/false\n#install ip_vs_rr /bin/false\n"},
            "",
            {"ip_vs": "/etc/modprobe.d/b.conf"},
            id="a module that is blocked",
        ),
        pytest.param(
            {"/etc/modprobe.d/b.conf": "install ip_vs /sbin/modprobe --ignore-install ip_vs\n"}, "", {}, id="a wrapper"
        ),
        pytest.param(
            {
                "/etc/modules-load.d/a.conf": "ip_vs\n",
                "/etc/systemd/system/systemd-modules-load.service": "-> /dev/null",
            },
            "",
            {},
            id="a masked service",
        ),
    ],
)
def test_modules_of_the_next_boot(tmp_path: Path, files: dict[str, str], names: str, blocked: dict[str, str]) -> None:
    facts = facts_below("modules_at_boot", tmp_path, files)
    assert facts.modules_at_boot == frozenset(names.split())
    assert facts.blocked_modules == blocked
