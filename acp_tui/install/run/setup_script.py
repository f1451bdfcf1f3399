"""Run setup.sh in the background. Its output, exit status and process are recorded in files in the folder of the run.

Two other processes write these files: a shell and `log_writer`. So the files stay complete when the runner dies, and a
new runner can read them.
"""

import os
import re
import signal
import subprocess
import time
from contextlib import suppress
from ipaddress import ip_address
from pathlib import Path
from urllib.parse import urlsplit

from acp_tui.checks.release_traits import release_traits
from acp_tui.core.local_host import is_local_address
from acp_tui.core.python_command import module_command
from acp_tui.core.text import sanitize
from acp_tui.install.run.process_identity import Process, from_stat
from acp_tui.install.run.state import SETUP_LOG, RunSpec
from acp_tui.plan.model import Plan

_PROCESS = "setup.pid"
_EXIT = "setup.exit"
_WRAPPER = """\
who=$1 exit=$2; shift 2
cat /proc/sys/kernel/random/boot_id "/proc/$$/stat" >"$who"
printf '%64s\\n' '' >"$exit.part"  # reserves space for the status in case the disk fills up
"$@"
code=$?
sleep 0.2  # the last lines must be in the log first
printf '%s ' "$code" 1<>"$exit.part" && mv "$exit.part" "$exit"
"""
_START_TIMEOUT = 10.0  # seconds until the wrapper must have written its process
_LOG_END = 64 * 1024  # bytes of the log that are searched for the API's address
_ADDRESS = re.compile(r"http://(?:\[[0-9A-Fa-f:]+\]|[0-9.]+|localhost)(?::[0-9]+)?")


def setup_command(plan: Plan) -> tuple[str, ...]:
    """Return the command that runs setup.sh, with the options for the network and the IP family of `plan`.

    Requirements: XR-CNI-FLAG, XR-PROTO-IPV6-FLAG, REL-NETMODE."""
    flags: list[str] = []
    if plan.network.cni == "calico" and release_traits(plan.effective_release).network_mode_flag:
        flags += ["--network-mode", "calico"]
    if plan.network.ip_family == "ipv6":
        flags += ["--ip-family", "ipv6"]
    return ("bash", "setup.sh", *flags)


def launch(spec: RunSpec) -> None:
    """Start setup.sh in its own session. Raises: OSError if it cannot be started."""
    forget(spec.run_dir)
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    writer = subprocess.Popen(
        module_command("acp_tui.install.run.log_writer", str(spec.run_dir / SETUP_LOG)),
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        start_new_session=True,
    )
    _CHILDREN.append(writer)
    assert writer.stdin is not None
    (spec.run_dir / _PROCESS).touch()  # if this runner is killed here, the next one must not start a second setup.sh
    with writer.stdin as log:
        process = subprocess.Popen(
            ["/bin/sh", "-c", _WRAPPER, "sh", str(spec.run_dir / _PROCESS), str(spec.run_dir / _EXIT), *spec.command],
            cwd=spec.setup_dir,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    _CHILDREN.append(process)


_CHILDREN: list[subprocess.Popen[bytes]] = []  # kept until they end: Python warns about a child without a reference


def forget(run_dir: Path) -> None:
    """Delete the files that record the process and the exit status of an earlier setup.sh."""
    for name in (_PROCESS, _EXIT):
        (run_dir / name).unlink(missing_ok=True)


def started(run_dir: Path) -> bool:
    """Return True if setup.sh was started in this run, even if it has already ended."""
    return (run_dir / _PROCESS).exists() or (run_dir / _EXIT).exists()


def exit_status(run_dir: Path) -> int | None:
    """Return the exit status of setup.sh. None: it has not ended, or it was killed."""
    try:
        return int((run_dir / _EXIT).read_text(encoding="ascii").split()[0])
    except (OSError, ValueError, IndexError):
        return None


def process(run_dir: Path) -> Process | None:
    """Return the process that leads the session of setup.sh. None: setup.sh was not started."""
    try:
        boot, line = (run_dir / _PROCESS).read_text(encoding="utf-8", errors="replace").split("\n", 1)
    except (OSError, ValueError):
        return None
    return from_stat(line, boot)


def lost(run_dir: Path) -> bool:
    """Return True if setup.sh was killed (for example by a reboot) or never started. It then has no exit status."""
    found = process(run_dir)
    gone = _never_started(run_dir / _PROCESS) if found is None else not found.alive
    return gone and exit_status(run_dir) is None


def _never_started(record: Path) -> bool:
    """Return True if `_WRAPPER` did not record its process in time.

    `abs` is needed, because the time difference is negative after the clock was set back."""
    try:
        return abs(time.time() - record.stat().st_mtime) > _START_TIMEOUT
    except OSError:
        return False


def kill(run_dir: Path) -> None:
    """If setup.sh still runs, kill it and every process of its session."""
    found = process(run_dir)
    if found is not None and found.alive:
        with suppress(ProcessLookupError):
            os.killpg(found.pid, signal.SIGKILL)


def log_end(run_dir: Path) -> str:
    """Return the end of setup.sh's output without control characters; "" without output."""
    try:
        with (run_dir / SETUP_LOG).open("rb") as log:
            log.seek(max(0, log.seek(0, os.SEEK_END) - _LOG_END))
            return sanitize(log.read().decode("utf-8", errors="replace"), limit=None)
    except OSError:
        return ""


def api_bases(spec: RunSpec, *, done: bool) -> tuple[str, ...]:
    """Return the base addresses at which to search for the API.

    If the operator has set INSTALLER_ENDPOINT, it is the only address. Otherwise, these are the addresses that setup.sh
    printed. If `done` is true, the default addresses are added to them."""
    if spec.endpoint:
        return (spec.endpoint,)
    return (*printed_addresses(spec.run_dir), *(spec.bases if done else ()))


def printed_addresses(run_dir: Path) -> tuple[str, ...]:
    """Return the addresses of this host that setup.sh printed as http://..., newest first (INS-START).

    Addresses of other hosts are ignored, because the configuration with all passwords must not be sent to them."""
    found = reversed(_ADDRESS.findall(log_end(run_dir)))
    return tuple(address for address in dict.fromkeys(found) if _is_local(address))


def _is_local(address: str) -> bool:
    try:
        host, port = urlsplit(address).hostname or "", urlsplit(address).port
        usable = host == "localhost" or not ip_address(host).is_unspecified
    except ValueError:
        return False
    return usable and port != 0 and (host == "localhost" or is_local_address(host))
