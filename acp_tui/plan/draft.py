"""The drafts of unfinished wizards, one folder each: written at each change, and read to resume.

A draft has no secrets; it only lists the secrets that were entered, so that the wizard asks for them again.
A running wizard holds a lock on its draft; the kernel releases it when the process ends.
"""

import json
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import TextIO

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from acp_tui.core.clock import now
from acp_tui.core.files import private_folder, write_atomically
from acp_tui.core.locks import try_lock
from acp_tui.plan.file import dump_plan, read_plan, secret_values
from acp_tui.plan.model import Plan

PLAN_NAME = "plan.yaml"
STATE_NAME = "draft.json"


@dataclass(frozen=True)
class Draft:
    """The state of a wizard."""

    folder: Path
    plan: Plan
    step: str = ""
    """Name of the current step; "" for the first."""
    visited: frozenset[str] = frozenset()
    invalid_input: Mapping[str, str] = field(default_factory=dict)
    """Dotted path → typed text that is not valid for the plan's field; never a secret. Stored under the key `rough`."""
    secrets_asked: frozenset[str] = frozenset()
    """Paths of secrets that were entered before and must be entered again."""
    host_keys: Mapping[str, str] = field(default_factory=dict)
    """Node address → known OpenSSH public key."""
    preset: frozenset[str] = frozenset()
    """The current derived defaults, as `derived_defaults` names them."""
    pending_node_line: str = ""
    """Text on the line for new nodes, not yet entered. Stored under the key `adding`."""
    run: str | None = None
    """Folder of the install run started from this draft."""
    finished: bool = False
    """Whether the install from this draft has finished, so that there is nothing to resume."""
    updated: datetime | None = None


class _State(BaseModel):
    """The content of `draft.json`: everything except the plan."""

    model_config = ConfigDict(extra="ignore")

    step: str = ""
    visited: list[str] = Field(default_factory=list)
    rough: dict[str, str] = Field(default_factory=dict)
    secrets_asked: list[str] = Field(default_factory=list)
    host_keys: dict[str, str] = Field(default_factory=dict)
    preset: list[str] = Field(default_factory=list)
    adding: str = ""
    run: str | None = None
    finished: bool = False
    updated: datetime | None = None


def new_draft(
    home: Path, plan: Plan, host_keys: Mapping[str, str] | None = None, *, ask_secrets: bool = False
) -> Draft:
    """Return a draft with a new folder below `home`; nothing is written until it is saved.

    `ask_secrets`: the plan has no secrets, so they must be entered again."""
    moment = now()
    asked = frozenset(_required_secrets(plan)) if ask_secrets else frozenset[str]()
    folder = home / "drafts" / f"{moment:%Y%m%d-%H%M%S}-{os.getpid()}"
    return Draft(folder, plan, host_keys=host_keys or {}, secrets_asked=asked)


def _required_secrets(plan: Plan) -> Iterator[str]:
    """Yield the paths of the secrets that the other answers require."""
    yield "admin.password"
    if not plan.ssh.key_file:
        yield "ssh.password"
    if plan.registry.username:
        yield "registry.password"
    for index, node in enumerate(plan.nodes):
        if node.ssh.username and not plan.login(node).key_file:
            yield f"nodes[{index}].ssh.password"


def save(draft: Draft) -> None:
    """Write the draft. Each file is replaced atomically, so a kill leaves a valid draft.

    Raises OSError if the draft was not saved; the previous state remains."""
    for folder in (draft.folder.parent.parent, draft.folder.parent, draft.folder):
        private_folder(folder)
    state = _State(
        step=draft.step,
        visited=sorted(draft.visited),
        rough=dict(draft.invalid_input),
        secrets_asked=sorted({*draft.secrets_asked, *secret_values(draft.plan)}),
        host_keys=dict(draft.host_keys),
        preset=sorted(draft.preset),
        adding=draft.pending_node_line,
        run=draft.run,
        finished=draft.finished,
        updated=now(),
    )
    write_atomically(draft.folder / PLAN_NAME, dump_plan(draft.plan))
    write_atomically(draft.folder / STATE_NAME, state.model_dump_json(indent=2) + "\n")


def load(folder: Path) -> Draft:
    """Return the draft in `folder`. Raises OSError or ValueError if it cannot be read."""
    try:
        state = _State.model_validate(json.loads((folder / STATE_NAME).read_text(encoding="utf-8")))
    except ValidationError as error:
        raise ValueError(f"{folder}: {error.error_count()} errors in {STATE_NAME}") from None
    plan = read_plan(folder / PLAN_NAME).plan
    if plan is None:
        raise ValueError(f"{folder}: {PLAN_NAME} cannot be used")
    return Draft(
        folder=folder,
        plan=plan,
        step=state.step,
        visited=frozenset(state.visited),
        invalid_input=state.rough,
        secrets_asked=frozenset(state.secrets_asked),
        host_keys=state.host_keys,
        preset=frozenset(state.preset),
        pending_node_line=state.adding,
        run=state.run,
        finished=state.finished,
        updated=state.updated,
    )


def last_unfinished(home: Path) -> Draft | None:
    """Return the newest unfinished draft that no running wizard holds, or None."""
    candidates = sorted(
        (home / "drafts").glob(f"*/{STATE_NAME}"), key=lambda file: file.stat().st_mtime_ns, reverse=True
    )
    for file in candidates:
        lock = hold(file.parent)
        if lock is None:
            continue
        lock.close()
        try:
            draft = load(file.parent)
        except (OSError, ValueError):
            continue
        if not draft.finished:
            return draft
    return None


def hold(folder: Path) -> TextIO | None:
    """Acquire an exclusive lock on the draft; closing the returned file releases it. None: another wizard holds it."""
    private_folder(folder)
    lock = (folder / "lock").open("w")
    if try_lock(lock):
        return lock
    lock.close()
    return None
