"""The completion report: versions, addresses, durations, verification and remaining steps, as JSON and HTML.

The report has no secrets, because the verification and the state of a run have none.
"""

import getpass
import platform
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from datetime import timedelta
from pathlib import Path
from string import Template

from acp_tui import __version__
from acp_tui.checks.catalog import catalogue
from acp_tui.checks.labels import OUTCOMES, outcome_label, role_label
from acp_tui.checks.verdict import Outcome
from acp_tui.core.assets import asset_text
from acp_tui.core.files import write_atomically
from acp_tui.core.i18n import _, pgettext
from acp_tui.core.text import json_text
from acp_tui.install.observe.phase_labels import phase_label
from acp_tui.install.observe.run_warnings import run_warnings
from acp_tui.install.observe.timing import Span, spans
from acp_tui.install.run.start_resume_abort import platform_url
from acp_tui.install.run.state import RunState
from acp_tui.install.verify.checklist import Todo, checklist
from acp_tui.install.verify.run import Finish
from acp_tui.plan.model import Plan
from acp_tui.plan.secret_mask import secret_mask
from acp_tui.preflight.report.html.findings import Background, finding, grouped, passed
from acp_tui.preflight.report.html.markup import Html, bullets, folded, joined, pairs, section, table, tag, text
from acp_tui.preflight.report.model import summary

SCHEMA = "acp-tui.completion/1"
JSON = "completion.json"
PAGE = "completion.html"
_SETTLED = (Outcome.PASS, Outcome.NOT_APPLICABLE)


@dataclass(frozen=True)
class Completion:
    """The content of the completion report. `run`: the run of the install; None: this host has no record of it."""

    plan: Plan
    finish: Finish
    run: RunState | None
    spans: tuple[Span, ...]
    by: str
    host: str
    warnings: tuple[str, ...] = ()
    """Lines about packages that are not verified, and about a key that is not the vendor's; see `run_warnings`."""


def completion(plan: Plan, finish: Finish, run: RunState | None) -> Completion:
    """Collect the content of the completion report."""
    name = "?"
    with suppress(OSError, KeyError):
        name = getpass.getuser()
    return Completion(
        plan, finish, run, spans(run.spec.run_dir) if run else (), name, platform.node(), run_warnings(run)
    )


def write(folder: Path, done: Completion) -> tuple[Path, Path]:
    """Write the report as JSON and HTML to `folder`, and return the paths of the two files. Raises: OSError."""
    document = json_text(to_json(done)) + "\n"
    write_atomically(folder / JSON, document, mode=0o644)
    write_atomically(folder / PAGE, to_html(done), mode=0o644)
    return folder / JSON, folder / PAGE


def to_json(done: Completion) -> Mapping[str, object]:
    report = done.finish.report
    return {
        "schema": SCHEMA,
        "verified": done.finish.healthy,
        "console": done.finish.console,
        "warnings": list(done.warnings),
        "finished": report.finished.isoformat(timespec="seconds"),
        "by": done.by,
        "host": done.host,
        "versions": dict(_versions(done)),
        "addresses": dict(_addresses(done.plan)),
        "nodes": [dict(node) for node in _nodes(done)],
        "installed": done.run.updated.isoformat(timespec="seconds") if done.run else None,
        "phases": [
            {"phase": span.phase, "began": span.began.isoformat(timespec="seconds"), "seconds": round(span.seconds)}
            for span in done.spans
        ],
        "report": report.to_json(),
        "checklist": [asdict(todo) for todo in checklist(done.plan)],
    }


def _versions(done: Completion) -> Sequence[tuple[str, str]]:
    nodes, run, mask = done.finish.installed.nodes or (), done.run, secret_mask(done.plan)
    return (
        ("acp", done.plan.effective_release),
        ("package", (done.plan.package.core or "").rpartition("/")[2]),
        (
            "kubernetes",
            mask(", ".join(sorted({node.version for node in nodes}))) or (run.kubernetes if run else "") or "",
        ),
        (
            "container_runtime",
            mask(", ".join(sorted({node.runtime for node in nodes}))) or (run.runtime if run else "") or "",
        ),
        ("acp_tui", __version__),
    )


def _addresses(plan: Plan) -> Sequence[tuple[str, str]]:
    own = plan.registry.mode == "platform"
    registry = f"{plan.registry_address}:11443" if own else plan.registry_address
    return (
        ("platform", platform_url(plan)),
        ("others", ", ".join(plan.address.others)),
        ("cluster_endpoint", plan.address.cluster_endpoint),
        ("registry", registry),
    )


