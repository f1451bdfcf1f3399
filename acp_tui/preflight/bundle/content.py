"""Write and open a bundle: plan, secrets, installer configuration, setup.sh command, report and known hosts.

The module `directory.py` writes the files and replaces an earlier bundle. When a bundle is opened, its checksums are
verified first.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Literal

from pydantic import SecretStr

from acp_tui.core.files import read_limited, resolve_path
from acp_tui.core.gpg.encryption import Lock, decrypt, encrypt
from acp_tui.core.i18n import _
from acp_tui.core.ownership import require_trusted
from acp_tui.plan.file import (
    SECRETS_NAME,
    FoundReferences,
    ReferencePolicy,
    dump_plan,
    dump_secrets,
    load_plan,
    only_trusted,
)
from acp_tui.plan.known_hosts import KeySource, KnownHost, KnownHosts
from acp_tui.plan.model import Plan
from acp_tui.plan.sections.node import NodeSsh
from acp_tui.preflight.bundle.checksums import BundleCorrupt, FileProblem, check_sums, sums
from acp_tui.preflight.bundle.directory import fill, place_for
from acp_tui.preflight.bundle.layout import (
    DOCUMENT,
    FILES,
    KNOWN_HOSTS,
    LARGEST,
    PAGE,
    PLAN,
    PRIVATE,
    REPORT,
    SEALED,
    SETUP,
)
from acp_tui.preflight.report.html.page import report_html
from acp_tui.preflight.report.model import Report, report_json

SecretsMode = Literal["plain", "left-out"] | Lock
"""How a bundle stores its two files with secrets: in plain text (mode 0600), not at all, or encrypted."""


@dataclass(frozen=True)
class Bundle:
    """An opened bundle with verified checksums."""

    directory: Path
    plan: Plan
    known_hosts: KnownHosts
    """The host keys in the file `known_hosts` of the bundle. They count as confirmed."""
    setup_line: str
    report: Report | None
    """The report that was written with the bundle; None if this version of acp-tui cannot read it."""
    document: SecretStr | None
    """The rendered configuration, with secrets. None if the bundle was opened without secrets.
    """


def write_bundle(
    plan: Plan,
    report: Report,
    known_hosts: KnownHosts,
    directory: Path,
    *,
    plan_dir: Path,
    document: str,
    setup_line: str,
    keep: SecretsMode = "plain",
) -> Path:
    """Write the bundle and return its absolute path. An earlier bundle in `directory` is replaced.

    `known_hosts`: the known hosts of the nodes. The bundle gets only the confirmed ones. `plan_dir`: the folder where
    relative paths of the plan start. `document`: the rendered configuration. `setup_line`: the command that runs
    setup.sh. `keep`: how the secrets are stored.

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


def open_bundle(
    directory: Path,
    passphrase: SecretStr | None = None,
    *,
    secrets: bool = True,
    references: ReferencePolicy = only_trusted,
) -> Bundle:
    """Verify the checksums, then read the bundle. If `secrets` is False, the files with secrets are not read.

    `references`: decides about the files of this host that the plan names, such as private keys; see `load_plan`.

    Raises UntrustedPath if another user can change the bundle, BundleCorrupt if a checksum is different, a file is not
    UTF-8 text or a secret is a reference, PlanErrors if the plan is invalid, ReferencesRefused, GpgFailed
    (PassphraseNeeded, PassphraseWrong) if the secrets cannot be decrypted, and OSError if a file cannot be read.
    """
    _require_trusted(directory)
    check_sums(directory)
    included = any(name in sums(directory) for name in (DOCUMENT, DOCUMENT + SEALED))
    overlay, document = (_private(directory, name, passphrase) if secrets and included else None for name in PRIVATE)
    lines = _text(directory, KNOWN_HOSTS, _content(directory, KNOWN_HOSTS)).splitlines()
    decide = partial(_without_references, directory, references)
    return Bundle(
        directory=directory.absolute(),
        plan=load_plan(directory / PLAN, overlay or b"", references=decide),
        known_hosts=_read_known_hosts(lines),
        setup_line=_text(directory, SETUP, _content(directory, SETUP)).strip(),
        report=_report(_content(directory, REPORT)),
        document=SecretStr(_text(directory, DOCUMENT, document)) if document is not None else None,
    )


def _without_references(directory: Path, policy: ReferencePolicy, found: FoundReferences) -> None:
    """Raise BundleCorrupt if a secret is a reference. acp-tui writes no references, so the bundle was changed."""
    reason = _("a bundle must not contain references to secrets of this host, but the key {key} has one")
    problems = [
        FileProblem(one.file, reason.format(key=one.path)) for one in found.references if one.kind in ("env", "file")
    ]
    if problems:
        raise BundleCorrupt(directory, tuple(problems))
    policy(found)


def _require_trusted(directory: Path) -> None:
    """Raise UntrustedPath if another user can change the bundle or one of its files."""
    for path in (directory, *sorted(directory.iterdir())):
        require_trusted(path)


def _private(directory: Path, name: str, passphrase: SecretStr | None) -> bytes:
    """Return the content of a file with secrets, decrypted if it is encrypted."""
    if is_sealed(directory):
        return decrypt(_content(directory, name + SEALED), passphrase)
    return _content(directory, name)


def _content(directory: Path, name: str) -> bytes:
    return read_limited(directory / name, LARGEST)


def _text(directory: Path, name: str, content: bytes) -> str:
    """Decode the content of a file. Raises BundleCorrupt with the name of the file if the content is not UTF-8 text."""
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError:
        raise BundleCorrupt(directory, (FileProblem(name, _("the file is not UTF-8 text")),)) from None


def _report(content: bytes) -> Report | None:
    try:
        return Report.from_json(content)
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
            # The bundle has the known hosts of the nodes in a file of its own.
            "ssh": plan.ssh.model_copy(update={"key_file": resolved(plan.ssh.key_file), "known_hosts": None}),
            "nodes": tuple(node.model_copy(update={"ssh": with_key(node.ssh)}) for node in plan.nodes),
            "certificate": certificate.model_copy(
                update={"cert_file": resolved(certificate.cert_file), "key_file": resolved(certificate.key_file)}
            ),
            "disaster_recovery": recovery.model_copy(update={"primary": resolved(recovery.primary)}),
        }
    )


def _known_hosts_text(plan: Plan, known_hosts: KnownHosts) -> str:
    """Return lines for an OpenSSH known_hosts file: `address key`, or `[address]:port key` if the port is not 22."""
    lines = []
    for node in plan.nodes:
        known = known_hosts.get(node.address)
        if known is not None and known.confirmed:
            port = plan.login(node).port
            host = node.address if port == 22 else f"[{node.address}]:{port}"
            lines += [f"{host} {key}\n" for key in known.keys]
    return "".join(lines)


def _read_known_hosts(lines: Iterable[str]) -> KnownHosts:
    """Return the known hosts in the lines of a bundle's file. A node can have several lines."""
    keys: dict[str, list[str]] = {}
    for host, _space, key in (line.partition(" ") for line in lines):
        keys.setdefault(_address(host), []).append(key)
    return {address: KnownHost(tuple(found), KeySource.FILE) for address, found in keys.items()}


def _address(host: str) -> str:
    return host.rpartition("]:")[0].removeprefix("[") or host
