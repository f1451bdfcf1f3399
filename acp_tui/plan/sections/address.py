"""The addresses and ports of the cluster and the platform."""

from typing import Annotated

from pydantic import Field

from acp_tui.core.i18n import N_
from acp_tui.plan.field_types import Bool, EndpointText, HostText, Port, Whole
from acp_tui.plan.sections.section import Section, answer


class Address(Section):
    cluster_endpoint: EndpointText = answer(
        "",
        id="P-ENDPOINT",
        rule="XR-ENDPOINT-SYNTAX",
        help=N_("Domain or VIP of the API server, without a port. For a single node: the address of the node."),
    )
    self_built_vip: Bool = answer(
        False,
        id="P-SELF-VIP",
        help=N_("true: the installer creates the VIP with keepalived. Use true only if you have no load balancer."),
    )
    vrid: Annotated[Whole, Field(ge=1, le=255)] = answer(
        137,
        id="P-VRID",
        rule="XR-SELFVIP-VRID",
        help=N_("VRRP router ID of the self-built VIP, 1 to 255. It must be unique in the subnet."),
    )
    platform: HostText | None = answer(
        None, id="P-PLATFORM", help=N_("Domain or IP address of the Web UI. If empty: the cluster endpoint.")
    )
    https_port: Port = answer(443, id="P-HTTPS-PORT", rule="XR-PORTS", help=N_("HTTPS port of the platform."))
    http_port: Annotated[Whole, Field(ge=0, le=65535)] = answer(
        0, id="P-HTTP-PORT", rule="XR-PORTS", help=N_("HTTP port of the platform. 0 turns HTTP off and is recommended.")
    )
    others: tuple[HostText, ...] = answer(
        (), id="P-OTHER-ADDRS", help=N_("More domains or IP addresses of the platform, separated by commas.")
    )
