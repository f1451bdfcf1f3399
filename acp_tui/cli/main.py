"""The command line: which command, with which options. Each command's work is in `acp_tui.cli`."""

import argparse
import sys
from collections.abc import Callable, Sequence
from importlib import import_module

from acp_tui import __version__
from acp_tui.core.i18n import _, use_language


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command. The exit status is the one of the command's contract."""
    try:
        return _run(arguments)
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:
        # Whoever read our output has gone; there is nobody left to tell.
        sys.stderr.close()
        return 0


def _run(arguments: Sequence[str] | None) -> int:
    use_language()
    given = list(sys.argv[1:] if arguments is None else arguments)
    parser, names = _parser()
    if given[:1] not in [[name] for name in names] and not {"-h", "--help", "--version"} & set(given):
        given.insert(0, "wizard")
    options = parser.parse_args(given)
    # A module is imported when its command runs: `--version` and `--help` cost no SSH and no screen.
    module, name = options.run.split(":")
    from acp_tui.cli.context import CommandFailed, print_err

    command: Callable[[argparse.Namespace], int] = getattr(import_module(f"acp_tui.cli.{module}"), name)
    try:
        return command(options)
    except CommandFailed as failed:
        print_err(str(failed))
        return failed.status


def _parser() -> tuple[argparse.ArgumentParser, tuple[str, ...]]:
    """The command line, and the names of its commands."""
    parser = argparse.ArgumentParser(
        prog="acp-tui",
        description=_("Installs the global cluster of Alauda Container Platform. Without a command: the wizard."),
        epilog=_("Exit status: 0 done, nothing blocks; 1 the answer is no; 2 wrong usage; 3 it could not be done."),
    )
    parser.add_argument("--version", action="version", version=f"acp-tui {__version__}")
    commands = parser.add_subparsers(metavar=_("COMMAND"), required=True)

    passphrase_help = _("its first line opens the secrets of an encrypted bundle")

    def add(name: str, run: str, help: str, *, plan: bool = False, json: bool = False) -> argparse.ArgumentParser:
        command = commands.add_parser(name, help=help, description=help)
        command.set_defaults(run=run)
        if plan:
            command.add_argument("plan", metavar="PLAN", help=_("plan file or bundle folder"))
            command.add_argument("--passphrase-file", metavar="FILE", help=passphrase_help)
        if json:
            command.add_argument("--json", action="store_true", help=_("one JSON document on standard output"))
        return command

    wizard = add("wizard", "wizard:wizard", _("the wizard (the default)"))
    wizard.add_argument("plan", metavar="PLAN", nargs="?", help=_("plan file or bundle folder"))
    wizard.add_argument("--passphrase-file", metavar="FILE", help=passphrase_help)
    verify = add("verify", "package:verify", _("name, architecture, signature and signer of a package"), json=True)
    verify.add_argument("core", metavar="CORE")
    verify.add_argument("--signature", metavar="S")
    verify.add_argument("--key", metavar="K", help=_("the vendor's public key file"))
    verify.add_argument("--fingerprint", metavar="F", help=_("the only key that is trusted"))
    add("unpack", "package:unpack", _("verify, then extract into the install folder"), plan=True)
    validate = add("validate", "plan:validate", _("every rule that needs no node"), plan=True, json=True)
    validate.add_argument(
        "--sizes", action="store_true", help=_("show how many machines of what size are wanted, and why")
    )
    check = add("check", "check:check", _("the preflight"), plan=True, json=True)
    check.add_argument("--node", metavar="A", action="append", help=_("this node alone; may be repeated"))
    check.add_argument("--only", metavar="ID", action="append", help=_("this requirement alone; may be repeated"))
    check.add_argument(
        "--also",
        metavar="NAME",
        action="append",
        choices=("load-balancer", "paths", "vrrp", "disk", "bandwidth"),
        help=_("what listens or writes on the nodes: load-balancer, paths, vrrp, disk, bandwidth; may be repeated"),
    )
    check.add_argument("--html", metavar="FILE", help=_("write the report as a page, too"))
    fix = add("fix", "fix:mend_nodes", _("show what would mend the nodes and, once confirmed, do it"), plan=True)
    fix.add_argument("--node", metavar="A", action="append", help=_("this node alone; may be repeated"))
    fix.add_argument("--only", metavar="ID", action="append", help=_("this requirement alone; may be repeated"))
    fix.add_argument("--hostname", metavar="A=NAME", action="append", help=_("the name that node A shall have"))
    fix.add_argument("--script", action="store_true", help=_("print the script of each node, and change nothing"))
    fix.add_argument("--yes", action="store_true", help=_("do not ask; what deletes still has to be named by --only"))
    add("render", "plan:render_document", _("the installer's configuration document, secrets included"), plan=True)
    bundle = add("bundle", "bundle:bundle", _("plan, document, report and sums in one folder"), plan=True)
    bundle.add_argument("dir", metavar="DIR")
    secrets = bundle.add_mutually_exclusive_group()
    secrets.add_argument(
        "--encrypt", action="store_true", help=_("encrypt what is secret; the passphrase is asked for")
    )
    secrets.add_argument(
        "--encrypt-to", metavar="KEY", help=_("encrypt what is secret to this public key: a file, or a fingerprint")
    )
    secrets.add_argument("--no-secrets", action="store_true", help=_("leave out what is secret"))
    install = add("install", "install:install", _("the whole install, from preflight to verification"), plan=True)
    install.add_argument("--again", action="store_true", help=_("start anew after a failed run, without a question"))
    install.add_argument(
        "--despite-changes",
        action="store_true",
        help=_("where the nodes have changed since the preflight: send the configuration all the same"),
    )
    install.add_argument(
        "--reached",
        choices=("yes", "no"),
        help=_("where that is asked: whether the configuration has reached the installer; no sends it again"),
    )
    status = add("status", "install_status:show_status", _("the running or last install"), json=True)
    status.add_argument("--look", action="store_true", help=_("ask the installer's node where a running install hangs"))
    attach = add("attach", "install_status:attach", _("follow the running or last install"))
    attach.add_argument("--give-up", action="store_true", help=_("end the running install instead, asked twice"))
    finish = add("finish", "finish:finish", _("checks of the installed cluster; clean-up"), plan=True, json=True)
    finish.add_argument("--wait", metavar="MINUTES", type=int, help=_("look again until all is well, that long"))
    finish.add_argument("--clean-up", action="store_true", help=_("remove a left-over installer, after a yes"))
    finish.add_argument("--yes", action="store_true", help=_("do not ask before the clean-up"))
    support = add("support", "support:support", _("one archive for whoever helps, without secrets"))
    support.add_argument("file", metavar="FILE.tar.gz")
    support.add_argument("--run", dest="run_dir", metavar="DIR", help=_("the run's folder; the last one by default"))
    support.add_argument("--plan", metavar="PLAN", help=_("its secrets are masked, too"))
    demo = add("demo", "wizard:demo", _("the wizard on a practice cluster of simulated nodes"))
    demo.add_argument("--auto", action="store_true", help=_("walk it unattended and print each step"))
    explain = add("explain", "plan:explain", _("a requirement: what, why, how it is seen, how to mend it"), json=True)
    explain.add_argument("id", metavar="ID", nargs="?")
    explain.add_argument("--release", choices=("4.0", "4.1", "4.2", "4.3"))
    add("schema", "plan:print_schema", _("JSON Schema of the plan"))
    return parser, tuple(commands.choices)
