"""The order of the wizard, in one place."""

from screens.address import AddressStep
from screens.certificate import CertificateStep
from screens.install import InstallStep
from screens.isolation import IsolationStep
from screens.network import NetworkStep
from screens.nodes import NodesStep
from screens.package import PackageStep
from screens.preflight import PreflightStep
from screens.registry import RegistryStep
from screens.review import ReviewStep
from screens.step import Step

STEPS: tuple[type[Step], ...] = (
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


def step_beside(step: Step, by: int) -> type[Step] | None:
    """The step after (1) or before (-1) this one; None: it is the last, or the first."""
    names = [one.NAME for one in STEPS]
    if step.BETWEEN is not None:
        return STEPS[names.index(step.BETWEEN[by > 0])]
    index = names.index(step.NAME) + by
    return STEPS[index] if 0 <= index < len(STEPS) else None
