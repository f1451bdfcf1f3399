"""Read the files of this machine that a plan names.

Modules for a kind of file are imported only when a plan names one.
"""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from acp_tui.checks.local_files import LocalFiles
from acp_tui.core.files import error_reason, read_limited, resolve_path
from acp_tui.core.i18n import _
from acp_tui.plan.model import Plan


def read_local_files(plan: Plan, base: Path) -> LocalFiles:
    """Read all of them, paths relative to `base`. Raises nothing: what is wrong with a file is told by the rules."""
    beside = LocalFiles(unreadable_keys=dict(_lost_keys(plan, base)))
    if plan.certificate.mode == "existing":
        from acp_tui.preflight.certificates.reader import facts_for

        beside = replace(beside, certificate=facts_for(plan, base))
    if plan.disaster_recovery.role == "standby":
        from acp_tui.preflight.primary import primary_of

        beside = replace(beside, primary=primary_of(plan, base))
    return beside


def _lost_keys(plan: Plan, base: Path) -> Iterator[tuple[str, str]]:
    """P-SSH-KEY: plan path and reason of every key file that cannot be read."""
    own = {f"nodes[{index}].ssh.key_file": node.ssh.key_file for index, node in enumerate(plan.nodes)}
    for path, name in {"ssh.key_file": plan.ssh.key_file, **own}.items():
        try:
            if name:
                read_limited(resolve_path(base, name))
        except OSError as error:
            yield path, _("{file} cannot be read: {why}").format(file=name, why=error_reason(error))
