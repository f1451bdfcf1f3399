"""Find the references of a plan to secrets of this host, and its own rules for packages, before it is used.

A reference makes acp-tui read a file or an environment variable, and send its content to other machines. So the author
of a plan can send secrets of the person who opens it. A plan that accepts a package of somebody other than the vendor
lets that person run scripts as root. A policy therefore decides about the references of each plan:
`only_trusted` is the default, and refuses them if another user can change the plan.
"""

import hashlib
import json
import os
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from pydantic import BaseModel

from acp_tui.core.errors import AcpError, ExitStatus
from acp_tui.core.files import resolve_path
from acp_tui.core.i18n import _
from acp_tui.plan.field_types import visible
from acp_tui.plan.file.document import Data, Document, Value
from acp_tui.plan.model import Plan, models_in
from acp_tui.plan.paths import PathPart, dotted
from acp_tui.plan.sections.package import VENDOR_FINGERPRINT
from acp_tui.plan.sections.section import is_secret

ReferenceKind = Literal["env", "file", "content", "package"]
"""env, file: a secret in the form `{env: NAME}` or `{file: PATH}`. content: a key with the path of a file, such as a
private key, whose content is sent to the installer or to the installer node. package: a fingerprint other than the
vendor's, or a waiver for the signature."""

_CONTENT_KEYS = (
    ("ssh", "key_file"),
    ("certificate", "cert_file"),
    ("certificate", "key_file"),
    ("package", "core_signature"),
    ("package", "extensions_signature"),
    ("package", "public_key"),
)
_NODE_KEY = ("ssh", "key_file")
_SIGNATURE = "BND-SIGN"
"""The requirement that a package has a valid signature."""


@dataclass(frozen=True)
class Reference:
    """A reference in a plan. `source`: the name of the variable, path of the file, fingerprint or waiver."""

    file: str
    """The name of the YAML file with the reference."""
    path: str
    kind: ReferenceKind
    source: str
    receiver: str
    """A description of the machines that get the secret; for the kind `package` the paths of the packages."""

    def __str__(self) -> str:
        if self.kind == "env":
            text = _("{key}: the environment variable {source}. Receiver: {receiver}.")
        elif self.kind == "package":
            text = _(
                "{key}: {source}. Root runs scripts of these packages, which the vendor has not signed: {receiver}."
            )
        else:
            text = _("{key}: the file {source}. Receiver: {receiver}.")
        # The values are not shortened, so that no part of them stays hidden.
        return text.format(key=self.path, source=visible(self.source), receiver=visible(self.receiver))


@dataclass(frozen=True)
class FoundReferences:
    """All references of a plan and its secrets overlay. `file`: the plan file."""

    file: Path
    references: tuple[Reference, ...]
    weakness: str
    """The reason why another user can change the plan; "" if only the operator and root can change it."""

    @property
    def digest(self) -> str:
        """The SHA-256 sum of the references. It changes if a source or a receiver changes."""
        rows = [(one.path, one.kind, one.source, one.receiver) for one in self.references]
        return hashlib.sha256(json.dumps(rows).encode()).hexdigest()

    @property
    def question(self) -> str:
        """The question that the operator must answer with yes before a reference is read."""
        return _("May acp-tui read these values, send them to these receivers, and use these packages?")

    def lines(self) -> tuple[str, ...]:
        """Return the reason for the question, and one line for each reference."""
        text = _("The plan {file} refers to secrets of this host, but it is not trusted: {reason}.")
        if all(one.kind == "package" for one in self.references):
            text = _(
                "The plan {file} accepts packages that the vendor has not signed, but it is not trusted: {reason}."
            )
        first = text.format(file=visible(str(self.file)), reason=self.weakness)
        return (first, *(f"  {one}" for one in self.references))


class ReferencesRefused(AcpError, ValueError):
    """The plan has references to secrets of this host, and the operator has not confirmed them. Nothing was read."""

    exit_status = ExitStatus.CHECK_FAILED

    def __init__(self, found: FoundReferences, way_out: str = "") -> None:
        super().__init__("\n".join((*found.lines(), way_out or _copy_advice())))
        self.found = found


ReferencePolicy = Callable[[FoundReferences], None]
"""Decides about the references of a plan, before one is read. Raises AcpError if they must not be read."""


def only_trusted(found: FoundReferences) -> None:
    """Raise ReferencesRefused if another user can change the plan."""
    if found.weakness:
        raise ReferencesRefused(found)


def _copy_advice() -> str:
    """Return how to use a plan of another user without a question."""
    return _("If the references are correct, copy the plan to a folder of your own, and use the copy.")


