"""The remaining steps after an install, derived from the plan."""

from dataclasses import dataclass

from acp_tui.checks.catalog import catalogue
from acp_tui.checks.release_traits import release_traits, releases_where
from acp_tui.core.i18n import _, pgettext
from acp_tui.install.run.start_resume_abort import platform_url
from acp_tui.plan.model import Plan


@dataclass(frozen=True)
class Todo:
    """One remaining step. `rule`: the ID of its requirement; "" if it has none."""

    rule: str
    title: str
    text: str


def checklist(plan: Plan) -> tuple[Todo, ...]:
    """Return the remaining steps in the order in which the operator does them."""
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
                "In the Web UI, open Platform Management > Cluster Management > Clusters > global. Check that the "
                "cluster and its components are healthy. The menu on the right contains CLI Tools."
            ),
        ),
        Todo("INS-DOCS", _("Install the product's documentation"), _(docs.why)),
    ]
    if not traits.extensions_before_install and plan.package.extensions:
        text = _("Upload {file} with the tool violet. From release {since}, extensions are installed after the core.")
        since = releases_where(lambda each: not each.extensions_before_install)[0]
        todos.append(Todo("", _("Upload the extensions"), text.format(file=plan.package.extensions, since=since)))
    if traits.use_pam_restorable:
        text = _(
            "The setting UsePAM no was required only while the nodes joined the cluster. You can now restore the "
            "earlier value in sshd_config."
        )
        todos.append(Todo("USR-USEPAM", pgettext("task", "Restore UsePAM"), text))
    todos += [
        Todo(
            "",
            _("Keep the bundle"),
            _("Store the plan, the preflight report and the completion report with the documentation of the cluster."),
        ),
        Todo(
            "",
            _("Remove the secrets"),
            _("Delete secrets.yaml and the key files of this install, or move them to a vault."),
        ),
    ]
    return (*todos, *_recovery(plan))


def _recovery(plan: Plan) -> tuple[Todo, ...]:
    """Return the remaining steps for disaster recovery (DR-FLOW); () if the plan does not use it."""
    return {"primary": _after_primary, "standby": _after_standby}.get(plan.disaster_recovery.role, tuple)()


def _after_primary() -> tuple[Todo, ...]:
    return (
        Todo(
            "DR-PARAM-RECORD",
            _("Keep this plan for the standby"),
            _("The plan of the standby names this plan as its primary. Some values must be the same in both plans."),
        ),
        Todo(
            "DR-FLOW-3",
            _("Point the domain to the standby's VIP"),
            _("During the install of the standby, the platform's domain must point to the standby's VIP."),
        ),
        Todo(
            "DR-FLOW-4",
            _("Copy the etcd encryption key to the standby"),
            _("Before you install the standby, copy the etcd encryption key to all its control plane nodes."),
        ),
        Todo(
            "DR-FLOW-5",
            _("Install the standby"),
            _("After you have installed the standby, point the domain back to this cluster's VIP."),
        ),
    )


def _after_standby() -> tuple[Todo, ...]:
    return (
        Todo(
            "DR-FLOW-5",
            _("Point the domain back to the primary's VIP"),
            _("The platform's domain had to point to this cluster only during the install of this cluster."),
        ),
        Todo(
            "DR-FLOW-6",
            _("Install and enable the etcd synchronisation"),
            _("In the Web UI of this cluster, install the plugin etcd Synchronizer: Marketplace > Cluster Plugins."),
        ),
        Todo(
            "DR-FLOW-7",
            _("Check the etcd synchronisation"),
            _(
                "Check the synchronisation of etcd now and regularly. A standby without the latest data cannot "
                "take over."
            ),
        ),
    )
