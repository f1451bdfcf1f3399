"""Check the hardware of one node: power saving, disks, file systems."""

from acp_tui.checks.finding import Finding, NodeSubject, require_fact
from acp_tui.checks.verdict import Outcome, Severity
from acp_tui.core.i18n import _, pgettext
from acp_tui.core.units import gigabytes


def power_saving_off(subject: NodeSubject) -> Finding:
    """HW-CPU-POWER: the frequency governor of the CPU must be `performance`, so that power saving is off.

    If the node has no frequency governor, as is usual on virtual machines, a person must confirm the requirement.
    """
    governor = require_fact(subject.facts.governor, "governor")
    if not governor:
        return Finding(Outcome.MANUAL, _("the node has no CPU frequency governor, which is usual on virtual machines"))
    return Finding(Outcome.PASS if governor == "performance" else Outcome.WARN, governor)


def cpu_clock(subject: NodeSubject) -> Finding:
    """HW-CPU-CLOCK: the nominal clock of the CPU must be at least `gigahertz`.

    If only the boost clock is known, the check fails if even this clock is too low, and is unknown otherwise.
    """
    facts, least = subject.facts, subject.check.number("gigahertz")
    if facts.cpu_ghz is None and facts.cpu_ghz_limit is not None and facts.cpu_ghz_limit < least:
        text = pgettext("observed value", "the boost clock is {speed:g} GHz, and the nominal clock is not higher")
        return Finding(Outcome.FAIL, text.format(speed=facts.cpu_ghz_limit))
    speed = require_fact(facts.cpu_ghz, "cpu_ghz")
    return Finding(Outcome.PASS if speed >= least else Outcome.FAIL, f"{speed:g} GHz")


def solid_state(subject: NodeSubject) -> Finding:
    """HW-DISK-SSD: the disks of the folders that the requirement lists must not be rotational.

    A rotational disk fails the check only if it is a disk of a physical machine. Hypervisors, and controllers that
    combine disks, often report every disk as rotational, so there it gives only a warning. A hypervisor can also report
    every disk as solid state, so on a virtual machine a person must confirm the requirement.
    """
    disks = [d for d in require_fact(subject.facts.disks, "disks") if d.path in subject.check.texts("paths")]
    spinning = [d for d in disks if d.rotational]
    if spinning:
        certain = subject.facts.virtual is False and not all(d.combined for d in spinning)
        text = pgettext("observed value", "these disks are rotational: {names}")
        if not certain:
            text = _("hypervisor or disk controller reports these disks as rotational: {names}")
        names = ", ".join(f"{d.device} ({d.path})" for d in spinning)
        return Finding(Outcome.FAIL if certain else Outcome.WARN, text.format(names=names))
    if not disks or any(d.rotational is None for d in disks):
        return Finding(Outcome.UNKNOWN, _("acp-tui cannot determine whether the disks are rotational"))
    devices = ", ".join(sorted({d.device for d in disks}))
    if subject.facts.virtual is not False:
        text = _("the hypervisor reports these disks as solid state, which acp-tui cannot verify: {names}")
        return Finding(Outcome.MANUAL, text.format(names=devices))
    return Finding(Outcome.PASS, devices)


def etcd_disk(subject: NodeSubject) -> Finding:
    """CAP-ETCD-NVME: etcd must have a separate NVMe disk.

    The requirement is not applicable to virtual machines, because only the hypervisor knows their real disks.
    """
    if require_fact(subject.facts.virtual, "virtual"):
        return Finding(Outcome.NOT_APPLICABLE, _("the node is a virtual machine; check its disk in the hypervisor"))
    devices = {d.path: d.device for d in require_fact(subject.facts.disks, "disks")}
    root = devices.get("/")
    device = next((devices[p] for p in ("/var/lib/etcd", "/var/lib", "/") if p in devices), None)
    if device is None:
        return Finding(Outcome.UNKNOWN, _("acp-tui cannot determine the disk of /var/lib/etcd"))
    ok = device.removeprefix("/dev/").startswith("nvme") and device != root
    return Finding(Outcome.PASS if ok else Outcome.WARN, device)


def storage_sizes(subject: NodeSubject) -> Finding:
    """REL-CAPACITY: each folder that the requirement lists must be on a file system that is large enough.

    The requirement lists `PATH LEAST ADVISED` for each folder, with both sizes in decimal GB. The check fails if
    a file system is smaller than LEAST. A file system smaller than ADVISED gives a warning if the severity of the
    requirement is `must`, and passes if the severity is `advice`. If more than `full` percent of the file system / is
    in use, the outcome is also a warning.
    """
    filesystems = require_fact(subject.facts.filesystems, "filesystems")
    small: list[str] = []
    tight: list[str] = []
    for row in subject.check.texts(subject.node.role):
        path, least, advised = row.split()
        mounts = [f for f in filesystems if f.path in (path, "/") or path.startswith(f"{f.path}/")]
        if not mounts:
            return Finding(Outcome.UNKNOWN, _("acp-tui cannot determine the file system of {path}").format(path=path))
        size = gigabytes(max(mounts, key=lambda f: len(f.path)).size)
        shown = _("the file system of {path} has {size:.0f} GB, but {least} GB is required").format(
            path=path, size=size, least=least
        )
        if size < float(least):
            small.append(shown)
        elif size < float(advised) and subject.requirement.severity is Severity.MUST:
            tight.append(
                _("the file system of {path} has {size:.0f} GB, but {advised} GB is recommended").format(
                    path=path, size=size, advised=advised
                )
            )
    full = [f for f in filesystems if f.path == "/" and f.used is not None and f.used + f.available]
    used = max((100 * (f.used or 0) / ((f.used or 0) + f.available) for f in full), default=0)
    if used > subject.check.number("full"):
        tight.append(pgettext("observed value", "the file system / is {share:.0f} % full").format(share=used))
    observed = "; ".join((*small, *tight))
    if small:
        return Finding(Outcome.FAIL, observed)
    root = gigabytes(max((f.size for f in filesystems if f.path == "/"), default=0))
    return Finding(
        Outcome.WARN if tight else Outcome.PASS,
        observed or pgettext("observed value", "the file system / has {size:.0f} GB").format(size=root),
    )
