"""Describe a failed install: phase, last log lines and likely cause.

The cause is derived from error messages of common tools, so it is likely but not certain.
"""

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from acp_tui.core.files import open_regular_file
from acp_tui.core.i18n import N_, _
from acp_tui.core.text import sanitize, truncate
from acp_tui.install.observe.log_mask import log_mask
from acp_tui.install.run.state import EVENTS_FILE, FINAL, PROGRESS_FILE, RUNNER_LOG, SETUP_LOG, Phase, RunState

_END = 64 * 1024  # bytes at the end of a log that are searched
_LONGEST = 300  # characters of a line

_CAUSES: tuple[tuple[str, str], ...] = (
    (
        r"no space left on device|disk quota exceeded",
        N_(
            "A disk is full. For the required space, see the requirement BND-FREE-100G. To find the disk, run on each "
            "node: df -h"
        ),
    ),
    (
        r"address already in use|port is already allocated|bind: .*in use",
        N_(
            "A port is in use. Ports 8080, 12080, 12443 and 16443 must be free. To find the process that uses the "
            "port, run on the installer node: ss -tlnp"
        ),
    ),
    (
        r"cannot connect to the docker daemon|docker\.sock|containerd\.sock|nerdctl: .*not found",
        N_("The installer's container runtime is not running. Check its service on the installer node."),
    ),
    (
        r"imagepullbackoff|errimagepull|failed to pull image|manifest unknown",
        N_("An image cannot be pulled. Check that all nodes reach the registry on port 11443."),
    ),
    (
        r"x509:|certificate (?:has expired|is not yet valid)",
        N_("A certificate was rejected. Check the certificate and the clocks of the nodes."),
    ),
    (
        r"unable to authenticate|permission denied \(publickey|ssh: handshake failed",
        N_("The installer cannot log in to a node. Check the user, the password or key, and sshd on that node."),
    ),
    (
        r"no route to host|network is unreachable|i/o timeout|context deadline exceeded",
        N_("A node is unreachable over the network. Check the firewalls and the routes between the nodes."),
    ),
    (
        r"permission denied|operation not permitted|must be (?:run as )?root",
        N_("A command did not have the required permission. setup.sh must run as root."),
    ),
    (
        r"oomkilled|out of memory|cannot allocate memory",
        N_("A node has too little free memory. To find the node, run on each node: free -h"),
    ),
    (
        r"no such file or directory|command not found",
        N_("A file or command was not found. Unpack the package again: acp-tui unpack PLAN"),
    ),
)

_BY_PHASE: Mapping[Phase, str] = {
    Phase.SETUP: N_("setup.sh failed. Check the last lines of its output."),
    Phase.WAITING_API: N_(
        "The installer container did not start. Check the containers and port 8080 on the installer node."
    ),
    Phase.VERSIONS: N_("The configuration is not valid, or it requires a version that the installer does not offer."),
    Phase.POSTING: N_("The installer rejected the configuration. Its response names the invalid part."),
    Phase.INSTALLING: N_("The installer failed during the install. Its log has the reason."),
}


@dataclass(frozen=True)
class Failure:
    """A failed install. `phase`: the failed phase. `lines`: the last log lines. `cause`: the likely cause."""

    phase: Phase
    lines: tuple[str, ...]
    cause: str


def previous_failure(run: RunState | None) -> bool:
    """Return True if the last run ended without success."""
    return run is not None and run.phase in FINAL and run.phase is not Phase.SUCCESS


def failure(state: RunState, most: int = 8) -> Failure:
    """Describe a failed run from its state and the last lines of its logs."""
    phase = state.failed_in or state.phase
    source = state.spec.installer_log if phase is Phase.INSTALLING else state.spec.run_dir / SETUP_LOG
    mask = log_mask(state.spec)
    lines = tuple(map(mask, last_lines(source, most) or last_lines(state.spec.run_dir / SETUP_LOG, most)))
    return Failure(phase, lines, likely(phase, "\n".join((state.message, *lines))))


def likely(phase: Phase, text: str) -> str:
    """Return the likely cause of a failure. If `text` has no known error message, the cause depends on `phase`."""
    lower = text.lower()
    for pattern, cause in _CAUSES:
        if re.search(pattern, lower):
            return _(cause)
    return _(_BY_PHASE.get(phase, N_("The cause is unknown. Check the logs of the run.")))


def last_lines(path: Path, most: int) -> tuple[str, ...]:
    """Return the last lines of a log, shortened and without control characters; () if it cannot be read."""
    try:
        with open_regular_file(path) as log:
            log.seek(max(0, log.seek(0, os.SEEK_END) - _END))
            text = sanitize(log.read(_END).decode("utf-8", errors="replace"), limit=None)
    except OSError:
        return ()
    return tuple(truncate(line, _LONGEST) for line in text.splitlines() if line.strip())[-most:]


def logs(run_dir: Path, installer_log: Path) -> tuple[tuple[str, Path], ...]:
    """Return the display name and the path of every log of the run."""
    names = (EVENTS_FILE, SETUP_LOG, RUNNER_LOG, PROGRESS_FILE)
    return (*((name, run_dir / name) for name in names), ("installer.log", installer_log))
