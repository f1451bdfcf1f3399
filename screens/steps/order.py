"""The steps of the wizard in their order."""

from collections.abc import Sequence

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


def adjacent_step(steps: Sequence[type[WizardStep]], step: WizardStep, by: int) -> type[WizardStep] | None:
    """Return the next step (`by` is 1) or the previous step (`by` is -1). None at the end of the order."""
    names = [one.NAME for one in steps]
    if step.BETWEEN is not None:
        return steps[names.index(step.BETWEEN[by > 0])]
    index = names.index(step.NAME) + by
    return steps[index] if 0 <= index < len(steps) else None
