"""The command `explain`: describe a requirement, or list all requirements."""

from argparse import Namespace
from typing import TYPE_CHECKING

from acp_tui.cli.options import Subparsers, add_command, add_json
from acp_tui.core.errors import ExitStatus
from acp_tui.core.i18n import _, pgettext
from acp_tui.plan.release import RELEASES

if TYPE_CHECKING:
    from acp_tui.checks.catalog import Requirement


def register(commands: Subparsers) -> None:
    """Add this command and its options to the parser."""
    help = _("describe a requirement: what it demands, why, how it is checked, how to fix a failure")
    parser = add_command(commands, "explain", run, help)
    parser.add_argument(
        "id",
        metavar=pgettext("metavar", "ID"),
        nargs="?",
        help=_("ID of a requirement; without it, all requirements are listed"),
    )
    parser.add_argument(
        "--release",
        choices=RELEASES,
        help=_("use the requirements of this release; default: {release}").format(release=RELEASES[0]),
    )
    add_json(parser)


def run(options: Namespace) -> int:
    """Print one requirement, or the list of all requirements."""
    from acp_tui.checks.catalog import catalogue
    from acp_tui.checks.labels import severity_label
    from acp_tui.cli.context import CommandFailed, print_json, print_out
    from acp_tui.cli.table import columns
    from acp_tui.preflight.report.explain import explain_requirement, later_releases

    release = options.release or RELEASES[0]
    requirements = catalogue(release)
    if options.id is None:
        if options.json:
            print_json([_row(row, release) for row in requirements.values()])
        else:
            rows = [(row.id, severity_label(row.severity), _(row.title)) for row in requirements.values()]
            print_out("\n".join(columns(rows)))
        return ExitStatus.DONE
    found = requirements.get(options.id.upper())
    if found is None:
        message = _("{id} is not the ID of a requirement. To list all requirements, run acp-tui explain.")
        raise CommandFailed(message.format(id=options.id), ExitStatus.USAGE)
    if options.json:
        print_json(_row(found, release))
        return ExitStatus.DONE
    print_out(pgettext("requirement", "{id} (release {release})").format(id=found.id, release=release))
    print_out(_(found.title))
    for name, text in (*explain_requirement(found), *later_releases(found.id, release)):
        print_out(f"\n{name}:\n  " + text.replace("\n", "\n  "))
    return ExitStatus.DONE


def _row(row: "Requirement", release: str) -> dict[str, object]:
    from acp_tui.preflight.report.explain import expected_text, how_observed

    return {
        "id": row.id,
        "release": release,
        "severity": row.severity.value,
        "title": _(row.title),
        "expected": expected_text(row),
        "why": _(row.why),
        "remedy": row.remedy_text(),
        "remedies": {system: row.remedy_text(system) for system in row.os_commands},
        "how": how_observed(row),
        "judged_by": list(row.judged_by),
    }
