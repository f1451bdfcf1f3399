"""Rules between the answers of the plan: all that can be judged without a node.

Rows of the catalogue name these functions; `evaluate_plan` holds a plan against every row of scope `plan`.
"""

from collections.abc import Callable, Mapping

from acp_tui.checks.catalog import catalogue
from acp_tui.checks.conditions import EvalContext, applies
from acp_tui.checks.finding import Finding, PlanSubject
from acp_tui.checks.local_files import NO_LOCAL_FILES, LocalFiles
from acp_tui.checks.plan import addresses, cidrs, nodes, placement, services
from acp_tui.checks.plan import disaster_recovery as standby
from acp_tui.checks.sizing.requirements import SIZING_CHECKS
from acp_tui.checks.verdict import Outcome, Verdict
from acp_tui.checks.verdict_builder import build_verdict
from acp_tui.nodes.facts import Facts
from acp_tui.plan.model import Plan

PlanCheck = Callable[[PlanSubject], tuple[Finding, ...]]

PLAN_CHECKS: Mapping[str, PlanCheck] = {
    check.__name__: check
    for check in (
        nodes.control_plane_count,
        nodes.addresses_unique,
        nodes.node_addresses_fit,
        nodes.installer_first,
        nodes.login_given,
        nodes.key_usable,
        nodes.dual_addresses,
        nodes.dual_count,
        nodes.one_interface,
        cidrs.ranges_apart,
        cidrs.ranges_off_hosts,
        cidrs.ranges_off_reserved,
        cidrs.room_for_pods,
        cidrs.services_fit,
        addresses.endpoint_syntax,
        addresses.endpoint_no_node,
        addresses.platform_domain_for_ipv6,
        addresses.recovery_addresses,
        addresses.recovery_ports,
        addresses.recovery_other_address,
        addresses.self_built_vip_is_ip,
        addresses.self_built_vip_vrid,
        addresses.no_self_built_vip_in_recovery,
        addresses.no_self_built_vip_alone,
        addresses.vip_near_nodes,
        addresses.platform_reachable,
        addresses.further_addresses,
        addresses.ports_apart,
        addresses.http_advice,
        addresses.https_at_balancer,
        placement.exclusive_needs_isolation,
        placement.exclusive_control_plane,
        placement.exclusive_worker,
        placement.open_worker,
        placement.somewhere_for_applications,
        placement.applications_have_a_place,
        placement.one_monitoring,
        placement.component_nodes_known,
        placement.monitoring_agents,
        placement.products_complete,
        services.certificate_pair,
        services.certificate_valid,
        services.certificate_for_recovery,
        services.external_registry,
        services.platform_registry_host,
        services.registry_login,
        services.registry_for_recovery,
        services.admin_password,
        services.versions_offered,
        services.network_mode_flag,
        services.ip_family_flag,
        services.protocol_is_final,
        standby.held_against_primary,
    )
} | dict(SIZING_CHECKS)
"""By the name that a row gives in `check: {kind: function, name: ...}`."""


def evaluate_plan(
    plan: Plan, beside: LocalFiles = NO_LOCAL_FILES, facts: Mapping[str, Facts] | None = None
) -> tuple[Verdict, ...]:
    """The plan against every rule of its release that needs no node, in the catalogue's order.

    `beside`: the local files that the plan names; None in it makes what depends on it unknown. `facts`: what is known
    of the nodes. Waivers are not applied here. One verdict for each finding, at least one for each rule.
    """
    return tuple(
        verdict
        for requirement in catalogue(plan.effective_release).values()
        if requirement.scope == "plan" and requirement.check.kind == "function"
        for verdict in evaluate_rule(PlanSubject(requirement, plan, beside, facts or {}))
    )


def evaluate_rule(subject: PlanSubject) -> tuple[Verdict, ...]:
    """The verdicts of one rule. KeyError: its row names no function of PLAN_CHECKS."""
    requirement = subject.requirement
    if applies(requirement, EvalContext(subject.plan)) is False:
        return (build_verdict(requirement, Finding(Outcome.NOT_APPLICABLE)),)
    return tuple(build_verdict(requirement, finding) for finding in PLAN_CHECKS[subject.given.name](subject))
