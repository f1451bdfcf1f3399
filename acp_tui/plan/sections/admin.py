"""The first administrator of the platform."""

from pydantic import SecretStr

from acp_tui.core.i18n import N_
from acp_tui.plan.field_types import FilledText
from acp_tui.plan.sections.section import Section, answer


class Admin(Section):
    username: FilledText = answer(
        "admin", id="P-ADMIN-USER", help=N_("User name of the platform's first administrator.")
    )
    password: SecretStr | None = answer(
        None, id="P-ADMIN-PASS", help=N_("Password of the first administrator. Use 12 characters or more.")
    )
