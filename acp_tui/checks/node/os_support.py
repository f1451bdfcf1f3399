"""Check whether the operating system, kernel and processor of one node are supported."""

import re

from acp_tui.checks.catalog import Distribution, Supported
from acp_tui.checks.finding import Finding, NodeSubject, require_fact
from acp_tui.checks.verdict import Outcome
from acp_tui.core.i18n import _, pgettext
from acp_tui.nodes.facts import Facts

_HWE_PACKAGE = re.compile(r"linux-(?:image-)?(?:generic|lowlatency|virtual|oem)-hwe-[0-9.]+(?:-edge)?")
"""Matches the names of HWE packages (newer Ubuntu kernels) that contain a kernel, and not those of headers or tools."""
_KYLIN_CODE_NAMES = {"azalea": 0, "tercel": 1, "sword": 2, "lance": 3}
"""The code names of Kylin V10 → service pack."""
_KYLIN_SP3_BUILD = 52
"""The build number of the first kernel of Kylin V10 SP3, which is 4.19.90-52."""
_IMAGE = re.compile(r"linux-image-(?:unsigned-)?([0-9]+\.[0-9]+)\.[0-9].*")


def check_os_support(check: Supported, facts: Facts) -> Finding:
    """OS-DISTRO, OS-KERNEL: compare the operating system or the kernel of the node with the supported ones.

    Raises FactMissing: a required fact is missing.
    """
    version = system_version(facts)
    rows = [d for d in check.table if d.os == require_fact(facts.os_id, "os_id") and version in d.versions]
    if check.aspect == "kernel":
        return _kernel(rows, facts)
    observed = facts.os_name or f"{facts.os_id} {version}"
    expected = pgettext("expected value", "the node must run one of these systems: {names}").format(
        names=", ".join(d.name for d in check.table)
    )
    if not rows and _minor_unknown(check, facts, version):
        observed = _("the minor version of {system} is unknown").format(system=observed)
        return Finding(Outcome.UNKNOWN, observed, expected=expected)
    if not rows:
        return Finding(Outcome.FAIL, observed, expected=expected)
    arch = facts.arch
    elsewhere = arch in {a for d in check.table for a in d.arch}
    if elsewhere and not any(arch in d.arch for d in rows):
        observed = pgettext("observed value", "the system is {system} on {arch}").format(system=observed, arch=arch)
        return Finding(Outcome.FAIL, observed, expected=expected)
    least = min((d.service_pack for d in rows if d.service_pack is not None), default=None)
    if least is not None:
        return _with_service_pack(facts, observed, expected, least)
    return Finding(Outcome.PASS, observed)


def _with_service_pack(facts: Facts, system: str, expected: str, least: int) -> Finding:
    """Return the finding for a system whose service packs have the same version and the same kernel number."""
    pack = service_pack(facts)
    if pack is None:
        return Finding(Outcome.UNKNOWN, _("{system}: its service pack is unknown").format(system=system))
    observed = f"{system} SP{pack}" if pack else system
    return Finding(Outcome.PASS if pack >= least else Outcome.FAIL, observed, expected=expected)


def _minor_unknown(check: Supported, facts: Facts, version: str) -> bool:
    """Return True if only the major version is known, but the table of supported systems lists minor versions.

    This happens on CentOS if /etc/centos-release is missing.
    """
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
        return Finding(
            Outcome.NOT_APPLICABLE,
            _("the kernel was not compared, because the system is not supported (see OS-DISTRO)"),
        )
    kernel = require_fact(facts.kernel, "kernel")
    expected = _("the kernel version must start with one of these numbers: {kernels}").format(
        kernels=", ".join(k for d in rows for k in d.kernels)
    )
    row = next((d for d in rows if any(re.match(re.escape(k) + r"(?![0-9])", kernel) for k in d.kernels)), None)
    if row is None:
        return Finding(Outcome.FAIL, kernel, expected=expected)
    build = re.match(r"[0-9.]+-(\d{1,9})", kernel)
    if row.build is not None and build is not None and int(build[1]) < row.build:
        older = _(
            "the kernel {kernel} is older than build {build}, the oldest build in the list of supported kernels"
        ).format(kernel=kernel, build=row.build)
        return Finding(Outcome.WARN, older, expected=expected)
    return Finding(Outcome.PASS, kernel, expected=expected)


