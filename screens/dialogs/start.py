"""The way in: go on with a draft, begin anew by one of two ways, or load a plan file or a bundle."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from pydantic import SecretStr
from rich.text import Text
from textual.app import App

from acp_tui.core.files import resolve_path
from acp_tui.core.gpg.encryption import GpgFailed, PassphraseNeeded, PassphraseWrong
from acp_tui.core.i18n import _, ngettext
from acp_tui.nodes.ssh.known_hosts import known_hosts_path, read_known_hosts
from acp_tui.plan.draft import Draft, last_unfinished, new_draft
from acp_tui.plan.file import PlanErrors, load_plan, secret_values
from acp_tui.plan.model import Plan
from acp_tui.preflight.bundle import BundleCorrupt, is_bundle, open_bundle
from screens.dialogs.prompts import Ask, Pick, Read


@dataclass(frozen=True)
class Start:
    """What the wizard begins with."""

    draft: Draft
    plan_file: Path | None = None
    """The file that it came from, and that is offered for saving; a bundle is never written to."""
    base: Path | None = None
    """The folder that its relative paths start from; None: where acp-tui was started."""
    trial: bool = False


async def choose(app: App[int], home: Path, practice: Plan | None) -> Start | None:
    """Ask what to begin with; None: with nothing. A practice is asked about only where one was begun before."""
    draft = await asyncio.to_thread(last_unfinished, home)
    if practice is not None and draft is None:
        return Start(new_draft(home, practice))
    options = [("g", _("go on with it"))] if draft else []
    if practice is None:
        options += [
            ("t", _("one node for a trial: a handful of answers")),
            ("n", _("a new install, step by step")),
            ("l", _("load a plan file or a bundle")),
        ]
    else:
        options.append(("n", _("begin a new one")))
    text = _told(draft) if draft else _("What would you like to do?")
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


def _told(draft: Draft) -> str:
    when = f"{draft.updated.astimezone():%Y-%m-%d %H:%M}" if draft.updated else "?"
    count = len(draft.plan.nodes)
    nodes = ngettext("{count} node", "{count} nodes", count).format(count=count)
    text = _("There is an unfinished draft of {when}: {nodes}, step {step}. Secrets are asked for again.")
    return text.format(when=when, nodes=nodes, step=draft.step or "-")


async def _loaded(app: App[int], home: Path) -> Start | None:
    """What a path that is asked for leads to; None: the question was left."""
    typed: str | None = ""
    while True:
        question = _("Path of a plan file, or of the folder of a bundle.")
        typed = await app.push_screen_wait(Ask(_("Load"), question, typed or ""))
        if not typed:
            return None
        try:
            return await _opened(app, _path(typed), home)
        except (PlanErrors, BundleCorrupt, GpgFailed) as error:
            await app.push_screen_wait(Read(_("This cannot be used"), Text(str(error))))
        except OSError as error:
            why = _("{path}: {why}").format(path=typed, why=error.strerror or error)
            await app.push_screen_wait(Read(_("This cannot be used"), Text(why)))


def _path(typed: str) -> Path:
    return resolve_path(Path.cwd(), typed)


async def _opened(app: App[int], path: Path, home: Path) -> Start:
    """Raises PlanErrors, BundleDamaged, GpgFailed, OSError."""
    if not is_bundle(path):
        plan, keys = await asyncio.to_thread(lambda: (load_plan(path), read_known_hosts(known_hosts_path(home, path))))
        return Start(new_draft(home, plan, keys), path, path.parent)
    passphrase: SecretStr | None = None
    with_secrets = True
    while True:
        try:
            bundle = await asyncio.to_thread(open_bundle, path, passphrase, secrets=with_secrets)
        except (PassphraseNeeded, PassphraseWrong) as error:
            question = _("The secrets are encrypted: {why}. Left empty, each secret is asked for again.")
            ask = Ask(_("Passphrase of the bundle"), question.format(why=error), secret=True)
            typed = await app.push_screen_wait(ask)
            passphrase, with_secrets = (SecretStr(typed), True) if typed else (None, False)
        else:
            draft = new_draft(home, bundle.plan, bundle.known_hosts, ask_secrets=bundle.document is None)
            return Start(draft, base=path)


def practice_secrets(draft: Draft, practice: Plan) -> Mapping[str, object]:
    """The practice's own values for the secrets that a resumed draft asks for."""
    known = secret_values(practice)
    return {path: known[path] for path in draft.secrets_asked if path in known}
