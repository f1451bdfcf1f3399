"""Translate the texts of screens and commands with gettext.

Source texts are English. `_` translates where it is called. `N_` and `NC_` only mark a text of a table or a field
description: tables are built at import, before the language is known, and are translated where they are shown.

A message of one or two words gets a context with `pgettext`, because other languages need a different word in each
place: `pgettext("column", "Role")`. A context is a short noun that names the place.

A language is one file, `assets/locales/<code>/LC_MESSAGES/acp-tui.po`. No list of languages exists.
"""

import gettext as _gettext
import os
from pathlib import Path

from acp_tui.core.assets import asset_path

DOMAIN = "acp-tui"

_translations: _gettext.NullTranslations = _gettext.NullTranslations()


def use_language(code: str | None = None, locales: Path | None = None) -> None:
    """Translate into `code` from now on. An unknown language is English.

    `code`: None takes ACP_TUI_LANG, then the locale variables.
    `locales`: the folder with `<code>/LC_MESSAGES/acp-tui.mo`; None takes `assets/locales`."""
    global _translations
    language = code or os.environ.get("ACP_TUI_LANG")
    languages = [language] if language else None
    _translations = _gettext.translation(DOMAIN, locales or asset_path("locales"), languages=languages, fallback=True)


def _(message: str) -> str:
    """Return `message` in the current language; an empty message stays empty."""
    return _translations.gettext(message) if message else ""


def ngettext(singular: str, plural: str, count: int) -> str:
    """Return the form of the message for `count`."""
    return _translations.ngettext(singular, plural, count)


def pgettext(context: str, message: str) -> str:
    """Return `message` as translated for the place that `context` names; an empty message stays empty."""
    return _translations.pgettext(context, message) if message else ""


def npgettext(context: str, singular: str, plural: str, count: int) -> str:
    """Return the form of the message for `count`, as translated for the place that `context` names."""
    return _translations.npgettext(context, singular, plural, count)


def N_(message: str) -> str:  # noqa: N802 - the name that gettext tools look for
    """Mark a text for extraction. Translate it later with `_`."""
    return message


def NC_(context: str, message: str) -> str:  # noqa: N802 - the name that gettext tools look for
    """Mark a text for extraction with its context. Translate it later with `pgettext` and the same context."""
    return message
