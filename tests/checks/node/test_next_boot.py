"""Settings with a value now and another at the next boot: the outcome, and one form of text for all of them."""

from collections.abc import Mapping
from dataclasses import replace

import pytest

from acp_tui.checks.node.next_boot import BootState, boot_finding, last_value, parameter_values
from acp_tui.checks.verdict import Outcome
from acp_tui.nodes.fact_types import AtBoot, BootEntry, SwapAtBoot
from tests.support.factories.node_facts import boot_entry, fstab_swaps, healthy
from tests.support.factories.plans import valid_plan
from tests.support.factories.verdicts import FAIL, PENDING, SECOND, UNKNOWN, WARN, cluster, verdicts

PASS = Outcome.PASS
PLAN = valid_plan()
THP, OFF = "transparent_hugepage=never", "apparmor=0"
ON = {"apparmor": True, "apparmor_profiles": 31}
NO_FILE = {"boot_entries": (), "grub_defaults": ()}
NOT_NOW = {"cmdline": ("ro",)}
GPT = SwapAtBoot("/dev/sda3", "dev-sda3.swap", "GPT", "gpt")


def verdict(requirement: str, system: str, changes: Mapping[str, object]) -> tuple[Outcome, str]:
    facts = cluster(PLAN)
    facts[SECOND] = replace(healthy(SECOND, system), **changes)  # type: ignore[arg-type]
    [found] = [v for v in verdicts(PLAN, facts) if (v.requirement, v.node) == (requirement, SECOND)]
    return found.outcome, found.observed