def kunpeng(subject: NodeSubject) -> Finding:
    """OS-ARM-CPU: an ARM processor must be a Kunpeng 920.

    The check recognizes it by the CPU implementer 0x48 and CPU part 0xd01, or by its model name.
    """
    facts = subject.facts
    if re.search(r"kunpeng[- ]?920", facts.cpu_model or "", re.IGNORECASE):
        return Finding(Outcome.PASS, facts.cpu_model or "")
    implementer, part = require_fact(facts.cpu_implementer, "cpu_implementer"), require_fact(facts.cpu_part, "cpu_part")
    if not implementer or not part:
        return Finding(Outcome.UNKNOWN, _("/proc/cpuinfo and dmidecode do not name the processor"))
    observed = pgettext("observed value", "the processor has CPU implementer {implementer} and CPU part {part}").format(
        implementer=implementer, part=part
    )
    return Finding(Outcome.PASS if (implementer.lower(), part.lower()) == ("0x48", "0xd01") else Outcome.FAIL, observed)


def ubuntu_hwe(subject: NodeSubject) -> Finding:
    """OS-UBUNTU-HWE: the node must not run an HWE kernel (a newer Ubuntu kernel).

    An installed HWE package gives only a warning, because its kernel can start at the next boot.
    """
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
        observed = _("the kernel {kernel} is running, but these packages with an HWE kernel are installed: {names}")
        observed = observed.format(kernel=kernel, names=", ".join(installed))
        remedy = "apt-get purge -y {names}\nupdate-grub"
        return Finding(Outcome.WARN, observed, remedy=remedy, names=tuple(installed))
    return Finding(Outcome.PASS, kernel)


def kylin_service_pack(subject: NodeSubject) -> Finding:
    """OS-KYLIN-SP: Kylin V10 should have a service pack without the known faults of NodePorts. See also OS-DISTRO."""
    pack = service_pack(subject.facts)
    if pack is None:
        return Finding(Outcome.UNKNOWN, _("the service pack of Kylin is unknown"))
    return Finding(
        Outcome.PASS if pack >= subject.check.number("service_pack") else Outcome.WARN,
        f"V10 SP{pack}" if pack else "V10",
    )


def service_pack(facts: Facts) -> int | None:
    """Return the service pack of Kylin V10: 0 without one, None if it is unknown. Raises FactMissing.

    The first of these sources that shows it decides: the product files of Kylin, the code name of the system, the build
    number of the kernel.
    """
    info = require_fact(facts.kylin_info, "kylin_info")
    if match := re.search(r"\bSP(\d{1,2})\b", info):
        return int(match[1])
    text = f"{info} {facts.os_version}".lower()
    for name, pack in _KYLIN_CODE_NAMES.items():
        if name in text:
            return pack
    build = re.match(r"4\.19\.90-(\d{1,9})", facts.kernel or "")
    return 3 if build is not None and int(build[1]) >= _KYLIN_SP3_BUILD else None


def calico_ipv6(subject: NodeSubject) -> Finding:
    """OS-CALICO-VXLAN6: Calico must support IPv6 on the operating system of the node."""
    system = f"{require_fact(subject.facts.os_id, 'os_id')} {system_version(subject.facts)}"
    unsupported = any(system == name or system.startswith(name + " ") for name in subject.check.texts("systems"))
    paths = ("network.cni", "network.ip_family") if unsupported else ()
    return Finding(Outcome.FAIL if unsupported else Outcome.PASS, system, paths=paths)
