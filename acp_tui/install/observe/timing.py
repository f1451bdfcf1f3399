"""What runs did and when: how long the phases took, how long an install usually takes, and whether this one moves."""

import json
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from statistics import median

from acp_tui.install.run.state import EVENTS_FILE, SETUP_LOG, Phase, RunNotFound, RunState, read_state

STILL = timedelta(minutes=15)
"""How long nothing may move before that is called a stall, where no earlier install says otherwise."""
VENDOR = (30, 60)
"""Minutes that the vendor gives for three nodes (API-DURATION): all there is to say before the first install here."""
_READ = 1 << 20  # bytes of a history


@dataclass(frozen=True)
class Moment:
    at: datetime
    phase: Phase


@dataclass(frozen=True)
class Span:
    """A phase of the install and how long it took, in seconds."""

    phase: Phase
    began: datetime
    seconds: float


def history(run_dir: Path) -> tuple[Moment, ...]:
    """When the run did something, oldest first; () where that cannot be read."""
    return tuple(sorted(_moments(run_dir), key=lambda moment: moment.at))


def _moments(run_dir: Path) -> Iterator[Moment]:
    with suppress(OSError), (run_dir / EVENTS_FILE).open(encoding="utf-8", errors="replace") as file:
        for line in file.read(_READ).splitlines():
            with suppress(ValueError, KeyError, TypeError):
                entry = json.loads(line)
                yield Moment(datetime.fromisoformat(entry["at"]).astimezone(UTC), Phase(entry["phase"]))


def spans(run_dir: Path) -> tuple[Span, ...]:
    """The phases of a run that has ended; the last one, its end, has no length."""
    began: dict[Phase, datetime] = {}
    for moment in history(run_dir):
        began.setdefault(moment.phase, moment.at)
    starts = list(began.items())
    ends = [at for _phase, at in starts[1:]]
    return tuple(
        Span(phase, start, (end - start).total_seconds()) for (phase, start), end in zip(starts, ends, strict=False)
    )


def typical_duration(run_dir: Path) -> timedelta | None:
    """How long the installs beside this one took that succeeded; None: there was none."""
    took = [(state.updated - state.started).total_seconds() for state in _earlier(run_dir)]
    return timedelta(seconds=median(took)) if took else None


def stall_threshold(run_dir: Path) -> timedelta:
    """How long nothing may move: half as long again as the longest pause of an earlier install, 15 min at least."""
    pauses = [STILL]
    for state in _earlier(run_dir):
        moments = [moment.at for moment in history(state.spec.run_dir)]
        pauses += [(later - earlier) * 1.5 for earlier, later in pairwise(moments)]
    return max(pauses)


def idle_time(state: RunState, now: datetime) -> timedelta:
    """How long neither the run nor a log of the installer has moved."""
    moved = [state.started, *(moment.at for moment in history(state.spec.run_dir)[-1:])]
    for log in (state.spec.run_dir / SETUP_LOG, state.spec.installer_log):
        with suppress(OSError):
            moved.append(datetime.fromtimestamp(log.stat().st_mtime, UTC))
    return max(now - max(moved), timedelta())


def is_stalled(state: RunState, now: datetime) -> bool:
    """Whether an install that is going on has not moved for longer than it may (API-STALL)."""
    working = not state.at_rest and state.phase in (Phase.SETUP, Phase.WAITING_API, Phase.INSTALLING)
    return working and idle_time(state, now) > stall_threshold(state.spec.run_dir)


def _earlier(run_dir: Path) -> Iterator[RunState]:
    for folder in sorted(run_dir.parent.glob("*/")):
        with suppress(RunNotFound):
            state = read_state(folder)
            if folder.name != run_dir.name and state.phase is Phase.SUCCESS:
                yield state
