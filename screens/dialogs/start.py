"""The first dialog of the wizard. It resumes a draft, starts a new install or a trial, or opens a plan or a bundle."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from pydantic import SecretStr
from rich.text import Text
from textual.app import App

from acp_tui.core.files import resolve_path
from acp_tui.core.gpg.encryption import GpgFailed, PassphraseNeeded, PassphraseWrong
from acp_tui.core.i18n import _, ngettext, pgettext
from acp_tui.plan.draft import Draft, last_unfinished, new_draft
from acp_tui.plan.file import PlanErrors, ReferencePolicy, plan_of, read_plan, secret_values
from acp_tui.plan.known_hosts import known_hosts_path, read_known_hosts
from acp_tui.plan.model import Plan
from acp_tui.preflight.bundle import Bundle, BundleCorrupt, is_bundle, open_bundle
from screens.dialogs.prompts import Ask, Pick, Read
from screens.dialogs.references import read_with_references


@dataclass(frozen=True)
class Start:
    """The draft that the wizard opens, and the source of the draft."""

    draft: Draft
    plan_file: Path | None = None
    """The opened plan file: the default path for saving. None for a bundle, because a bundle is never overwritten."""
    plan_dir: Path | None = None
    """The folder from which relative file paths are resolved. None for the current folder."""
    trial: bool = False
    warnings: tuple[str, ...] = ()
    """Messages that the wizard shows when it opens."""


async def choose(app: App[int], home: Path, practice: Plan | None) -> Start | None:
    """Ask how to start the wizard. None if the operator cancels.

    For a practice cluster, ask only if an unfinished draft exists."""
    draft = await asyncio.to_thread(last_unfinished, home)
    if practice is not None and draft is None:
        return Start(new_draft(home, practice))
    options = [("g", _("Resume this draft"))] if draft else []
    if practice is None:
        options += [
            ("t", _("Single-node trial: quick setup")),
            ("n", _("New install, step by step")),
            ("l", _("Open a plan file or a bundle")),
        ]
    else:
        options.append(("n", _("Start again with a new draft")))
    text = _unfinished(draft) if draft else _("Choose how to start.")
    while True:
        match await app.push_screen_wait(Pick("acp-tui", options, text)):
            case "g" if draft:
                return Start(draft)
            case "t":
                return Start(new_draft(home, Plan()), trial=True)
            case "n":
                return Start(new_draft(home, practice or Plan()))
            case "l":
                if (start := await _loaded(app, home)) is not None:
                    return start
            case _other:
                return None


def _unfinished(draft: Draft) -> str:
    """Return a text that says when the draft was saved, how many nodes it has, and which step was open."""
    when = f"{draft.updated.astimezone():%Y-%m-%d %H:%M}" if draft.updated else "?"
    count = len(draft.plan.nodes)
    text = ngettext(
        "The draft from {when} is not finished. It has {count} node and is at step {step}. "
        "You must enter the secrets again.",
        "The draft from {when} is not finished. It has {count} nodes and is at step {step}. "
        "You must enter the secrets again.",
        count,
    )
    return text.format(when=when, count=count, step=draft.step or "-")


async def _loaded(app: App[int], home: Path) -> Start | None:
    """Ask for the path of a plan file or a bundle, and open the file or the bundle. None if the operator cancels."""
    typed: str | None = ""
    while True:
        question = _("Enter the path of a plan file or of a bundle folder.")
        typed = await app.push_screen_wait(Ask(pgettext("dialog", "Open"), question, typed or ""))
        if not typed:
            return None
        try:
            if (start := await _opened(app, _path(typed), home)) is not None:
                return start
        except (PlanErrors, BundleCorrupt, GpgFailed) as error:
            await app.push_screen_wait(Read(pgettext("error", "Cannot open"), Text(str(error))))
        except OSError as error:
            message = pgettext("error", "acp-tui cannot open {path}: {reason}")
            reason = message.format(path=typed, reason=error.strerror or error)
            await app.push_screen_wait(Read(pgettext("error", "Cannot open"), Text(reason)))


def _path(typed: str) -> Path:
    return resolve_path(Path.cwd(), typed)


async def _opened(app: App[int], path: Path, home: Path) -> Start | None:
    """Open the plan file or the bundle at `path`. If the bundle has encrypted secrets, ask for the passphrase.

    None if the operator does not confirm the references of the plan.

    Raises: PlanErrors, BundleCorrupt, GpgFailed, OSError."""
    if not is_bundle(path):
        reading = await read_with_references(app, home, lambda policy: read_plan(path, references=policy))
        if reading is None:
            return None
        plan = plan_of(reading)
        keys = await asyncio.to_thread(lambda: read_known_hosts(known_hosts_path(home, path)))
        return Start(new_draft(home, plan, keys), path, path.parent, warnings=reading.warnings)
    passphrase: SecretStr | None = None
    with_secrets = True
    while True:
        try:
            read = partial(_read_bundle, path, passphrase, with_secrets)
            bundle = await read_with_references(app, home, read)
        except (PassphraseNeeded, PassphraseWrong) as error:
            question = _(
                "acp-tui cannot decrypt the secrets of the bundle: {reason}. Enter the passphrase. "
                "If you leave the field empty, you must enter each secret again."
            )
            ask = Ask(_("Passphrase of the bundle"), question.format(reason=error), secret=True)
            typed = await app.push_screen_wait(ask)
            passphrase, with_secrets = (SecretStr(typed), True) if typed else (None, False)
        else:
            if bundle is None:
                return None
            draft = new_draft(home, bundle.plan, bundle.known_hosts, ask_secrets=bundle.document is None)
            return Start(draft, plan_dir=path)


def _read_bundle(path: Path, passphrase: SecretStr | None, secrets: bool, policy: ReferencePolicy) -> Bundle:
    return open_bundle(path, passphrase, secrets=secrets, references=policy)


def practice_secrets(draft: Draft, practice: Plan) -> Mapping[str, object]:
    """Return the secrets of the practice cluster that are missing from a resumed draft, by plan key."""
    known = secret_values(practice)
    return {path: known[path] for path in draft.secrets_asked if path in known}
