"""What every command shares: reading PLAN, speaking to standard output and error, and failing with the right status."""

import json
import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from acp_tui.bundle import BundleDamaged, is_bundle, open_bundle
from acp_tui.draft import state_home
from acp_tui.hostkeys import pins_file, read_pins, write_pins
from acp_tui.plan import Plan
from acp_tui.planfile import PlanErrors, load_plan
from acp_tui.texts import _
from acp_tui.verdict import Exit


class CommandFailed(Exception):
    """The command ends here: the text goes to standard error, `status` is the exit status."""

    def __init__(self, text: str, status: int = Exit.IMPOSSIBLE) -> None:
        super().__init__(text)
        self.status = status


@dataclass(frozen=True)
class Source:
    """Where a plan came from."""

    plan: Plan
    file: Path
    host_keys: Mapping[str, str]
    bundle: bool

    @property
    def base(self) -> Path:
        """The folder that the plan's relative paths start from."""
        return self.file.parent

    def pin(self, seen: Mapping[str, str]) -> None:
        """Keep host keys of first contacts. A bundle is never changed."""
        if not self.bundle and (new := {**seen, **self.host_keys}) != dict(self.host_keys):
            try:
                write_pins(pins_file(state_home(), self.file), new)
            except OSError as error:
                say(_("The host keys could not be kept: {why}").format(why=error.strerror))


def say(text: str) -> None:
    """A message for the person: standard error."""
    print(text, file=sys.stderr, flush=True)


def show(text: str) -> None:
    """The answer: standard output. Raises `CommandFailed` where it takes no more, as on a full disk."""
    try:
        print(text, flush=True)
    except BrokenPipeError:
        raise
    except OSError as error:
        # What is still in the buffer cannot be written at the end either.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        raise CommandFailed(_("standard output: {why}").format(why=error.strerror or error)) from error


def show_json(document: object) -> None:
    show(json.dumps(document, indent=2, ensure_ascii=False))


def open_plan(path: str) -> Source:
    """The plan at `path`, a YAML file or a bundle folder (whose sums are checked first). Raises `CommandFailed`."""
    place = plan_path(path)
    try:
        if is_bundle(Path(path)):
            bundle = open_bundle(Path(path))
            return Source(bundle.plan, place, bundle.known_hosts, True)
        return Source(load_plan(place), place, read_pins(pins_file(state_home(), place)), False)
    except (PlanErrors, BundleDamaged) as error:
        raise CommandFailed(str(error), Exit.NO) from error
    except OSError as error:
        raise CommandFailed(_("{path}: {why}").format(path=path, why=error.strerror or error)) from error


def plan_path(path: str) -> Path:
    """The plan file itself, inside a bundle folder or as named. Raises `CommandFailed`: there is none."""
    place = Path(path)
    if place.is_dir() and not is_bundle(place):
        raise CommandFailed(_("{path} is a folder, but no bundle; name the plan file.").format(path=path))
    if not place.exists():
        raise CommandFailed(_("{path}: there is no such file; acp-tui --help lists the commands").format(path=path))
    return place / "plan.yaml" if place.is_dir() else place
