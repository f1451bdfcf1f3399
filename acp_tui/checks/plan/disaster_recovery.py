"""A standby's plan held against its primary's: what both clusters share, and what each has of its own (DR-PARAM-*).

The differences are told by the XR-*-DR rule that they break; what has no such rule, by CAP-DR-FIRST. Secrets are
compared and never shown; what is not known of the primary is never called equal.
"""

from collections.abc import Iterator

from pydantic import SecretStr

from acp_tui.checks.finding import Finding, PlanSubject
from acp_tui.checks.plan.certificate import CERT_FILE, KEY_FILE
from acp_tui.checks.plan.results import Findings, fail, held, listed, manual, node_path, passed, unknown, warn
from acp_tui.core.i18n import N_, _
from acp_tui.plan.model import Plan
from acp_tui.plan.package_name import parse_name

PRIMARY = "disaster_recovery.primary"
_DIFFERS = N_("{what}: {here} here, {there} on the primary")


def held_against_primary(subject: PlanSubject) -> Findings:
    """CAP-DR-FIRST: a standby names its primary, and has in common with it what no other rule compares."""
    recovery, primary = subject.plan.disaster_recovery, subject.beside.primary
    if recovery.role != "standby":
        return passed(_("the first of two clusters: its plan, or its bundle, is what the standby's is held against"))
    if not recovery.primary:
        return manual(_("is all that both clusters share the same in the primary's plan, which is not given?"), PRIMARY)
    if primary is None:
        return (unknown(_("the primary's plan has not been read"), PRIMARY),)
    if primary.plan is None:
        return (fail(primary.trouble, PRIMARY, remedy=_("Name the primary's plan.yaml or its bundle folder.")),)
    findings = (*_account(subject), *_machines(subject, primary.plan), *_products(subject, primary.plan))
    return held(findings, _("as in {place}").format(place=primary.place))


def addresses(subject: PlanSubject) -> Iterator[Finding]:
    """XR-DOMAIN-DR: one domain for both, a VIP for each."""
    here, there = subject.plan, _plan(subject)
    if there is None:
        return
    if here.platform_address != there.platform_address:
        yield _other(_("platform access address"), here.platform_address, there.platform_address, "address.platform")
    if here.address.cluster_endpoint == there.address.cluster_endpoint:
        observed = _("cluster endpoint {vip} is the primary's too; each cluster has a VIP of its own")
        yield fail(observed.format(vip=here.address.cluster_endpoint or _("none")), "address.cluster_endpoint")


def ports(subject: PlanSubject) -> Iterator[Finding]:
    """XR-DR-PORTS: the same ports on both."""
    here, there = subject.plan.address, _plan(subject)
    if there is None:
        return
    for path, port, other in (
        ("address.http_port", here.http_port, there.address.http_port),
        ("address.https_port", here.https_port, there.address.https_port),
    ):
        if port != other:
            yield _other(path, str(port), str(other), path)


def certificate(subject: PlanSubject) -> Findings:
    """XR-CERT-DR: the same pair on both, by the SHA-256 of each certificate and of the key's public half."""
    own, primary, there = subject.beside.certificate, subject.beside.primary, _plan(subject)
    paths = (CERT_FILE, KEY_FILE)
    if subject.plan.disaster_recovery.role != "standby":
        return passed(_("an existing certificate"))
    if primary is None and not subject.plan.disaster_recovery.primary:
        return manual(_("is it the pair that the primary has?"), *paths, PRIMARY)
    if primary is None or there is None:
        return (unknown(_("the primary's plan has not been read"), PRIMARY),)
    if there.certificate.mode != "existing":
        return (fail(_("the primary's certificate is self-signed"), PRIMARY),)
    theirs = primary.certificate
    if theirs is None or not theirs.sums or not theirs.key_sum:
        why = listed((*theirs.unreadable, *theirs.errors)) if theirs else primary.closed or _("none")
        return (unknown(_("the primary's pair is not known: {why}").format(why=why), PRIMARY),)
    if own is None or not own.sums or not own.key_sum:
        return (unknown(_("the certificate has not been read"), *paths),)
    if own.sums != theirs.sums:
        return (_other(_("SHA-256 of the certificate file"), _short(own.sums), _short(theirs.sums), CERT_FILE),)
    if own.key_sum != theirs.key_sum:
        return (fail(_("the private key is another one than the primary's"), KEY_FILE),)
    if (own.cert_file, own.key_file) == (theirs.cert_file, theirs.key_file):
        observed = _("both plans name {file}: is it the same on the machine from which the primary was installed?")
        return manual(observed.format(file=own.cert_file), CERT_FILE)
    return passed(_("the primary's own pair, SHA-256 {sum}").format(sum=_short(own.sums)))


