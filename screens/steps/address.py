"""The Address step: cluster endpoint, platform address, and the first administrator of the platform."""

from collections.abc import Sequence

from acp_tui.core.i18n import NC_
from acp_tui.plan.model import Plan
from screens.steps.address_helpers import AddressingStep
from screens.widgets.form import Field


def _self_built_vip(plan: Plan) -> bool:
    return plan.address.self_built_vip


FIELDS = (
    Field("address.cluster_endpoint", NC_("field", "Cluster endpoint"), "10.20.0.10"),
    Field("address.self_built_vip", NC_("field", "Self-built VIP")),
    Field("address.vrid", NC_("field", "VRID"), "137", _self_built_vip),
    Field("address.platform", NC_("field", "Platform address"), "acp.example.com"),
    Field("address.https_port", NC_("field", "HTTPS port"), "443"),
    Field("address.http_port", NC_("field", "HTTP port"), "0"),
    Field("address.others", NC_("field", "Other addresses"), "acp2.example.com, 203.0.113.7"),
    Field("admin.username", NC_("field", "Administrator"), "admin"),
    Field("admin.password", NC_("field", "Password")),
)


class AddressStep(AddressingStep):
    NAME = "address"
    SHORT = NC_("step", "Address")
    TITLE_TEXT = NC_("title", "Address: cluster endpoint, platform address, administrator")
    SECTIONS = ("address", "admin")
    KEYS = (*AddressingStep.KEYS, ("^R", NC_("key", "reveal")))

    def fields(self) -> Sequence[Field]:
        return FIELDS
