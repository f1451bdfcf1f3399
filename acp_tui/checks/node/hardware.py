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


def solid_state(subject: NodeSubject) -> Finding:
    """HW-DISK-SSD: the disks of the folders that the requirement lists must not be rotational.

    A rotational disk fails the check only on a physical machine. On a virtual machine, it gives only a warning,
    because hypervisors often report every disk as rotational.
    """
    disks = [d for d in require_fact(subject.facts.disks, "disks") if d.path in subject.check.texts("paths")]
    spinning = [f"{d.device} ({d.path})" for d in disks if d.rotational]
    if spinning:
        outcome = Outcome.FAIL if subject.facts.virtual is False else Outcome.WARN
        return Finding(
            outcome, pgettext("observed value", "these disks are rotational: {names}").format(names=", ".join(spinning))
        )
    if not disks or any(d.rotational is None for d in disks):
        return Finding(Outcome.UNKNOWN, _("acp-tui cannot determine whether the disks are rotational"))
    return Finding(Outcome.PASS, ", ".join(sorted({d.device for d in disks})))


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
