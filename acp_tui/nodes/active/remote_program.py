"""A program that runs on a node during an active test, and the SSH connection that keeps it running.

The program prints a line every second. If the SSH connection ends, the next line cannot be written, and the program
ends. So no program stays on the node when acp-tui is killed or the connection breaks.
"""

import asyncio
from collections.abc import Callable
from contextlib import aclosing, suppress

from acp_tui.core.text import sanitize
from acp_tui.nodes.script import LAUNCH
from acp_tui.nodes.ssh.connect import connect
from acp_tui.nodes.ssh.deadlines import Deadlines
from acp_tui.nodes.ssh.errors import ConnectError, ConnectionLost
from acp_tui.nodes.ssh.target import Target
from acp_tui.plan.known_hosts import KnownHost

_MAX_SILENCE = 5.0  # seconds without output, of which a program prints a line every second


class RemoteProgram:
    """Runs `text` as a shell script on the node `target`, as root if possible.

    `on_line`: receives each line of output; it returns True when the program is ready. `on_failure`: receives the
    reason if the program could not run, or if its connection broke.
    """

    def __init__(
        self,
        target: Target,
        known_host: KnownHost | None,
        text: str,
        *,
        on_line: Callable[[str], bool],
        on_failure: Callable[[str], None],
        deadlines: Deadlines,
    ) -> None:
        self._target = target
        self._known_host = known_host
        self._text = text
        self._on_line = on_line
        self._on_failure = on_failure
        self._deadlines = deadlines
        self._ready = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self._last_output = 0.0
        """The time of the last output, by the clock of the event loop."""

    async def start(self, seconds: float) -> None:
        """Start the program. Return when it is ready or has failed, at the latest after `seconds`."""
        self._task = asyncio.create_task(self._run())
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._ready.wait()

    @property
    def responds(self) -> bool:
        """Return True if the node has sent output within the last seconds."""
        return asyncio.get_running_loop().time() - self._last_output <= _MAX_SILENCE

    async def stop(self) -> None:
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait([self._task])

    async def _run(self) -> None:
        try:
            connection = await connect(
                self._target, self._known_host, lambda stage: None, self._deadlines, changes=True
            )
        except ConnectError as error:
            self._on_failure(error.detail)
            self._ready.set()
            return
        try:
            async with aclosing(
                connection.run(LAUNCH, self._text, lambda stage: None, self._deadlines.session)
            ) as chunks:
                rest = ""
                async for chunk in chunks:
                    self._last_output = asyncio.get_running_loop().time()
                    *complete, rest = (rest + sanitize(chunk.decode(errors="replace"), limit=4096)).split("\n")
                    for line in complete:
                        if self._on_line(line.strip()):
                            self._ready.set()
        except (ConnectError, ConnectionLost) as error:
            self._on_failure(str(error))
        finally:
            self._ready.set()
            await connection.close()
