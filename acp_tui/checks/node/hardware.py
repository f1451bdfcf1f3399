"""Checks of one machine: clock, power saving, disks."""

from collections.abc import Callable, Mapping

from acp_tui.checks.finding import Finding, NodeSubject, require_fact
from acp_tui.checks.verdict import Outcome, Severity
from acp_tui.core.i18n import _
from acp_tui.core.units import gigabytes


def power_saving_off(s: NodeSubject) -> Finding:
    """HW-CPU-POWER: the governor tells on bare metal; a virtual machine cannot see it."""
    governor = require_fact(s.facts.governor, "governor")
    if not governor:
        return Finding(Outcome.MANUAL, _("no frequency governor to be seen, as on virtual machines"))
    return Finding(Outcome.PASS if governor == "performance" else Outcome.WARN, governor)


def solid_state(s: NodeSubject) -> Finding:
    """HW-DISK-SSD: nothing that spins behind / and /var/lib. Hypervisors often call any disk rotational."""
    disks = [d for d in require_fact(s.facts.disks, "disks") if d.path in s.given.texts("paths")]
    spinning = [f"{d.device} ({d.path})" for d in disks if d.rotational]
    if spinning:
        outcome = Outcome.FAIL if s.facts.virtual is False else Outcome.WARN
        return Finding(outcome, _("rotational: {names}").format(names=", ".join(spinning)))
    if not disks or any(d.rotational is None for d in disks):
        return Finding(Outcome.UNKNOWN, _("the disk behind the folder could not be told"))
    return Finding(Outcome.PASS, ", ".join(sorted({d.device for d in disks})))


def etcd_disk(s: NodeSubject) -> Finding:
    """CAP-ETCD-NVME: an NVMe disk of its own. What a virtual disk lies on, only its host knows."""
    if require_fact(s.facts.virtual, "virtual"):
        return Finding(Outcome.NOT_APPLICABLE, _("a virtual machine: ask who runs the host"))
    devices = {d.path: d.device for d in require_fact(s.facts.disks, "disks")}
    root = devices.get("/")
    device = next((devices[p] for p in ("/var/lib/etcd", "/var/lib", "/") if p in devices), None)
    if device is None:
        return Finding(Outcome.UNKNOWN, _("the disk behind the folder could not be told"))
    ok = device.removeprefix("/dev/").startswith("nvme") and device != root
    return Finding(Outcome.PASS if ok else Outcome.WARN, device)


def storage_sizes(s: NodeSubject) -> Finding:
    """REL-CAPACITY: each folder of the row (`PATH LEAST ADVISED`, decimal GB) on a file system of that size.

    Below the advised size is a warning where the rule is a must, and no matter of complaint where it is advice."""
    there = require_fact(s.facts.filesystems, "filesystems")
    small: list[str] = []
    tight: list[str] = []
    for row in s.given.texts(s.node.role):
        path, least, advised = row.split()
        lies_on = [f for f in there if f.path in (path, "/") or path.startswith(f"{f.path}/")]
        if not lies_on:
            return Finding(Outcome.UNKNOWN, _("the file system of {path} could not be told").format(path=path))
        size = gigabytes(max(lies_on, key=lambda f: len(f.path)).size)
        shown = _("{path} {size:.0f} GB of {least} GB").format(path=path, size=size, least=least)
        if size < float(least):
            small.append(shown)
        elif size < float(advised) and s.requirement.severity is Severity.MUST:
            tight.append(_("{path} {size:.0f} GB, {advised} GB advised").format(path=path, size=size, advised=advised))
    full = [f for f in there if f.path == "/" and f.used is not None and f.used + f.available]
    used = max((100 * (f.used or 0) / ((f.used or 0) + f.available) for f in full), default=0)
    if used > s.given.number("full"):
        tight.append(_("/ is {share:.0f} % full").format(share=used))
    observed = "; ".join((*small, *tight))
    if small:
        return Finding(Outcome.FAIL, observed)
    root = gigabytes(max((f.size for f in there if f.path == "/"), default=0))
    return Finding(Outcome.WARN if tight else Outcome.PASS, observed or _("/ {size:.0f} GB").format(size=root))


HARDWARE_CHECKS: Mapping[str, Callable[[NodeSubject], Finding]] = {
    "etcd_disk": etcd_disk,
    "power_saving_off": power_saving_off,
    "solid_state": solid_state,
    "storage_sizes": storage_sizes,
}
