"""Checks of one node's operating system, kernel and processor against what is supported."""

import re
from collections.abc import Callable, Mapping

from acp_tui.checks.catalog import Distribution, Supported
from acp_tui.checks.finding import Finding, NodeSubject, require_fact
from acp_tui.checks.verdict import Outcome
from acp_tui.core.i18n import _
from acp_tui.nodes.facts import Facts

_HWE_PACKAGE = re.compile(r"linux-(?:image-)?(?:generic|lowlatency|virtual|oem)-hwe-[0-9.]+(?:-edge)?")
"""Those that bring a kernel: headers and tools of that line boot nothing."""
_IMAGE = re.compile(r"linux-image-(?:unsigned-)?([0-9]+\.[0-9]+)\.[0-9].*")


def judge_support(check: Supported, facts: Facts) -> Finding:
    """OS-DISTRO, OS-KERNEL: the node against the support table. NotLearned: a fact is missing."""
    version = system_version(facts)
    rows = [d for d in check.table if d.os == require_fact(facts.os_id, "os_id") and version in d.versions]
    if check.aspect == "kernel":
        return _kernel(rows, facts)
    observed = facts.os_name or f"{facts.os_id} {version}"
    listed = _("one of: {names}").format(names=", ".join(d.name for d in check.table))
    if not rows and _minor_unknown(check, facts, version):
        return Finding(
            Outcome.UNKNOWN, _("{system}: its minor version is told nowhere").format(system=observed), listed
        )
    if not rows:
        return Finding(Outcome.FAIL, observed, listed)
    arch = facts.arch
    elsewhere = arch in {a for d in check.table for a in d.arch}
    if elsewhere and not any(arch in d.arch for d in rows):
        return Finding(Outcome.FAIL, _("{system} on {arch}").format(system=observed, arch=arch), listed)
    return Finding(Outcome.PASS, observed)


def _minor_unknown(check: Supported, facts: Facts, version: str) -> bool:
    """A bare major version of which some minor ones are listed, as CentOS without its release file shows it."""
    return "." not in version and any(
        d.os == facts.os_id and v.startswith(f"{version}.") for d in check.table for v in d.versions
    )


def system_version(facts: Facts) -> str:
    """x.y of the system. CentOS tells its minor version in /etc/centos-release alone."""
    version = require_fact(facts.os_version_id, "os_version_id")
    if facts.os_id in ("centos", "rhel") and "." not in version:
        found = re.search(r"release (\d+\.\d+)", require_fact(facts.os_release_file, "os_release_file"))
        return found[1] if found else version
    return version


def _kernel(rows: list[Distribution], facts: Facts) -> Finding:
    if not rows:
        return Finding(Outcome.NOT_APPLICABLE, _("no kernel is listed for this system, see OS-DISTRO"))
    kernel = require_fact(facts.kernel, "kernel")
    expected = _("{kernel} (the part behind may differ)").format(kernel=", ".join(k for d in rows for k in d.kernels))
    row = next((d for d in rows if any(re.match(re.escape(k) + r"(?![0-9])", kernel) for k in d.kernels)), None)
    if row is None:
        return Finding(Outcome.FAIL, kernel, expected)
    build = re.match(r"[0-9.]+-(\d{1,9})", kernel)
    if row.build is not None and build is not None and int(build[1]) < row.build:
        older = _("{kernel}: older than the listed build {build}").format(kernel=kernel, build=row.build)
        return Finding(Outcome.WARN, older, expected)
    return Finding(Outcome.PASS, kernel, expected)


def kunpeng(s: NodeSubject) -> Finding:
    """OS-ARM-CPU: implementer 0x48 with part 0xd01, or the name in the model."""
    facts = s.facts
    if re.search(r"kunpeng[- ]?920", facts.cpu_model or "", re.IGNORECASE):
        return Finding(Outcome.PASS, facts.cpu_model or "")
    implementer, part = require_fact(facts.cpu_implementer, "cpu_implementer"), require_fact(facts.cpu_part, "cpu_part")
    if not implementer or not part:
        return Finding(Outcome.UNKNOWN, _("neither /proc/cpuinfo nor dmidecode names the processor"))
    seen = _("implementer {implementer}, part {part}").format(implementer=implementer, part=part)
    return Finding(Outcome.PASS if (implementer.lower(), part.lower()) == ("0x48", "0xd01") else Outcome.FAIL, seen)


def ubuntu_hwe(s: NodeSubject) -> Finding:
    """OS-UBUNTU-HWE: a kernel of the enablement line runs (fail), or would at the next boot (warn)."""
    kernel = require_fact(s.facts.kernel, "kernel")
    build = require_fact(s.facts.kernel_build, "kernel_build")
    series = require_fact(s.facts.os_version_id, "os_version_id")
    mark = f"~{series}"
    line = s.given.texts(series)
    if mark in build or any(kernel.startswith(k + ".") for k in line):
        return Finding(Outcome.FAIL, f"{kernel} {build}")
    images = {p: _IMAGE.fullmatch(p) for p in s.facts.dpkg_packages or ()}
    waiting = sorted(p for p, image in images.items() if _HWE_PACKAGE.fullmatch(p) or (image and image[1] in line))
    if waiting:
        observed = _("runs {kernel}, but HWE packages are installed: {names}")
        observed = observed.format(kernel=kernel, names=", ".join(waiting))
        remedy = "apt-get purge -y {names}\nupdate-grub"
        return Finding(Outcome.WARN, observed, remedy=remedy, names=tuple(waiting))
    return Finding(Outcome.PASS, kernel)


def kylin_service_pack(s: NodeSubject) -> Finding:
    """OS-KYLIN-SP: the product file tells it, else the code name, else the kernel's build."""
    info = require_fact(s.facts.kylin_info, "kylin_info")
    names = {"tercel": 1, "sword": 2, "lance": 3}
    found = re.search(r"SP(\d{1,2})", info)
    code = next((pack for name, pack in names.items() if name in f"{info} {s.facts.os_version}".lower()), None)
    build = re.match(r"4\.19\.90-(\d{1,9})", s.facts.kernel or "")
    pack = int(found[1]) if found else code
    if pack is None and build is not None and int(build[1]) >= s.given.number("build"):
        pack = 3
    if pack is None and "V10" in info and build is not None:
        return Finding(Outcome.WARN, _("V10, no service pack named, kernel {kernel}").format(kernel=s.facts.kernel))
    if pack is None:
        return Finding(Outcome.UNKNOWN, _("nothing on the node tells its service pack"))
    return Finding(Outcome.PASS if pack >= 3 else Outcome.WARN, f"V10 SP{pack}")


def calico_ipv6(s: NodeSubject) -> Finding:
    """OS-CALICO-VXLAN6: systems on which Calico cannot carry IPv6."""
    system = f"{require_fact(s.facts.os_id, 'os_id')} {system_version(s.facts)}"
    barred = any(system == name or system.startswith(name + " ") for name in s.given.texts("systems"))
    paths = ("network.cni", "network.ip_family") if barred else ()
    return Finding(Outcome.FAIL if barred else Outcome.PASS, system, paths=paths)


SYSTEM_CHECKS: Mapping[str, Callable[[NodeSubject], Finding]] = {
    "calico_ipv6": calico_ipv6,
    "kunpeng": kunpeng,
    "kylin_service_pack": kylin_service_pack,
    "ubuntu_hwe": ubuntu_hwe,
}
