"""From a judged plan to a running install: the bundle is written, then a detached run takes it from there.

Wizard, commands and practice start an install through here, so that they all post exactly what the bundle holds.
"""

import asyncio
import shlex
import shutil
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path

from acp_tui.core.errors import AcpError, ExitStatus
from acp_tui.core.files import resolve_path
from acp_tui.core.gpg.encryption import GpgFailed
from acp_tui.core.i18n import _
from acp_tui.install.config.render import RenderError, render
from acp_tui.install.run.control import run_spec, start
from acp_tui.install.run.directory import new_run_dir
from acp_tui.install.run.setup_script import setup_command
from acp_tui.install.run.spawn import RunError
from acp_tui.install.run.state import DEFAULT_BASE, INSTALLER_LOG, Timeouts
from acp_tui.plan.model import Plan
from acp_tui.preflight.bundle import DOCUMENT, BundleRefused, SecretsMode, remove_secrets, write_bundle
from acp_tui.preflight.report.model import Report


class StartError(AcpError):
    """Nothing was started; the text says why and what to do."""


class IncompletePlan(StartError):
    """The plan does not make a configuration yet."""

    exit_status = ExitStatus.CHECK_FAILED


async def bundle_for(
    plan: Plan,
    report: Report,
    host_keys: Mapping[str, str],
    folder: Path,
    *,
    base: Path,
    there: tuple[Plan, Path] | None = None,
    keep: SecretsMode = "plain",
) -> Path:
    """Write the bundle of this plan and report to `folder`. `there`: plan and base as they mean on the machine that the
    bundle is for, where that is another one. Raises `StartError`."""

    def write() -> Path:
        document = render(plan, base) if keep != "left-out" else ""
        written, root = there or (plan, base)
        line = setup_line(written, root)
        return write_bundle(
            written, report, host_keys, folder, plan_dir=root, document=document, setup_line=line, keep=keep
        )

    try:
        return await asyncio.to_thread(write)
    except RenderError as error:
        lines = [f"{missing.path}: {missing.why}" for missing in error.missing]
        raise IncompletePlan("\n".join([_("The configuration is not complete:"), *lines])) from error
    except (BundleRefused, GpgFailed) as error:
        raise StartError(str(error)) from error
    except OSError as error:
        raise StartError(_("{folder}: {why}").format(folder=folder, why=error.strerror or error)) from error


async def launch(
    plan: Plan,
    report: Report,
    host_keys: Mapping[str, str],
    home: Path,
    *,
    base: Path,
    pace: Timeouts | None = None,
    bases: Sequence[str] = (DEFAULT_BASE,),
    installer_log: Path = INSTALLER_LOG,
    guarded: bool = True,
) -> Path:
    """Write the bundle below `home` and start the install; the run's folder. Raises `StartError`, `RunError`.

    The packages must be unpacked. `base`: the folder that the plan's relative paths start from."""
    install_dir = _install_dir(plan, base)
    script = install_dir / "installer" / "setup.sh"
    if not script.is_file():
        raise StartError(_("{path} is not there: verify and unpack the package first.").format(path=script))
    run_dir = new_run_dir(home)
    bundle = await bundle_for(plan, report, host_keys, home / "bundles" / run_dir.name, base=base)
    spec = run_spec(
        plan,
        run_dir,
        document=bundle / DOCUMENT,
        install_dir=install_dir,
        pace=pace,
        bases=bases,
        installer_log=installer_log,
        bundle=bundle,
        guarded=guarded,
    )
    try:
        await asyncio.to_thread(start, spec)
    except RunError:
        if not run_dir.exists():  # somebody else was first: nothing will ever ask for this bundle's secrets
            await asyncio.to_thread(shutil.rmtree, bundle, ignore_errors=True)
        raise
    await asyncio.to_thread(_forget_earlier, bundle)
    return run_dir


def _forget_earlier(bundle: Path) -> None:
    """Runs that ended without success keep their secrets, for another try and to mask them; now they have served."""
    for other in bundle.parent.glob("*/"):
        if other != bundle:
            with suppress(OSError):
                remove_secrets(other)


def setup_line(plan: Plan, base: Path) -> str:
    """The exact command line, from the folder on."""
    folder = _install_dir(plan, base) / "installer"
    return f"cd {shlex.quote(str(folder))} && {' '.join(setup_command(plan))}"


def _install_dir(plan: Plan, base: Path) -> Path:
    return resolve_path(base, plan.package.install_dir).absolute()
