"""The catalogue of each release: every rule of the manual has a row, and every row can be checked."""

import dataclasses
import re
import subprocess

import pytest

from acp_tui.checks.catalog import (
    AllAbsent,
    AllPresent,
    AnyPresent,
    AtLeast,
    FunctionCheck,
    OneOf,
    Requirement,
    catalogue,
)
from acp_tui.checks.conditions import CONDITIONS
from acp_tui.checks.function_tables import CLUSTER_CHECKS, NODE_CHECKS, PLAN_CHECKS
from acp_tui.core.assets import asset_path
from acp_tui.nodes.facts import Facts
from acp_tui.plan.release import RELEASES

_RULES_OF_SECTIONS = """
CAP-FRESH-ENV CAP-DR-FIRST CAP-SCENARIO CAP-SN-NODES CAP-SN-CPU CAP-SN-MEM CAP-SN-LOAD CAP-SN-NONPROD CAP-SC-CP-COUNT
CAP-SC-MIN-CP CAP-SC-MIN-WK CAP-SC-REC-CP CAP-SC-REC-WK CAP-SC-PROD CAP-SC-ISOLATE CAP-SC-GROW CAP-MC-CP-COUNT
CAP-MC-CP-SIZE CAP-MC-WK-COUNT CAP-MC-WK-SIZE CAP-MC-VGROW CAP-MC-HGROW CAP-MC-TRIGGER CAP-MC-ETCD CAP-MC-CRITICAL
CAP-MC-ZONES CAP-MC-PHYS CAP-RESERVE-30 CAP-OWN-VLAN CAP-ETCD-NVME HW-CP-COUNT HW-CPU-CORES HW-CPU-CLOCK HW-CPU-NOOVER
HW-CPU-POWER HW-MEM-SIZE HW-MEM-NOOVER HW-MEM-CHANNELS HW-DISK-IOPS HW-DISK-TPUT HW-DISK-SSD HW-ARM-FACTOR OS-DISTRO
OS-KERNEL OS-ARCH OS-ARM-CPU OS-UBUNTU-HWE OS-KYLIN-SP OS-CALICO-VXLAN6 OS-OTHER NETRES-VIP NETRES-EXTIP NETRES-DOMAIN
NETRES-DOMAIN-MUST NETRES-CERT NETRES-MULTI NETRES-SOFTLB NETCFG-BW-INTRA NETCFG-BW-INTER NETCFG-LAT-INTRA
NETCFG-LAT-INTER NETCFG-POLICY NETCFG-IPIP NETCFG-172 LB-443 LB-6443 LB-11443 LB-HTTPS-CUSTOM LB-HTTP LB-HEALTH
LB-DR-2379 LB-DR-80 VIP-ONLY-NO-LB VIP-VRID VIP-VRRP VIP-SUBNET VIP-FREE VIP-NO-DOMAIN VIP-SN-NODEIP BND-CORE BND-EXT
BND-CORE-NAME BND-EXT-NAME BND-EXT-ARCH BND-NODE-ARCH BND-TAR-OK BND-SIGN BND-SIG-NAME BND-KEY-FPR BND-KEY-MD5
BND-ORDER BND-SAMEDIR BND-WORKDIR BND-INSTNODE BND-FREE-100G BND-EXT-DOC PRE-ALL PRE-INIT PRE-INIT-NOTENOUGH KRN-THP
KRN-NOKMEM KRN-IPVS KRN-CT4 KRN-CT6 KRN-OVN SEC-APPARMOR SEC-SELINUX SEC-FIREWALL SYS-SWAP USR-ROOT USR-SUDO
USR-USEDNS USR-USEPAM SYS-TASKSMAX NET-HOSTNAME-LEN NET-HOSTNAME-EDGE NET-HOSTNAME-CHARS NET-HOSTNAME-SEQ
NET-HOSTS-LOCALHOST NET-RESOLV-EXISTS NET-RESOLV-NS NET-RESOLV-172 NET-RESOLV-SEARCH NET-SEARCH-COUNT NET-SEARCH-LEN
NET-SEARCH-TOTAL NET-RESOLV-BACKUP NET-IP-VALID NET-ROUTE-DEFAULT NET-PORTS-CP NET-PORTS-INST NET-PORTS-WK
NET-PORTS-OVN NET-PORTS-CALICO NET-172-FREE SW-BINARIES SW-SCP-SFTP SW-LVM2 FS-KUBELET-UNIT FS-TMP-NOEXEC
FS-DIR-DOCKER FS-DIR-CONTAINERD FS-DIR-PODLOGS FS-DIR-KUBELETPKI FS-DIR-NERDCTL PKG-CONFLICT-RPM PKG-CONFLICT-DPKG
PKG-CONFLICT-SNAP PKG-CONFLICT-KYLIN PKG-CONFLICT-BACKUP PKG-LEFTOVER-BIN X-FIREWALL X-HOSTNAME-UNIQUE X-TIMEZONE
X-CLOCK-SKEW INS-READY INS-START INS-CALICO INS-IPV6 INS-WAIT5 INS-8080 INS-CONFIRM INS-ACCESS INS-VERIFY-UI
INS-VERIFY-CHARTS INS-VERIFY-PODS INS-VERIFY-43 INS-DOCS INS-CLEANUP
"""
_RULES_BETWEEN_FIELDS = """
XR-CP-COUNT XR-NODE-UNIQUE XR-INST-FIRST XR-SSH-AUTH XR-PROTO-IPV6-FLAG XR-CNI-FLAG XR-PROTO-FIXED XR-DUAL-NODES
XR-DUAL-COUNT XR-DUAL-CIDR XR-CIDR-SET XR-CIDR-OVERLAP XR-CIDR-HOST XR-CIDR-172 XR-CALICO-VXLAN6 XR-ENDPOINT-SYNTAX
XR-ENDPOINT-NODE XR-DOMAIN-IPV6 XR-DOMAIN-DR XR-SELFVIP-VRID XR-SELFVIP-SUBNET XR-SELFVIP-DOMAIN XR-SELFVIP-DR
XR-SELFVIP-SINGLE XR-PORTS XR-HTTP-ADVICE XR-HTTPS-LB XR-CERT-PAIR XR-CERT-VALID XR-CERT-DR XR-REG-EXT XR-REG-AUTH
XR-REG-DR XR-DR-PORTS XR-DR-OTHERADDR XR-NODENAME-UNIQUE XR-EXCL-NEEDS-ISOLATION XR-EXCL-CP XR-NOEXCL-CP XR-EXCL-WK
XR-NOEXCL-WK XR-EXCL-SOMEWHERE XR-MON-EXCLUSIVE XR-MON-NODES XR-VM-AGENTS XR-PRODUCTS XR-VERSIONS
"""
MANUAL = _RULES_OF_SECTIONS.split()
RULES = (*MANUAL, *_RULES_BETWEEN_FIELDS.split())

