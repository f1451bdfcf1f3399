"""The bundle: everything an unattended install needs and everything that was known, in one folder with checksums.

Its files and how it takes its place are in `folder.py`. Whoever opens a bundle checks the sums first.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from pydantic import SecretStr

from acp_tui.core.files import resolve_path
from acp_tui.core.gpg.encryption import Lock, decrypt, encrypt
from acp_tui.plan.file import SECRETS_NAME, dump_plan, dump_secrets, load_plan
from acp_tui.plan.model import NodeSsh, Plan
from acp_tui.preflight.bundle.directory import (
    DOCUMENT,
    FILES,
    KNOWN_HOSTS,
    PAGE,
    PLAN,
    PRIVATE,
    REPORT,
    SEALED,
    SETUP,
    check_sums,
    fill,
    place_for,
    sums,
)
from acp_tui.preflight.report.html.page import report_html
from acp_tui.preflight.report.model import Report, report_json

SecretsMode = Literal["plain", "left-out"] | Lock
"""What becomes of the two files with secrets: as they are (0600), not in the bundle, or encrypted."""


@dataclass(frozen=True)
class Bundle:
    """An opened bundle, its sums checked."""

    directory: Path
    plan: Plan
    known_hosts: Mapping[str, str]
    """Node address → OpenSSH public key (type and base64)."""
    setup_line: str
    report: Report | None
    """The preflight as it was when the bundle was written; None: of a version that cannot be read."""
    document: SecretStr | None
    """The installer's configuration as it was rendered; it holds secrets. None: the bundle was opened without them,
    and `plan` has none either."""


def write_bundle(
    plan: Plan,
    report: Report,
    known_hosts: Mapping[str, str],
    directory: Path,
    *,
    base: Path,
    document: str,
    setup_line: str,
    keep: SecretsMode = "plain",
) -> Path:
    """Write the bundle and return its absolute path. An earlier bundle there is replaced.

    `known_hosts`: node address → OpenSSH public key. `base`: the folder that the plan's relative paths start from.
    `document`: the rendered configuration. BundleRefused: `directory` is something else; GpgFailed: it could not be
    encrypted; OSError: nothing was changed.
    """
    place = place_for(directory)
    bundled = absolute(plan, base)
    texts = {
        PLAN: dump_plan(bundled),
        SECRETS_NAME: dump_secrets(bundled),
        DOCUMENT: document,
        SETUP: setup_line.rstrip("\n") + "\n",
        REPORT: report_json(report),
        PAGE: report_html(report, plan),
        KNOWN_HOSTS: _known_hosts_text(bundled, known_hosts),
    }
    contents: dict[str, bytes] = {}
    for name in FILES:
        data = texts[name].encode("utf-8")
        if name not in PRIVATE or keep == "plain":
            contents[name] = data
        elif keep != "left-out":
            contents[name + SEALED] = encrypt(data, keep)
    fill(place, contents)
    return place


def is_sealed(directory: Path) -> bool:
    """Whether the bundle's secrets are encrypted."""
    return SECRETS_NAME + SEALED in sums(directory)


def open_bundle(directory: Path, passphrase: SecretStr | None = None, *, secrets: bool = True) -> Bundle:
    """Check the sums, then read. `secrets` False: leave them where they are.

    BundleDamaged: a sum is wrong; PlanErrors: the plan is; GpgFailed (PassphraseNeeded, PassphraseWrong): the secrets
    cannot be read; OSError: nothing can."""
    check_sums(directory)
    here = any(name in sums(directory) for name in (DOCUMENT, DOCUMENT + SEALED))
    overlay, document = (_private(directory, name, passphrase) if secrets and here else None for name in PRIVATE)
    lines = (directory / KNOWN_HOSTS).read_text(encoding="utf-8").splitlines()
    return Bundle(
        directory.absolute(),
        load_plan(directory / PLAN, overlay or b""),
        {_address(host): key for host, _space, key in (line.partition(" ") for line in lines)},
        (directory / SETUP).read_text(encoding="utf-8").strip(),
        _report(directory / REPORT),
        SecretStr(document.decode("utf-8")) if document is not None else None,
    )


def _private(directory: Path, name: str, passphrase: SecretStr | None) -> bytes:
    """The content of a file with secrets, decrypted where it is encrypted."""
    if is_sealed(directory):
        return decrypt((directory / (name + SEALED)).read_bytes(), passphrase)
    return (directory / name).read_bytes()


def _report(path: Path) -> Report | None:
    try:
        return Report.from_json(path.read_bytes())
    except ValueError:
        return None


def absolute(plan: Plan, base: Path) -> Plan:
    """The plan with every path absolute, so that it means the same wherever its file lies."""

    def here(path: str | None) -> str | None:
        return str(resolve_path(base, path).absolute()) if path else path

    def logins(login: NodeSsh) -> NodeSsh:
        return login.model_copy(update={"key_file": here(login.key_file)})

    package, certificate, recovery = plan.package, plan.certificate, plan.disaster_recovery
    named = ("core", "core_signature", "extensions", "extensions_signature", "public_key", "install_dir")
    return plan.model_copy(
        update={
            "package": package.model_copy(update={name: here(getattr(package, name)) for name in named}),
            "ssh": plan.ssh.model_copy(update={"key_file": here(plan.ssh.key_file)}),
            "nodes": tuple(node.model_copy(update={"ssh": logins(node.ssh)}) for node in plan.nodes),
            "certificate": certificate.model_copy(
                update={"cert_file": here(certificate.cert_file), "key_file": here(certificate.key_file)}
            ),
            "disaster_recovery": recovery.model_copy(update={"primary": here(recovery.primary)}),
        }
    )


def _known_hosts_text(plan: Plan, known_hosts: Mapping[str, str]) -> str:
    """As OpenSSH reads it: `address key`, or `[address]:port key` where the port is not 22."""
    lines = []
    for node in plan.nodes:
        if key := known_hosts.get(node.address):
            port = plan.login(node).port
            host = node.address if port == 22 else f"[{node.address}]:{port}"
            lines.append(f"{host} {' '.join(key.split()[:2])}\n")
    return "".join(lines)


def _address(host: str) -> str:
    return host.rpartition("]:")[0].removeprefix("[") or host
