"""The Package step: the installation packages and their signature. The step unpacks them in the background."""

from collections.abc import Iterable, Sequence
from typing import ClassVar

from rich.text import Text
from textual.binding import Binding, BindingType
from textual.widget import Widget

from acp_tui.checks.verdict import Outcome
from acp_tui.core.i18n import NC_, _, ngettext, pgettext
from acp_tui.package.discovery import Found
from acp_tui.package.reader import pace
from acp_tui.plan.model import Plan
from screens.formatting.glyphs import glyphs, outcome_mark
from screens.session.wizard_session import Changed, Session
from screens.steps.base import WizardApp, WizardStep
from screens.widgets.detail import joined
from screens.widgets.form import Field, Form
from screens.widgets.panel import Panel


def _standby(plan: Plan) -> bool:
    return plan.disaster_recovery.role == "standby"


FIELDS = (
    Field("scenario", NC_("field", "Scenario")),
    Field("package.core", NC_("field", "Core Package"), "/root/installer-core-v4.0.3-x86.tar"),
    Field("package.core_signature", NC_("field", "Signature"), "/root/installer-core-v4.0.3-x86.tar.sig"),
    Field("package.public_key", NC_("field", "Public key"), "/root/verify-key.pub"),
    Field("package.fingerprint", NC_("field", "Fingerprint")),
    Field("package.extensions", NC_("field", "Extensions"), "/root/installer-extensions-v4.0.3-x86.tar"),
    Field("package.install_dir", NC_("field", "Install folder"), "/root/cpaas-install"),
    Field("release", NC_("field", "Release")),
    Field("disaster_recovery.role", NC_("field", "Disaster recovery")),
    Field("disaster_recovery.primary", NC_("field", "Primary's plan"), "/root/primary/plan.yaml", _standby),
)


def _companions(found: Found) -> str:
    """Return a text that says which files were found next to a Core Package: signature, public key, extensions.

    If another user can change the Core Package, the text says why."""
    parts = (
        pgettext("package", "signature found") if found.signed else pgettext("package", "signature missing"),
        _("public key found") if found.public_key else _("public key missing"),
        *([pgettext("package", "extensions found")] if found.extensions else []),
        *([found.caution] if found.caution else []),
    )
    return ", ".join(parts)


class PackageStep(WizardStep):
    NAME = "package"
    SHORT = NC_("step", "Package")
    TITLE_TEXT = NC_("title", "Package: integrity and signature")
    SECTIONS = ("package", "scenario", "release", "disaster_recovery")
    KEYS = (("^V", NC_("key", "verify and unpack")),)

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("ctrl+v", "unpack", show=False, priority=True),
        Binding("ctrl+x", "stop", show=False, priority=True),
        Binding("ctrl+f", "fill_in", show=False, priority=True),
        Binding("ctrl+t", "app.trial", show=False, priority=True),
    ]

    def __init__(self, session: Session, wizard: WizardApp) -> None:
        super().__init__(session, wizard)
        self._found: tuple[Found, ...] = ()

    def fields(self) -> Sequence[Field]:
        return FIELDS

    def body(self) -> Iterable[Widget]:
        yield from super().body()
        yield Panel(id="package-state")

    def show_body(self, topic: Changed) -> None:
        self.set_panel("#package-state", self._state())

    def opened(self) -> None:
        if not self.session.plan.package.core:
            self.run_worker(self._find())

    async def _find(self) -> None:
        """Search the usual folders for packages. The operator can type during the search."""
        self._found = await self.session.package.find(self.session.plan.package.fingerprint)
        self.set_panel("#package-state", self._state())

    def action_fill_in(self) -> None:
        """Fill in the file paths of a found package. The next key press fills in the paths of the next package.

        A path that the operator has typed is not replaced."""
        package = self.session.plan.package
        cores = [str(found.core) for found in self._found]
        if not cores or (package.core and package.core not in cores):
            return
        at = cores.index(package.core) if package.core else -1
        before, found = self._found[at] if at >= 0 else None, self._found[(at + 1) % len(cores)]
        self.session.answer("package.core", str(found.core))
        if not package.extensions or (before and package.extensions == str(before.extensions)):
            self.session.answer("package.extensions", str(found.extensions) if found.extensions else None)
        if found.public_key and not package.public_key:
            self.session.answer("package.public_key", str(found.public_key))
        self.query_one(Form).reload(focused=True)

    def action_unpack(self) -> None:
        """Start to verify and unpack the packages in the background."""
        self.session.package_job.start()

    def action_stop(self) -> None:
        self.session.package_job.stop()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Return False for ^X while no job runs, so that ^X cuts text in the focused field."""
        return action != "stop" or self.session.package_job.state.progress is not None

    def _state(self) -> Text:
        g = glyphs()
        lines: list[Text] = []
        work = self.session.package_job.state
        if work.progress is not None:
            done, total = work.progress.done, work.progress.total
            width = 20
            filled = width * done // total if total else 0
            bar = g.bar * filled + g.rest * (width - filled)
            percent = f"{100 * done // total}%" if total else ""
            message = " ".join(part for part in (bar, percent, pace(work.progress), work.progress.label) if part)
            lines.append(Text(message, no_wrap=True, overflow="ellipsis"))
            lines.append(Text(_("Press ^X to cancel. You can fill in the other steps now."), "cyan"))
        elif work.message:
            if not work.done:  # the lines below would only repeat this text
                return Text(work.message, "bold red")
            lines.append(Text(work.message, "green", no_wrap=True, overflow="ellipsis"))
        elif self.session.plan.package.core:
            lines.append(Text(_("Press ^V to verify the signature and unpack the package."), "cyan"))
            if len(self._found) > 1 and self.session.plan.package.core in [str(one.core) for one in self._found]:
                message = ngettext(
                    "{count} package was found. Press ^F to fill in the next one.",
                    "{count} packages were found. Press ^F to fill in the next one.",
                    len(self._found),
                )
                lines.append(Text(message.format(count=len(self._found)), "cyan"))
        elif self._found:
            one, count = self._found[0], len(self._found)
            message = ngettext(
                "{count} package was found. Press ^F to fill in the path:",
                "{count} packages were found. Press ^F to fill in the first:",
                count,
            )
            lines.append(Text(message.format(count=count), "cyan"))
            lines.append(Text(str(one.core), no_wrap=True, overflow="ellipsis"))
            lines.append(Text(_companions(one), "dim", no_wrap=True, overflow="ellipsis"))
        if self.session.plan.scenario == "single-node":
            lines.append(Text(_("Press ^T to open the single-node trial (quick setup)."), "cyan"))
        for verdict in self.session.verdicts:
            warns = verdict.requirement == "BND-KEY-FPR" and verdict.outcome is Outcome.WARN
            if (warns or verdict.requirement in ("BND-SIGN", "BND-NODE-ARCH", "BND-FREE-100G")) and len(lines) < 4:
                mark, style = outcome_mark(verdict.outcome) if verdict.waived is None else ("W", "cyan")
                if verdict.outcome is not Outcome.NOT_APPLICABLE:
                    lines.append(Text(f"{mark} {verdict.observed}", style, no_wrap=True, overflow="ellipsis"))
        return joined(lines)
