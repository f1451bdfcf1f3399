"""Which distributions, kernels and processors are supported, and which rules depend on them."""

from collections.abc import Mapping

import pytest

from acp_tui.checks.verdict import Outcome
from tests.support.factories.node_facts import healthy
from tests.support.factories.plans import dual_nodes, valid_plan
from tests.support.factories.verdicts import FAIL, SECOND, UNKNOWN, WARN, cluster, planted, verdicts

OLD_KYLIN = {("OS-DISTRO", FAIL), ("OS-KYLIN-SP", WARN)}


@pytest.mark.parametrize(
    ("distribution", "changes", "expected"),
    [
        ("centos-7.9", {"os_release_file": "CentOS Linux release 7.5.1804 (Core)"}, {("OS-DISTRO", FAIL)}),
        ("centos-7.9", {"kernel": "3.10.0-957.el7.x86_64"}, {("OS-KERNEL", WARN)}),
        ("centos-7.9", {"kernel": "3.11.0-1.el7.x86_64"}, {("OS-KERNEL", FAIL)}),
        ("centos-7.9", {"cmdline": ("transparent_hugepage=never",), "boot_entries": None}, {("KRN-NOKMEM", FAIL)}),
        ("rhel-7.8", {"cmdline": ("transparent_hugepage=never",), "boot_entries": None}, {("KRN-NOKMEM", WARN)}),
        ("centos-7.9", {"modules": healthy(SECOND).modules}, {("KRN-CT4", FAIL)}),
        ("rhel-8.6", {"os_version_id": "8.7"}, {("OS-DISTRO", FAIL)}),
        ("rhel-8.6", {"kernel": "5.4.17-2136.el8uek.x86_64"}, {("OS-KERNEL", FAIL)}),
        ("rhel-8.6", {"rpm_packages": frozenset({"podman", "bash"})}, {("PKG-CONFLICT-RPM", FAIL)}),
        ("rhel-8.6", {"rpm_packages": frozenset({"podman-catatonit"})}, {("PKG-CONFLICT-RPM", WARN)}),
        ("rhel-8.6", {"rpm_packages": frozenset({"containerd"})}, set()),
        ("kylin-v10-sp3", {"rpm_packages": frozenset({"docker-engine"})}, {("PKG-CONFLICT-KYLIN", FAIL)}),
        ("kylin-v10-sp3", {"rpm_packages": frozenset({"containerd"})}, {("PKG-CONFLICT-KYLIN", FAIL)}),
        ("kylin-v10-sp3", {"kylin_info": "release V10 (SP1) /(Tercel)-x86_64-Build20"}, OLD_KYLIN),
        ("kylin-v10-sp3", {"kylin_info": "", "os_version": "V10 (Sword)"}, OLD_KYLIN),
        ("kylin-v10-sp3", {"kylin_info": "release V10 (Azalea)", "os_version": "V10 (Azalea)"}, OLD_KYLIN),
        ("kylin-v10-sp3", {"kylin_info": "release V10 (SP3) /(Lance)-x86_64", "kernel": "4.19.90-24.4.ky10"}, set()),
        ("kylin-v10-sp3", {"kylin_info": "", "os_version": "V10"}, set()),
        (
            "kylin-v10-sp3",
            {"kylin_info": "", "os_version": "V10", "kernel": "4.19.90-24.4.v2101.ky10.x86_64"},
            {("OS-KYLIN-SP", UNKNOWN), ("OS-DISTRO", UNKNOWN)},
        ),
    ],
)
def test_rules_depend_on_the_distribution(
    distribution: str, changes: Mapping[str, object], expected: set[tuple[str, Outcome]]
) -> None:
    assert planted(changes, distribution=distribution) == expected


def test_rebuild_of_rhel_fails_without_findings_on_modules() -> None:
    rocky: Mapping[str, object] = {"os_id": "rocky", "rpm_packages": frozenset({"podman"})}
    expected = {("OS-DISTRO", FAIL), ("PKG-CONFLICT-RPM", FAIL)}
    assert planted(rocky, distribution="rhel-8.6") == expected


@pytest.mark.parametrize(
    ("distribution", "outcome"), [("centos-7.9", FAIL), ("rhel-7.8", FAIL), ("rhel-8.6", Outcome.PASS)]
)
def test_calico_with_ipv6_depends_on_the_distribution(distribution: str, outcome: Outcome) -> None:
    plan = valid_plan(network={"cni": "calico", "ip_family": "dual"}, nodes=dual_nodes())
    results = verdicts(plan, cluster(plan, distribution))
    assert {v.outcome for v in results if v.requirement == "OS-CALICO-VXLAN6"} == {outcome}


ARM = {"arch": "aarch64", "cpu_implementer": "0x48", "cpu_part": "0xd01", "cpu_model": "Kunpeng-920"}


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"cpu_count": 16}, set()),
        ({"cpu_count": 12}, {("HW-ARM-FACTOR", WARN)}),
        ({"cpu_count": 11}, {("HW-ARM-FACTOR", FAIL)}),
        ({"cpu_model": None, "cpu_part": "0xd0c"}, {("OS-ARM-CPU", FAIL)}),
        ({"cpu_model": None, "cpu_implementer": ""}, {("OS-ARM-CPU", UNKNOWN)}),
        ({"cpu_model": "Kunpeng 920", "cpu_part": None}, set()),
    ],
)
def test_arm_nodes_need_a_supported_processor_and_more_cores(
    changes: Mapping[str, object], expected: set[tuple[str, Outcome]]
) -> None:
    assert planted({**ARM, **changes}, distribution="kylin-v10-sp3") == expected


def test_arm_is_supported_on_kylin_only() -> None:
    assert planted(ARM) == {("OS-DISTRO", FAIL)}


def test_package_must_contain_images_for_the_architecture_of_each_node() -> None:
    x86 = valid_plan(package={"core": "/root/installer-core-v4.0.3-x86.tar"})
    hybrid = valid_plan(package={"core": "/root/installer-core-v4.0.3-hybrid.tar"})
    assert planted(ARM, distribution="kylin-v10-sp3", plan=x86) == {("BND-NODE-ARCH", FAIL)}
    assert planted(ARM, distribution="kylin-v10-sp3", plan=hybrid) == set()
