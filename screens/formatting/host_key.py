"""Text of the known host of a node: where its host keys come from."""

from acp_tui.core.i18n import pgettext
from acp_tui.plan.known_hosts import OWN_FILE, USER, KeySource, KnownHost


def source_text(known: KnownHost | None, file: str | None) -> str:
    """Return where the known host of a node comes from. `file`: the known hosts file that the plan names."""
    if known is None or known.source is KeySource.SEEN:
        return pgettext("host key", "seen, not confirmed")
    match known.source:
        case KeySource.CONFIRMED:
            return pgettext("host key", "confirmed")
        case KeySource.THIS_HOST:
            return pgettext("host key", "this host")
    return pgettext("host key", "from {file}").format(file=OWN_FILE if file == USER else file)
