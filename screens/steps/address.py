"""Addresses of cluster and platform, and the platform's first administrator."""

from collections.abc import Sequence

from acp_tui.core.i18n import N_
from acp_tui.plan.model import Plan
from screens.steps.address_helpers import AddressingStep
from screens.widgets.form import Field


def _self_built_vip(plan: Plan) -> bool:
    return plan.address.self_built_vip


FIELDS = (
    Field("address.cluster_endpoint", N_("Cluster endpoint"), "10.20.0.10"),
    Field("address.self_built_vip", N_("Self-built VIP")),
    Field("address.vrid", N_("VRID"), "137", _self_built_vip),
    Field("address.platform", N_("Platform address"), "acp.example.com"),
    Field("address.https_port", N_("HTTPS port"), "443"),
    Field("address.http_port", N_("HTTP port"), "0"),
    Field("address.others", N_("Other addresses"), "acp2.example.com, 203.0.113.7"),
    Field("admin.username", N_("Administrator"), "admin"),
    Field("admin.password", N_("Password")),
)


class AddressStep(AddressingStep):
    NAME = "address"
    SHORT = N_("Address")
    TITLE_TEXT = N_("Address: where nodes and people reach the platform")
    SECTIONS = ("address", "admin")
    KEYS = (*AddressingStep.KEYS, ("^R", N_("reveal")))

    def fields(self) -> Sequence[Field]:
        return FIELDS
