"""Plan rules of disaster recovery: compare the plan of a standby cluster with that of its primary cluster (DR-PARAM-*).

Each XR-*-DR rule reports the differences in its own values; CAP-DR-FIRST reports all others. Secrets are
compared, but never shown. An unknown value of the primary never counts as equal.
"""

from collections.abc import Iterator

from pydantic import SecretStr

from acp_tui.checks.finding import Finding, Findings, PlanSubject
from acp_tui.checks.plan.certificate import CERT_FILE, KEY_FILE
from acp_tui.checks.plan.results import (
    fail,
    findings_or_pass,
    format_list,
    manual,
    node_path,
    none_text,
    passed,
    unknown,
    warn,
)
from acp_tui.core.i18n import N_, _, pgettext
from acp_tui.plan.model import Plan
from acp_tui.plan.package_name import parse_name

PRIMARY = "disaster_recovery.primary"
_DIFFERS = N_("{name} is {here} in this plan, and {there} in the plan of the primary cluster")


def same_as_primary(subject: PlanSubject) -> Findings:
    """CAP-DR-FIRST: the plan of a standby must name the primary's plan, and both plans must have the same values.

    The rule compares only values that no other rule compares.
    """
    recovery, primary = subject.plan.disaster_recovery, subject.local_files.primary
    if recovery.role != "standby":
        return passed(_("this is the primary cluster; the plan of the standby is compared with this plan"))
    if not recovery.primary:
        return manual(
            _(
                "this plan does not name the plan of the primary cluster. Compare the two plans yourself: do they have "
                "the same values wherever the two clusters must not differ?"
            ),
            PRIMARY,
        )
    if primary is None:
        return (unknown(_("the content of the primary cluster's plan is unknown"), PRIMARY),)
    if primary.plan is None:
        return (
            fail(
                primary.error,
                PRIMARY,
                remedy=_("Enter the path of an existing plan.yaml or bundle folder of the primary cluster."),
            ),
        )
    findings = (*_account(subject), *_machines(subject, primary.plan), *_products(subject, primary.plan))
    return findings_or_pass(
        findings,
        _("the compared values are the same as in the plan of the primary cluster, {path}").format(path=primary.path),
    )


def addresses(subject: PlanSubject) -> Iterator[Finding]:
    """XR-DOMAIN-DR: primary and standby must have the same platform domain, and different VIPs."""
    here, primary = subject.plan, _plan(subject)
    if primary is None:
        return
    if here.platform_address != primary.platform_address:
        yield _different(
            pgettext("answer", "platform address"), here.platform_address, primary.platform_address, "address.platform"
        )
    if here.address.cluster_endpoint == primary.address.cluster_endpoint:
        observed = _("the cluster endpoint {vip} is also that of the primary cluster; each cluster needs its own VIP")
        yield fail(observed.format(vip=here.address.cluster_endpoint or none_text()), "address.cluster_endpoint")


def ports(subject: PlanSubject) -> Iterator[Finding]:
    """XR-DR-PORTS: the standby must have the same ports as the primary."""
    here, primary = subject.plan.address, _plan(subject)
    if primary is None:
        return
    for path, port, other in (
        ("address.http_port", here.http_port, primary.address.http_port),
        ("address.https_port", here.https_port, primary.address.https_port),
    ):
        if port != other:
            yield _different(path, str(port), str(other), path)


def certificate(subject: PlanSubject) -> Findings:
    """XR-CERT-DR: primary and standby must have the same certificate and key.

    The rule compares the SHA-256 sums of the certificates and of the public keys.
    """
    own, primary, primary_plan = subject.local_files.certificate, subject.local_files.primary, _plan(subject)
    paths = (CERT_FILE, KEY_FILE)
    if subject.plan.disaster_recovery.role != "standby":
        return passed(_("the plan uses an existing certificate"))
    if primary is None and not subject.plan.disaster_recovery.primary:
        return manual(_("Does the primary cluster have the same certificate and key as this plan?"), *paths, PRIMARY)
    if primary is None or primary_plan is None:
        return (unknown(_("the content of the primary cluster's plan is unknown"), PRIMARY),)
    if primary_plan.certificate.mode != "existing":
        return (fail(_("the certificate of the primary cluster is self-signed"), PRIMARY),)
    theirs = primary.certificate
    if theirs is None or not theirs.sums or not theirs.key_sum:
        reason = format_list((*theirs.unreadable, *theirs.errors)) if theirs else primary.secrets_error or none_text()
        observed = _("the certificate and key of the primary cluster are unknown: {reason}")
        return (unknown(observed.format(reason=reason), PRIMARY),)
    if own is None or not own.sums or not own.key_sum:
        return (unknown(_("the content of the certificate or of its key is unknown"), *paths),)
    if own.sums != theirs.sums:
        return (
            _different(_("the SHA-256 sum of the certificate file"), _short(own.sums), _short(theirs.sums), CERT_FILE),
        )
    if own.key_sum != theirs.key_sum:
        return (fail(_("the private key of this plan is different from that of the primary cluster"), KEY_FILE),)
    if (own.cert_file, own.key_file) == (theirs.cert_file, theirs.key_file):
        observed = _(
            "Both plans name {file}. Is the content of this file the same on the host that installed the primary "
            "cluster?"
        )
        return manual(observed.format(file=own.cert_file), CERT_FILE)
    return passed(
        _("the certificate and key are the same as those of the primary cluster; SHA-256: {sum}").format(
            sum=_short(own.sums)
        )
    )


