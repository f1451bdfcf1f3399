"""The run as its runner holds it, and the ways its texts come about that several phases share."""

import asyncio
import sys
from contextlib import suppress
from dataclasses import replace

from acp_tui.core.text import clean
from acp_tui.install.config.payload import mask
from acp_tui.install.run.state import Phase, RunState, log_event, now, write_state

QUOTED = 2000  # characters of somebody's answer that a message repeats
_RETRY = 1.0  # seconds until a state that could not be written is tried again


class Run:
    """The run's state, and its way to the disk."""

    def __init__(self, state: RunState) -> None:
        self.state = state
        self._saved = True

    def record(self, state: RunState, said: str = "") -> None:
        """Make `state` the run's, with a line for its history. A full disk is no reason to lose an install."""
        if said:
            log_event(state.spec.run_dir, state.phase, said)
        self.state = replace(state, updated=now())
        try:
            write_state(self.state)
            self._saved = True
        except OSError as error:
            self._saved = False
            with suppress(OSError):  # the runner's log may be on the same full disk
                sys.stderr.write(f"state not written: {error.strerror}\n")
                sys.stderr.flush()

    def fail(self, why: str) -> None:
        self.record(replace(self.state, phase=Phase.FAILED, failed_in=self.state.phase, message=why), why)

    async def wait_until_saved(self) -> None:
        """Return once the state is safe on disk, however long that takes."""
        while not self._saved:
            await asyncio.sleep(_RETRY)  # no disk tells when it has room again
            self.record(self.state)


def quote(answer: str, secrets: tuple[str, ...]) -> str:
    return clean(mask(answer, secrets)).strip()[:QUOTED]


def minutes(seconds: float) -> int:
    return max(1, round(seconds / 60))