CASES: list[tuple[str, str, Mapping[str, object], Outcome, str]] = [
    ("KRN-THP", "rhel-8.6", {}, PASS, f"now: {THP}; at the next boot: {THP} (/boot/grub/grub.cfg)"),
    ("KRN-THP", "rhel-8.6", {"boot_entries": boot_entry("ro")}, WARN, f"now: {THP}; at the next boot: not set"),
    ("KRN-THP", "rhel-8.6", NO_FILE, PASS, "at the next boot: unknown (the configuration of the boot loader"),
    ("KRN-THP", "rhel-8.6", NOT_NOW, PENDING, "now: not set; at the next boot: transparent_hugepage=never"),
    ("KRN-THP", "rhel-8.6", {**NOT_NOW, **NO_FILE}, FAIL, "now: not set; at the next boot: unknown"),
    ("KRN-THP", "rhel-8.6", {**NOT_NOW, "boot_entries": boot_entry("ro")}, FAIL, "was not generated again"),
    (
        "KRN-THP", "ubuntu-22.04",
        {**NOT_NOW, "boot_entries": (*boot_entry("ro"), *boot_entry(THP, source="/etc/default/grub"))},
        PENDING, "(/etc/default/grub)",
    ),
    ("KRN-THP", "rhel-8.6", {"cmdline": (THP, "transparent_hugepage=on")}, PASS, f"now: {THP}"),
    ("KRN-THP", "rhel-8.6", {"cmdline": ('"transparent-hugepage=never"',)}, PASS, f"now: {THP}"),
    ("KRN-THP", "rhel-8.6", {"boot_entries": boot_entry("ro", "--", THP)}, WARN, "at the next boot: not set"),
    ("KRN-NOKMEM", "centos-7.9", {"boot_entries": boot_entry(THP)}, WARN, "at the next boot: not set"),
    ("SYS-SWAP", "ubuntu-22.04", {}, PASS, "now: off; at the next boot: off"),
    (
        "SYS-SWAP", "ubuntu-22.04", {"boot_swaps": fstab_swaps("/swap.img")}, WARN,
        "now: off; at the next boot: on (/etc/fstab line 2: /swap.img)",
    ),
    ("SYS-SWAP", "ubuntu-22.04", {"swaps": ("/a",)}, FAIL, "now: on (/a); at the next boot: off"),
    ("SYS-SWAP", "ubuntu-22.04", {"boot_swaps": None}, UNKNOWN, "now: off; at the next boot: unknown"),
    ("SYS-SWAP", "ubuntu-22.04", {"boot_swaps": (GPT,)}, WARN, "GPT"),
    (
        "SYS-SWAP", "ubuntu-22.04",
        {"boot_swaps": (GPT,), "boot_entries": boot_entry(THP, "systemd.gpt_auto=no")}, PASS, "at the next boot: off",
    ),
    (
        "SYS-SWAP", "ubuntu-22.04",
        {"boot_swaps": fstab_swaps("/a"), "boot_entries": boot_entry(THP, "systemd.swap=0")}, PASS, "off",
    ),
    (
        "SYS-SWAP", "rhel-8.6",
        {"boot_swaps": fstab_swaps("/a"), "boot_entries": boot_entry(THP, "systemd.swap=0")}, WARN, "on",
    ),
    (
        "SYS-SWAP", "centos-7.9",
        {"boot_swaps": fstab_swaps("/a"), "boot_entries": boot_entry(THP, "fstab=no")}, PASS, "off",
    ),
    ("SYS-TASKSMAX", "rhel-8.6", {}, PASS, "now: infinity; at the next boot: unknown (no configuration file sets it)"),
    (
        "SYS-TASKSMAX", "rhel-8.6", {"tasks_max_at_boot": AtBoot("80%", "/x.conf")}, WARN,
        "now: infinity; at the next boot: 80% (/x.conf)",
    ),
    (
        "SYS-TASKSMAX", "rhel-8.6", {"tasks_max": "512", "tasks_max_at_boot": AtBoot("infinity", "/x")}, PENDING,
        "now: 512; at the next boot: infinity (/x)",
    ),
    ("SYS-TASKSMAX", "rhel-8.6", {"tasks_max": "512", "tasks_max_at_boot": AtBoot("800", "/x")}, FAIL, "now: 512"),
    ("SYS-TASKSMAX", "rhel-8.6", {"tasks_max_at_boot": AtBoot("8M", "/x")}, PASS, "at the next boot: 8M"),
    ("FS-TMP-NOEXEC", "rhel-8.6", {}, PASS, "now: exec; at the next boot: exec"),
    ("FS-TMP-NOEXEC", "rhel-8.6", {"tmp_at_boot": AtBoot("rw,noexec", "/etc/fstab line 3")}, WARN, "line 3)"),
    ("FS-TMP-NOEXEC", "rhel-8.6", {"tmp_at_boot": AtBoot("user", "x")}, WARN, "at the next boot: noexec"),
    ("FS-TMP-NOEXEC", "rhel-8.6", {"tmp_at_boot": AtBoot("user,exec", "x")}, PASS, "at the next boot: exec"),
    ("FS-TMP-NOEXEC", "rhel-8.6", {"tmp_options": ("noexec",)}, FAIL, "now: noexec; at the next boot: exec"),
    ("SEC-SELINUX", "rhel-8.6", {}, PASS, "now: disabled; at the next boot: disabled (/etc/selinux/config)"),
    (
        "SEC-SELINUX", "rhel-8.6", {"selinux_config": "enforcing"}, WARN,
        "now: disabled; at the next boot: enforcing (/etc/selinux/config)",
    ),
    (
        "SEC-SELINUX", "rhel-8.6",
        {"selinux_config": "enforcing", "boot_entries": boot_entry(THP, "selinux=0")}, PASS, "disabled (/boot",
    ),
    (
        "SEC-SELINUX", "rhel-8.6",
        {"selinux": "permissive", "selinux_config": "enforcing", "boot_entries": boot_entry(THP, "selinux=0")},
        PENDING, "now: permissive; at the next boot: disabled",
    ),
    (
        "SEC-SELINUX", "rhel-8.6",
        {"selinux_config": "enforcing", "cmdline": (THP, "selinux=0")}, WARN, "at the next boot: enforcing",
    ),
    (
        "SEC-SELINUX", "rhel-8.6",
        {"selinux_config": "enforcing", "boot_entries": boot_entry(THP, "enforcing=0")}, WARN, "permissive (/boot",
    ),
    ("SEC-SELINUX", "rhel-8.6", {"selinux": "permissive", "selinux_config": "permissive"}, WARN, "now: permissive"),
    ("SEC-SELINUX", "rhel-8.6", {"selinux": "enforcing"}, FAIL, "now: enforcing; at the next boot: disabled"),
    ("SEC-APPARMOR", "ubuntu-22.04", {}, PASS, "now: disabled; at the next boot: disabled"),
    ("SEC-APPARMOR", "ubuntu-22.04", {"cmdline": (THP, OFF)}, WARN, "now: disabled; at the next boot: enabled"),
    ("SEC-APPARMOR", "rhel-8.6", {"cmdline": (THP, OFF)}, PASS, "at the next boot: disabled"),
    ("SEC-APPARMOR", "ubuntu-22.04", ON, FAIL, "now: enabled, with 31 loaded profiles; at the next boot: enabled"),
    ("SEC-APPARMOR", "ubuntu-22.04", {**ON, "boot_entries": boot_entry(THP, OFF)}, PENDING, "boot: disabled"),
    ("SEC-APPARMOR", "ubuntu-22.04", {**ON, "boot_entries": boot_entry(THP, OFF, "apparmor=1")}, FAIL, "enabled"),
    ("SEC-APPARMOR", "ubuntu-22.04", {**ON, "boot_entries": boot_entry(THP, "lsm=yama")}, PENDING, "disabled"),
    ("SEC-APPARMOR", "ubuntu-22.04", {**ON, "boot_entries": boot_entry(THP, "lsm=yama,apparmor")}, FAIL, "enabled"),
    ("SEC-APPARMOR", "ubuntu-20.04", {**ON, "boot_entries": boot_entry(THP, "security=selinux")}, PENDING, "disabled"),
    ("SEC-APPARMOR", "ubuntu-22.04", {"apparmor": True, "apparmor_profiles": 0}, WARN, "with 0 loaded profiles"),
    ("KRN-IPVS", "rhel-8.6", {}, PASS, "at the next boot: unknown"),
    (
        "KRN-IPVS", "rhel-8.6", {"modules_at_boot": frozenset({"ip_vs", "ip_vs_rr", "ip_vs_wrr", "ip_vs_sh"})}, PASS,
        "now: loaded (ip_vs, ip_vs_rr, ip_vs_wrr, ip_vs_sh); at the next boot: loaded (modules-load.d)",
    ),
    (
        "KRN-IPVS", "rhel-8.6", {"blocked_modules": {"ip_vs": "/etc/modprobe.d/c.conf"}}, WARN,
        "at the next boot: blocked (ip_vs) (/etc/modprobe.d/c.conf)",
    ),
    (
        "KRN-IPVS", "rhel-8.6", {"boot_entries": boot_entry(THP, "module_blacklist=x,ip-vs")}, WARN,
        "at the next boot: blocked (ip_vs)",
    ),
    ("KRN-IPVS", "rhel-8.6", {"modules": frozenset({"geneve", "openvswitch"})}, FAIL, "now: not loaded (ip_vs, "),
]  # fmt: skip


