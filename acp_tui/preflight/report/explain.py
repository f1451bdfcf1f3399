"""Explain a requirement without a node. The command, the wizard and the report show this text as an offline manual."""

from collections.abc import Iterator, Mapping

from acp_tui.checks.catalog import AllPresent, AtLeast, Distribution, FunctionCheck, Requirement, Supported, catalogue
from acp_tui.checks.labels import severity_label
from acp_tui.checks.node.leftovers import table_text
from acp_tui.core.i18n import NC_, _, pgettext
from acp_tui.plan.release import RELEASES

_ROLES: Mapping[str, str] = {
    "control-plane": NC_("role", "control plane nodes"),
    "worker": NC_("role", "workers"),
    "installer": NC_("role", "the installer node"),
}


def explain_requirement(row: Requirement) -> Iterator[tuple[str, str]]:
    """Yield (label, text) pairs in reading order. A text can have several lines, and is never empty."""
    parts = (
        (pgettext("label", "Expected"), expected_text(row)),
        (pgettext("label", "Where"), _where(row)),
        (pgettext("label", "Why"), _(row.why)),
        (pgettext("label", "Check"), how_observed(row)),
        (pgettext("label", "Looked for"), table_text(row.id)),
        (pgettext("label", "Judged under"), ", ".join(row.judged_by)),
        (pgettext("label", "Fix"), _fix(row)),
        *((pgettext("requirement", "Fix ({system})").format(system=name), _fix(row, name)) for name in row.os_commands),
        (pgettext("label", "Severity"), severity_label(row.severity)),
    )
    yield from ((name, text.strip()) for name, text in parts if text.strip())


def later_releases(requirement: str, release: str) -> Iterator[tuple[str, str]]:
    """Yield the changes of a requirement in each later release: a label, and the changed texts."""
    before = catalogue(release)[requirement]
    for later in RELEASES[RELEASES.index(release) + 1 :]:
        now = catalogue(later)[requirement]
        changed = {name: text for name, text in _texts(now).items() if text and text != _texts(before)[name]}
        if changed:
            yield _("Release {release} and later").format(release=later), "\n".join(changed.values())
        before = now


def _texts(row: Requirement) -> Mapping[str, str]:
    severity = (
        _("This requirement is for information only.") if row.check.kind == "stated" else severity_label(row.severity)
    )
    return {"title": _(row.title), "expected": expected_text(row), "fix": _fix(row), "severity": severity}


def expected_text(row: Requirement) -> str:
    """Return the text that says which value is expected, and its limits; "" if the title already says so."""
    if row.expected:
        return _(row.expected)
    match row.check:
        case Supported(aspect=aspect, table=table):
            return "\n".join(_line(system, kernel=aspect == "kernel") for system in table)
        case FunctionCheck(name="machine_size") as check:
            return _size(check)
        case AtLeast(value=value):
            return pgettext("requirement", "{value} or more").format(value=value)
    return ""


def how_observed(row: Requirement) -> str:
    """Return the text that explains how the requirement is checked; "" if there is none.

    Two kinds of requirements get a general text if they have no text of their own: those whose check reads only the
    plan, and those for information only.
    """
    if row.how:
        return _(row.how)
    if row.judged_by:
        return _("Reports have no verdict of this requirement. It is judged under other IDs.")
    if row.check.kind == "stated":
        return _("This requirement is not checked, because it is for information only.")
    return _("acp-tui checks the plan. It does not query the nodes.") if row.scope == "plan" else ""


def _fix(row: Requirement, os_id: str | None = None) -> str:
    """Return the text of the fix, with the names from the list of the requirement.

    If the names depend on the node, the text has the placeholder NAMES instead.
    """
    match row.check:
        case AllPresent(names=names):
            known = names
        case FunctionCheck(name="modules_loaded") as check:
            known = check.texts("names")
        case _:
            known = ()
    return row.remedy_text(os_id).replace("{names}", " ".join(known) or "NAMES")


def _where(row: Requirement) -> str:
    return "" if "all" in row.roles else ", ".join(pgettext("role", _ROLES[role]) for role in row.roles)


def _line(system: Distribution, *, kernel: bool) -> str:
    kernels = pgettext("requirement", "kernel {versions}").format(versions=", ".join(system.kernels)) if kernel else ""
    return ", ".join(part for part in (system.name, "/".join(system.arch), kernels) if part)


def _size(check: FunctionCheck) -> str:
    """Return the cores and memory, one line for each range of the number of workload clusters."""
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
    return "\n".join(
        [*lines, *([pgettext("requirement", "the recommended size is {size}").format(size=advised)] if advised else [])]
    )


def _size_line(cores: str, memory: str, clusters: str) -> str:
    parts = (
        pgettext("requirement", "{count} CPU cores").format(count=cores) if cores else "",
        _("{size} GB of memory").format(size=memory) if memory else "",
        _("for up to {count} workload clusters").format(count=clusters) if clusters else "",
    )
    return ", ".join(part for part in parts if part)