ROW = {"id": "A", "severity": "must", "scope": "node", "title": "t", "check": {"kind": "manual"}}
FUNCTIONS = {"node": NODE_CHECKS, "cluster": CLUSTER_CHECKS, "plan": PLAN_CHECKS}
FACTS = {field.name for field in dataclasses.fields(Facts)}


def functions(row: Requirement) -> list[tuple[str, FunctionCheck]]:
    """Return the functions of a row, each with the scope in which it must be registered."""
    own = [(row.scope, row.check)] if isinstance(row.check, FunctionCheck) else []
    return [*own, *([("cluster", row.facts_check)] if row.facts_check else [])]


@pytest.mark.parametrize("release", RELEASES)
def test_every_rule_of_the_manual_has_a_row(release: str) -> None:
    assert [name for name in RULES if name not in catalogue(release)] == []
    assert (len(set(MANUAL)), len(set(RULES))) == (169, 216)


@pytest.mark.parametrize("release", RELEASES)
def test_every_row_has_a_known_check_and_conditions(release: str) -> None:
    for row in catalogue(release).values():
        for scope, function in functions(row):
            assert function.name in FUNCTIONS[scope], row.id
        assert set(row.when) <= CONDITIONS.keys(), row.id
        if isinstance(row.check, AtLeast | OneOf | AllPresent | AnyPresent | AllAbsent):
            assert row.check.fact in FACTS, row.id
        if isinstance(row.check, FunctionCheck) and "fact" in row.check.params:
            assert row.check.text("fact") in FACTS, row.id
        allowed = {"node": {"stated"}, "cluster": {"stated", "function"}, "plan": {"stated", "function"}}
        kinds = {"site": {"stated", "manual"}, "package": {"stated", "step"}, "install": {"stated", "step"}, **allowed}
        assert row.scope == "node" or row.check.kind in kinds[row.scope], row.id


def test_every_function_and_condition_is_named_by_a_row() -> None:
    rows = [row for release in RELEASES for row in catalogue(release).values()]
    named = {(scope, function.name) for row in rows for scope, function in functions(row)}
    unused = {(scope, name) for scope, known in FUNCTIONS.items() for name in known} - named
    assert unused == set()
    assert CONDITIONS.keys() - {name for row in rows for name in row.when} == set()


@pytest.mark.parametrize("release", RELEASES)
def test_every_row_has_title_reason_method_and_fix(release: str) -> None:
    for row in catalogue(release).values():
        assert row.title, row.id
        assert not row.title.endswith("."), row.id
        if row.id in MANUAL and row.check.kind not in ("stated", "step"):
            assert row.why, row.id
            assert row.how, row.id
            assert row.remedy or row.commands, row.id
        for text in (row.remedy, row.commands, *row.os_commands.values()):
            assert set(re.findall(r"\{[a-z]+\}", text)) <= {"{names}"}, row.id


