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
                "cluster and its components are healthy. To run kubectl there, select CLI Tools in the menu on the "
                "right."
            ),
        ),
        Todo("INS-DOCS", _("Install the product documentation plugin"), _(docs.why)),
    ]
    if not traits.extensions_before_install and plan.package.extensions:
        text = _(
            "Upload {file} to the platform with the tool violet. From release {since} on, extensions are installed "
            "after the Core Package."
        )
        since = releases_where(lambda each: not each.extensions_before_install)[0]
        todos.append(
            Todo("", _("Upload the extensions to the platform"), text.format(file=plan.package.extensions, since=since))
        )
    if traits.use_pam_restorable:
        text = _(
            "The sshd setting UsePAM had to be set to no only while the nodes joined the cluster. You can now restore "
            "its earlier value."
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
            _("Keep this plan for the standby cluster"),
            _(
                "The plan of the standby cluster refers to this plan in the key disaster_recovery.primary. Some values "
                "must be the same in both plans."
            ),
        ),
        Todo(
            "DR-FLOW-3",
            _("Point the platform's domain to the standby cluster's VIP"),
            _(
                "During the install of the standby cluster, the platform's domain must point to the VIP of the standby "
                "cluster."
            ),
        ),
        Todo(
            "DR-FLOW-4",
            _("Copy the etcd encryption key to the standby cluster"),
            _(
                "Before you install the standby cluster, copy the etcd encryption key from this cluster to all control "
                "plane nodes of the standby cluster."
            ),
        ),
        Todo(
            "DR-FLOW-5",
            _("Install the standby cluster"),
            _("After you have installed the standby cluster, point the platform's domain back to this cluster's VIP."),
        ),
    )


def _after_standby() -> tuple[Todo, ...]:
    return (
        Todo(
            "DR-FLOW-5",
            _("Point the platform's domain back to the primary cluster's VIP"),
            _("The install of this cluster is complete, so point the platform's domain to the primary cluster again."),
        ),
        Todo(
            "DR-FLOW-6",
            _("Install and enable the etcd synchronisation"),
            _(
                "In the Web UI of this cluster, open Marketplace > Cluster Plugins. Install the plugin etcd "
                "Synchronizer."
            ),
        ),
        Todo(
            "DR-FLOW-7",
            _("Check the etcd synchronisation"),
            _(
                "Check the synchronisation of etcd now and regularly. A standby cluster without the latest data cannot "
                "take over."
            ),
        ),
    )
