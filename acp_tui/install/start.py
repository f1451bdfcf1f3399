"""Write the bundle of a checked plan, and start a detached run that installs exactly this bundle."""

import asyncio
import shlex
import shutil
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from acp_tui.core.errors import AcpError, ExitStatus
from acp_tui.core.files import resolve_path
from acp_tui.core.gpg.encryption import GpgFailed
from acp_tui.core.i18n import _
from acp_tui.core.ownership import UntrustedPath
from acp_tui.install.config.render import RenderError, render
from acp_tui.install.run.directory import new_run_dir
from acp_tui.install.run.setup_script import setup_command
from acp_tui.install.run.spawn_runner import RunError
from acp_tui.install.run.start_resume_abort import run_spec, start
from acp_tui.install.run.state import DEFAULT_BASE, INSTALLER_LOG, Timeouts
from acp_tui.package.unpacked_package import PackageChanged, file_record
from acp_tui.plan.known_hosts import KnownHosts
from acp_tui.plan.model import Plan
from acp_tui.preflight.bundle import DOCUMENT, BundleRefused, SecretsMode, remove_secrets, write_bundle
from acp_tui.preflight.report.model import Report


class StartError(AcpError):
    """The install was not started. The message has the reason and the next step."""


class IncompletePlan(StartError):
    """The plan is not complete: values for the configuration are missing."""

    exit_status = ExitStatus.CHECK_FAILED


@dataclass(frozen=True)
class RunSettings:
    """The settings of a run. The defaults apply to a real install; the practice cluster uses other values."""

    pace: Timeouts = field(default_factory=Timeouts)
    bases: tuple[str, ...] = (DEFAULT_BASE,)
    """Default addresses of the installer's API."""
    installer_log: Path = INSTALLER_LOG
    recheck_before_post: bool = True
    """True if the run must recheck the nodes before it sends the configuration; see `RunSpec`."""


async def bundle_for(
    plan: Plan,
    report: Report,
    known_hosts: KnownHosts,
    folder: Path,
    *,
    plan_dir: Path,
    remote: tuple[Plan, Path] | None = None,
    keep: SecretsMode = "plain",
) -> Path:
    """Write the bundle with the plan and the report to `folder`.

    `remote`: for a remote install, the plan with paths on the installer node, and the folder on that node from which
    relative paths start.
    Raises: `StartError`."""

    def write() -> Path:
        document = render(plan, plan_dir) if keep != "left-out" else ""
        written, root = remote or (plan, plan_dir)
        line = setup_line(written, root)
        return write_bundle(
            written, report, known_hosts, folder, plan_dir=root, document=document, setup_line=line, keep=keep
        )

    try:
        return await asyncio.to_thread(write)
    except RenderError as error:
        lines = [f"{missing.path}: {missing.reason}" for missing in error.missing]
        raise IncompletePlan(
            "\n".join([_("The plan is incomplete. These keys are missing or invalid:"), *lines])
        ) from error
    except (BundleRefused, GpgFailed) as error:
        raise StartError(str(error)) from error
    except OSError as error:
        raise StartError(
            _("Cannot write the bundle to {folder}: {reason}").format(folder=folder, reason=error.strerror or error)
        ) from error


async def launch(
    plan: Plan,
    report: Report,
    known_hosts: KnownHosts,
    home: Path,
    *,
    plan_dir: Path,
    settings: RunSettings | None = None,
) -> Path:
    """Write the bundle below `home`, start the install, and return the folder of the run.

    The packages must already be unpacked. `plan_dir`: the folder that relative paths of the plan start from.
    Raises: `StartError`, `RunError`."""
    settings = settings or RunSettings()
    install_dir = _install_dir(plan, plan_dir)
    script = install_dir / "installer" / "setup.sh"
    if not script.is_file():
        raise StartError(_("{path} is missing. Unpack the package first: acp-tui unpack PLAN").format(path=script))
    try:
        await asyncio.to_thread(file_record, install_dir)  # the runner also compares the files
    except (PackageChanged, UntrustedPath) as error:
        raise StartError(error.message) from error
    run_dir = new_run_dir(home)
    bundle = await bundle_for(plan, report, known_hosts, home / "bundles" / run_dir.name, plan_dir=plan_dir)
    spec = run_spec(
        plan,
        run_dir,
        document=bundle / DOCUMENT,
        install_dir=install_dir,
        pace=settings.pace,
        bases=settings.bases,
        installer_log=settings.installer_log,
        bundle=bundle,
        recheck_before_post=settings.recheck_before_post,
    )
    try:
        await asyncio.to_thread(start, spec)
    except RunError:
        if not run_dir.exists():  # another run started first, so this bundle is never used
            await asyncio.to_thread(shutil.rmtree, bundle, ignore_errors=True)
        raise
    await asyncio.to_thread(_remove_earlier_secrets, bundle)
    return run_dir


def _remove_earlier_secrets(bundle: Path) -> None:
    """Remove the secrets of all bundles except `bundle`. A run needs its secrets only until the next run starts."""
    for other in bundle.parent.glob("*/"):
        if other != bundle:
            with suppress(OSError):
                remove_secrets(other)


def setup_line(plan: Plan, plan_dir: Path) -> str:
    """Return the shell command line that runs setup.sh for this plan."""
    folder = _install_dir(plan, plan_dir) / "installer"
    return f"cd {shlex.quote(str(folder))} && {' '.join(setup_command(plan))}"


def _install_dir(plan: Plan, plan_dir: Path) -> Path:
    return resolve_path(plan_dir, plan.package.install_dir).absolute()
