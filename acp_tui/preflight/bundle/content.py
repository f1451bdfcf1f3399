"""Write and open a bundle: plan, secrets, installer configuration, setup.sh command, report and known hosts.

The module `directory.py` writes the files and replaces an earlier bundle. When a bundle is opened, its checksums are
verified first.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from pydantic import SecretStr

from acp_tui.core.files import resolve_path
from acp_tui.core.gpg.encryption import Lock, decrypt, encrypt
from acp_tui.core.ownership import require_trusted
from acp_tui.plan.file import SECRETS_NAME, dump_plan, dump_secrets, load_plan
from acp_tui.plan.model import Plan
from acp_tui.plan.sections.node import NodeSsh
from acp_tui.preflight.bundle.checksums import check_sums, sums
from acp_tui.preflight.bundle.directory import fill, place_for
from acp_tui.preflight.bundle.layout import DOCUMENT, FILES, KNOWN_HOSTS, PAGE, PLAN, PRIVATE, REPORT, SEALED, SETUP
from acp_tui.preflight.report.html.page import report_html
from acp_tui.preflight.report.model import Report, report_json

SecretsMode = Literal["plain", "left-out"] | Lock
"""How a bundle stores its two files with secrets: in plain text (mode 0600), not at all, or encrypted."""


@dataclass(frozen=True)
class Bundle:
    """An opened bundle with verified checksums."""

    directory: Path
    plan: Plan
    known_hosts: Mapping[str, str]
    """The OpenSSH public key (type and base64) of each node, by address."""
    setup_line: str
    report: Report | None
    """The report that was written with the bundle; None if this version of acp-tui cannot read it."""
    document: SecretStr | None
    """The rendered configuration, with secrets. None if the bundle was opened without secrets.
    """


def write_bundle(
    plan: Plan,
    report: Report,
    known_hosts: Mapping[str, str],
    directory: Path,
    *,
    plan_dir: Path,
    document: str,
    setup_line: str,
    keep: SecretsMode = "plain",
) -> Path:
    """Write the bundle and return its absolute path. An earlier bundle in `directory` is replaced.

    `known_hosts`: the OpenSSH public key of each node, by address. `plan_dir`: the folder where relative paths of the
    plan start. `document`: the rendered configuration. `setup_line`: the command that runs setup.sh. `keep`: how the
    secrets are stored.

    Raises BundleRefused if `directory` is not a bundle, GpgFailed if the encryption failed, and OSError. After an
    error, nothing has changed.
    """
    path = place_for(directory)
    bundled = absolute(plan, plan_dir)
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
    fill(path, contents)
    return path


def is_sealed(directory: Path) -> bool:
    """Return True if the secrets of the bundle are encrypted."""
    return SECRETS_NAME + SEALED in sums(directory)


def open_bundle(directory: Path, passphrase: SecretStr | None = None, *, secrets: bool = True) -> Bundle:
    """Verify the checksums, then read the bundle. If `secrets` is False, the files with secrets are not read.

    Raises UntrustedPath if another user can change the bundle, BundleCorrupt if a checksum is different, PlanErrors if
    the plan is invalid, GpgFailed (PassphraseNeeded, PassphraseWrong) if the secrets cannot be decrypted, and OSError
    if a file cannot be read.
    """
    _require_trusted(directory)
    check_sums(directory)
    included = any(name in sums(directory) for name in (DOCUMENT, DOCUMENT + SEALED))
    overlay, document = (_private(directory, name, passphrase) if secrets and included else None for name in PRIVATE)
    lines = (directory / KNOWN_HOSTS).read_text(encoding="utf-8").splitlines()
    return Bundle(
        directory=directory.absolute(),
        plan=load_plan(directory / PLAN, overlay or b""),
        known_hosts={_address(host): key for host, _space, key in (line.partition(" ") for line in lines)},
        setup_line=(directory / SETUP).read_text(encoding="utf-8").strip(),
        report=_report(directory / REPORT),
        document=SecretStr(document.decode("utf-8")) if document is not None else None,
    )


def _require_trusted(directory: Path) -> None:
    """Raise UntrustedPath if another user can change the bundle or one of its files."""
    for path in (directory, *sorted(directory.iterdir())):
        require_trusted(path)


def _private(directory: Path, name: str, passphrase: SecretStr | None) -> bytes:
    """Return the content of a file with secrets, decrypted if it is encrypted."""
    if is_sealed(directory):
        return decrypt((directory / (name + SEALED)).read_bytes(), passphrase)
    return (directory / name).read_bytes()


def _report(path: Path) -> Report | None:
    try:
        return Report.from_json(path.read_bytes())
    except ValueError:
        return None


def absolute(plan: Plan, plan_dir: Path) -> Plan:
    """Return the plan with absolute paths, so that its file can be moved to a different folder."""

    def resolved(path: str | None) -> str | None:
        return str(resolve_path(plan_dir, path).absolute()) if path else path

    def with_key(login: NodeSsh) -> NodeSsh:
        return login.model_copy(update={"key_file": resolved(login.key_file)})

    package, certificate, recovery = plan.package, plan.certificate, plan.disaster_recovery
    named = ("core", "core_signature", "extensions", "extensions_signature", "public_key", "install_dir")
    return plan.model_copy(
        update={
            "package": package.model_copy(update={name: resolved(getattr(package, name)) for name in named}),
            "ssh": plan.ssh.model_copy(update={"key_file": resolved(plan.ssh.key_file)}),
            "nodes": tuple(node.model_copy(update={"ssh": with_key(node.ssh)}) for node in plan.nodes),
            "certificate": certificate.model_copy(
                update={"cert_file": resolved(certificate.cert_file), "key_file": resolved(certificate.key_file)}
            ),
            "disaster_recovery": recovery.model_copy(update={"primary": resolved(recovery.primary)}),
        }
    )


def _known_hosts_text(plan: Plan, known_hosts: Mapping[str, str]) -> str:
    """Return lines for an OpenSSH known_hosts file: `address key`, or `[address]:port key` if the port is not 22."""
    lines = []
    for node in plan.nodes:
        if key := known_hosts.get(node.address):
            port = plan.login(node).port
            host = node.address if port == 22 else f"[{node.address}]:{port}"
            lines.append(f"{host} {' '.join(key.split()[:2])}\n")
    return "".join(lines)


def _address(host: str) -> str:
    return host.rpartition("]:")[0].removeprefix("[") or host
