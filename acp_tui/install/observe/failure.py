"""When an install stops: in which phase, with which last words, why probably, and what to do about it.

The causes are ours, from the words of common tools; they are told as likely, never as certain.
"""

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from acp_tui.core.i18n import N_, _
from acp_tui.core.text import clean
from acp_tui.install.run.state import EVENTS_FILE, FINAL, PROGRESS_FILE, RUNNER_LOG, SETUP_LOG, Phase, RunState

_END = 64 * 1024  # bytes of a log's end that are looked at
_LONGEST = 300  # characters of a line

_CAUSES: tuple[tuple[str, str], ...] = (
    (r"no space left on device|disk quota exceeded", N_("A disk is full: df -h on the node; INS and BND-FREE-100G.")),
    (
        r"address already in use|port is already allocated|bind: .*in use",
        N_("A port is taken: ss -tlnp on the installer's node; 8080, 12080, 12443 and 16443 must be free."),
    ),
    (
        r"cannot connect to the docker daemon|docker\.sock|containerd\.sock|nerdctl: .*not found",
        N_("The container runtime of the installer does not run: look at its service on the installer's node."),
    ),
    (
        r"imagepullbackoff|errimagepull|failed to pull image|manifest unknown",
        N_("An image cannot be pulled: see whether the node named reaches the registry (port 11443)."),
    ),
    (
        r"x509:|certificate (?:has expired|is not yet valid)",
        N_("A certificate is refused: see clocks and certificate."),
    ),
    (
        r"unable to authenticate|permission denied \(publickey|ssh: handshake failed",
        N_("The installer cannot log in to a node: see user, password or key, and sshd there."),
    ),
    (
        r"no route to host|network is unreachable|i/o timeout|context deadline exceeded",
        N_("Something cannot be reached: see firewall and routes between the node named and its peer."),
    ),
    (
        r"permission denied|operation not permitted|must be (?:run as )?root",
        N_("Rights are missing: setup.sh needs root."),
    ),
    (r"oomkilled|out of memory|cannot allocate memory", N_("Memory ran out: free -h on the node.")),
    (r"no such file or directory|command not found", N_("Something is missing on the node: unpack the package again.")),
)

_BY_PHASE: Mapping[Phase, str] = {
    Phase.SETUP: N_("setup.sh itself failed; its last lines say where."),
    Phase.WAITING_API: N_("The installer's container did not come up: see its list and port 8080."),
    Phase.VERSIONS: N_("The configuration cannot be read or asks for a version that is not offered."),
    Phase.POSTING: N_("The installer refuses the configuration; its answer says which part."),
    Phase.INSTALLING: N_("The installer gave up in the step named; its log says why."),
}


@dataclass(frozen=True)
class Failure:
    """`phase`: where it stopped. `lines`: the last words. `cause`: the likely one, in words."""

    phase: Phase
    lines: tuple[str, ...]
    cause: str


def previous_failure(run: RunState | None) -> bool:
    """Whether a new run would be a second try: the last one ended, and not well."""
    return run is not None and run.phase in FINAL and run.phase is not Phase.SUCCESS


def failure(state: RunState, most: int = 8) -> Failure:
    """What there is to tell of a run that failed. Reads the ends of its logs; never raises."""
    phase = state.failed_in or state.phase
    source = state.spec.installer_log if phase is Phase.INSTALLING else state.spec.run_dir / SETUP_LOG
    lines = last_lines(source, most) or last_lines(state.spec.run_dir / SETUP_LOG, most)
    return Failure(phase, lines, likely(phase, "\n".join((state.message, *lines))))


def likely(phase: Phase, text: str) -> str:
    """The likely cause by the words of `text`, else by the phase."""
    lower = text.lower()
    for pattern, cause in _CAUSES:
        if re.search(pattern, lower):
            return _(cause)
    return _(_BY_PHASE.get(phase, N_("See the logs of the run.")))


def last_lines(path: Path, most: int) -> tuple[str, ...]:
    """The last lines of a log, cleaned and cut; () where there is none."""
    try:
        with path.open("rb") as log:
            log.seek(max(0, log.seek(0, os.SEEK_END) - _END))
            text = clean(log.read(_END).decode("utf-8", errors="replace"))
    except OSError:
        return ()
    return tuple(line[:_LONGEST] for line in text.splitlines() if line.strip())[-most:]


def logs(run_dir: Path, installer_log: Path) -> tuple[tuple[str, Path], ...]:
    """Every log of the run, with the name that it has for people."""
    names = (EVENTS_FILE, SETUP_LOG, RUNNER_LOG, PROGRESS_FILE)
    return (*((name, run_dir / name) for name in names), ("installer.log", installer_log))
