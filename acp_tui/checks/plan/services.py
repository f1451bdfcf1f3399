"""Plan rules for certificate, image registry, administrator, versions and the options of setup.sh.

These rules read no files. `CertificateFacts` has the content of the certificate files, and the time of reading.
"""

from collections.abc import Iterator

from acp_tui.checks.certificate_facts import Authority
from acp_tui.checks.finding import Finding, Findings, PlanSubject
from acp_tui.checks.plan import disaster_recovery
from acp_tui.checks.plan.certificate import CERT_FILE, KEY_FILE, certificate_findings
from acp_tui.checks.plan.results import (
    fail,
    findings_or_pass,
    format_list,
    manual,
    none_text,
    not_applicable,
    passed,
    warn,
)
from acp_tui.checks.release_traits import release_traits
from acp_tui.checks.verdict import Outcome
from acp_tui.core.i18n import _, pgettext
from acp_tui.plan.field_types import is_domain, is_ip
from acp_tui.plan.model import Plan

ADVISED_PASSWORD_LENGTH = 12


def certificate_pair(subject: PlanSubject) -> Findings:
    """XR-CERT-PAIR: the plan must name a certificate and its key, or neither. Both files must be readable."""
    planned = subject.plan.certificate
    given = [path for path, value in ((CERT_FILE, planned.cert_file), (KEY_FILE, planned.key_file)) if value]
    missing = [path for path in (CERT_FILE, KEY_FILE) if path not in given]
    if planned.mode == "self-signed":
        if not given:
            return not_applicable(_("the installer creates the certificate"))
        if missing:
            return (fail(_("the plan names a certificate or a key, but not both"), *missing, "certificate.mode"),)
        return (
            warn(
                _("the certificate mode is self-signed, so the certificate and key of the plan are not used"),
                "certificate.mode",
            ),
        )
    if missing:
        return (
            fail(
                pgettext("observed value", "these plan keys are missing: {names}").format(names=format_list(missing)),
                *missing,
            ),
        )
    facts = subject.local_files.certificate
    return findings_or_pass(
        (fail(reason, CERT_FILE, KEY_FILE) for reason in (facts.unreadable if facts else ())),
        f"{planned.cert_file}, {planned.key_file}",
    )


def certificate_valid(subject: PlanSubject) -> Findings:
    """XR-CERT-VALID: certificate and key must match and be valid today.

    A certificate that does not contain the platform address gives a warning.
    """
    planned = subject.plan.certificate
    if planned.mode != "existing":
        return not_applicable(_("the installer creates the certificate"))
    facts = subject.local_files.certificate
    if facts is None or facts.unreadable:
        unknown = _("the content of the certificate or of its key is unknown")
        return (Finding(Outcome.UNKNOWN, unknown, paths=(CERT_FILE, KEY_FILE)),)
    observed = pgettext("certificate", "{subject}, valid until {day}")
    if facts.authority is Authority.PRIVATE:
        observed = _("{subject}, valid until {day}, private CA: {issuer}")
    day = f"{facts.not_after:%Y-%m-%d}" if facts.not_after else ""
    return findings_or_pass(
        certificate_findings(subject.plan, facts),
        observed.format(subject=facts.subject, day=day, issuer=facts.last_issuer),
    )


def certificate_for_recovery(subject: PlanSubject) -> Findings:
    """XR-CERT-DR: primary and standby must have the same existing certificate and key."""
    plan = subject.plan
    if plan.disaster_recovery.role == "none":
        return not_applicable(_("the plan has no disaster recovery"))
    if plan.certificate.mode != "existing":
        return (fail(_("the certificate mode is self-signed"), "certificate.mode", CERT_FILE, KEY_FILE),)
    return disaster_recovery.certificate(subject)


def external_registry(subject: PlanSubject) -> Findings:
    """XR-REG-EXT: an external registry must have an address.

    A person must confirm that the vendor has agreed to the method of copying images into the registry.
    """
    registry = subject.plan.registry
    if registry.mode != "external":
        return not_applicable(_("the plan uses the platform's own registry"))
    if not registry.address:
        return (fail(_("the plan has no address for the external registry"), "registry.address"),)
    address = subject.plan.registry_address
    question = _("Has the vendor agreed to your method of copying images into the external registry {address}?")
    confirmation = manual(question.format(address=address), "registry.mode")
    if registry.address == address:
        return confirmation
    observed = _(
        "the registry {planned} has a URL scheme, which image names do not allow; acp-tui sends only {address} to "
        "the installer"
    )
    return (warn(observed.format(planned=registry.address, address=address), "registry.address"), *confirmation)


def platform_registry_host(subject: PlanSubject) -> Findings:
    """P-REG-DOMAIN: the address of the platform's registry must not have a port, because the port is always 11443."""
    plan = subject.plan
    if plan.registry.mode != "platform":
        return not_applicable(_("the plan uses an external registry"))
    host = plan.registry.address or plan.registry_address
    if plan.registry.address and not is_domain(host) and not is_ip(host):
        observed = _(
            "the registry {address} has a port, but the platform's registry always uses port 11443; enter only the host"
        )
        return (fail(observed.format(address=host), "registry.address"),)
    return passed(host or none_text())


def registry_login(subject: PlanSubject) -> Findings:
    """XR-REG-AUTH: the plan must have both the user and the password of the registry, or neither."""
    user, password = _registry_login(subject.plan)
    if user == password:
        return passed(
            _("the registry login has a user and a password")
            if user
            else pgettext("observed value", "the plan has no login for the registry")
        )
    missing = "registry.password" if user else "registry.username"
    observed = (
        _("the registry login has a user, but no password")
        if user
        else _("the registry login has a password, but no user")
    )
    return (fail(observed, missing),)


