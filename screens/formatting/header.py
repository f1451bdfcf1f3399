"""The header line of a step. It shows the name of the program and the release, or a notice of the practice cluster."""

from rich.text import Text

from acp_tui.core.i18n import _, pgettext


def header(release: str, *, practice: bool) -> Text:
    text = Text(no_wrap=True, overflow="ellipsis")
    text.append(" acp-tui ", "bold reverse")
    if practice:
        text.append(f" {pgettext('header', 'PRACTICE')} ", "bold black on yellow")
        text.append(" " + _("This cluster is simulated. No real machine changes."))
    else:
        text.append(" " + _("Alauda Container Platform {release}").format(release=release))
    return text
