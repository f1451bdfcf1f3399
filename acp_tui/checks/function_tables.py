"""The tables of check functions. A catalogue row names a function in `check: {kind: function, name: ...}`.

A function has the same name in these tables, in the row and in the module that defines it.
"""

from collections.abc import Callable, Mapping

from acp_tui.checks.cluster import (
    connectivity,
    consistency,
    endpoint,
    identity,
    install_folder,
    memory_channels,
    node_subnets,
    path_tests,
    time_zones,
)
from acp_tui.checks.cluster import (
    image_registry as registry,
)
from acp_tui.checks.cluster import (
    name_resolution as names,
)
from acp_tui.checks.cluster import (
    network_performance as performance,
)
from acp_tui.checks.finding import ClusterSubject, Finding, Findings, NodeSubject, PlanSubject
from acp_tui.checks.node import (
    access_control,
    boot_parameters,
    boot_settings,
    disk_performance,
    firewall,
    hardware,
    hostname,
    leftovers,
    login,
    network,
    os_support,
    software,
)
from acp_tui.checks.plan import addresses, disaster_recovery, nodes, placement, services
from acp_tui.checks.plan import cluster_ranges as cidrs
from acp_tui.checks.sizing import requirements, workload

NodeCheck = Callable[[NodeSubject], Finding]
ClusterCheck = Callable[[ClusterSubject], Findings]
PlanCheck = Callable[[PlanSubject], Findings]

NODE_CHECKS: Mapping[str, NodeCheck] = {
    check.__name__: check
    for check in (
        hardware.cpu_clock,
        hardware.etcd_disk,
        hardware.power_saving_off,
        hardware.solid_state,
        hardware.storage_sizes,
        leftovers.no_leftovers,
        network.default_route,
        hostname.hostname_characters,
        hostname.hostname_edges,
        hostname.hostname_length,
        hostname.hostname_sequences,
        network.localhost,
        network.nameservers_allowed,
        network.nameservers_present,
        network.node_address,
        network.node_outside_range,
        network.ports_free,
        network.reserved_range,
        network.search_count,
        network.search_domains,
        network.search_length,
        network.search_total,
        os_support.calico_ipv6,
        os_support.kunpeng,
        os_support.kylin_service_pack,
        os_support.ubuntu_hwe,
        requirements.arm_factor,
        requirements.machine_size,
        access_control.apparmor_off,
        boot_parameters.boot_parameter,
        firewall.firewall_off,
        boot_parameters.modules_loaded,
        login.passwordless_sudo,
        login.root_access,
        access_control.selinux_off,
        login.sshd_setting_is_no,
        boot_settings.swap_off,
        boot_settings.tasks_max,
        boot_settings.tmp_exec,
        software.conflicting_packages,
        software.folder_absent,
    )
}
"""The functions for rows of scope `node`."""

CLUSTER_CHECKS: Mapping[str, ClusterCheck] = {
    check.__name__: check
    for check in (
        connectivity.paths_open,
        path_tests.ip_in_ip_passes,
        consistency.clocks_agree,
        consistency.hostnames_unique,
        consistency.interface_exists,
        consistency.ipv6_addresses_present,
        consistency.overcommit,
        consistency.package_fits,
        disk_performance.disk_throughput,
        disk_performance.disk_writes,
        endpoint.load_balancer_reachable,
        names.endpoint_resolves_to_no_node,
        names.names_resolve,
        endpoint.vip_free,
        endpoint.vrid_free,
        identity.machines_unique,
        install_folder.space_for_package,
        memory_channels.memory_channels,
        registry.login_works,
        registry.registry_reachable,
        requirements.capacity_for_clusters,
        workload.reserve_kept,
        workload.workers_hold_workload,
        performance.latency,
        performance.link_speed,
        node_subnets.cluster_cidrs_apart,
        node_subnets.one_subnet,
        time_zones.same_timezone,
    )
}
"""The functions for rows of scope `cluster`, and for the `facts_check` of rows of scope `plan`."""

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
        cidrs.ranges_given,
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
        addresses.vip_in_node_subnet,
        addresses.platform_reachable,
        addresses.further_addresses,
        addresses.ports_apart,
        addresses.http_advice,
        addresses.https_forwarded,
        placement.exclusive_needs_isolation,
        placement.exclusive_control_plane,
        placement.exclusive_worker,
        placement.open_worker,
        placement.some_node_for_applications,
        placement.applications_have_a_node,
        placement.applications_on_workers,
        placement.critical_components_apart,
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
        disaster_recovery.same_as_primary,
        requirements.endpoint_given,
        requirements.hardware_load_balancer,
        requirements.scenario_control_plane_count,
        requirements.scenario_worker_count,
        requirements.single_node,
        requirements.trusted_certificate,
        requirements.workers_for_pods,
        workload.pods_of_a_trial,
        workload.scenario_chosen,
    )
}
"""The functions for rows of scope `plan`."""
