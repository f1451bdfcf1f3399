"""Image repository: the installer's own, or one that you run."""

from collections.abc import Sequence

from acp_tui.texts import N_
from screens.step import Step
from screens.widgets.form import Field

FIELDS = (
    Field("registry.mode", N_("Registry")),
    Field("registry.address", N_("Address"), "registry.example.com:5000"),
    Field("registry.username", N_("User")),
    Field("registry.password", N_("Password")),
)


class RegistryStep(Step):
    NAME = "registry"
    SHORT = N_("Registry")
    TITLE_TEXT = N_("Registry: where the nodes get their images")
    SECTIONS = ("registry",)
    KEYS = (("^R", N_("reveal")),)

    def fields(self) -> Sequence[Field]:
        return FIELDS
