"""Tests of the texts for translators, extracted from the sources and the catalogue by `make messages`."""

import re
import shutil
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
from babel.messages.catalog import Message
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po

from acp_tui.cli import argparse_texts
from acp_tui.core.i18n import NC_, npgettext, pgettext, use_language
from tests.support.messages import extracted

ROOT = Path(__file__).parents[2]
PLACEHOLDER = re.compile(r"\{[^}]*\}|%\(\w+\)[sr]|%[sr]")
WORD = re.compile(r"[^\W\d_]+")
SHELL_LINE = re.compile(
    r"(?m)^ *(sudo )?(apt|apt-get|cat|chmod|chown|chronyc|cp|crictl|curl|dd|df|dnf|docker|dpkg|echo|firewall-cmd|free"
    r"|getent|grubby|hostnamectl|ip|kubectl|ln|ls|lsblk|mkdir|modprobe|mount|mv|nerdctl|nmcli|openssl|passwd"
    r"|printf|reboot|rm|rpm|scp|sed|setenforce|ss|ssh|ssh-keygen|swapoff|sysctl|systemctl|tar|timedatectl|ufw"
    r"|umount|useradd|usermod|yum)( [^\n]*)?( -|;|\|\||&& |  # | /|>)"
)
"""A line that starts with a command and goes on as shell text. A sentence about a command ends with a full stop."""
SHORT_LEFT = {"acp_tui": 0, "screens": 0}
"""Messages of one or two words without a context, by the top folder. Lower the figures; add nothing."""
ARGPARSE = {*argparse_texts.TEXTS, *(text for pair in argparse_texts.PLURALS for text in pair)}
"""argparse asks for its texts without a context."""


def messages() -> list[Message]:
    catalogue, _warnings = extracted()
    return [message for message in catalogue if message.id]


def forms(message: Message) -> tuple[str, ...]:
    """The singular, and the plural if there is one."""
    return message.id if isinstance(message.id, tuple) else (str(message.id),)


def short(message: Message) -> bool:
    return len(WORD.findall(PLACEHOLDER.sub("", forms(message)[0]))) <= 2


def test_extraction_has_no_warnings() -> None:
    catalogue, warnings = extracted()
    assert warnings == ""
    assert len(catalogue) > 2000


def test_no_text_is_blank() -> None:
    assert [message.id for message in messages() if not all(text.strip() for text in forms(message))] == []


def test_findings_of_the_catalogue_are_extracted() -> None:
    texts = {text for message in messages() for text in forms(message)}
    assert "scp and sftp are missing" in texts


def test_shell_text_is_not_a_message() -> None:
    lines = {text for message in messages() for text in forms(message) if SHELL_LINE.search(text)}
    assert {text for text in lines if not text.endswith(".")} == set()


def test_placeholders_are_not_escaped_twice() -> None:
    """A message that is formatted twice shows `{{value}}` to the translator."""
    escaped = {text for message in messages() for text in forms(message) if re.search(r"\{\{\w+\}\}", text)}
    assert escaped == set()


def test_short_texts_have_a_context() -> None:
    counts: Counter[str] = Counter()
    for message in messages():
        if short(message) and message.context is None and not ARGPARSE & set(forms(message)):
            counts.update({Path(file).parts[0] for file, _line in message.locations if file.endswith(".py")})
    assert {folder: count for folder, count in counts.items() if count > SHORT_LEFT[folder]} == {}, counts


@pytest.fixture
def french(tmp_path: Path) -> Iterator[None]:
    """A language with two meanings of one word, compiled as a real one is."""
    place = tmp_path / "fr" / "LC_MESSAGES"
    place.mkdir(parents=True)
    (place / "acp-tui.po").write_text(
        'msgid ""\nmsgstr "Content-Type: text/plain; charset=UTF-8\\nPlural-Forms: nplurals=2; plural=n>1;\\n"\n'
        'msgctxt "key"\nmsgid "view"\nmsgstr "vue"\n'
        'msgctxt "log"\nmsgid "view"\nmsgstr "voir"\n'
        'msgctxt "tally"\nmsgid "{n} node"\nmsgid_plural "{n} nodes"\nmsgstr[0] "{n} nœud"\nmsgstr[1] "{n} nœuds"\n'
        'msgid "options"\nmsgstr "choix"\n'
        'msgid "expected one argument"\nmsgstr "un argument attendu"\n',
        encoding="utf-8",
    )
    with (place / "acp-tui.po").open("rb") as source, (place / "acp-tui.mo").open("wb") as compiled:
        write_mo(compiled, read_po(source))
    use_language("fr", tmp_path)
    yield
    use_language("en")


@pytest.mark.usefixtures("french")
def test_context_selects_the_translation() -> None:
    assert (pgettext("key", "view"), pgettext("log", NC_("log", "view")), pgettext("other", "view")) == (
        "vue",
        "voir",
        "view",
    )
    assert npgettext("tally", "{n} node", "{n} nodes", 1) == "{n} nœud"
    assert npgettext("tally", "{n} node", "{n} nodes", 2) == "{n} nœuds"
    assert pgettext("key", "") == ""


def test_language_can_be_added(tmp_path: Path) -> None:
    """The script writes a .po file with all texts, from a copy of some sources."""
    shutil.copy(ROOT / "babel.cfg", tmp_path)
    for folder in ("scripts", "acp_tui/core", "assets/catalog"):
        shutil.copytree(ROOT / folder, tmp_path / folder)
    code = "import sys; sys.path.insert(0, 'scripts'); import messages; messages.update('ru'); messages.update('ru')"
    subprocess.run([sys.executable, "-c", code], cwd=tmp_path, check=True, capture_output=True)
    with (tmp_path / "assets/locales/ru/LC_MESSAGES/acp-tui.po").open("rb") as file:
        catalogue = read_po(file)
    assert catalogue.num_plurals == 3
    assert len(catalogue) > 100