def _nodes(done: Completion) -> Sequence[Mapping[str, str]]:
    found = {address: one for one in done.finish.installed.nodes or () for address in (*one.addresses, one.name)}
    mask = secret_mask(done.plan)
    return [
        {
            "address": node.address,
            "role": node.role,
            "name": mask(found[node.address].name) if node.address in found else "",
            "state": ("Ready" if found[node.address].ready else "NotReady") if node.address in found else "unknown",
            "version": mask(found[node.address].version) if node.address in found else "",
        }
        for node in done.plan.nodes
    ]


_VERSIONS = {"acp": "ACP", "kubernetes": "Kubernetes", "acp_tui": "acp-tui"}


def to_html(done: Completion) -> str:
    """Return the report as one HTML page that needs no other file. All texts are escaped."""
    report = done.finish.report
    labels = {
        "package": pgettext("row", "Package"),
        "container_runtime": pgettext("row", "Container runtime"),
        **_VERSIONS,
    }
    names = {
        "platform": pgettext("row", "Platform"),
        "others": pgettext("row", "Other addresses"),
        "cluster_endpoint": pgettext("row", "Cluster endpoint"),
        "registry": pgettext("row", "Registry"),
    }
    about = [
        (pgettext("row", "Verified"), text(f"{report.finished:%Y-%m-%d %H:%M:%S} UTC, {done.by}@{done.host}")),
        *((names[name], text(value)) for name, value in _addresses(done.plan)),
        *((labels[name], text(value)) for name, value in _versions(done)),
    ]
    counts = summary(report.verdicts)
    return Template(asset_text("report/preflight.html")).substitute(
        title=text(_("Completion report of the global cluster")),
        answer=text(_answer(done.finish)),
        answer_class="ready" if done.finish.healthy else "blocked",
        about=pairs(about),
        tally=joined(
            tag("li", joined((tag("b", text(str(counts[one.value]))), text(outcome_label(one)))), one.value)
            for one in OUTCOMES
            if counts[one.value]
        ),
        body=joined(_parts(done)),
        foot=text(
            _(
                "acp-tui {version} created this page. completion.json has the same data. The page has no secrets."
            ).format(version=__version__)
        ),
    )


def _answer(finish: Finish) -> str:
    if not finish.healthy:
        return pgettext("state", "The cluster did not pass the checks")
    return (
        _("The cluster is installed and verified")
        if finish.console
        else _("The cluster passed the checks, but the Web UI does not respond")
    )


def _parts(done: Completion) -> Sequence[Html]:
    report = done.finish.report
    hosts = {one["address"]: one["name"] for one in _nodes(done) if one["name"] != one["address"]}
    known = Background(catalogue(report.release), hosts, done.plan.waivers, report.finished.date())
    open_ones = [v for v in report.verdicts if v.outcome not in _SETTLED]
    fine = [v for v in report.verdicts if v.outcome in _SETTLED]
    warnings = section(pgettext("heading", "Packages"), bullets([text(one) for one in done.warnings]), id="packages")
    return (
        *([warnings] if done.warnings else []),
        section(
            pgettext("heading", "Findings"),
            joined(finding(group, known) for group in grouped(open_ones)),
            id="findings",
        ),
        section(
            pgettext("heading", "Remaining steps"), bullets([_todo(todo) for todo in checklist(done.plan)]), id="todo"
        ),
        section(pgettext("heading", "Nodes"), _node_table(done), id="nodes"),
        section(pgettext("heading", "Phases"), _phase_table(done.spans), id="phases"),
        folded(pgettext("heading", "Passed ({count})").format(count=len(fine)), passed(grouped(fine), known), "pass"),
    )


def _todo(todo: Todo) -> Html:
    return joined((tag("b", text(f"{todo.title}. ")), text(todo.text)))


def _node_table(done: Completion) -> Html:
    heads = (
        pgettext("column", "Address"),
        pgettext("column", "Role"),
        pgettext("column", "Name"),
        pgettext("column", "State"),
        pgettext("column", "Version"),
    )
    rows = [
        [
            text(cell or "—")
            for cell in (one["address"], role_label(one["role"]), one["name"], one["state"], one["version"])
        ]
        for one in _nodes(done)
    ]
    return table(heads, rows)


def _phase_table(found: Sequence[Span]) -> Html:
    heads = (pgettext("column", "Phase"), pgettext("column", "Started"), _("Duration (h:mm:ss)"))
    rows = [
        [text(phase_label(one.phase)), text(f"{one.began:%Y-%m-%d %H:%M:%S} UTC"), text(_duration(one.seconds))]
        for one in found
    ]
    total = [text(pgettext("row", "Total")), text(""), text(_duration(sum(one.seconds for one in found)))]
    return table(heads, [*rows, *([total] if found else [])])


def _duration(seconds: float) -> str:
    return str(timedelta(seconds=round(seconds)))
