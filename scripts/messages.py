"""Extract the texts for translators, and update the file of a language: `messages.py COMMAND`.

The commands run Babel with the keywords of `acp_tui.core.i18n`:

    extract [FILE]   write all texts to assets/locales/acp-tui.pot, or to FILE
    update LANGUAGE  create or update assets/locales/LANGUAGE/LC_MESSAGES/acp-tui.po from the texts
"""

import os
import sys
from pathlib import Path

from babel.messages.frontend import CommandLineInterface

ROOT = Path(__file__).parents[1]
DOMAIN = "acp-tui"
LOCALES = Path("assets", "locales")
TEMPLATE = LOCALES / f"{DOMAIN}.pot"
KEYWORDS = (
    "_:1",
    "N_:1",
    "ngettext:1,2",
    "pgettext:1c,2",
    "npgettext:1c,2,3",
    "NC_:1c,2",
    "mark_plural:1,2",
)


def extract(template: Path = TEMPLATE) -> None:
    """Write all texts to the file `template`."""
    template.parent.mkdir(parents=True, exist_ok=True)
    keywords = [argument for keyword in KEYWORDS for argument in ("-k", keyword)]
    _pybabel("extract", "-F", "babel.cfg", "--no-default-keywords", *keywords, "--add-location=file", "--sort-output",
             "--omit-header", "-o", str(template), ".")  # fmt: skip


def update(language: str) -> None:
    """Create or update the translations of `language`, such as ru. Translations of changed texts are marked fuzzy."""
    extract()
    catalogue = LOCALES / language / "LC_MESSAGES" / f"{DOMAIN}.po"
    command = "update" if catalogue.exists() else "init"
    _pybabel(command, "-D", DOMAIN, "-i", str(TEMPLATE), "-d", str(LOCALES), "-l", language)


def _pybabel(command: str, *arguments: str) -> None:
    CommandLineInterface().run(["pybabel", "-q" if command == "extract" else "-v", command, *arguments])


def main(arguments: list[str]) -> int:
    """Run one command. Paths on the command line are relative to the working folder of the caller."""
    match arguments:
        case ["extract"]:
            os.chdir(ROOT)
            extract()
        case ["extract", file]:
            target = Path(file).absolute()
            os.chdir(ROOT)
            extract(target)
        case ["update", language] if language:
            os.chdir(ROOT)
            update(language)
        case _:
            print(__doc__, file=sys.stderr)
            return 2
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