@pytest.mark.parametrize(("requirement", "system", "changes", "outcome", "text"), CASES)
def test_value_now_and_value_at_the_next_boot_decide(
    requirement: str, system: str, changes: Mapping[str, object], outcome: Outcome, text: str
) -> None:
    found, observed = verdict(requirement, system, changes)
    assert (found, text in observed) == (outcome, True), observed


@pytest.mark.parametrize(
    ("now", "later", "outcome"),
    [
        (True, True, PASS),
        (True, None, PASS),
        (True, False, WARN),
        (False, True, PENDING),
        (False, False, FAIL),
        (False, None, FAIL),
    ],
)
def test_outcome_of_two_values(now: bool, later: bool | None, outcome: Outcome) -> None:
    assert boot_finding(BootState("a", "b", "/c"), now, later).outcome is outcome


def test_text_has_one_form() -> None:
    assert BootState("off", "on", "/etc/fstab line 7").text == "now: off; at the next boot: on (/etc/fstab line 7)"
    assert BootState("off", "off").text == "now: off; at the next boot: off"
    assert BootState("off", None, reason="requires root").text == "now: off; at the next boot: unknown (requires root)"


def test_kernel_parameters_are_read_as_the_kernel_does() -> None:
    parameters = ("a-b=1", '"a_b=2"', "a_b=x", "--", "a_b=3")
    assert parameter_values(parameters, "a_b") == ["1", "2", "x"]
    assert last_value(parameters, "a_b", ("1", "2")) == "2"
    assert last_value((), "a_b") is None


def test_any_of_several_possible_entries_counts() -> None:
    entries = (BootEntry(("ro",), "/a"), BootEntry((THP,), "/b"))
    facts = {**cluster(PLAN), SECOND: replace(healthy(SECOND), boot_entries=entries)}
    [found] = [v for v in verdicts(PLAN, facts) if (v.requirement, v.node) == ("KRN-THP", SECOND)]
    assert (found.outcome, "(/b)" in found.observed) == (PASS, True)
