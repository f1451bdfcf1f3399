"""What only a person can do after an install, as a list to work off: pure, from the plan alone."""

from dataclasses import dataclass

from acp_tui.checks.catalog import catalogue
from acp_tui.checks.release_traits import release_traits, releases_where
from acp_tui.core.i18n import _
from acp_tui.install.run.control import platform_url
from acp_tui.plan.model import Plan


@dataclass(frozen=True)
class Todo:
    """One thing to do by hand. `rule`: the requirement behind it, "" where there is none."""

    rule: str
    title: str
    text: str


def checklist(plan: Plan) -> tuple[Todo, ...]:
    """In the order in which it is done."""
    traits = release_traits(plan.effective_release)
    rules = catalogue(plan.effective_release)
    todos = [
        Todo(
            "INS-ACCESS",
            _("Log in"),
            _("Open {url} and log in as {user}.").format(url=platform_url(plan), user=plan.admin.username),
        ),
        Todo(
            "INS-VERIFY-UI",
            _("Look at the cluster"),
            _(
                "Platform Management, Cluster Management, Clusters, global: cluster and components are healthy. "
                "CLI Tools are in the menu on the right."
            ),
        ),
        Todo("INS-DOCS", _("Install the product's documentation"), _(rules["INS-DOCS"].why)),
    ]
    if not traits.extensions_before_install and plan.package.extensions:
        text = _("Upload {file} with violet: from release {since} on extensions follow the core.")
        since = releases_where(lambda each: not each.extensions_before_install)[0]
        todos.append(Todo("", _("Upload the extensions"), text.format(file=plan.package.extensions, since=since)))
    if traits.use_pam_restorable:
        text = _("UsePAM no was needed while the nodes joined. It may be put back in sshd's settings now, if wanted.")
        todos.append(Todo("USR-USEPAM", _("Restore UsePAM"), text))
    todos += [
        Todo(
            "",
            _("Keep the bundle"),
            _("Plan, preflight and completion report belong together: keep them where this cluster is documented."),
        ),
        Todo(
            "",
            _("Remove the secrets"),
            _("Delete secrets.yaml and key files that were made for the install, or keep them in a vault."),
        ),
    ]
    return (*todos, *_recovery(plan))


def _recovery(plan: Plan) -> tuple[Todo, ...]:
    """What disaster recovery asks for next (DR-FLOW)."""
    return {"primary": _after_primary, "standby": _after_standby}.get(plan.disaster_recovery.role, tuple)()


def _after_primary() -> tuple[Todo, ...]:
    return (
        Todo(
            "DR-PARAM-RECORD",
            _("Keep this plan for the standby"),
            _("Some answers have to be the same there; the standby's plan names this one as its primary."),
        ),
        Todo(
            "DR-FLOW-3",
            _("Point the domain to the standby's VIP"),
            _("Only for the time of the standby's install."),
        ),
        Todo(
            "DR-FLOW-4",
            _("Copy the etcd encryption key"),
            _("To all control plane nodes of the standby, before it is installed."),
        ),
        Todo("DR-FLOW-5", _("Install the standby"), _("Then point the domain back to this cluster's VIP.")),
    )


def _after_standby() -> tuple[Todo, ...]:
    return (
        Todo(
            "DR-FLOW-5",
            _("Point the domain back to the primary's VIP"),
            _("It led here only for the time of the install."),
        ),
        Todo(
            "DR-FLOW-6",
            _("Install and enable the etcd synchronisation"),
            _("On this cluster, the plugin etcd Synchronizer in Marketplace, Cluster Plugins."),
        ),
        Todo("DR-FLOW-7", _("Check the synchronisation"), _("Now and regularly; a standby that lags is none.")),
    )
