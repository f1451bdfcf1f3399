"""The selection of fixes: available steps, those applied by default, and no commands from the output of a node."""

import subprocess
from collections.abc import Mapping
from dataclasses import replace

import pytest

from acp_tui.checks.catalog import catalogue
from acp_tui.checks.verdict import Outcome, Severity, Verdict
from acp_tui.nodes.fact_types import Directory, SshdSetting, Unit
from acp_tui.nodes.script import Reader
from acp_tui.plan.release import RELEASES
from acp_tui.plan.sections.waiver import Waiver
from acp_tui.preflight.fixes.script import BACKUPS, script, split
from acp_tui.preflight.fixes.select import INIT, RECIPES, AvailableFixes, available_fixes, fix_results, select_fixes
from acp_tui.preflight.fixes.step import FixStep, InitScript
from tests.support.factories.node_facts import boot_entry, fstab_swaps, unit_swaps
from tests.support.factories.plans import valid_plan
from tests.support.factories.verdicts import SECOND, cluster, verdicts
from tests.support.packet_filters import chain, nft

PLAN = valid_plan()
NODE = next(node for node in PLAN.nodes if node.address == SECOND)
_NO = SshdSetting("no", True)
KUBELET_UNIT = "/etc/systemd/system/kubelet.service"


def fixes_for(changes: Mapping[str, object], distribution: str = "ubuntu-22.04", **options: str) -> AvailableFixes:
    """Return the available fixes of one node in a healthy cluster after `changes` to its facts."""
    facts = cluster(PLAN, distribution)
    facts[SECOND] = replace(facts[SECOND], **changes)  # type: ignore[arg-type]
    return available_fixes(PLAN, NODE, facts[SECOND], verdicts(PLAN, facts), hostname=options.get("hostname"))


def named(steps: tuple[FixStep, ...]) -> dict[str, bool]:
    """Map each requirement to whether its step is applied by default."""
    return {requirement: step.applied_by_default for step in steps for requirement in step.requirements}


PLANTED: list[tuple[str, Mapping[str, object], str, str]] = [
    (
        "SYS-SWAP",
        {"swaps": ("/swap.img",), "boot_swaps": fstab_swaps("/swap.img")},
        "ubuntu-22.04",
        "swapoff -a",
    ),
    (
        "SYS-SWAP",
        {"swaps": ("/dev/zram0",), "boot_swaps": unit_swaps("dev-zram0.swap")},
        "rhel-8.6",
        "mask dev-zram0.swap",
    ),
    (
        "SYS-SWAP",
        {"swaps": ("/a",), "boot_swaps": (*fstab_swaps("/a"), *unit_swaps("zramswap.service"))},
        "ubuntu-22.04",
        "mask zramswap",
    ),
    ("KRN-IPVS", {"modules": frozenset({"ip_vs", "geneve", "openvswitch"})}, "rhel-8.6", "modprobe -a ip_vs_rr"),
    (
        "KRN-THP",
        {"cmdline": (), "boot_entries": boot_entry("ro")},
        "kylin-v10-sp3",
        "boot_parameter transparent_hugepage",
    ),
    (
        "KRN-NOKMEM",
        {"cmdline": ("transparent_hugepage=never",), "boot_entries": boot_entry("ro")},
        "centos-7.9",
        "nokmem",
    ),
    ("SEC-SELINUX", {"selinux": "enforcing", "selinux_config": "enforcing"}, "rhel-8.6", "SELINUX=disabled"),
    ("SEC-APPARMOR", {"apparmor": True, "apparmor_profiles": 4}, "ubuntu-20.04", "boot_parameter apparmor=0"),
    ("SYS-TASKSMAX", {"tasks_max": "512"}, "centos-7.9", "daemon-reexec"),
    ("FS-TMP-NOEXEC", {"tmp_options": ("rw", "noexec")}, "ubuntu-22.04", "remount,exec"),
    ("FS-KUBELET-UNIT", {"leftovers": {"kubelet-unit": (KUBELET_UNIT,)}}, "ubuntu-22.04", f"move_away {KUBELET_UNIT}"),
    ("NET-HOSTS-LOCALHOST", {"hosts_localhost": ("10.0.0.1",)}, "ubuntu-22.04", "127.0.0.1 localhost"),
    ("NET-RESOLV-172", {"nameservers": ("172.17.0.1", "10.20.0.2")}, "ubuntu-22.04", "nameserver"),
    ("X-TIMEZONE", {"timezone": "Asia/Tokyo", "utc_offset": "+0900"}, "ubuntu-22.04", "set-timezone Europe/Moscow"),
    (
        "USR-USEPAM",
        {"sshd": {"usedns": _NO, "usepam": SshdSetting("yes", True)}},
        "rhel-8.6",
        "UsePAM no",
    ),
]


