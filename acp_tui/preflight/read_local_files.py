"""Read the files of this host that a plan names.

The modules for a kind of file are imported only when a plan names such a file, because their libraries load slowly.
"""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from acp_tui.checks.local_file_facts import LocalFiles, PackageFile
from acp_tui.core.files import error_reason, read_limited, resolve_path
from acp_tui.core.i18n import _
from acp_tui.plan.model import Plan
from acp_tui.plan.package_name import Kind


def read_local_files(plan: Plan, plan_dir: Path) -> LocalFiles:
    """Read all local files of the plan. Relative paths start from `plan_dir`.

    Raises nothing: the checks report the errors.
    """
    files = LocalFiles(
        packages=tuple(_packages(plan, plan_dir)), unreadable_keys=dict(_unreadable_keys(plan, plan_dir))
    )
    if plan.certificate.mode == "existing":
        from acp_tui.preflight.certificates.reader import facts_for

        files = replace(files, certificate=facts_for(plan, plan_dir))
    if plan.disaster_recovery.role == "standby":
        from acp_tui.preflight.primary_cluster import primary_of

        files = replace(files, primary=primary_of(plan, plan_dir))
    return files


def _packages(plan: Plan, plan_dir: Path) -> Iterator[PackageFile]:
    named: tuple[tuple[Kind, str | None], ...] = (("core", plan.package.core), ("extensions", plan.package.extensions))
    for kind, name in named:
        if name:
            path = resolve_path(plan_dir, name)
            try:
                size = path.stat().st_size if path.is_file() else None
            except OSError:
                size = None
            yield PackageFile(kind, path.name, size)


def _unreadable_keys(plan: Plan, plan_dir: Path) -> Iterator[tuple[str, str]]:
    """Yield, for each SSH key file that cannot be read, its place in the plan and the reason (P-SSH-KEY).

    The place is a path such as `ssh.key_file`.
    """
    own = {f"nodes[{index}].ssh.key_file": node.ssh.key_file for index, node in enumerate(plan.nodes)}
    for path, name in {"ssh.key_file": plan.ssh.key_file, **own}.items():
        try:
            if name:
                read_limited(resolve_path(plan_dir, name))
        except OSError as error:
            yield path, _("the file {file} cannot be read: {reason}").format(file=name, reason=error_reason(error))
