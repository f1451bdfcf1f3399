"""Conditions for unpacking: requirements that concern the package files, and enough space for the unpacked files."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import date

from acp_tui.checks.verdict import Verdict
from acp_tui.core.errors import AcpError, ExitStatus
from acp_tui.core.i18n import _
from acp_tui.package.checks import package_verdicts
from acp_tui.package.facts import PackageFacts, PackageInput, PackageState
from acp_tui.package.install_dir import UnpackFailed
from acp_tui.package.signature.gpg_status import SignatureResult, Signed
from acp_tui.plan.model import Plan

_BLOCK_UNPACKING = frozenset(
    {"BND-CORE", "BND-CORE-NAME", "BND-EXT-NAME", "BND-EXT-ARCH", "BND-TAR-OK", "BND-SIGN", "BND-KEY-FPR"}
)
"""The requirements that block unpacking. They concern the package files themselves.

Other requirements, such as those about the install folder or the nodes, block only the install."""


class PackageBlocked(AcpError):
    """The packages must not be unpacked. `verdicts` contains the blockers."""

    exit_status = ExitStatus.CHECK_FAILED

    def __init__(self, verdicts: tuple[Verdict, ...]) -> None:
        lines = (line for v in verdicts for line in (f"{v.requirement}: {v.observed}", v.remedy and f"  {v.remedy}"))
        super().__init__("\n".join(filter(None, lines)))
        self.verdicts = verdicts


def check_blockers(plan: Plan, facts: PackageFacts) -> None:
    """Raise PackageBlocked if a requirement that concerns the package files blocks unpacking."""
    verdicts = package_verdicts(plan, facts, date.today())
    blockers = tuple(v for v in verdicts if v.blocks and v.requirement in _BLOCK_UNPACKING)
    missing = tuple(v for v in blockers if v.requirement == "BND-CORE")
    blockers = missing or blockers  # the other blockers follow from the missing package
    if blockers:
        raise PackageBlocked(blockers)


def check_free_space(facts: PackageFacts) -> None:
    """Raise UnpackFailed if the packages need more space than the install folder has."""
    if facts.free_after is not None and facts.free_after < 0:
        raise UnpackFailed(
            _(
                "{folder} needs {short} MB more free space for unpacking. Free some space, or choose a "
                "different folder."
            ).format(folder=facts.target, short=-facts.free_after // 10**6 + 1)
        )


def as_if_good(facts: PackageFacts, only: Sequence[PackageInput] | None = None) -> PackageFacts:
    """Return a copy of `facts` in which a signature that is not verified yet counts as good.

    With this copy, the caller finds all other blockers before the long verification."""

    def assumed(package: PackageState | None) -> PackageState | None:
        if package is None or package.signature is not None or (only is not None and package.package_input not in only):
            return package
        return replace(package, signature=SignatureResult(Signed.GOOD, (package.package_input.fingerprint,)))

    return replace(facts, core=assumed(facts.core), extensions=assumed(facts.extensions))