@pytest.mark.parametrize(("requirement", "changes", "distribution", "command"), PLANTED)
def test_fix_of_a_blocker_is_applied_by_default(
    requirement: str, changes: Mapping[str, object], distribution: str, command: str
) -> None:
    available = fixes_for(changes, distribution)
    [step] = [step for step in available.steps if requirement in step.requirements]
    assert step.applied_by_default
    assert not step.destructive
    assert command in step.commands
    assert step.can_be_undone


def test_healthy_node_has_no_fixes() -> None:
    available = fixes_for({})
    assert (available.steps, available.manual, available.pending) == ((), (), ())


@pytest.mark.parametrize(
    ("requirement", "changes", "distribution"),
    [
        ("SYS-SWAP", {"boot_swaps": fstab_swaps("/dev/vdb")}, "ubuntu-22.04"),
        ("PKG-LEFTOVER-BIN", {"leftovers": {"programs": ("/usr/local/bin/kubectl",)}}, "ubuntu-22.04"),
        ("FS-DIR-DOCKER", {"directories": {"/var/lib/docker": Directory(True)}}, "ubuntu-22.04"),
        ("PKG-CONFLICT-RPM", {"rpm_packages": frozenset({"podman"})}, "centos-7.9"),
        ("PKG-CONFLICT-DPKG", {"dpkg_packages": frozenset({"containerd"})}, "ubuntu-22.04"),
        ("PKG-CONFLICT-SNAP", {"snap_packages": frozenset({"microk8s"})}, "ubuntu-22.04"),
    ],
)
def test_fix_of_a_warning_and_destructive_fix_must_be_named(
    requirement: str, changes: dict[str, object], distribution: str
) -> None:
    facts = cluster(PLAN, distribution)
    if "directories" in changes:
        changes = {"directories": {**(facts[SECOND].directories or {}), **changes["directories"]}}  # type: ignore[dict-item]
    facts[SECOND] = replace(facts[SECOND], **changes)  # type: ignore[arg-type]
    all_verdicts = verdicts(PLAN, facts)
    assert select_fixes(PLAN, NODE, facts[SECOND], all_verdicts, None) == ()
    [step] = select_fixes(PLAN, NODE, facts[SECOND], all_verdicts, {requirement})
    assert step.requirement == requirement
    assert step.destructive is requirement.startswith(("FS-DIR", "PKG-CONFLICT"))
    assert not step.destructive or step.preview


def test_one_resolver_step_fixes_all_search_domain_requirements() -> None:
    available = fixes_for({"search_domains": tuple(f"d{n}.example" for n in range(29))})
    [step] = available.steps
    assert set(step.requirements) == {"NET-RESOLV-SEARCH", "NET-SEARCH-COUNT"}
    assert step.applied_by_default