@pytest.mark.parametrize("release", RELEASES)
def test_commands_of_every_row_are_valid_shell(release: str) -> None:
    systems = [(row, os_id) for row in catalogue(release).values() for os_id in (None, *row.os_commands)]
    texts = {row.remedy_text(os_id) for row, os_id in systems if row.commands or os_id}
    commands = [text.replace("{names}", "a 'b c'") for text in texts]
    program = "".join(f"remedy_{number}() {{\n{text}\n:\n}}\n" for number, text in enumerate(commands))
    done = subprocess.run(["bash", "-n"], input=program, text=True, capture_output=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")


def test_conditions_on_facts_are_unknown_without_facts() -> None:
    from acp_tui.checks.conditions import EvalContext
    from tests.support.factories.plans import valid_plan

    plan = valid_plan()
    unknown = {
        name for name, holds in CONDITIONS.items() if holds(EvalContext(plan, plan.nodes[0], Facts("x"))) is None
    }
    assert unknown == {
        "aarch64",
        "dpkg",
        "kylin",
        "nokmem-system",
        "not-root",
        "old-conntrack",
        "resolv-exists",
        "rpm",
        "rpm-kylin",
        "search-domains",
        "snap",
        "ubuntu",
    }


def test_release_inherits_the_rows_of_the_previous_release() -> None:
    assert all(catalogue(release).keys() == catalogue(RELEASES[0]).keys() for release in RELEASES)
    first, second, third = (catalogue(release) for release in ("4.0", "4.1", "4.2"))
    assert second["CAP-SN-CPU"].check != first["CAP-SN-CPU"].check
    assert third["CAP-SN-CPU"] == second["CAP-SN-CPU"]
    assert (first["FS-DIR-NERDCTL"].severity, third["FS-DIR-NERDCTL"].severity) == ("info", "must")
    assert third["INS-CLEANUP"].commands.startswith("nerdctl")


DIFFERENCES = {
    ("4.1", "CAPACITY"): "REL-CAPACITY",
    ("4.1", "SN-SIZE, SC-SIZE"): "CAP-SN-CPU CAP-SN-MEM CAP-SC-MIN-CP CAP-SC-REC-CP",
    ("4.1", "MC-SIZE"): "CAP-MC-CP-COUNT CAP-MC-CP-SIZE CAP-MC-WK-COUNT CAP-MC-WK-SIZE CAP-MC-VGROW CAP-MC-HGROW",
    ("4.1", "HW-MISC"): "HW-CPU-CLOCK HW-CPU-NOOVER HW-CPU-POWER HW-MEM-NOOVER HW-MEM-CHANNELS",
    ("4.1", "DISK"): "HW-DISK-IOPS HW-DISK-TPUT HW-DISK-SSD",
    ("4.1", "OS-*"): "OS-DISTRO OS-KERNEL",
    ("4.1", "LATENCY"): "NETCFG-LAT-INTRA",
    ("4.1", "USEPAM, TASKSMAX"): "USR-USEPAM SYS-TASKSMAX",
    ("4.1", "DOMAIN, DR-2379"): "NETRES-DOMAIN LB-DR-2379",
    ("4.1", "EXT"): "BND-ORDER BND-SAMEDIR",
    ("4.1", "VERIFY, K8S"): "INS-VERIFY-UI XR-VERSIONS",
    ("4.2", "RUNTIME, NETMODE, CALICO-IPIP"): "INS-CLEANUP INS-CALICO NETCFG-IPIP XR-CNI-FLAG",
    ("4.2", "172"): "NET-172-FREE NETCFG-172 XR-CIDR-172",
    ("4.2", "DIRS, LEFTOVER"): "FS-DIR-NERDCTL PKG-LEFTOVER-BIN",
    ("4.2", "OS-RHEL"): "OS-DISTRO OS-KERNEL SEC-SELINUX",
    ("4.2", "K8S"): "XR-VERSIONS",
    ("4.3", "VERIFY, K8S"): "INS-VERIFY-43 XR-VERSIONS",
}
"""Release and topics (REL-* of the vendor's later documents) → the rules that change in this release."""


@pytest.mark.parametrize("release", RELEASES[1:])
def test_release_changes_exactly_the_rules_of_its_documents(release: str) -> None:
    before, now = catalogue(RELEASES[RELEASES.index(release) - 1]), catalogue(release)
    listed = " ".join(names for (at, _topics), names in DIFFERENCES.items() if at == release).split()
    assert sorted(listed) == sorted(name for name in now if now[name] != before[name])


def test_unknown_release_is_an_error() -> None:
    with pytest.raises(ValueError, match=rf"no catalogue for release 5\.0; known releases: {', '.join(RELEASES)}"):
        catalogue("5.0")


def test_catalogue_has_no_todo() -> None:
    for file in asset_path("catalog").rglob("*.yaml"):
        text = file.read_text(encoding="utf-8")
        assert "TODO" not in text
