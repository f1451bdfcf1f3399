"""The order of the wizard, in one place."""

from screens.steps.address import AddressStep
from screens.steps.base import WizardStep
from screens.steps.certificate import CertificateStep
from screens.steps.install import InstallStep
from screens.steps.isolation import IsolationStep
from screens.steps.network import NetworkStep
from screens.steps.nodes import NodesStep
from screens.steps.package import PackageStep
from screens.steps.preflight import PreflightStep
from screens.steps.registry import RegistryStep
from screens.steps.review import ReviewStep

STEPS: tuple[type[WizardStep], ...] = (
    PackageStep,
    NodesStep,
    NetworkStep,
    AddressStep,
    CertificateStep,
    RegistryStep,
    IsolationStep,
    PreflightStep,
    ReviewStep,
    InstallStep,
)


def adjacent_step(step: WizardStep, by: int) -> type[WizardStep] | None:
    """The step after (1) or before (-1) this one; None: it is the last, or the first."""
    names = [one.NAME for one in STEPS]
    if step.BETWEEN is not None:
        return STEPS[names.index(step.BETWEEN[by > 0])]
    index = names.index(step.NAME) + by
    return STEPS[index] if 0 <= index < len(STEPS) else None
