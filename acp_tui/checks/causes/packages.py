"""Relations between the findings on the installation packages (BND-*)."""

from collections.abc import Iterator

from acp_tui.checks.causes.relations import Link, Problems, Relation
from acp_tui.checks.verdict import Outcome

CORE, SIGNATURE, KEY = "BND-CORE", "BND-SIGN", "BND-KEY-FPR"
OF_THE_CORE = ("BND-CORE-NAME", "BND-TAR-OK", "BND-SIGN", "BND-KEY-FPR", "BND-FREE-100G", "BND-NODE-ARCH")
"""Rules that can only be checked with the Core Package."""


def _no_core_package(problems: Problems) -> Iterator[Link]:
    cause = problems.at(CORE, None, Outcome.FAIL)
    if cause is not None:
        for rule in OF_THE_CORE:
            yield from ((verdict, cause) for verdict in problems.of(rule, Outcome.UNKNOWN))


def _key_of_unverified_signature(problems: Problems) -> Iterator[Link]:
    """BND-KEY-FPR is unknown for the same reason as BND-SIGN: the signature could not be verified."""
    signature = problems.of(SIGNATURE, Outcome.UNKNOWN)
    if signature:
        yield from ((verdict, signature[0]) for verdict in problems.of(KEY, Outcome.UNKNOWN))


PACKAGE_RELATIONS: tuple[Relation, ...] = (_no_core_package, _key_of_unverified_signature)
