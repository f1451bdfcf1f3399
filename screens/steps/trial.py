"""The Trial step: a single-node install with few fields. All other values are those that the manual recommends.

The step list does not show the Trial step. This step replaces the steps before Preflight and edits the same plan.
"""

import asyncio
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import ClassVar

from rich.text import Text
from textual import work
from textual.widget import Widget

from acp_tui.core.files import resolve_path
from acp_tui.core.i18n import NC_, _
from acp_tui.core.local_host import local_addresses
from acp_tui.core.ownership import is_trusted
from acp_tui.package.discovery import KEY, Found
from acp_tui.plan.sections.node import Node
from screens.session.wizard_session import Changed, Session
from screens.steps.base import WizardApp
from screens.steps.host_keys import HostKeyStep
from screens.widgets.form import Field, Form
from screens.widgets.panel import Panel

FIELDS = (
    Field("package.core", NC_("field", "Core Package"), "/root/installer-core-v4.0.3-x86.tar"),
    Field("package.public_key", NC_("field", "Public key"), "/root/verify-key.pub"),
    Field("nodes[0].address", NC_("field", "Node"), "10.20.0.11"),
    Field("ssh.username", NC_("field", "SSH user"), "root"),
    Field("ssh.password", NC_("field", "SSH password")),
    Field("ssh.key_file", NC_("field", "or SSH key file"), "/root/.ssh/id_ed25519"),
    Field("admin.password", NC_("field", "Admin password")),
)
_LOOPBACK = "127.0.0.1"


class TrialStep(HostKeyStep):
    NAME = "trial"
    SHORT = NC_("step", "Trial")
    TITLE_TEXT = NC_("title", "Single-node trial: quick setup")
    SECTIONS = ("package", "nodes", "ssh", "admin")
    KEYS = (("^R", NC_("key", "reveal")),)
    BETWEEN: ClassVar[tuple[str, str] | None] = ("package", "preflight")

    def __init__(self, session: Session, wizard: WizardApp) -> None:
        super().__init__(session, wizard)
        make_single_node(session)
        self._untrusted: Found | None = None
        """The found package, if another user can change it. It is only named, and not filled in."""

    def fields(self) -> Sequence[Field]:
        return FIELDS

    def body(self) -> Iterable[Widget]:
        yield from super().body()
        yield Panel(id="trial-note")

    def opened(self) -> None:
        self._find()

    def show_body(self, topic: Changed) -> None:
        if topic is Changed.ANSWERS:
            self.set_panel("#trial-note", self._note())

    def committed(self, field: Field) -> None:
        if field.path == "package.core":
            self._find_key()
        self.session.nodes.check_changed()

    async def may_continue(self) -> bool:
        """Start to verify and unpack the package in the background, and ask for a new host key of the node."""
        if self.session.plan.package.core:
            self.session.package_job.start()
        return await super().may_continue()

    def may_ask(self) -> bool:
        """Return False, because the operator types in this step. It asks before the next step."""
        return False

    @work(group="find", exclusive=True)
    async def _find(self) -> None:
        """Fill in the path of a package that is in a usual folder. The operator can change the path."""
        if self.session.plan.package.core:
            return
        packages = await self.session.package.find(self.session.plan.package.fingerprint)
        package = self.session.plan.package
        if not packages or package.core:
            return
        found = packages[0]
        if found.caution:
            self._untrusted = found
            self.set_panel("#trial-note", self._note())
            return
        self._preset("package.core", str(found.core))
        if found.public_key and not package.public_key:
            self._preset("package.public_key", str(found.public_key))
        if found.extensions and not package.extensions:
            self._preset("package.extensions", str(found.extensions))
        form = self.query_one(Form)
        form.focus_path("ssh.password")
        form.call_after_refresh(form.reload)

    @work(group="key", exclusive=True)
    async def _find_key(self) -> None:
        package = self.session.plan.package
        if not package.core or package.public_key:
            return
        key = _key_next_to(package.core)
        path = self.session.package.base / key
        if await asyncio.to_thread(lambda: path.is_file() and is_trusted(path)):
            self._preset("package.public_key", str(key))
            self.query_one(Form).reload()

    def _preset(self, path: str, value: str) -> None:
        self.session.answer(path, value)
        self.session.update_draft(preset=self.session.draft.preset | {path})

    def _note(self) -> Text:
        plan = self.session.plan
        endpoint = plan.address.cluster_endpoint
        alone = bool(plan.nodes) and endpoint == plan.nodes[0].address
        if alone:
            values = _(
                "acp-tui filled in: cluster endpoint {endpoint} (no VIP, no load balancer), Kube-OVN, a self-signed "
                "certificate, the platform's own registry, applications on this node. The menu (Esc) shows all "
                "answers."
            )
        else:
            values = _(
                "Your own cluster endpoint: {endpoint}. acp-tui filled in: Kube-OVN, a self-signed certificate, the "
                "platform's own registry, applications on this node. The menu (Esc) shows all answers."
            )
        if self._untrusted is not None and not plan.package.core:
            caution = _(
                "Package found: {path} ({caution}). acp-tui does not fill in this path, because another user can "
                "change the file. If you trust the file, enter the path."
            )
            return Text(caution.format(path=self._untrusted.core, caution=self._untrusted.caution), "yellow")
        limit = _("A trial should run at most 10 application Pods. You cannot add nodes to it later.")
        return Text(f"{values.format(endpoint=endpoint or '-')}\n{limit}", "dim")


def _key_next_to(core: str) -> Path:
    return resolve_path(Path(), core).with_name(KEY)


def make_single_node(session: Session) -> None:
    """Reduce the plan to its installer node. If the plan has no installer node, use this host as the only node."""
    plan = session.plan
    if plan.scenario != "single-node":
        session.answer("scenario", "single-node")
    if len(plan.nodes) != 1 or not plan.control_planes:
        if plan.nodes:  # the endpoint of several nodes is wrong for one node
            session.answer("address.self_built_vip", False)
            session.answer("address.cluster_endpoint", "")
        address = next((own.address for own in local_addresses()), _LOOPBACK)
        session.set_nodes((plan.installer_node or Node(address=address),))
