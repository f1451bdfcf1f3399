"""Translate the texts of screens and commands with gettext.

Source texts are English. `_` translates a text immediately. `N_` and `NC_` only mark a text for later translation. Use
them in tables and field descriptions, which Python creates at import, before the language is known.

A message of one or two words needs a context, because its translation can be different in each place. An example is
`pgettext("column", "Role")`. A context is a short noun that names the place of the message.

Each language has one file, `assets/locales/<code>/LC_MESSAGES/acp-tui.po`. The code contains no list of languages.
"""

import gettext as _gettext
import os
from pathlib import Path

from acp_tui.core.assets import asset_path

DOMAIN = "acp-tui"

_translations: _gettext.NullTranslations = _gettext.NullTranslations()


def use_language(code: str | None = None, locales: Path | None = None) -> None:
    """Select the language of all later translations. If the language is unknown, the texts stay English.

    `code`: the language, such as `de`. If it is None, ACP_TUI_LANG or the locale variables select the language.

    `locales`: the folder that contains `<code>/LC_MESSAGES/acp-tui.mo`. The default is `assets/locales`."""
    global _translations
    language = code or os.environ.get("ACP_TUI_LANG")
    languages = [language] if language else None
    _translations = _gettext.translation(DOMAIN, locales or asset_path("locales"), languages=languages, fallback=True)


def _(message: str) -> str:
    """Return `message` in the current language. An empty message stays empty."""
    return _translations.gettext(message) if message else ""


def ngettext(singular: str, plural: str, count: int) -> str:
    """Return the translated message in the singular or plural form that fits `count`."""
    return _translations.ngettext(singular, plural, count)


def pgettext(context: str, message: str) -> str:
    """Return the translation of `message` for the place that `context` names. An empty message stays empty."""
    return _translations.pgettext(context, message) if message else ""


def npgettext(context: str, singular: str, plural: str, count: int) -> str:
    """Return the translation for the place that `context` names, in the singular or plural form that fits `count`."""
    return _translations.npgettext(context, singular, plural, count)


def N_(message: str) -> str:  # noqa: N802 - the name that gettext tools look for
    """Mark a text for translation, and return the text unchanged. The caller translates it later with `_`."""
    return message


def NC_(context: str, message: str) -> str:  # noqa: N802 - the name that gettext tools look for
    """Mark a text with its context for translation, and return the text unchanged.

    The caller translates it later with `pgettext` and the same context."""
    return message
