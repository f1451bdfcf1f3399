"""The drafts of unfinished wizards. Each draft has its own folder and is saved after every change.

A draft contains no secrets. It only contains the plan keys of the secrets that were entered, so that a resumed wizard
asks for these secrets again. A running wizard locks its draft. The kernel releases the lock when the process ends.
"""

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import TextIO

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from acp_tui.core.clock import now
from acp_tui.core.files import private_folder, read_trusted, write_atomically
from acp_tui.core.locks import try_lock
from acp_tui.core.ownership import require_trusted
from acp_tui.plan.file import dump_plan, read_plan, secret_values
from acp_tui.plan.known_hosts import KeySource, KnownHost, KnownHosts, recorded
from acp_tui.plan.model import Plan

PLAN_NAME = "plan.yaml"
STATE_NAME = "draft.json"
_LARGEST_STATE = 4 << 20
"""Maximum size, in bytes, of a state file that is read."""


@dataclass(frozen=True)
class Draft:
    """The saved state of a wizard."""

    folder: Path
    plan: Plan
    step: str = ""
    """The name of the wizard step that is shown; "" means the first step."""
    visited: frozenset[str] = frozenset()
    invalid_input: Mapping[str, str] = field(default_factory=dict)
    """Plan key → invalid text that the operator typed as its value. Invalid secrets are not stored.

    In `draft.json`, the key of this mapping is `rough`."""
    secrets_asked: frozenset[str] = frozenset()
    """The plan keys of the secrets that the operator must enter again."""
    known_hosts: KnownHosts = field(default_factory=dict)
    """Node address → recorded OpenSSH public key of the node."""
    preset: frozenset[str] = frozenset()
    """The set `derived` of the module `derived_defaults`: it identifies the current derived defaults."""
    pending_node_line: str = ""
    """The text that the operator typed in the field for new nodes, but did not add to the plan yet.

    In `draft.json`, the key of this text is `adding`."""
    run: str | None = None
    """The folder of the install run that was started from this draft."""
    finished: bool = False
    """True if the install from this draft has finished. Then the wizard does not offer to resume the draft."""
    updated: datetime | None = None


class _State(BaseModel):
    """The content of `draft.json`. The plan of the draft is in a separate file, `plan.yaml`."""

    model_config = ConfigDict(extra="ignore")

    step: str = ""
    visited: list[str] = Field(default_factory=list)
    rough: dict[str, str] = Field(default_factory=dict)
    secrets_asked: list[str] = Field(default_factory=list)
    host_keys: dict[str, str] = Field(default_factory=dict)
    confirmed: list[str] = Field(default_factory=list)
    preset: list[str] = Field(default_factory=list)
    adding: str = ""
    run: str | None = None
    finished: bool = False
    updated: datetime | None = None


def new_draft(home: Path, plan: Plan, known_hosts: KnownHosts | None = None, *, ask_secrets: bool = False) -> Draft:
    """Return a new draft whose folder is below `home`. The function `save` creates the folder and its files.

    `ask_secrets`: True if the secrets of `plan` are unknown, so that the wizard must ask for them."""
    moment = now()
    asked = frozenset(_required_secrets(plan)) if ask_secrets else frozenset[str]()
    folder = home / "drafts" / f"{moment:%Y%m%d-%H%M%S}-{os.getpid()}"
    return Draft(folder, plan, known_hosts=_taken_over(known_hosts or {}), secrets_asked=asked)


def _taken_over(known: KnownHosts) -> KnownHosts:
    """Return the known hosts of a plan file or a bundle so that the draft saves them."""
    return {
        a: KnownHost(host.keys[:1], KeySource.CONFIRMED if host.confirmed else host.source) for a, host in known.items()
    }


def _required_secrets(plan: Plan) -> Iterator[str]:
    """Yield the plan keys of the secrets that the plan requires."""
    yield "admin.password"
    if not plan.ssh.key_file:
        yield "ssh.password"
    if plan.registry.username:
        yield "registry.password"
    for index, node in enumerate(plan.nodes):
        if node.ssh.username and not plan.login(node).key_file:
            yield f"nodes[{index}].ssh.password"


def save(draft: Draft) -> None:
    """Write the draft to its folder.

    Each file is replaced atomically, so the draft stays valid if the process is killed. Raises OSError if a file cannot
    be written. The previous version of that file then remains."""
    for folder in (draft.folder.parent.parent, draft.folder.parent, draft.folder):
        private_folder(folder)
    state = _State(
        step=draft.step,
        visited=sorted(draft.visited),
        rough=dict(draft.invalid_input),
        secrets_asked=sorted({*draft.secrets_asked, *secret_values(draft.plan)}),
        host_keys={address: host.keys[0] for address, host in recorded(draft.known_hosts).items()},
        confirmed=sorted(a for a, host in recorded(draft.known_hosts).items() if host.confirmed),
        preset=sorted(draft.preset),
        adding=draft.pending_node_line,
        run=draft.run,
        finished=draft.finished,
        updated=now(),
    )
    write_atomically(draft.folder / PLAN_NAME, dump_plan(draft.plan))
    write_atomically(draft.folder / STATE_NAME, state.model_dump_json(indent=2) + "\n")


def load(folder: Path) -> Draft:
    """Read the draft in `folder`.

    Raises OSError or ValueError if the draft cannot be read, and UntrustedPath if another user can change it."""
    require_trusted(folder / PLAN_NAME)
    try:
        state = _State.model_validate_json(read_trusted(folder / STATE_NAME, _LARGEST_STATE))
    except ValidationError as error:
        raise ValueError(f"{folder}: {STATE_NAME} has {error.error_count()} invalid values") from None
    plan = read_plan(folder / PLAN_NAME).plan
    if plan is None:
        raise ValueError(f"{folder}: {PLAN_NAME} is not a plan")
    return Draft(
        folder=folder,
        plan=plan,
        step=state.step,
        visited=frozenset(state.visited),
        invalid_input=state.rough,
        secrets_asked=frozenset(state.secrets_asked),
        known_hosts={
            address: KnownHost((key,), KeySource.CONFIRMED if address in state.confirmed else KeySource.SEEN)
            for address, key in state.host_keys.items()
        },
        preset=frozenset(state.preset),
        pending_node_line=state.adding,
        run=state.run,
        finished=state.finished,
        updated=state.updated,
    )


def last_unfinished(home: Path) -> Draft | None:
    """Return the newest unfinished draft that is not locked by a running wizard; None if no such draft exists.

    A draft that cannot be read is left out, and so is a draft that another user can change."""
    candidates = sorted(
        (home / "drafts").glob(f"*/{STATE_NAME}"), key=lambda file: file.stat().st_mtime_ns, reverse=True
    )
    for file in candidates:
        try:
            lock = hold(file.parent)
            if lock is None:
                continue
            lock.close()
            draft = load(file.parent)
        except (OSError, ValueError):
            continue
        if not draft.finished:
            return draft
    return None


def hold(folder: Path) -> TextIO | None:
    """Lock the draft in `folder` and return the lock file. Closing that file releases the lock.

    Return None if another wizard holds the lock. Raises OSError."""
    private_folder(folder)
    lock = (folder / "lock").open("w")
    if try_lock(lock):
        return lock
    lock.close()
    return None
