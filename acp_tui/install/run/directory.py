"""Find and name the folders of install runs below the state folder."""

from contextlib import suppress
from datetime import datetime, timedelta
from pathlib import Path

from acp_tui.core.clock import now
from acp_tui.install.run.state import FINAL, STATE_FILE, RunNotFound, read_state

_RUNS = "installs"
_NAME = "%Y%m%dT%H%M%S.%fZ"


def new_run_dir(state_home: Path) -> Path:
    """Return the path of the folder for the next run. Folder names sort by time. `start` creates the folder."""
    name = now().strftime(_NAME)
    newest = max((folder.name for folder in (state_home / _RUNS).glob("*/")), default="")
    if newest >= name:  # the clock was set back
        with suppress(ValueError):
            name = (datetime.strptime(newest, _NAME) + timedelta(microseconds=1)).strftime(_NAME)
    return state_home / _RUNS / name


def last_run(state_home: Path) -> Path | None:
    """Return the folder of the run that has not ended, else of the newest run with a readable state. None: no run."""
    newest: Path | None = None
    for folder in sorted((state_home / _RUNS).glob("*/"), reverse=True):
        with suppress(RunNotFound):
            if read_state(folder).phase not in FINAL:
                return folder
            newest = newest or folder
    return newest


def damaged_run(state_home: Path) -> RunNotFound | None:
    """Return the error if the state of the newest run cannot be read. None if it can be read, or without a run."""
    for folder in sorted((state_home / _RUNS).glob("*/"), reverse=True)[:1]:
        try:
            read_state(folder)
        except RunNotFound as error:
            return error if (folder / STATE_FILE).exists() else None
    return None


def newest_run(state_home: Path) -> Path | None:
    """Return the folder of the newest run, even if its state cannot be read. None: no run."""
    return max((state_home / _RUNS).glob("*/"), default=None)
