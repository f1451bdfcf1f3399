"""Keep the state of a run in the runner, and write each change of the state to disk."""

import asyncio
import sys
from contextlib import suppress
from dataclasses import replace

from acp_tui.core.clock import now
from acp_tui.core.redaction import mask_values
from acp_tui.core.text import sanitize
from acp_tui.install.run.state import Phase, RunState, log_event, write_state

QUOTED = 2000  # characters of an HTTP response that a message quotes
_RETRY = 1.0  # seconds between two attempts to write the state to a full disk


class Run:
    """The current state of a run. Only `record` changes the state, both in memory and on disk."""

    def __init__(self, state: RunState) -> None:
        self._state = state
        self._saved = True

    @property
    def state(self) -> RunState:
        return self._state

    def record(self, state: RunState, event: str = "") -> None:
        """Replace the state of the run, and log `event` if it is not empty.

        A write error does not end the run, because an install must survive a full disk. See `wait_until_saved`."""
        if event:
            log_event(state.spec.run_dir, state.phase, event)
        self._state = replace(state, updated=now())
        try:
            write_state(self._state)
            self._saved = True
        except OSError as error:
            self._saved = False
            with suppress(OSError):  # the runner's log may be on the same disk
                sys.stderr.write(f"state not written: {error.strerror}\n")
                sys.stderr.flush()

    def fail(self, message: str, state: RunState | None = None) -> None:
        """Record that the current phase failed. `state`: a state with further changes to record, if any."""
        state = state or self._state
        self.record(replace(state, phase=Phase.FAILED, failed_in=self._state.phase, message=message), message)

    async def wait_until_saved(self) -> None:
        """Wait until the state is on disk. The wait has no time limit."""
        while not self._saved:
            await asyncio.sleep(_RETRY)  # the kernel has no event for free disk space
            self.record(self._state)


def quote(body: str, secrets: tuple[str, ...]) -> str:
    """Return the start of an HTTP response for a message, with masked secrets and without control characters."""
    return sanitize(mask_values(body, secrets).strip(), limit=QUOTED)


def minutes(seconds: float) -> int:
    """Convert seconds to minutes for a message. The result is at least 1."""
    return max(1, round(seconds / 60))
