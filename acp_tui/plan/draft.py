"""The wizard's unfinished state, a folder a draft: written at each change, read again after a crash or a lost link.

No secret is ever in it; the draft only remembers which secrets had been given, so that they are asked for again.
A living wizard holds a lock on its draft, which the kernel drops with the process, whatever ends it.
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
    folder: Path
    plan: Plan
    step: str = ""
    """Name of the step the operator was on; "" for the first."""
    visited: frozenset[str] = frozenset()
    invalid_input: Mapping[str, str] = field(default_factory=dict)
    """Dotted path → typed text that is not valid for the plan's field; never a secret. Stored under the key `rough`."""
    secrets_asked: frozenset[str] = frozenset()
    """Paths of secrets that were given before and are to be given again."""
    host_keys: Mapping[str, str] = field(default_factory=dict)
    """Node address → pinned OpenSSH public key."""
    preset: frozenset[str] = frozenset()
    """What the wizard itself has answered, as `presets` tells it."""
    pending_node_line: str = ""
    """Text on the line for new nodes, not yet entered. Stored under the key `adding`."""
    run: str | None = None
    """Folder of the install run started from this draft."""
    finished: bool = False
    """The install that it led to is done: there is nothing to go on with."""
    updated: datetime | None = None


class _State(BaseModel):
    """The draft's part that is not the plan, as it lies on disk."""

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
    """A draft with a folder of its own below `home`; nothing is on disk before it is first saved.

    `ask_secrets`: the plan comes without its secrets, so they are to be given again."""
    moment = now()
    asked = frozenset(_wanted_secrets(plan)) if ask_secrets else frozenset[str]()
    folder = home / "drafts" / f"{moment:%Y%m%d-%H%M%S}-{os.getpid()}"
    return Draft(folder, plan, host_keys=host_keys or {}, secrets_asked=asked)


def _wanted_secrets(plan: Plan) -> Iterator[str]:
    """Paths of the secrets that the other answers call for."""
    yield "admin.password"
    if not plan.ssh.key_file:
        yield "ssh.password"
    if plan.registry.username:
        yield "registry.password"
    for index, node in enumerate(plan.nodes):
        if node.ssh.username and not plan.login(node).key_file:
            yield f"nodes[{index}].ssh.password"


def save(draft: Draft) -> None:
    """Write the draft. Each file is replaced whole, so a kill in between leaves the last good state.

    OSError: not saved, and the previous state is still there."""
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
    """The draft in `folder`. OSError or ValueError: there is none that can be read."""
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
    """The draft that was saved last and that no living wizard holds; None: there is none."""
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
    """Take the draft for this process until the returned file is closed. None: another wizard holds it."""
    private_folder(folder)
    lock = (folder / "lock").open("w")
    if try_lock(lock):
        return lock
    lock.close()
    return None
