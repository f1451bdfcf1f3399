"""An archive for whoever helps, as a command: support."""

import os
import platform
import shlex
from argparse import Namespace
from pathlib import Path

from acp_tui.bundle import absolute
from acp_tui.commands.output import CommandFailed, open_plan, say, show
from acp_tui.draft import state_home
from acp_tui.installer.run import NoRun, last_run, status
from acp_tui.support.archive import write_archive
from acp_tui.texts import _
from acp_tui.verdict import Exit

_ENDINGS = (".tar.gz", ".tgz")


def support(options: Namespace) -> int:
    """Write the archive of the last run, or the one named, and say how to copy it off."""
    path = Path(options.file).absolute()
    if not path.name.endswith(_ENDINGS):
        raise CommandFailed(_("{path}: name it with the ending .tar.gz").format(path=options.file), Exit.USAGE)
    run = Path(options.run_dir) if options.run_dir else last_run(state_home())
    if run is None:
        raise CommandFailed(_("No install has been started by this user on this host."))
    source = open_plan(options.plan, None) if options.plan else None
    plan = absolute(source.plan, source.base) if source else None
    try:
        made = write_archive(path, status(run), plan)
    except NoRun as error:
        raise CommandFailed(str(error)) from error
    except OSError as error:
        raise CommandFailed(_("{path}: {why}").format(path=path, why=error.strerror or error)) from error
    for name in made.files:
        say(f"  {name}")
    show(_("Written to {path} ({size} bytes), secrets masked.").format(path=made.path, size=made.size))
    show(_("To copy it off, on your own machine: {command}").format(command=copy_command(path)))
    return Exit.DONE


def copy_command(path: Path) -> str:
    """The scp line. The host by the address the operator has come in on, else by its name."""
    words = os.environ.get("SSH_CONNECTION", "").split()
    host = words[2] if len(words) == 4 else platform.node()
    user = os.environ.get("USER") or "root"
    return f"scp {shlex.quote(f'{user}@[{host}]' if ':' in host else f'{user}@{host}')}:{shlex.quote(str(path))} ."
