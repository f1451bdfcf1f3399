"""Relations between findings on the plan."""

from collections.abc import Iterator

from acp_tui.checks.causes.relations import Link, Problems, Relation
from acp_tui.checks.verdict import Outcome

_COUNTS = ("CAP-SC-CP-COUNT", "CAP-MC-CP-COUNT", "HW-CP-COUNT")
"""Rules on the number of control plane nodes, the strictest first."""
_CERTIFICATE_FILES, _OF_THE_FILES = "XR-CERT-PAIR", ("XR-CERT-VALID", "XR-CERT-DR", "NETRES-CERT")


def _control_plane_count(problems: Problems) -> Iterator[Link]:
    """A number of control plane nodes that fulfils the strictest rule fulfils the others, too."""
    failed = [v for rule in _COUNTS if (v := problems.at(rule, None, Outcome.FAIL)) is not None]
    for verdict in (*failed[1:], *problems.of("XR-CP-COUNT", Outcome.FAIL)):
        if failed:
            yield verdict, failed[0]


def _unreadable_certificate(problems: Problems) -> Iterator[Link]:
    """The content of a certificate or key that acp-tui cannot read is unknown."""
    cause = problems.at(_CERTIFICATE_FILES, None, Outcome.FAIL)
    facts = problems.cluster.local_files.certificate
    if cause is not None and (facts is None or facts.unreadable):
        for rule in _OF_THE_FILES:
            yield from ((verdict, cause) for verdict in problems.of(rule, Outcome.UNKNOWN))


def _no_endpoint(problems: Problems) -> Iterator[Link]:
    """Two rules require the cluster endpoint."""
    cause = problems.at("NETRES-VIP", None, Outcome.FAIL)
    if cause is not None and not problems.cluster.plan.address.cluster_endpoint:
        yield from ((verdict, cause) for verdict in problems.of("XR-ENDPOINT-SYNTAX", Outcome.FAIL))


PLAN_RELATIONS: tuple[Relation, ...] = (_no_endpoint, _control_plane_count, _unreadable_certificate)
