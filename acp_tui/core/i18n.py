"""Every text a person reads passes through here (gettext), so a language is a file and not a search through the code.

Sources are English. `_` translates at the moment of the call, `N_` only marks a text that is translated later, where it
is shown: field descriptions and tables are built at import, before the operator's language is known.
"""

import gettext as _gettext
import os
from collections.abc import Mapping
from pathlib import Path

from acp_tui.core.assets import asset_path

DOMAIN = "acp-tui"
LANGUAGES: Mapping[str, str] = {"en": "English", "ru": "Русский"}

_translations: _gettext.NullTranslations = _gettext.NullTranslations()


def use_language(code: str | None = None, locales: Path | None = None) -> None:
    """Speak `code` from now on; None takes ACP_TUI_LANG, then the locale variables. An unknown language is English.

    `locales`: where `<code>/LC_MESSAGES/acp-tui.mo` lies, if not among our own."""
    global _translations
    wanted = code or os.environ.get("ACP_TUI_LANG")
    languages = [wanted] if wanted else None
    _translations = _gettext.translation(DOMAIN, locales or asset_path("locales"), languages=languages, fallback=True)


def _(message: str) -> str:
    return _translations.gettext(message) if message else ""


def ngettext(singular: str, plural: str, count: int) -> str:
    return _translations.ngettext(singular, plural, count)


def pgettext(context: str, message: str) -> str:
    """`message` as it is translated in the place that `context` names; an empty one stays empty."""
    return _translations.pgettext(context, message) if message else ""


def N_(message: str) -> str:  # noqa: N802 - the name gettext tools look for
    """Mark a text for translation without translating it yet."""
    return message
