"""The remaining steps after an install, derived from the plan."""

from dataclasses import dataclass

from acp_tui.checks.catalog import catalogue
from acp_tui.checks.release_traits import release_traits, releases_where
from acp_tui.core.i18n import _, pgettext
from acp_tui.install.run.start_resume_abort import platform_url
from acp_tui.plan.model import Plan


@dataclass(frozen=True)
class Todo:
    """One remaining step. `rule`: the ID of its requirement, or ""."""

    rule: str
    title: str
    text: str


def checklist(plan: Plan) -> tuple[Todo, ...]:
    """Return the remaining steps, in order."""
    traits = release_traits(plan.effective_release)
    docs = catalogue(plan.effective_release)["INS-DOCS"]
    todos = [
        Todo(
            "INS-ACCESS",
            pgettext("task", "Log in"),
            _("Open {url} and log in as {user}.").format(url=platform_url(plan), user=plan.admin.username),
        ),
        Todo(
            "INS-VERIFY-UI",
            _("Check the cluster"),
            _(
                "Open Platform Management > Cluster Management > Clusters > global. The cluster and its "
                "components must "
                "be healthy. CLI Tools are in the menu on the right."
            ),
        ),
        Todo("INS-DOCS", _("Install the product's documentation"), _(docs.why)),
    ]
    if not traits.extensions_before_install and plan.package.extensions:
        text = _("Upload {file} with violet. From release {since} on, extensions are installed after the core.")
        since = releases_where(lambda each: not each.extensions_before_install)[0]
        todos.append(Todo("", _("Upload the extensions"), text.format(file=plan.package.extensions, since=since)))
    if traits.use_pam_restorable:
        text = _(
            "The setting UsePAM no was required only while the nodes joined. You can now restore UsePAM in sshd_config."
        )
        todos.append(Todo("USR-USEPAM", pgettext("task", "Restore UsePAM"), text))
    todos += [
        Todo(
            "",
            _("Keep the bundle"),
            _("Store plan, preflight report and completion report with the documentation of this cluster."),
        ),
        Todo(
            "",
            _("Remove the secrets"),
            _("Delete secrets.yaml and the key files of this install, or move them to a vault."),
        ),
    ]
    return (*todos, *_recovery(plan))


def _recovery(plan: Plan) -> tuple[Todo, ...]:
    """Return the next steps of disaster recovery (DR-FLOW)."""
    return {"primary": _after_primary, "standby": _after_standby}.get(plan.disaster_recovery.role, tuple)()


def _after_primary() -> tuple[Todo, ...]:
    return (
        Todo(
            "DR-PARAM-RECORD",
            _("Keep this plan for the standby"),
            _("Some values must be the same in both plans. The plan of the standby names this plan as its primary."),
        ),
        Todo(
            "DR-FLOW-3",
            _("Point the domain to the standby's VIP"),
            _("The domain must point to the standby's VIP only while the standby is installed."),
        ),
        Todo(
            "DR-FLOW-4",
            _("Copy the etcd encryption key to the standby"),
            _("Copy the key to all control plane nodes of the standby. Do this before you install the standby."),
        ),
        Todo(
            "DR-FLOW-5", _("Install the standby"), _("After that install, point the domain back to this cluster's VIP.")
        ),
    )


def _after_standby() -> tuple[Todo, ...]:
    return (
        Todo(
            "DR-FLOW-5",
            _("Point the domain back to the primary's VIP"),
            _("The domain must point to this cluster only during the install."),
        ),
        Todo(
            "DR-FLOW-6",
            _("Install and enable the etcd synchronisation"),
            _("On this cluster, install the plugin etcd Synchronizer from Marketplace, Cluster Plugins."),
        ),
        Todo(
            "DR-FLOW-7",
            _("Check the synchronisation"),
            _("Check the synchronisation now and regularly. A standby without the latest data cannot take over."),
        ),
    )