def find_references(documents: tuple[Document, ...], merged: Value) -> tuple[Reference, ...]:
    """Return the references in the documents of a plan, in the order of the documents.

    `merged`: the plan data with the overlay applied. It decides who receives a secret."""
    plan = merged if isinstance(merged, dict) else {}
    found = [one for document in documents for one in _secrets(Plan, document.data, (), document, plan)]
    found += [one for document in documents for one in _contents(document, plan)]
    found += [one for document in documents for one in _own_package_rules(document, plan)]
    return tuple(dict.fromkeys(found))


def _secrets(
    model: type[BaseModel], value: Value, steps: tuple[PathPart, ...], document: Document, plan: Data
) -> Iterator[Reference]:
    if isinstance(value, list):
        for index, item in enumerate(value):
            yield from _secrets(model, item, (*steps, index), document, plan)
    if not isinstance(value, dict):
        return
    for name, info in model.model_fields.items():
        inner, here = value.get(name), (*steps, name)
        if is_secret(info.annotation) and isinstance(inner, dict):
            match list(inner.items()):
                case [("env", str(source))]:
                    yield _reference("env", here, source, document, plan)
                case [("file", str(source))]:
                    yield _reference("file", here, source, document, plan)
        for part in models_in(info.annotation):
            yield from _secrets(part, inner, here, document, plan)


def _contents(document: Document, plan: Data) -> Iterator[Reference]:
    """Yield each key with the path of a file whose content acp-tui sends."""
    nodes = document.data.get("nodes")
    count = len(nodes) if isinstance(nodes, list) else 0
    of_nodes = (("nodes", index, *_NODE_KEY) for index in range(count))
    for steps in (*_CONTENT_KEYS, *of_nodes):
        name = value_at(document.data, steps)
        if isinstance(name, str) and name.strip():
            yield _reference("content", steps, name, document, plan)


def _own_package_rules(document: Document, plan: Data) -> Iterator[Reference]:
    """Yield the fingerprint, if it is not the vendor's, and each waiver for the signature of a package."""
    paths = (value_at(plan, ("package", kind)) for kind in ("core", "extensions"))
    packages = ", ".join(str(resolve_path(document.folder.absolute(), str(path))) for path in paths if path) or "-"
    fingerprint = value_at(document.data, ("package", "fingerprint"))
    if isinstance(fingerprint, str) and "".join(fingerprint.split()).upper() not in ("", VENDOR_FINGERPRINT):
        yield Reference(document.name, "package.fingerprint", "package", fingerprint, packages)
    waivers = document.data.get("waivers")
    for index in range(len(waivers) if isinstance(waivers, list) else 0):
        requirement = value_at(document.data, ("waivers", index, "requirement"))
        if isinstance(requirement, str) and requirement.strip().upper() == _SIGNATURE:
            yield Reference(document.name, dotted(("waivers", index)), "package", requirement, packages)


def _reference(
    kind: ReferenceKind, steps: tuple[PathPart, ...], source: str, document: Document, plan: Data
) -> Reference:
    if kind != "env":  # the target of a link counts, because the author of the plan can choose it
        path = str(resolve_path(document.folder.absolute(), source))
        with suppress(OSError, ValueError):  # a path that no file can have, such as one with a null character
            path = os.path.realpath(path)
        source = path
    return Reference(document.name, dotted(steps), kind, source, _receiver(steps, document, plan))


def value_at(value: Value, steps: tuple[PathPart, ...]) -> Value:
    """Return the value of a plan key in the data of a YAML file; None if the data does not have it."""
    for step in steps:
        if isinstance(value, dict) and isinstance(step, str):
            value = value.get(step)
        elif isinstance(value, list) and isinstance(step, int) and step < len(value):
            value = value[step]
        else:
            return None
    return value


def _receiver(steps: tuple[PathPart, ...], document: Document, plan: Data) -> str:
    """Return who receives the secret or the file of a plan key."""
    section, key = steps[0], steps[-1]
    if key == "key_passphrase":
        return _("no other machine; acp-tui uses the passphrase only on this host")
    if section == "package":
        return _("the installer node, if the install runs on a different host")
    if section == "registry" and (address := value_at(plan, ("registry", "address"))):
        return _("the registry {address}, the installer and the cluster").format(address=address)
    if section in ("ssh", "nodes") and key == "password":
        return _("the nodes {nodes}, the installer and the cluster").format(nodes=_nodes(steps, document, plan))
    return _("the installer and the cluster")


def _nodes(steps: tuple[PathPart, ...], document: Document, plan: Data) -> str:
    """Return the addresses of the nodes that receive the secret. All are named, so that none can be overlooked."""
    nodes = plan.get("nodes") if steps[0] == "ssh" else [value_at(document.data, steps[:2])]
    found = [value_at(node, ("address",)) for node in nodes] if isinstance(nodes, list) else []
    return ", ".join(str(address) for address in found if address) or "-"
