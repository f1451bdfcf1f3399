"""Check the hardware of one node: power saving, disks, file systems."""

from acp_tui.checks.finding import Finding, NodeSubject, require_fact
from acp_tui.checks.verdict import Outcome, Severity
from acp_tui.core.i18n import _, pgettext
from acp_tui.core.units import gigabytes


def power_saving_off(subject: NodeSubject) -> Finding:
    """HW-CPU-POWER: the frequency governor on bare metal; a virtual machine cannot read it."""
    governor = require_fact(subject.facts.governor, "governor")
    if not governor:
        return Finding(Outcome.MANUAL, _("no frequency governor (usual on virtual machines)"))
    return Finding(Outcome.PASS if governor == "performance" else Outcome.WARN, governor)


def solid_state(subject: NodeSubject) -> Finding:
    """HW-DISK-SSD: no rotational disk behind / and /var/lib. Hypervisors often report every disk as rotational."""
    disks = [d for d in require_fact(subject.facts.disks, "disks") if d.path in subject.check.texts("paths")]
    spinning = [f"{d.device} ({d.path})" for d in disks if d.rotational]
    if spinning:
        outcome = Outcome.FAIL if subject.facts.virtual is False else Outcome.WARN
        return Finding(
            outcome, pgettext("observed value", "rotational disks: {names}").format(names=", ".join(spinning))
        )
    if not disks or any(d.rotational is None for d in disks):
        return Finding(Outcome.UNKNOWN, _("cannot determine the disk of the folder"))
    return Finding(Outcome.PASS, ", ".join(sorted({d.device for d in disks})))


def etcd_disk(subject: NodeSubject) -> Finding:
    """CAP-ETCD-NVME: a separate NVMe disk. Only the hypervisor knows the disk behind a virtual one."""
    if require_fact(subject.facts.virtual, "virtual"):
        return Finding(Outcome.NOT_APPLICABLE, _("virtual machine: check the disk in the hypervisor"))
    devices = {d.path: d.device for d in require_fact(subject.facts.disks, "disks")}
    root = devices.get("/")
    device = next((devices[p] for p in ("/var/lib/etcd", "/var/lib", "/") if p in devices), None)
    if device is None:
        return Finding(Outcome.UNKNOWN, _("cannot determine the disk of the folder"))
    ok = device.removeprefix("/dev/").startswith("nvme") and device != root
    return Finding(Outcome.PASS if ok else Outcome.WARN, device)


def storage_sizes(subject: NodeSubject) -> Finding:
    """REL-CAPACITY: each folder of the row (`PATH LEAST ADVISED`, decimal GB) is on a file system of that size.

    Below the advised size, a requirement of severity `must` warns, and one of severity `advice` passes."""
    filesystems = require_fact(subject.facts.filesystems, "filesystems")
    small: list[str] = []
    tight: list[str] = []
    for row in subject.check.texts(subject.node.role):
        path, least, advised = row.split()
        mounts = [f for f in filesystems if f.path in (path, "/") or path.startswith(f"{f.path}/")]
        if not mounts:
            return Finding(Outcome.UNKNOWN, _("cannot determine the file system of {path}").format(path=path))
        size = gigabytes(max(mounts, key=lambda f: len(f.path)).size)
        shown = _("{path}: {size:.0f} GB, {least} GB required").format(path=path, size=size, least=least)
        if size < float(least):
            small.append(shown)
        elif size < float(advised) and subject.requirement.severity is Severity.MUST:
            tight.append(
                _("{path}: {size:.0f} GB, {advised} GB recommended").format(path=path, size=size, advised=advised)
            )
    full = [f for f in filesystems if f.path == "/" and f.used is not None and f.used + f.available]
    used = max((100 * (f.used or 0) / ((f.used or 0) + f.available) for f in full), default=0)
    if used > subject.check.number("full"):
        tight.append(pgettext("observed value", "/ is {share:.0f} % full").format(share=used))
    observed = "; ".join((*small, *tight))
    if small:
        return Finding(Outcome.FAIL, observed)
    root = gigabytes(max((f.size for f in filesystems if f.path == "/"), default=0))
    return Finding(
        Outcome.WARN if tight else Outcome.PASS,
        observed or pgettext("observed value", "/: {size:.0f} GB").format(size=root),
    )
