"""Running setup.sh so that it needs nobody: its output, its exit status and who it is lie in the run's folder.

A wrapper writes them, not the runner, so a runner that takes over from a dead one knows as much as the dead one did.
"""

import os
import re
import signal
import socket
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path
from urllib.parse import urlsplit

from acp_tui.checks.release_traits import release_traits
from acp_tui.core.text import sanitize
from acp_tui.install.run.process import Process, from_stat
from acp_tui.install.run.state import SETUP_LOG, RunSpec
from acp_tui.plan.model import Plan

_WHO = "setup.pid"
_EXIT = "setup.exit"
_WRAPPER = """\
who=$1 exit=$2; shift 2
cat /proc/sys/kernel/random/boot_id "/proc/$$/stat" >"$who"
printf '%64s\\n' '' >"$exit.part"  # room for the status, should the disk be full by then
"$@"
code=$?
sleep 0.2  # the last lines reach the log first
printf '%s ' "$code" 1<>"$exit.part" && mv "$exit.part" "$exit"
"""
_TO_BEGIN = 10.0  # seconds that the wrapper may need until it tells who it is
_LOG_END = 64 * 1024  # bytes of the log that are searched for the console's address
_ADDRESS = re.compile(r"http://(?:\[[0-9A-Fa-f:]+\]|[0-9.]+|localhost)(?::\d+)?")


def setup_command(plan: Plan) -> tuple[str, ...]:
    """The command line of setup.sh for `plan` (XR-CNI-FLAG, XR-PROTO-IPV6-FLAG, REL-NETMODE)."""
    flags: list[str] = []
    if plan.network.cni == "calico" and release_traits(plan.effective_release).network_mode_flag:
        flags += ["--network-mode", "calico"]
    if plan.network.ip_family == "ipv6":
        flags += ["--ip-family", "ipv6"]
    return ("bash", "setup.sh", *flags)


def launch(spec: RunSpec) -> None:
    """Start setup.sh in a session of its own. Raises OSError: it could not be started."""
    forget(spec.run_dir)
    (spec.run_dir / _WHO).touch()  # whoever takes over from a runner killed here must not start a second one
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    sink = subprocess.Popen(
        [sys.executable, "-m", "acp_tui.install.run.log_writer", str(spec.run_dir / SETUP_LOG)],
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        start_new_session=True,
    )
    _CHILDREN.append(sink)
    assert sink.stdin is not None
    with sink.stdin as log:
        process = subprocess.Popen(
            ["/bin/sh", "-c", _WRAPPER, "sh", str(spec.run_dir / _WHO), str(spec.run_dir / _EXIT), *spec.command],
            cwd=spec.setup_dir,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    _CHILDREN.append(process)


_CHILDREN: list[subprocess.Popen[bytes]] = []  # kept until they end: a child that nobody holds is warned about


def forget(run_dir: Path) -> None:
    """Drop what is known of an earlier setup.sh, so that the next one counts."""
    for name in (_WHO, _EXIT):
        (run_dir / name).unlink(missing_ok=True)


def launched(run_dir: Path) -> bool:
    return (run_dir / _WHO).exists() or (run_dir / _EXIT).exists()


def exit_status(run_dir: Path) -> int | None:
    """Exit status of setup.sh; None: it has not ended, or was killed before it could say."""
    try:
        return int((run_dir / _EXIT).read_text(encoding="ascii").split()[0])
    except (OSError, ValueError, IndexError):
        return None


def process(run_dir: Path) -> Process | None:
    """The wrapper around setup.sh, which leads its session. None: none was started."""
    try:
        boot, line = (run_dir / _WHO).read_text(encoding="utf-8", errors="replace").split("\n", 1)
    except (OSError, ValueError):
        return None
    return from_stat(line, boot)


def lost(run_dir: Path) -> bool:
    """Whether setup.sh ended without a word, by a restart of the machine for one, or was never reached by its start."""
    found = process(run_dir)
    gone = _never_told(run_dir / _WHO) if found is None else not found.alive
    return gone and exit_status(run_dir) is None


def _never_told(who: Path) -> bool:
    """Whether it has not been written who setup.sh is although there was time to, in either direction of the clock."""
    try:
        return abs(time.time() - who.stat().st_mtime) > _TO_BEGIN
    except OSError:
        return False


def kill(run_dir: Path) -> None:
    """End setup.sh and what it started in its session, if it still runs."""
    found = process(run_dir)
    if found is not None and found.alive:
        with suppress(ProcessLookupError):
            os.killpg(found.pid, signal.SIGKILL)


def log_end(run_dir: Path) -> str:
    """The last output of setup.sh, cleaned of control characters. "": none yet."""
    try:
        with (run_dir / SETUP_LOG).open("rb") as log:
            log.seek(max(0, log.seek(0, os.SEEK_END) - _LOG_END))
            return sanitize(log.read().decode("utf-8", errors="replace"))
    except OSError:
        return ""


def api_bases(spec: RunSpec, *, done: bool) -> tuple[str, ...]:
    """Where to look for the API: the operator's word alone, else what setup.sh printed and, once it is `done`, where
    the installer listens by default."""
    if spec.endpoint:
        return (spec.endpoint,)
    return (*printed_addresses(spec.run_dir), *(spec.bases if done else ()))


def printed_addresses(run_dir: Path) -> tuple[str, ...]:
    """The addresses of this machine that setup.sh printed as http://..., newest first (INS-START).

    Others are left out: the configuration has every password in it and goes to no stranger a log may mention."""
    found = reversed(_ADDRESS.findall(log_end(run_dir)))
    return tuple(address for address in dict.fromkeys(found) if _is_ours(address))


def _is_ours(address: str) -> bool:
    try:
        host, port = urlsplit(address).hostname, urlsplit(address).port
    except ValueError:
        return False
    if not host or port == 0:
        return False
    if host == "localhost":
        return True
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        with socket.socket(family, socket.SOCK_DGRAM) as probe:
            probe.bind((host, 0))  # the kernel binds to addresses of this machine alone
    except OSError:
        return False
    return host != "0.0.0.0"  # noqa: S104 - compared, not bound
