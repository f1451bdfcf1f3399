"""List the parts of a plan's configuration that no public source documents."""

from acp_tui.checks.release_traits import release_traits, releases_where
from acp_tui.core.i18n import _
from acp_tui.install.config.render import network_device
from acp_tui.plan.model import Plan


def unverified(plan: Plan) -> tuple[str, ...]:
    """Return what this plan requires that no public source documents; () if nothing."""
    own_login = any(node.ssh.model_dump(exclude_none=True) for node in plan.nodes)
    own_nic = any(node.nic and node.nic != network_device(plan) for node in plan.nodes)
    locked_key = any((login := plan.login(node)).key_file and login.key_passphrase for node in plan.nodes)
    mixed = plan.isolation and not all(plan.exclusive(node) for node in plan.control_planes)
    notes = (
        (
            not release_traits(plan.effective_release).unattended_install_documented,
            _("The vendor documents unattended installs for release {documented}, not for {release}.").format(
                documented=", ".join(releases_where(lambda traits: traits.unattended_install_documented)),
                release=plan.effective_release,
            ),
        ),
        (
            plan.network.ip_family == "ipv6",
            _("The configuration of an IPv6-only cluster is not documented. acp-tui derives it."),
        ),
        (
            any(plan.deployable(node) for node in plan.control_planes),
            _("Applications on control plane nodes: the vendor's page excludes them, its option allows them."),
        ),
        (
            mixed,
            _("Isolation with a control plane node that is not exclusive is not documented for unattended installs."),
        ),
        (
            any(plan.exclusive(node) for node in plan.workers),
            _("How to request an exclusive worker is not documented. It is installed as a normal worker."),
        ),
        (
            own_nic,
            _("The configuration has one interface name for all nodes. The interface of a single node is ignored."),
        ),
        (own_login, _("A login for a single node is possible, but no published example uses it.")),
        (locked_key, _("The configuration has no key for the passphrase of an SSH key.")),
    )
    return tuple(note for holds, note in notes if holds)
