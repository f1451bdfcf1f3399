"""The registry for the container images."""

from typing import Literal

from pydantic import SecretStr

from acp_tui.core.i18n import N_
from acp_tui.plan.field_types import RegistryAddress
from acp_tui.plan.sections.section import Section, answer


class Registry(Section):
    mode: Literal["platform", "external"] = answer(
        "platform",
        id="P-REG-MODE",
        help=N_("platform: the installer creates a registry. external: you provide a registry."),
    )
    address: RegistryAddress | None = answer(
        None,
        id="P-REG-EXT",
        help=N_("Address of the registry. Mode external: host[:port]. Mode platform: if empty, the cluster endpoint."),
    )
    username: str | None = answer(
        None, id="P-REG-USER", rule="XR-REG-AUTH", help=N_("Optional. User name for the registry.")
    )
    password: SecretStr | None = answer(
        None, id="P-REG-PASS", rule="XR-REG-AUTH", help=N_("Password of the registry user.")
    )
