"""The folders of install runs below the state folder: a name for a new one, the last one, the newest one."""

from contextlib import suppress
from datetime import datetime, timedelta
from pathlib import Path

from acp_tui.core.clock import now
from acp_tui.install.run.state import FINAL, STATE_FILE, RunNotFound, read_state

_RUNS = "installs"
_NAME = "%Y%m%dT%H%M%S.%fZ"


def new_run_dir(state_home: Path) -> Path:
    """A name for the next run's folder below `state_home`; names sort by time. The folder is made by `start`."""
    name = now().strftime(_NAME)
    newest = max((folder.name for folder in (state_home / _RUNS).glob("*/")), default="")
    if newest >= name:  # the clock was set back
        with suppress(ValueError):
            name = (datetime.strptime(newest, _NAME) + timedelta(microseconds=1)).strftime(_NAME)
    return state_home / _RUNS / name


def last_run(state_home: Path) -> Path | None:
    """The run below `state_home` that is not at its end, else the newest that can be read. None: there is none."""
    newest: Path | None = None
    for folder in sorted((state_home / _RUNS).glob("*/"), reverse=True):
        with suppress(RunNotFound):
            if read_state(folder).phase not in FINAL:
                return folder
            newest = newest or folder
    return newest


def damaged_run(state_home: Path) -> RunNotFound | None:
    """Why the newest run has a state that cannot be read; None: it has none yet, or one that can."""
    for folder in sorted((state_home / _RUNS).glob("*/"), reverse=True)[:1]:
        try:
            read_state(folder)
        except RunNotFound as why:
            return why if (folder / STATE_FILE).exists() else None
    return None


def newest_run(state_home: Path) -> Path | None:
    """The folder of the newest run, even where its state cannot be read. None: there is none."""
    return max((state_home / _RUNS).glob("*/"), default=None)
