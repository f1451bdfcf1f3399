"""Measure how long install runs and their phases take, and whether a run is stalled."""

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from statistics import median

from pydantic_core import from_json

from acp_tui.install.run.state import EVENTS_FILE, SETUP_LOG, Phase, RunNotFound, RunState, read_state

MIN_STALL = timedelta(minutes=15)
"""Shortest time without progress after which an install counts as stalled."""
VENDOR = (30, 60)
"""The vendor's documented shortest and longest duration of a three-node install, in minutes (API-DURATION)."""
_READ = 1 << 20  # bytes of a history that are read


@dataclass(frozen=True)
class Moment:
    at: datetime
    phase: Phase


@dataclass(frozen=True)
class Span:
    """A phase of an install, with its start time and its duration in seconds."""

    phase: Phase
    began: datetime
    seconds: float


def history(run_dir: Path) -> tuple[Moment, ...]:
    """Return the events of the run, oldest first; () if they cannot be read."""
    return tuple(sorted(_moments(run_dir), key=lambda moment: moment.at))


def _moments(run_dir: Path) -> Iterator[Moment]:
    with suppress(OSError), (run_dir / EVENTS_FILE).open(encoding="utf-8", errors="replace") as file:
        for line in file.read(_READ).splitlines():
            with suppress(ValueError, KeyError, TypeError, OverflowError):
                entry = from_json(line)
                yield Moment(datetime.fromisoformat(entry["at"]).astimezone(UTC), Phase(entry["phase"]))


def spans(run_dir: Path) -> tuple[Span, ...]:
    """Return the phases of a run that has ended. The last event only marks the end of the run."""
    began: dict[Phase, datetime] = {}
    for moment in history(run_dir):
        began.setdefault(moment.phase, moment.at)
    starts = list(began.items())
    ends = [at for _phase, at in starts[1:]]
    return tuple(
        Span(phase, start, (end - start).total_seconds()) for (phase, start), end in zip(starts, ends, strict=False)
    )


def typical_duration(run_dir: Path) -> timedelta | None:
    """Return the median duration of the successful runs, without the run in `run_dir`; None without such runs."""
    took = [(state.updated - state.started).total_seconds() for state in _earlier(run_dir)]
    return timedelta(seconds=median(took)) if took else None


def stall_threshold(run_dir: Path) -> timedelta:
    """Return the time without progress after which a run counts as stalled.

    It is 15 min, or 1.5 times the longest pause of earlier successful installs if that is longer."""
    pauses = [MIN_STALL]
    for state in _earlier(run_dir):
        moments = [moment.at for moment in history(state.spec.run_dir)]
        pauses += [(later - earlier) * 1.5 for earlier, later in pairwise(moments)]
    return max(pauses)


def idle_time(state: RunState, now: datetime) -> timedelta:
    """Return the time since the last event of the run or the last change of a log, whichever is later."""
    events = [state.started, *(moment.at for moment in history(state.spec.run_dir)[-1:])]
    for log in (state.spec.run_dir / SETUP_LOG, state.spec.installer_log):
        with suppress(OSError):
            events.append(datetime.fromtimestamp(log.stat().st_mtime, UTC))
    return max(now - max(events), timedelta())


def is_stalled(state: RunState, now: datetime) -> bool:
    """Return True if a running install has made no progress for longer than the threshold (API-STALL)."""
    working = not state.at_rest and state.phase in (Phase.SETUP, Phase.WAITING_API, Phase.INSTALLING)
    return working and idle_time(state, now) > stall_threshold(state.spec.run_dir)


def _earlier(run_dir: Path) -> Iterator[RunState]:
    for folder in sorted(run_dir.parent.glob("*/")):
        with suppress(RunNotFound):
            state = read_state(folder)
            if folder.name != run_dir.name and state.phase is Phase.SUCCESS:
                yield state
