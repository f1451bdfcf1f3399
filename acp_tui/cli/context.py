"""Functions that all commands use: open PLAN, print to standard output and error, fail with an exit status."""

import getpass
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from pydantic import SecretStr

from acp_tui.cli.terminal import discard_output, read_answer, write_json, write_message, write_result
from acp_tui.core.errors import AcpError, ExitStatus
from acp_tui.core.gpg.encryption import GpgFailed, PassphraseNeeded, PassphraseWrong, read_passphrase
from acp_tui.core.i18n import _, pgettext
from acp_tui.core.state_dir import state_home
from acp_tui.core.text import json_text
from acp_tui.plan.file import ReferencePolicy, plan_of, read_plan
from acp_tui.plan.known_hosts import (
    KnownHosts,
    confirmed,
    fingerprint,
    known_hosts_path,
    read_known_hosts,
    with_seen,
    write_known_hosts,
)
from acp_tui.plan.model import Plan
from acp_tui.preflight.bundle import Bundle, is_bundle, open_bundle


class CommandFailed(AcpError):
    """An error of a command, with its message and the exit status of the command."""

    def __init__(self, text: str, exit_status: int = ExitStatus.COULD_NOT_RUN) -> None:
        super().__init__(text)
        self.exit_status = exit_status


def file_failed(path: str | Path, error: OSError) -> CommandFailed:
    """Return the error of a command that cannot read or write `path`."""
    # Errors of acp-tui name the path.
    return CommandFailed(error.message if isinstance(error, AcpError) else f"{path}: {error.strerror or error}")


@dataclass(frozen=True)
class OpenedPlan:
    """A plan and the file or bundle that it was read from."""

    plan: Plan
    file: Path
    known_hosts: KnownHosts
    """The recorded known hosts, and those of the bundle. `cli.host_keys` adds those from other sources."""
    bundle: Bundle | None = None
    """The bundle that the plan was read from; None if it was read from a plan file."""
    warnings: tuple[str, ...] = ()
    """Messages about files with secrets that other users can read. `open_plan` has printed them."""

    @property
    def plan_dir(self) -> Path:
        """The folder where the plan's relative paths start."""
        return self.file.parent

    def with_confirmed(self, keys: Mapping[str, str]) -> "OpenedPlan":
        """Record the host keys that the operator has confirmed, and return the plan with them.

        `keys`: node address → key as `type base64`."""
        changed = replace(self, known_hosts={**self.known_hosts, **{a: confirmed(key) for a, key in keys.items()}})
        changed._save_known_hosts()
        return changed

    def record_seen(self, keys: Mapping[str, str]) -> None:
        """Record the host keys of nodes that were read with a key login. Known nodes do not change.

        Print a message for each new key. `keys`: node address → key as `type base64`."""
        new = {address: key for address, key in keys.items() if address not in self.known_hosts}
        if new:
            for address, key in new.items():
                print_first_contact(address, key)
            replace(self, known_hosts=with_seen(self.known_hosts, new))._save_known_hosts()

    def _save_known_hosts(self) -> None:
        try:
            write_known_hosts(known_hosts_path(state_home(), self.file), self.known_hosts)
        except OSError as error:
            print_err(
                _("Cannot record the host keys of new nodes: {reason}. Check the state folder.").format(
                    reason=error.strerror
                )
            )


def need_terminal() -> None:
    """Check that standard input and output are a terminal. Raises: CommandFailed if not."""
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        message = _("The wizard requires a terminal. To list the commands that need no terminal, run acp-tui --help.")
        raise CommandFailed(message, ExitStatus.USAGE)


def print_err(text: str) -> None:
    """Print a message to standard error."""
    write_message(text)


def print_first_contact(address: str, key: str) -> None:
    """Print the fingerprint of a host key that is recorded as seen, not as confirmed. `key`: `type base64`."""
    print_err(
        _("{address}: this is the first connection. The host key {key} is recorded, but not confirmed.").format(
            address=address, key=fingerprint(key)
        )
    )


def print_out(text: str) -> None:
    """Print a result to standard output. Raises: CommandFailed if it cannot be written, as on a full disk."""
    _print(write_result, text)


def _print(write: Callable[[str], None], text: str) -> None:
    try:
        write(text)
    except BrokenPipeError:
        raise
    except OSError as error:
        discard_output()
        raise CommandFailed(
            pgettext("error", "Cannot write to standard output: {reason}").format(reason=error.strerror or error)
        ) from error


def confirm(question: str, without: str) -> bool:
    """Ask a question, and return True if the answer is yes. The default answer is no.

    `without`: the message that is printed instead if no terminal is connected; the answer is then no."""
    if not sys.stdin.isatty():
        print_err(without)
        return False
    return read_answer(f"{question} [y/N] ").lower() in ("y", "yes")