@pytest.mark.parametrize(
    ("requirement", "changes", "reason"),
    [
        (
            "USR-USEPAM",
            {"sshd": {"usedns": _NO, "usepam": SshdSetting("no", True, "yes")}},
            "Restart sshd yourself",
        ),
        (
            "NET-RESOLV-172",
            {
                "nameservers": ("127.0.0.53",),
                "pod_nameservers": ("172.20.1.10",),
                "pod_resolv": "/run/systemd/resolve/r",
            },
            "systemd-resolved gives Pods the name servers 172.20.1.10",
        ),
        (
            "NET-SEARCH-COUNT",
            {"search_domains": tuple(f"d{n}.example" for n in range(29)), "pod_resolv": "/run/systemd/resolve/r"},
            "systemd-resolved gives Pods these search domains",
        ),
    ],
)
def test_what_a_change_of_the_file_does_not_fix_is_left_to_a_person(
    requirement: str, changes: dict[str, object], reason: str
) -> None:
    available = fixes_for(changes)
    assert requirement not in {name for step in available.steps for name in step.requirements}
    assert reason in next(manual.reason for manual in available.manual if manual.requirement == requirement)


def test_host_name_is_changed_only_to_a_given_valid_name() -> None:
    changes = {"hostname": "Bad_Name", "etc_hostname": "Bad_Name"}
    assert {manual.requirement for manual in fixes_for(changes).manual} == {"NET-HOSTNAME-CHARS"}
    [step] = fixes_for(changes, hostname="good-name").steps
    assert step.commands == "hostnamectl set-hostname good-name"
    assert fixes_for(changes, hostname="worse name; reboot").steps == ()


def test_kubelet_unit_of_a_running_kubelet_is_a_manual_fix() -> None:
    available = fixes_for({"leftovers": {"kubelet-unit": (KUBELET_UNIT,)}, "cluster_processes": ("kubelet",)})
    assert "FS-KUBELET-UNIT" in {manual.requirement for manual in available.manual}


def test_undo_restores_the_firewall() -> None:
    units = {"firewalld": Unit("active", "enabled"), "ufw": Unit("active", "disabled")}
    facts = cluster(PLAN)[SECOND]
    [step] = fixes_for({"units": {**(facts.units or {}), **units}, "ufw_enabled": True}).steps
    assert step.commands.splitlines() == ["ufw disable", "systemctl disable --now firewalld ufw"]
    assert (step.undo or "").splitlines() == [
        "ufw --force enable",
        "systemctl enable firewalld",
        "systemctl start firewalld",
        "systemctl start ufw",
    ]


def test_rules_without_a_unit_are_a_manual_fix() -> None:
    available = fixes_for({"packet_filter": nft(chain("input", "tcp dport 22 accept", policy="drop"))})
    assert available.steps == ()
    [manual] = available.manual
    assert (manual.requirement, "no firewall unit" in manual.reason) == ("SEC-FIREWALL", True)


def test_rules_of_netfilter_persistent_are_flushed() -> None:
    facts = cluster(PLAN)[SECOND]
    [step] = fixes_for({"units": {**(facts.units or {}), "netfilter-persistent": Unit("active", "enabled")}}).steps
    assert step.commands.splitlines() == ["netfilter-persistent flush", "systemctl disable --now netfilter-persistent"]


def test_waived_finding_has_no_fix() -> None:
    plan = valid_plan().model_copy(
        update={"waivers": (Waiver(requirement="SYS-SWAP", node=SECOND, reason="a lab", by="me"),)}
    )
    facts = cluster(plan)
    facts[SECOND] = replace(facts[SECOND], swaps=("/swap.img",))
    assert select_fixes(plan, NODE, facts[SECOND], verdicts(plan, facts), None) == ()


def test_finding_without_a_recipe_is_manual_and_reboot_is_pending() -> None:
    available = fixes_for({"cpu_count": 6, "cmdline": ("ro",)})
    assert {manual.requirement for manual in available.manual} == {"HW-CPU-CORES", "CAP-SC-REC-CP"}
    assert available.pending == ("KRN-THP",)


