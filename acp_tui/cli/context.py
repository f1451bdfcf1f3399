"""What every command shares: reading PLAN, speaking to standard output and error, and failing with the right status."""

import getpass
import json
import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from pydantic import SecretStr

from acp_tui.core.errors import ExitStatus
from acp_tui.core.gpg.encryption import GpgFailed, PassphraseNeeded, PassphraseWrong, read_passphrase
from acp_tui.core.i18n import _
from acp_tui.core.state_dir import state_home
from acp_tui.nodes.ssh.known_hosts import fingerprint, known_hosts_path, read_known_hosts, write_known_hosts
from acp_tui.plan.file import PlanErrors, load_plan
from acp_tui.plan.model import Plan
from acp_tui.preflight.bundle import Bundle, BundleCorrupt, is_bundle, open_bundle


class CommandFailed(Exception):
    """The command ends here: the text goes to standard error, `status` is the exit status."""

    def __init__(self, text: str, status: int = ExitStatus.IMPOSSIBLE) -> None:
        super().__init__(text)
        self.status = status


@dataclass(frozen=True)
class OpenedPlan:
    """Where a plan came from."""

    plan: Plan
    file: Path
    host_keys: Mapping[str, str]
    bundle: Bundle | None = None
    """The bundle that it came from; None: a plan file."""

    @property
    def base(self) -> Path:
        """The folder that the plan's relative paths start from."""
        return self.file.parent

    def pinned(self) -> dict[str, str]:
        """The host keys as they are now: a preflight may have added some."""
        kept = {} if self.bundle else read_known_hosts(known_hosts_path(state_home(), self.file))
        return {**self.host_keys, **kept}

    def pin(self, seen: Mapping[str, str]) -> None:
        """Keep host keys of first contacts. A bundle is never changed."""
        if not self.bundle and (new := {**seen, **self.host_keys}) != dict(self.host_keys):
            try:
                write_known_hosts(known_hosts_path(state_home(), self.file), new)
            except OSError as error:
                print_err(_("The host keys could not be kept: {why}").format(why=error.strerror))


def print_err(text: str) -> None:
    """A message for the person: standard error."""
    print(text, file=sys.stderr, flush=True)


def say_first_contact(address: str, key: str) -> None:
    """`key`: the host key that was shown, `type base64`; it is trusted from now on."""
    print_err(_("{address}: first contact, host key {key}").format(address=address, key=fingerprint(key)))


def print_out(text: str) -> None:
    """The answer: standard output. Raises `CommandFailed` where it takes no more, as on a full disk."""
    try:
        print(text, flush=True)
    except BrokenPipeError:
        raise
    except OSError as error:
        # What is still in the buffer cannot be written at the end either.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        raise CommandFailed(_("standard output: {why}").format(why=error.strerror or error)) from error


def confirm(question: str, without: str) -> bool:
    """A yes of the operator; anything else is a no. `without`: what is told where there is no terminal to ask on."""
    if not sys.stdin.isatty():
        print_err(without)
        return False
    sys.stderr.write(f"{question} [y/N] ")
    sys.stderr.flush()
    return sys.stdin.readline().strip().lower() in ("y", "yes")


def show_json(document: object) -> None:
    print_out(json.dumps(document, indent=2, ensure_ascii=False))


def open_plan(path: str, passphrase_file: str | None, *, secrets_optional: bool = False) -> OpenedPlan:
    """The plan at `path`, a YAML file or a bundle folder (whose sums are checked first). Raises `CommandFailed`.

    Secrets that are encrypted are opened by the passphrase in the file, or asked for on a terminal; where they are
    `secrets_optional`, an empty answer leaves them closed."""
    place = plan_path(path)
    try:
        if is_bundle(Path(path)):
            bundle = _opened(Path(path), passphrase_file, secrets_optional=secrets_optional)
            if bundle.document is None:
                print_err(_("{path}: a bundle without its secrets; the wizard asks for them.").format(path=path))
            return OpenedPlan(bundle.plan, place, bundle.known_hosts, bundle)
        return OpenedPlan(load_plan(place), place, read_known_hosts(known_hosts_path(state_home(), place)))
    except (PlanErrors, BundleCorrupt) as error:
        raise CommandFailed(str(error), ExitStatus.NO) from error
    except OSError as error:
        raise CommandFailed(_("{path}: {why}").format(path=path, why=error.strerror or error)) from error


def _opened(directory: Path, passphrase_file: str | None, *, secrets_optional: bool) -> Bundle:
    passphrase = passphrase_in(passphrase_file) if passphrase_file else None
    while True:
        try:
            return open_bundle(directory, passphrase)
        except (PassphraseNeeded, PassphraseWrong) as error:
            said = _("{path}: the secrets are encrypted: {why}").format(path=directory, why=error)
            if passphrase_file or not sys.stdin.isatty():
                raise CommandFailed(said + " " + _("(--passphrase-file FILE, or a terminal to ask on)")) from error
            print_err(said)
            more = _("Passphrase (empty: the wizard asks for each secret): ")
            passphrase = ask_passphrase(more if secrets_optional else _("Passphrase: "))
            if passphrase is None and secrets_optional:
                return open_bundle(directory, secrets=False)
        except GpgFailed as error:
            if secrets_optional and sys.stdin.isatty():
                print_err(_("{path}: the secrets are encrypted: {why}").format(path=directory, why=error))
                return open_bundle(directory, secrets=False)
            raise CommandFailed(_("{path}: {why}").format(path=directory, why=error)) from error


def passphrase_in(file: str) -> SecretStr:
    """The passphrase in a file that was named for it. Raises `CommandFailed`."""
    try:
        return read_passphrase(Path(file))
    except GpgFailed as error:
        raise CommandFailed(str(error)) from error
    except OSError as error:
        raise CommandFailed(_("{path}: {why}").format(path=file, why=error.strerror or error)) from error


def ask_passphrase(question: str) -> SecretStr | None:
    """What is typed, unseen, on the terminal; None: nothing. Raises `CommandFailed`: the input has ended."""
    try:
        return SecretStr(typed) if (typed := getpass.getpass(question)) else None
    except EOFError as error:
        raise CommandFailed(_("No passphrase was given.")) from error


def plan_path(path: str) -> Path:
    """The plan file itself, inside a bundle folder or as named. Raises `CommandFailed`: there is none."""
    place = Path(path)
    try:
        folder, there = place.is_dir(), place.exists()
        bundle = folder and is_bundle(place)
    except OSError as error:  # the bundle of another user, for one
        raise CommandFailed(_("{path}: {why}").format(path=path, why=error.strerror or error)) from error
    if folder and not bundle:
        raise CommandFailed(_("{path} is a folder, but no bundle; name the plan file.").format(path=path))
    if not there:
        raise CommandFailed(_("{path}: there is no such file; acp-tui --help lists the commands").format(path=path))
    return place / "plan.yaml" if folder else place
