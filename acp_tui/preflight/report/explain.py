"""A requirement explained without any node: the offline manual, the same in the command, the wizard and the report."""

from collections.abc import Iterator, Mapping

from acp_tui.checks.catalog import AllPresent, AtLeast, Distribution, FunctionCheck, Requirement, Supported, catalogue
from acp_tui.checks.labels import severity_label
from acp_tui.core.i18n import N_, _
from acp_tui.plan.release import RELEASES

_ROLES: Mapping[str, str] = {
    "control-plane": N_("control plane nodes"),
    "worker": N_("workers"),
    "installer": N_("the installer's node"),
}


def explain_requirement(row: Requirement) -> Iterator[tuple[str, str]]:
    """(name, text) pairs in reading order; texts may have several lines, and none is empty."""
    parts = (
        (_("Wanted"), expected_text(row)),
        (_("Where"), _where(row)),
        (_("Why"), _(row.why)),
        (_("How it is seen"), how_observed(row)),
        (_("To mend it"), _remedy(row)),
        *((_("To mend it ({system})").format(system=name), _remedy(row, name)) for name in row.os_commands),
        (_("Weight"), severity_label(row.severity)),
    )
    yield from ((name, text.strip()) for name, text in parts if text.strip())


def later_releases(requirement: str, release: str) -> Iterator[tuple[str, str]]:
    """(release, what it asks otherwise than the one before) for the releases after `release`."""
    before = catalogue(release)[requirement]
    for later in RELEASES[RELEASES.index(release) + 1 :]:
        now = catalogue(later)[requirement]
        told = {name: text for name, text in _told(now).items() if text and text != _told(before)[name]}
        if told:
            yield _("From release {release} on").format(release=later), "\n".join(told.values())
        before = now


def _told(row: Requirement) -> Mapping[str, str]:
    weight = _("It is only to be known.") if row.check.kind == "stated" else severity_label(row.severity)
    return {"title": _(row.title), "expected_text": expected_text(row), "remedy": _remedy(row), "weight": weight}


def expected_text(row: Requirement) -> str:
    """What the rule demands, with its figures where the row keeps them as numbers; "" where the title says it all."""
    if row.expected:
        return _(row.expected)
    match row.check:
        case Supported(aspect=aspect, table=table):
            return "\n".join(_line(system, kernel=aspect == "kernel") for system in table)
        case FunctionCheck(name="machine_size") as check:
            return _size(check)
        case AtLeast(value=value):
            return _("{value} or more").format(value=value)
    return ""


def how_observed(row: Requirement) -> str:
    """How it is observed; rules without words of their own rest on answers, or are only to be known."""
    if row.how:
        return _(row.how)
    if row.check.kind == "stated":
        return _("It is not observed: it is only to be known.")
    return _("The answers of the plan; no node is asked.") if row.scope == "plan" else ""


def _remedy(row: Requirement, os_id: str | None = None) -> str:
    """With the names of the rule, or NAMES, where a finding would put what is missing or in the way on this node."""
    match row.check:
        case AllPresent(names=names):
            shown = names
        case FunctionCheck(name="modules_loaded") as check:
            shown = check.texts("names")
        case _:
            shown = ()
    return row.remedy_text(os_id).replace("{names}", " ".join(shown) or "NAMES")


def _where(row: Requirement) -> str:
    return "" if "all" in row.roles else ", ".join(_(_ROLES[role]) for role in row.roles)


def _line(system: Distribution, *, kernel: bool) -> str:
    kernels = _("kernel {versions}").format(versions=", ".join(system.kernels)) if kernel else ""
    return ", ".join(part for part in (system.name, "/".join(system.arch), kernels) if part)


def _size(check: FunctionCheck) -> str:
    """Cores and memory; a list of sizes goes by the number of workload clusters."""
    clusters = check.texts("clusters")
    lines = [
        _size_line(cores, memory, upto)
        for cores, memory, upto in zip(
            check.texts("cores") or ("",) * max(1, len(check.texts("memory"))),
            check.texts("memory") or ("",) * max(1, len(check.texts("cores"))),
            clusters or ("",) * max(1, len(check.texts("cores")), len(check.texts("memory"))),
            strict=True,
        )
    ]
    advised = _size_line("".join(check.texts("cores_advised")), "".join(check.texts("memory_advised")), "")
    return "\n".join([*lines, *([_("better {size}").format(size=advised)] if advised else [])])


def _size_line(cores: str, memory: str, clusters: str) -> str:
    parts = (
        _("{count} CPU cores").format(count=cores) if cores else "",
        _("{size} GB of memory").format(size=memory) if memory else "",
        _("for up to {count} workload clusters").format(count=clusters) if clusters else "",
    )
    return ", ".join(part for part in parts if part)