def registry_for_recovery(subject: PlanSubject) -> Findings:
    """XR-REG-DR: with disaster recovery, the platform's registry must have a login and use the platform's domain.

    The registry of the standby must be the same as that of the primary.
    """
    plan = subject.plan
    if plan.disaster_recovery.role == "none":
        return not_applicable(_("the plan has no disaster recovery"))
    findings = [*_own_registry_for_recovery(plan), *disaster_recovery.registry(subject)]
    if plan.registry.mode != "platform" and not findings:
        return not_applicable(
            _("the plan uses an external registry; the rule applies only to the platform's own registry")
        )
    return findings_or_pass(findings, plan.registry_address)


def _own_registry_for_recovery(plan: Plan) -> Iterator[Finding]:
    if plan.registry.mode != "platform":
        return
    user, password = _registry_login(plan)
    missing = [path for path, present in (("registry.username", user), ("registry.password", password)) if not present]
    if missing:
        yield fail(
            pgettext("observed value", "these plan keys are missing: {names}").format(names=format_list(missing)),
            *missing,
        )
    # XR-DOMAIN-DR reports a platform address that is not a domain; then the registry cannot be compared with it.
    required = plan.platform_address if is_domain(plan.platform_address) else plan.registry_address
    if plan.registry_address != required or not is_domain(plan.registry_address):
        observed = _("the registry address is {registry}, but the platform domain is {platform}")
        registry, platform = plan.registry_address or none_text(), plan.platform_address or none_text()
        yield fail(observed.format(registry=registry, platform=platform), "registry.address")


def admin_password(subject: PlanSubject) -> Findings:
    """P-ADMIN-PASS: the plan must have an administrator password.

    The installer's own rules for the password are unknown (OQ-ADMIN-POLICY).
    """
    password = subject.plan.admin.password
    length = len(password.get_secret_value()) if password else 0
    if length == 0:
        return (fail(_("the plan has no administrator password"), "admin.password"),)
    if length < ADVISED_PASSWORD_LENGTH:
        observed = _("the administrator password has fewer than {count} characters").format(
            count=ADVISED_PASSWORD_LENGTH
        )
        expected = _("the administrator password should have at least {count} characters").format(
            count=ADVISED_PASSWORD_LENGTH
        )
        return (warn(observed, "admin.password", expected=expected),)
    return passed(pgettext("observed value", "the plan has an administrator password"))


def versions_offered(subject: PlanSubject) -> Findings:
    """XR-VERSIONS: the Kubernetes version must be one of the versions that the release offers.

    Only the installer knows the exact list of versions. The parameter `minors` of the catalogue row has the known minor
    versions.
    """
    version = subject.plan.kubernetes.version
    known = subject.check.texts("minors")
    if version is None:
        return passed(_("the installer uses the newest Kubernetes version that it offers"))
    if version.rpartition(".")[0] in known:
        return passed(version)
    observed = _("the plan has Kubernetes version {version}; the known versions of release {release} are {minors}")
    release = subject.plan.effective_release
    return (warn(observed.format(version=version, release=release, minors=format_list(known)), "kubernetes.version"),)


def network_mode_flag(subject: PlanSubject) -> Findings:
    """XR-CNI-FLAG: warn about Calico if the manual does not document the required options of setup.sh.

    The manual of a release contains the option for Calico if `ReleaseTraits.network_mode_flag` is True.
    """
    plan = subject.plan
    if plan.network.cni != "calico":
        return passed(_("Kube-OVN needs no option of setup.sh"))
    if not release_traits(plan.effective_release).network_mode_flag:
        observed = _(
            "the manual of release {release} contains no option of setup.sh for Calico, so it is unknown whether "
            "Calico works"
        )
        return (warn(observed.format(release=plan.effective_release), "network.cni"),)
    if plan.network.ip_family == "ipv6":
        observed = _(
            "setup.sh runs with --network-mode calico and --ip-family ipv6; the manual does not combine these options"
        )
        return (warn(observed, "network.cni", "network.ip_family"),)
    return passed("--network-mode calico")


def ip_family_flag(subject: PlanSubject) -> Findings:
    """XR-PROTO-IPV6-FLAG: warn about an IPv6 cluster, for which setup.sh needs an option.

    The installer's configuration for an IPv6 cluster is an assumption (OQ-IPV6-JSON).
    """
    if subject.plan.network.ip_family != "ipv6":
        return passed(_("the IP family needs no option of setup.sh"))
    observed = _(
        "setup.sh runs with --ip-family ipv6; the installer's configuration for IPv6 is not documented publicly"
    )
    return (warn(observed, "network.ip_family"),)


def protocol_is_final(subject: PlanSubject) -> Findings:
    """XR-PROTO-FIXED: warn if the IP family is not IPv4, because it cannot be changed after the install."""
    family = subject.plan.network.ip_family
    if family == "ipv4":
        return passed(pgettext("observed value", "IPv4"))
    observed = _("the IP family is {family}, which cannot be changed after the install")
    return (warn(observed.format(family=family), "network.ip_family"),)


def _registry_login(plan: Plan) -> tuple[bool, bool]:
    password = plan.registry.password
    return bool(plan.registry.username), bool(password and password.get_secret_value())
