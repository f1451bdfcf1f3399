"""Plan rules of certificate, image registry, administrator, versions and the flags of setup.sh.

The content of the certificate files is in CertificateFacts, with the time of reading: these rules open no file.
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
    """XR-CERT-PAIR: certificate and key together or not at all, and both files can be read."""
    planned = subject.plan.certificate
    given = [path for path, value in ((CERT_FILE, planned.cert_file), (KEY_FILE, planned.key_file)) if value]
    missing = [path for path in (CERT_FILE, KEY_FILE) if path not in given]
    if planned.mode == "self-signed":
        if not given:
            return not_applicable(_("the installer creates the certificate"))
        if missing:
            return (fail(_("only one of certificate and key is set"), *missing, "certificate.mode"),)
        return (warn(_("the mode is self-signed: the certificate and key are not used"), "certificate.mode"),)
    if missing:
        return (fail(pgettext("observed value", "missing: {names}").format(names=format_list(missing)), *missing),)
    facts = subject.local_files.certificate
    return findings_or_pass(
        (fail(reason, CERT_FILE, KEY_FILE) for reason in (facts.unreadable if facts else ())),
        f"{planned.cert_file}, {planned.key_file}",
    )


def certificate_valid(subject: PlanSubject) -> Findings:
    """XR-CERT-VALID: the pair is readable, matches and is valid today; without the platform's name it warns."""
    planned = subject.plan.certificate
    if planned.mode != "existing":
        return not_applicable(_("the installer creates the certificate"))
    facts = subject.local_files.certificate
    if facts is None or facts.unreadable:
        return (Finding(Outcome.UNKNOWN, _("the certificate was not read"), paths=(CERT_FILE, KEY_FILE)),)
    observed = pgettext("certificate", "{subject}, valid until {day}")
    if facts.authority is Authority.PRIVATE:
        observed = _("{subject}, valid until {day}, private CA: {issuer}")
    day = f"{facts.not_after:%Y-%m-%d}" if facts.not_after else ""
    return findings_or_pass(
        certificate_findings(subject.plan, facts),
        observed.format(subject=facts.subject, day=day, issuer=facts.last_issuer),
    )


def certificate_for_recovery(subject: PlanSubject) -> Findings:
    """XR-CERT-DR: both clusters have the same existing pair."""
    plan = subject.plan
    if plan.disaster_recovery.role == "none":
        return not_applicable(_("no disaster recovery planned"))
    if plan.certificate.mode != "existing":
        return (fail(_("the certificate is self-signed"), "certificate.mode", CERT_FILE, KEY_FILE),)
    return disaster_recovery.certificate(subject)


def external_registry(subject: PlanSubject) -> Findings:
    """XR-REG-EXT: an external registry has an address; a person confirms that images are synchronised into it."""
    registry = subject.plan.registry
    if registry.mode != "external":
        return not_applicable(_("the platform's own registry"))
    if not registry.address:
        return (fail(_("no address of the external registry"), "registry.address"),)
    address = subject.plan.registry_address
    question = _("{address}: Is the synchronisation of images into this registry agreed with the vendor?")
    confirmation = manual(question.format(address=address), "registry.mode")
    if registry.address == address:
        return confirmation
    observed = _("{planned}: image names have no scheme; acp-tui sends {address} to the installer")
    return (warn(observed.format(planned=registry.address, address=address), "registry.address"), *confirmation)


def platform_registry_host(subject: PlanSubject) -> Findings:
    """P-REG-DOMAIN: the platform's registry is a host without a port; the configuration adds port 11443."""
    plan = subject.plan
    if plan.registry.mode != "platform":
        return not_applicable(_("an external registry"))
    host = plan.registry.address or plan.registry_address
    if plan.registry.address and not is_domain(host) and not is_ip(host):
        observed = _("{address}: the platform's registry always uses port 11443; enter only the host")
        return (fail(observed.format(address=host), "registry.address"),)
    return passed(host or none_text())


def registry_login(subject: PlanSubject) -> Findings:
    """XR-REG-AUTH: user and password, both or neither."""
    user, password = _registry_login(subject.plan)
    if user == password:
        return passed(_("user and password") if user else pgettext("observed value", "no login"))
    missing = "registry.password" if user else "registry.username"
    observed = _("user without password") if user else _("password without user")
    return (fail(observed, missing),)