@pytest.mark.parametrize("release", RELEASES)
def test_each_recipe_has_a_requirement(release: str) -> None:
    assert RECIPES.keys() <= catalogue(release).keys()


HOSTILE = ("x; touch /tmp/run", "$(reboot)", "-rf", "a\nb", "`id`", "../../etc", "'\"", "[bold]", "a b")


@pytest.mark.parametrize("hostile", HOSTILE)
@pytest.mark.parametrize("requirement", RECIPES)
def test_output_of_a_node_is_never_a_command(requirement: str, hostile: str) -> None:
    facts = replace(
        cluster(PLAN)[SECOND], boot_swaps=unit_swaps(f"{hostile}.swap"), nameservers=(hostile,), etc_hostname=hostile
    )
    verdict = Verdict(requirement, SECOND, Severity.MUST, Outcome.FAIL, hostile, "", "", names=(hostile,))
    for step in available_fixes(PLAN, NODE, facts, [verdict], hostname=hostile).steps:
        for text in (step.commands, step.undo or "", step.preview or ""):
            assert hostile not in text
        done = subprocess.run(("bash", "-n"), input=script((step,), f"{BACKUPS}/x"), text=True, check=False)
        assert done.returncode == 0


def all_steps() -> tuple[FixStep, ...]:
    """Return the step of each planted fault."""
    steps = {
        step.requirement: step for _id, changes, system, _c in PLANTED for step in fixes_for(changes, system).steps
    }
    return tuple(sorted(steps.values(), key=lambda step: step.second_login))


def test_script_is_valid_bash_and_is_split_into_its_steps() -> None:
    steps = all_steps()
    text = script(steps, f"{BACKUPS}/20260301T120000Z-abcd", "0a1b")
    assert subprocess.run(("bash", "-n"), input=text, text=True, check=False).returncode == 0
    marker, read = split(text)
    assert marker == "0a1b"
    assert read == {step.name: "\n".join(line.strip() for line in step.commands.splitlines()) for step in steps}
    with pytest.raises(ValueError, match="not a script"):
        split("echo hello")


@pytest.mark.parametrize("folder", ["/etc", f"{BACKUPS}/../x", f"{BACKUPS}/a b", f"{BACKUPS}/"])
def test_backup_folder_outside_the_backups_is_rejected(folder: str) -> None:
    with pytest.raises(ValueError, match="folder"):
        script(all_steps(), folder)


def test_script_fails_without_root() -> None:
    text = script(all_steps(), f"{BACKUPS}/x").replace('"$EUID" -ne 0', "1 -ne 0")
    done = subprocess.run(("bash",), input=text, text=True, capture_output=True, check=False)
    assert done.returncode == 1
    assert "root" in done.stderr
    assert Reader("acp").feed(done.stdout.encode()) == []


def test_vendor_script_is_never_applied_by_default() -> None:
    facts = cluster(PLAN)
    init = InitScript("/x/init.sh", b"true", "0" * 64)
    assert select_fixes(PLAN, NODE, facts[SECOND], (), None, init=init) == ()
    [step] = select_fixes(PLAN, NODE, facts[SECOND], (), {INIT}, init=init)
    assert 'bash "$folder/init.sh"' in step.commands
    assert select_fixes(PLAN, NODE, facts[SECOND], (), {INIT}) == ()


def test_each_requirement_of_a_step_has_a_result() -> None:
    facts = cluster(PLAN)
    facts[SECOND] = replace(facts[SECOND], cmdline=("ro",), swaps=("/swap.img",))
    steps = tuple(FixStep(name, "", "true") for name in ("KRN-THP", "SYS-SWAP", "KRN-IPVS"))
    available = fix_results(SECOND, steps, verdicts(PLAN, facts))
    assert [(result.requirement, result.outcome) for result in available] == [
        ("KRN-THP", Outcome.PENDING_REBOOT),
        ("SYS-SWAP", Outcome.FAIL),
        ("KRN-IPVS", Outcome.PASS),
    ]