def registry(subject: PlanSubject) -> Iterator[Finding]:
    """XR-REG-DR: the same registry and login on both."""
    here, there = subject.plan, _plan(subject)
    if there is None:
        return
    for path, own, other in (
        ("registry.mode", here.registry.mode, there.registry.mode),
        ("registry.address", here.registry_address, there.registry_address),
        ("registry.username", here.registry.username or "", there.registry.username or ""),
    ):
        if own != other:
            yield _other(path, own, other, path)
    if here.registry.username or there.registry.username:
        yield from _secret(subject, "registry.password", here.registry.password, there.registry.password)


def _account(subject: PlanSubject) -> Iterator[Finding]:
    here, there = subject.plan.admin, _plan(subject)
    if there is None:
        return
    if here.username != there.admin.username:
        yield _other("admin.username", here.username, there.admin.username, "admin.username")
    yield from _secret(subject, "admin.password", here.password, there.admin.password)


def _machines(subject: PlanSubject, there: Plan) -> Iterator[Finding]:
    taken = {address for node in there.nodes for address in (node.address, node.ipv6) if address}
    observed = _("{address} is a node of the primary")
    for node in subject.plan.nodes:
        for name, address in (("address", node.address), ("ipv6", node.ipv6)):
            if address in taken:
                yield fail(observed.format(address=address), node_path(subject.plan, node, name))


def _products(subject: PlanSubject, there: Plan) -> Iterator[Finding]:
    """What the manual does not name, and what would make two different platforms all the same: warnings."""
    here, newest = subject.plan, _("the newest that the installer offers")
    if there.disaster_recovery.role != "primary":
        observed = _("the plan named there is not a primary's: its role is {role}")
        yield warn(observed.format(role=there.disaster_recovery.role), PRIMARY)
    for path, own, other in (
        ("package.core", _version(here), _version(there)),
        ("kubernetes.version", here.kubernetes.version or newest, there.kubernetes.version or newest),
        ("network.cni", here.network.cni, there.network.cni),
        ("components.products", *(listed(sorted({*plan.components.products})) for plan in (here, there))),
    ):
        if own != other:
            yield warn(_(_DIFFERS).format(what=path, here=own, there=other), path)


def _secret(subject: PlanSubject, path: str, here: SecretStr | None, there: SecretStr | None) -> Iterator[Finding]:
    closed = subject.beside.primary.closed if subject.beside.primary else ""
    if here is None:
        return  # told by the rule that wants one
    if closed or there is None:
        observed = _("{path} cannot be compared: {why}")
        why = closed or _("the primary's plan has none")
        yield unknown(observed.format(path=path, why=why), path, PRIMARY)
    elif here.get_secret_value() != there.get_secret_value():
        yield fail(_("{path} is another one than the primary's").format(path=path), path)


def _plan(subject: PlanSubject) -> Plan | None:
    return subject.beside.primary.plan if subject.beside.primary else None


def _other(what: str, here: str, there: str, path: str) -> Finding:
    return fail(_(_DIFFERS).format(what=what, here=here or _("none"), there=there or _("none")), path)


def _short(sums: tuple[str, ...]) -> str:
    """Enough of each sum to tell it from another one."""
    return listed(each[:16] for each in sums)


def _version(plan: Plan) -> str:
    """`4.0.3` by the Core Package's name, else the release alone."""
    name = parse_name(plan.package.core or "")
    return name.version if name else plan.effective_release
