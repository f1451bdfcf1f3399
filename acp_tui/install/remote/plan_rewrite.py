"""Rewrite a plan and its report for the installer node of a remote install."""

from dataclasses import dataclass, replace
from pathlib import Path

from acp_tui.checks.causes import without_lost_causes
from acp_tui.core.files import resolve_path
from acp_tui.nodes.ssh.sftp import Upload
from acp_tui.package.facts import package_inputs
from acp_tui.plan.model import Plan
from acp_tui.plan.sections.node import NodeSsh
from acp_tui.preflight.report.model import Report

_PACKAGE, _KEYS = "package", "keys"
_CHECKED_REMOTELY = frozenset({"BND-INSTNODE", "BND-WORKDIR", "BND-FREE-100G"})
"""Requirements for the host that unpacks the package. A remote install checks them on the installer node."""


@dataclass(frozen=True)
class RemotePlan:
    """The plan with paths on the installer node, and the files to upload to these paths."""

    plan: Plan
    packages: tuple[Upload, ...]
    """The packages, their signatures and the public key."""
    keys: tuple[Upload, ...]


def rewrite_for_remote(plan: Plan, plan_dir: Path, folder: str) -> RemotePlan:
    """Return the plan with paths on the installer node, and the files to upload to these paths.

    `folder`: the absolute path on the node below which all files are uploaded. `plan_dir`: the folder on this
    host that relative paths of the plan start from."""
    uploads: dict[Path, Upload] = {}

    def upload(kind: str, path: Path) -> str:
        if path not in uploads:
            # Two keys may have the same file name. A package must keep its name: it has the release.
            name = path.name if kind == _PACKAGE else f"{len(uploads)}-{path.name}"
            uploads[path] = Upload(path, f"{folder}/{kind}/{name}")
        return uploads[path].remote

    def key(name: str | None) -> str | None:
        return upload(_KEYS, resolve_path(plan_dir, name)) if name else None

    def login(own: NodeSsh) -> NodeSsh:
        return own.model_copy(update={"key_file": key(own.key_file)})

    package: dict[str, str] = {}
    for kind, question in package_inputs(plan.package, plan_dir).items():
        package[kind] = upload(_PACKAGE, question.package)
        if question.signature.is_file():
            package[f"{kind}_signature"] = upload(_PACKAGE, question.signature)
        if question.key_file:
            package["public_key"] = upload(_PACKAGE, question.key_file)
    certificate = {"cert_file": key(plan.certificate.cert_file), "key_file": key(plan.certificate.key_file)}
    moved = plan.model_copy(
        update={
            "package": plan.package.model_copy(update=package),
            "certificate": plan.certificate.model_copy(update=certificate),
            "ssh": plan.ssh.model_copy(update={"key_file": key(plan.ssh.key_file)}),
            "nodes": tuple(node.model_copy(update={"ssh": login(node.ssh)}) for node in plan.nodes),
            # Compared with its primary on this host; the secrets of the primary must not be copied.
            "disaster_recovery": plan.disaster_recovery.model_copy(update={"primary": None}),
        }
    )
    packages = tuple(one for one in uploads.values() if one.remote.startswith(f"{folder}/{_PACKAGE}/"))
    return RemotePlan(moved, packages, tuple(one for one in uploads.values() if one not in packages))


def without_host_checks(report: Report) -> Report:
    """Return the report without the verdicts about this host, because this host is not the installer node."""
    verdicts = without_lost_causes([v for v in report.verdicts if v.requirement not in _CHECKED_REMOTELY])
    return replace(report, verdicts=verdicts)