def registry_for_recovery(subject: PlanSubject) -> Findings:
    """XR-REG-DR: the platform's registry has a login and the platform's domain; the standby's is the same."""
    plan = subject.plan
    if plan.disaster_recovery.role == "none":
        return not_applicable(_("no disaster recovery planned"))
    findings = [*_own_registry_for_recovery(plan), *disaster_recovery.registry(subject)]
    if plan.registry.mode != "platform" and not findings:
        return not_applicable(_("no disaster recovery with the platform's own registry"))
    return findings_or_pass(findings, plan.registry_address)


def _own_registry_for_recovery(plan: Plan) -> Iterator[Finding]:
    if plan.registry.mode != "platform":
        return
    user, password = _registry_login(plan)
    missing = [path for path, present in (("registry.username", user), ("registry.password", password)) if not present]
    if missing:
        yield fail(pgettext("observed value", "missing: {names}").format(names=format_list(missing)), *missing)
    # XR-DOMAIN-DR reports a platform address that is not a domain; then the registry cannot be compared with it.
    required = plan.platform_address if is_domain(plan.platform_address) else plan.registry_address
    if plan.registry_address != required or not is_domain(plan.registry_address):
        observed = _("registry: {registry}; platform domain: {platform}")
        registry, platform = plan.registry_address or none_text(), plan.platform_address or none_text()
        yield fail(observed.format(registry=registry, platform=platform), "registry.address")


def admin_password(subject: PlanSubject) -> Findings:
    """P-ADMIN-PASS: a password is present; the installer's own rules for it are unknown (OQ-ADMIN-POLICY)."""
    password = subject.plan.admin.password
    length = len(password.get_secret_value()) if password else 0
    if length == 0:
        return (fail(_("no administrator password"), "admin.password"),)
    if length < ADVISED_PASSWORD_LENGTH:
        observed = _("fewer than {count} characters").format(count=ADVISED_PASSWORD_LENGTH)
        expected = _("{count} characters or more").format(count=ADVISED_PASSWORD_LENGTH)
        return (warn(observed, "admin.password", expected=expected),)
    return passed(pgettext("observed value", "password set"))


def versions_offered(subject: PlanSubject) -> Findings:
    """XR-VERSIONS: before the installer runs, only the release's table of versions is known. Row: `minors`."""
    version = subject.plan.kubernetes.version
    known = subject.check.texts("minors")
    if version is None:
        return passed(_("the newest version that the installer offers"))
    if version.rpartition(".")[0] in known:
        return passed(version)
    observed = _("{version}; known for release {release}: {minors}")
    release = subject.plan.effective_release
    return (warn(observed.format(version=version, release=release, minors=format_list(known)), "kubernetes.version"),)


def network_mode_flag(subject: PlanSubject) -> Findings:
    """XR-CNI-FLAG: setup.sh gets the flag for Calico if the release has it (`ReleaseTraits.network_mode_flag`)."""
    plan = subject.plan
    if plan.network.cni != "calico":
        return passed(_("Kube-OVN needs no flag"))
    if not release_traits(plan.effective_release).network_mode_flag:
        observed = _("Calico: release {release} documents no flag for setup.sh; this configuration is not confirmed")
        return (warn(observed.format(release=plan.effective_release), "network.cni"),)
    if plan.network.ip_family == "ipv6":
        observed = _("--network-mode calico with --ip-family ipv6; the manual documents only one flag at a time")
        return (warn(observed, "network.cni", "network.ip_family"),)
    return passed("--network-mode calico")


def ip_family_flag(subject: PlanSubject) -> Findings:
    """XR-PROTO-IPV6-FLAG: setup.sh gets the flag for IPv6 only; its configuration is an assumption (OQ-IPV6-JSON)."""
    if subject.plan.network.ip_family != "ipv6":
        return passed(_("no flag required"))
    observed = _("--ip-family ipv6; the installer's configuration for IPv6 only is not documented publicly")
    return (warn(observed, "network.ip_family"),)


def protocol_is_final(subject: PlanSubject) -> Findings:
    """XR-PROTO-FIXED: a reminder if the protocol is not the default."""
    family = subject.plan.network.ip_family
    if family == "ipv4":
        return passed(pgettext("observed value", "IPv4"))
    observed = _("{family}; cannot be changed after the install")
    return (warn(observed.format(family=family), "network.ip_family"),)


def _registry_login(plan: Plan) -> tuple[bool, bool]:
    password = plan.registry.password
    return bool(plan.registry.username), bool(password and password.get_secret_value())