def print_json(document: object) -> None:
    """Print `document` as JSON to standard output."""
    print_json_text(json_text(document))


def print_json_text(text: str) -> None:
    """Print the JSON document `text` to standard output. Raises: CommandFailed as `print_out`."""
    _print(write_json, text)


def open_plan(
    path: str, passphrase_file: str | None, *, secrets_optional: bool = False, allow_references: bool = False
) -> OpenedPlan:
    """Read the plan at `path`: a YAML file or a bundle folder, whose checksums are verified first.

    Encrypted secrets are decrypted with the passphrase in `passphrase_file`, else acp-tui asks on the terminal.
    If `secrets_optional`, an empty passphrase leaves the secrets encrypted. `allow_references`: do not ask about the
    references of a plan that another user can change. Raises: CommandFailed."""
    from acp_tui.cli.references import reference_policy

    plan_file, policy = plan_path(path), reference_policy(allow=allow_references)
    try:
        if is_bundle(Path(path)):
            bundle = _opened(Path(path), passphrase_file, policy, secrets_optional=secrets_optional)
            if bundle.document is None:
                print_err(_("{path}: the bundle has no secrets. The wizard asks for them.").format(path=path))
            return OpenedPlan(bundle.plan, plan_file, {**_recorded(plan_file), **bundle.known_hosts}, bundle)
        reading = read_plan(plan_file, references=policy)
        for warning in reading.warnings:
            print_err(warning)
        return OpenedPlan(plan_of(reading), plan_file, _recorded(plan_file), warnings=reading.warnings)
    except OSError as error:
        raise file_failed(path, error) from error


def _recorded(plan_file: Path) -> KnownHosts:
    """Return the known hosts that acp-tui has recorded for a plan file."""
    return read_known_hosts(known_hosts_path(state_home(), plan_file))


def _opened(
    directory: Path, passphrase_file: str | None, references: ReferencePolicy, *, secrets_optional: bool
) -> Bundle:
    passphrase = passphrase_in(passphrase_file) if passphrase_file else None
    while True:
        try:
            return open_bundle(directory, passphrase, references=references)
        except (PassphraseNeeded, PassphraseWrong) as error:
            message = _("{path}: the secrets are encrypted and cannot be read: {reason}").format(
                path=directory, reason=error
            )
            if passphrase_file or not sys.stdin.isatty():
                raise CommandFailed(
                    message + "\n" + _("Use --passphrase-file FILE, or run the command in a terminal.")
                ) from error
            print_err(message)
            more = _("Passphrase (leave empty to enter each secret in the wizard): ")
            passphrase = ask_passphrase(more if secrets_optional else pgettext("question", "Passphrase: "))
            if passphrase is None and secrets_optional:
                return open_bundle(directory, secrets=False, references=references)
        except GpgFailed as error:
            if secrets_optional and sys.stdin.isatty():
                print_err(
                    _("{path}: the secrets are encrypted and cannot be read: {reason}").format(
                        path=directory, reason=error
                    )
                )
                return open_bundle(directory, secrets=False, references=references)
            raise CommandFailed(f"{directory}: {error}") from error


def passphrase_in(file: str) -> SecretStr:
    """Return the passphrase in the file `file`. Raises: CommandFailed, GpgFailed."""
    try:
        return read_passphrase(Path(file))
    except OSError as error:
        raise file_failed(file, error) from error


def ask_passphrase(question: str) -> SecretStr | None:
    """Ask for a passphrase without echo. Return None if it is empty. Raises: CommandFailed at the end of the input."""
    try:
        return SecretStr(typed) if (typed := getpass.getpass(question)) else None
    except EOFError as error:
        raise CommandFailed(_("No passphrase was entered. Run the command again and enter it.")) from error


def plan_path(path: str) -> Path:
    """Return the plan file: `path`, or the file in the bundle folder `path`. Raises: CommandFailed if not found."""
    plan_file = Path(path)
    try:
        folder, exists = plan_file.is_dir(), plan_file.exists()
        bundle = folder and is_bundle(plan_file)
    except OSError as error:  # such as the bundle of another user
        raise file_failed(path, error) from error
    if folder and not bundle:
        raise CommandFailed(_("{path} is a folder, but not a bundle. Name the plan file.").format(path=path))
    if not exists:
        message = _("{path}: file not found. If you meant a command, run acp-tui --help to list all commands.")
        raise CommandFailed(message.format(path=path))
    return plan_file / "plan.yaml" if folder else plan_file