def registry(subject: PlanSubject) -> Iterator[Finding]:
    """XR-REG-DR: primary and standby must use the same registry with the same login."""
    here, primary = subject.plan, _plan(subject)
    if primary is None:
        return
    for path, own, other in (
        ("registry.mode", here.registry.mode, primary.registry.mode),
        ("registry.address", here.registry_address, primary.registry_address),
        ("registry.username", here.registry.username or "", primary.registry.username or ""),
    ):
        if own != other:
            yield _different(path, own, other, path)
    if here.registry.username or primary.registry.username:
        yield from _secret(subject, "registry.password", here.registry.password, primary.registry.password)


def _account(subject: PlanSubject) -> Iterator[Finding]:
    here, primary = subject.plan.admin, _plan(subject)
    if primary is None:
        return
    if here.username != primary.admin.username:
        yield _different("admin.username", here.username, primary.admin.username, "admin.username")
    yield from _secret(subject, "admin.password", here.password, primary.admin.password)


def _machines(subject: PlanSubject, primary: Plan) -> Iterator[Finding]:
    primary_nodes = {address for node in primary.nodes for address in (node.address, node.ipv6) if address}
    observed = _("the node {address} is also a node of the primary cluster")
    for node in subject.plan.nodes:
        for name, address in (("address", node.address), ("ipv6", node.ipv6)):
            if address in primary_nodes:
                yield fail(observed.format(address=address), node_path(subject.plan, node, name))


def _products(subject: PlanSubject, primary: Plan) -> Iterator[Finding]:
    """Yield a warning for a wrong role in the primary's plan, and for different versions, network plugins or products.

    The manual does not mention these cases.
    """
    here, newest = subject.plan, _("the newest version that the installer offers")
    if primary.disaster_recovery.role != "primary":
        observed = _("the disaster recovery role in the plan of the primary cluster is {role}, not primary")
        yield warn(observed.format(role=primary.disaster_recovery.role), PRIMARY)
    for path, own, other in (
        ("package.core", _version(here), _version(primary)),
        ("kubernetes.version", here.kubernetes.version or newest, primary.kubernetes.version or newest),
        ("network.cni", here.network.cni, primary.network.cni),
        ("components.products", *(format_list(sorted({*plan.components.products})) for plan in (here, primary))),
    ):
        if own != other:
            yield warn(_(_DIFFERS).format(name=path, here=own, there=other), path)


def _secret(subject: PlanSubject, path: str, here: SecretStr | None, there: SecretStr | None) -> Iterator[Finding]:
    unavailable = subject.local_files.primary.secrets_error if subject.local_files.primary else ""
    if here is None:
        return  # the rule that requires the secret reports it
    if unavailable or there is None:
        observed = pgettext(
            "observed value", "{path} cannot be compared with the value in the plan of the primary cluster: {reason}"
        )
        reason = unavailable or _("the plan of the primary cluster does not have this value")
        yield unknown(observed.format(path=path, reason=reason), path, PRIMARY)
    elif here.get_secret_value() != there.get_secret_value():
        yield fail(_("{path} is different from the value in the plan of the primary cluster").format(path=path), path)


def _plan(subject: PlanSubject) -> Plan | None:
    return subject.local_files.primary.plan if subject.local_files.primary else None


def _different(name: str, here: str, there: str, path: str) -> Finding:
    return fail(_(_DIFFERS).format(name=name, here=here or none_text(), there=there or none_text()), path)


def _short(sums: tuple[str, ...]) -> str:
    """Return the first 16 digits of each SHA-256 sum, which are enough to distinguish the sums."""
    return format_list(each[:16] for each in sums)


def _version(plan: Plan) -> str:
    """Return the version from the name of the Core Package, such as `4.0.3`.

    If the plan names no Core Package, return the release.
    """
    name = parse_name(plan.package.core or "")
    return name.version if name else plan.effective_release
