"""The header line of a step: the program name, and the release or the notice that the cluster is simulated."""

from rich.text import Text

from acp_tui.core.i18n import _, pgettext


def header(release: str, *, practice: bool) -> Text:
    text = Text(no_wrap=True, overflow="ellipsis")
    text.append(" acp-tui ", "bold reverse")
    if practice:
        text.append(f" {pgettext('header', 'PRACTICE')} ", "bold black on yellow")
        text.append(" " + _("This cluster is simulated. No real machine is changed."))
    else:
        text.append(" " + _("Alauda Container Platform {release}").format(release=release))
    return text
