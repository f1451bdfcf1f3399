"""Check the operating system, kernel and processor of one node against the supported ones."""

import re

from acp_tui.checks.catalog import Distribution, Supported
from acp_tui.checks.finding import Finding, NodeSubject, require_fact
from acp_tui.checks.verdict import Outcome
from acp_tui.core.i18n import _, pgettext
from acp_tui.nodes.facts import Facts

_HWE_PACKAGE = re.compile(r"linux-(?:image-)?(?:generic|lowlatency|virtual|oem)-hwe-[0-9.]+(?:-edge)?")
"""HWE packages that contain a kernel; headers and tools are not relevant."""
_IMAGE = re.compile(r"linux-image-(?:unsigned-)?([0-9]+\.[0-9]+)\.[0-9].*")


def check_os_support(check: Supported, facts: Facts) -> Finding:
    """OS-DISTRO, OS-KERNEL: compare the node with the support table. Raises FactMissing: a fact is missing."""
    version = system_version(facts)
    rows = [d for d in check.table if d.os == require_fact(facts.os_id, "os_id") and version in d.versions]
    if check.aspect == "kernel":
        return _kernel(rows, facts)
    observed = facts.os_name or f"{facts.os_id} {version}"
    expected = pgettext("expected value", "one of: {names}").format(names=", ".join(d.name for d in check.table))
    if not rows and _minor_unknown(check, facts, version):
        observed = _("{system}: the minor version is unknown").format(system=observed)
        return Finding(Outcome.UNKNOWN, observed, expected=expected)
    if not rows:
        return Finding(Outcome.FAIL, observed, expected=expected)
    arch = facts.arch
    elsewhere = arch in {a for d in check.table for a in d.arch}
    if elsewhere and not any(arch in d.arch for d in rows):
        observed = pgettext("observed value", "{system} on {arch}").format(system=observed, arch=arch)
        return Finding(Outcome.FAIL, observed, expected=expected)
    return Finding(Outcome.PASS, observed)


def _minor_unknown(check: Supported, facts: Facts, version: str) -> bool:
    """Whether only the major version is known, and minor versions of it are listed: CentOS without its release file."""
    return "." not in version and any(
        d.os == facts.os_id and v.startswith(f"{version}.") for d in check.table for v in d.versions
    )


def system_version(facts: Facts) -> str:
    """Return the version x.y of the system. CentOS has its minor version only in /etc/centos-release."""
    version = require_fact(facts.os_version_id, "os_version_id")
    if facts.os_id in ("centos", "rhel") and "." not in version:
        match = re.search(r"release (\d+\.\d+)", require_fact(facts.os_release_file, "os_release_file"))
        return match[1] if match else version
    return version


def _kernel(rows: list[Distribution], facts: Facts) -> Finding:
    if not rows:
        return Finding(Outcome.NOT_APPLICABLE, _("no kernel is listed for this system, see OS-DISTRO"))
    kernel = require_fact(facts.kernel, "kernel")
    expected = _("a version that starts with one of: {kernels}").format(
        kernels=", ".join(k for d in rows for k in d.kernels)
    )
    row = next((d for d in rows if any(re.match(re.escape(k) + r"(?![0-9])", kernel) for k in d.kernels)), None)
    if row is None:
        return Finding(Outcome.FAIL, kernel, expected=expected)
    build = re.match(r"[0-9.]+-(\d{1,9})", kernel)
    if row.build is not None and build is not None and int(build[1]) < row.build:
        older = _("{kernel}, older than the listed build {build}").format(kernel=kernel, build=row.build)
        return Finding(Outcome.WARN, older, expected=expected)
    return Finding(Outcome.PASS, kernel, expected=expected)


def kunpeng(subject: NodeSubject) -> Finding:
    """OS-ARM-CPU: implementer 0x48 with part 0xd01, or the name in the model."""
    facts = subject.facts
    if re.search(r"kunpeng[- ]?920", facts.cpu_model or "", re.IGNORECASE):
        return Finding(Outcome.PASS, facts.cpu_model or "")
    implementer, part = require_fact(facts.cpu_implementer, "cpu_implementer"), require_fact(facts.cpu_part, "cpu_part")
    if not implementer or not part:
        return Finding(Outcome.UNKNOWN, _("the processor is unknown to /proc/cpuinfo and dmidecode"))
    observed = pgettext("observed value", "implementer {implementer}, part {part}").format(
        implementer=implementer, part=part
    )
    return Finding(Outcome.PASS if (implementer.lower(), part.lower()) == ("0x48", "0xd01") else Outcome.FAIL, observed)


def ubuntu_hwe(subject: NodeSubject) -> Finding:
    """OS-UBUNTU-HWE: an HWE kernel is running (fail), or would run after the next boot (warn)."""
    kernel = require_fact(subject.facts.kernel, "kernel")
    build = require_fact(subject.facts.kernel_build, "kernel_build")
    series = require_fact(subject.facts.os_version_id, "os_version_id")
    mark = f"~{series}"
    line = subject.check.texts(series)
    if mark in build or any(kernel.startswith(k + ".") for k in line):
        return Finding(Outcome.FAIL, f"{kernel} {build}")
    images = {p: _IMAGE.fullmatch(p) for p in subject.facts.dpkg_packages or ()}
    installed = sorted(p for p, image in images.items() if _HWE_PACKAGE.fullmatch(p) or (image and image[1] in line))
    if installed:
        observed = _("{kernel} is running, but HWE packages are installed: {names}")
        observed = observed.format(kernel=kernel, names=", ".join(installed))
        remedy = "apt-get purge -y {names}\nupdate-grub"
        return Finding(Outcome.WARN, observed, remedy=remedy, names=tuple(installed))
    return Finding(Outcome.PASS, kernel)


def kylin_service_pack(subject: NodeSubject) -> Finding:
    """OS-KYLIN-SP: the service pack by the product file, else by the code name, else by the kernel's build."""
    info = require_fact(subject.facts.kylin_info, "kylin_info")
    names = {"tercel": 1, "sword": 2, "lance": 3}
    match = re.search(r"SP(\d{1,2})", info)
    code = next((pack for name, pack in names.items() if name in f"{info} {subject.facts.os_version}".lower()), None)
    build = re.match(r"4\.19\.90-(\d{1,9})", subject.facts.kernel or "")
    pack = int(match[1]) if match else code
    if pack is None and build is not None and int(build[1]) >= subject.check.number("build"):
        pack = 3
    if pack is None and "V10" in info and build is not None:
        return Finding(
            Outcome.WARN, _("V10, service pack unknown, kernel {kernel}").format(kernel=subject.facts.kernel)
        )
    if pack is None:
        return Finding(Outcome.UNKNOWN, _("the service pack is unknown"))
    return Finding(Outcome.PASS if pack >= 3 else Outcome.WARN, f"V10 SP{pack}")


def calico_ipv6(subject: NodeSubject) -> Finding:
    """OS-CALICO-VXLAN6: not a system on which Calico does not support IPv6."""
    system = f"{require_fact(subject.facts.os_id, 'os_id')} {system_version(subject.facts)}"
    unsupported = any(system == name or system.startswith(name + " ") for name in subject.check.texts("systems"))
    paths = ("network.cni", "network.ip_family") if unsupported else ()
    return Finding(Outcome.FAIL if unsupported else Outcome.PASS, system, paths=paths)
