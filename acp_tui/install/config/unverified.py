"""List the parts of a plan's configuration that are not publicly documented."""

from acp_tui.checks.release_traits import release_traits, releases_where
from acp_tui.core.i18n import _
from acp_tui.install.config.render import network_device
from acp_tui.plan.model import Plan


def unverified(plan: Plan) -> tuple[str, ...]:
    """Return a note for each part of the plan's configuration that is not publicly documented."""
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
            _(
                "The configuration of an IPv6-only cluster is not documented. acp-tui uses the same configuration keys "
                "as for an IPv4 cluster."
            ),
        ),
        (
            any(plan.deployable(node) for node in plan.control_planes),
            _(
                "The vendor's documentation does not allow applications on control plane nodes, but the installer has "
                "an option that allows them."
            ),
        ),
        (
            mixed,
            _(
                "The plan sets `isolation` to true. With this setting, unattended installs are documented only if all "
                "control plane nodes are exclusive (reserved for the platform)."
            ),
        ),
        (
            any(plan.exclusive(node) for node in plan.workers),
            _(
                "The vendor does not document how to request an exclusive worker. The exclusive workers of the plan "
                "become normal workers."
            ),
        ),
        (
            own_nic,
            _("The configuration has one interface name for all nodes. A different name for a single node is ignored."),
        ),
        (own_login, _("The configuration can have a login for a single node, but no published example has one.")),
        (locked_key, _("The configuration cannot contain the passphrase of an SSH key.")),
    )
    return tuple(note for holds, note in notes if holds)
