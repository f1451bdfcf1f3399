"""Translate every text that people read, with gettext.

Message IDs are English. `_` translates when it is called. `N_` only marks a text that is translated where it is shown:
tables and field descriptions are built at import, before the language is known.
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
    """Set the language. None: ACP_TUI_LANG, else the locale variables. An unknown language gives English.

    `locales`: the folder with `<code>/LC_MESSAGES/acp-tui.mo`; None: `assets/locales`."""
    global _translations
    language = code or os.environ.get("ACP_TUI_LANG")
    languages = [language] if language else None
    _translations = _gettext.translation(DOMAIN, locales or asset_path("locales"), languages=languages, fallback=True)


def _(message: str) -> str:
    """Return the translation of `message`."""
    return _translations.gettext(message) if message else ""


def ngettext(singular: str, plural: str, count: int) -> str:
    """Return the translation of the form for `count`."""
    return _translations.ngettext(singular, plural, count)


def N_(message: str) -> str:  # noqa: N802 - the name gettext tools look for
    """Return `message` itself, marked for translation."""
    return message
