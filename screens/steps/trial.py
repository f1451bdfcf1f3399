"""The short path: one node for a trial. A handful of answers, all else as the manual advises.

It is a step beside the row: it leads to the preflight, and its answers are those of the steps that it stands for.
"""

import asyncio
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import ClassVar

from rich.text import Text
from textual import work
from textual.widget import Widget

from acp_tui.core.files import resolve_path
from acp_tui.core.i18n import N_, _
from acp_tui.core.local_host import local_addresses
from acp_tui.package.discovery import KEY
from acp_tui.plan.model import Node
from screens.session.session import Changed, Session
from screens.steps.base import WizardStep
from screens.widgets.form import Field, Form
from screens.widgets.panel import Panel

FIELDS = (
    Field("package.core", N_("Core Package"), "/root/installer-core-v4.0.3-x86.tar"),
    Field("package.public_key", N_("Public key"), "/root/verify-key.pub"),
    Field("nodes[0].address", N_("Node"), "10.20.0.11"),
    Field("ssh.username", N_("SSH user"), "root"),
    Field("ssh.password", N_("SSH password")),
    Field("ssh.key_file", N_("or SSH key file"), "/root/.ssh/id_ed25519"),
    Field("admin.password", N_("Admin password")),
)
_LOOPBACK = "127.0.0.1"


class TrialStep(WizardStep):
    NAME = "trial"
    SHORT = N_("Trial")
    TITLE_TEXT = N_("One node for a trial: a handful of answers")
    SECTIONS = ("package", "nodes", "ssh", "admin")
    KEYS = (("^R", N_("reveal")),)
    BETWEEN: ClassVar[tuple[str, str] | None] = ("package", "preflight")

    def __init__(self, session: Session) -> None:
        super().__init__(session)
        begin(session)

    def fields(self) -> Sequence[Field]:
        return FIELDS

    def body(self) -> Iterable[Widget]:
        yield from super().body()
        yield Panel(id="trial-note")

    def opened(self) -> None:
        self._find()

    def show_body(self, topic: Changed) -> None:
        if topic is Changed.ANSWERS:
            self._set("#trial-note", self._note())

    def committed(self, field: Field) -> None:
        if field.path == "package.core":
            self._key_beside()
        self.session.nodes.probe_where_needed()

    async def may_go_on(self) -> bool:
        """The package is verified and unpacked while the preflight is looked at."""
        if self.session.plan.package.core:
            self.session.unpacking.start()
        return True

    @work(group="find", exclusive=True)
    async def _find(self) -> None:
        """Take the package that lies where packages usually lie: it stands in its field, to be seen and changed."""
        if self.session.plan.package.core:
            return
        offered = await self.session.package.find(self.session.plan.package.fingerprint)
        package = self.session.plan.package
        if not offered or package.core:
            return
        found = offered[0]
        self._preset("package.core", str(found.core))
        if found.public_key and not package.public_key:
            self._preset("package.public_key", str(found.public_key))
        if found.extensions and not package.extensions:
            self._preset("package.extensions", str(found.extensions))
        form = self.query_one(Form)
        form.focus_path("ssh.password")
        form.call_after_refresh(form.reload)

    @work(group="key", exclusive=True)
    async def _key_beside(self) -> None:
        package = self.session.plan.package
        if not package.core or package.public_key:
            return
        key = _beside(package.core)
        if await asyncio.to_thread((self.session.package.base / key).is_file):
            self._preset("package.public_key", str(key))
            self.query_one(Form).reload()

    def _preset(self, path: str, value: str) -> None:
        self.session.answer(path, value)
        self.session.note(preset=self.session.draft.preset | {path})

    def _note(self) -> Text:
        plan = self.session.plan
        endpoint = plan.address.cluster_endpoint
        alone = bool(plan.nodes) and endpoint == plan.nodes[0].address
        preset = _(
            "{endpoint}, Kube-OVN, a self-signed certificate, the platform's own registry, applications on this node, "
            "unless you have said otherwise. The menu (Esc) leads to every other answer."
        ).format(
            endpoint=_("Preset: cluster endpoint {node} (no VIP, no load balancer)").format(node=endpoint)
            if alone
            else _("Your own cluster endpoint {address}; preset").format(address=endpoint or "-")
        )
        return Text(
            preset + "\n" + _("For a trial: at most 10 application Pods, never to be grown into a cluster."), "dim"
        )


def _beside(core: str) -> Path:
    return resolve_path(Path(), core).with_name(KEY)


def begin(session: Session) -> None:
    """Make the plan one of a single node: the one that is there, or this host."""
    plan = session.plan
    if plan.scenario != "single-node":
        session.answer("scenario", "single-node")
    if len(plan.nodes) != 1 or not plan.control_planes:
        if plan.nodes:  # where a cluster led to, a single node has nobody to lead to
            session.answer("address.self_built_vip", False)
            session.answer("address.cluster_endpoint", "")
        address = next((own.address for own in local_addresses()), _LOOPBACK)
        session.set_nodes((plan.installer_node or Node(address=address),))
