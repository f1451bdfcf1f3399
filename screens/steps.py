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
