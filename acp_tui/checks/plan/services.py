"""Rules of what surrounds the cluster: certificate, image registry, administrator, versions and start flags.

The certificate was read before (CertificateFacts), with the time at which it was: nothing is opened here.
"""

from collections.abc import Iterator

from acp_tui.checks.certificates.model import Authority
from acp_tui.checks.finding import Finding, PlanSubject
from acp_tui.checks.plan import disaster_recovery as standby
from acp_tui.checks.plan.certificate import CERT_FILE, KEY_FILE, flaws
from acp_tui.checks.plan.results import Findings, fail, held, listed, manual, not_applicable, passed, warn
from acp_tui.checks.release_traits import release_traits
from acp_tui.checks.verdict import Outcome
from acp_tui.core.i18n import _
from acp_tui.plan.field_types import is_domain, is_ip
from acp_tui.plan.model import Plan

ADVISED_PASSWORD_LENGTH = 12


def certificate_pair(subject: PlanSubject) -> Findings:
    """XR-CERT-PAIR: certificate and key together or not at all, and both files are there."""
    wanted = subject.plan.certificate
    given = [path for path, value in ((CERT_FILE, wanted.cert_file), (KEY_FILE, wanted.key_file)) if value]
    missing = [path for path in (CERT_FILE, KEY_FILE) if path not in given]
    if wanted.mode == "self-signed":
        if not given:
            return not_applicable(_("the installer makes the certificate"))
        if missing:
            return (fail(_("one file of the pair is given, the other is not"), *missing, "certificate.mode"),)
        return (warn(_("a pair is given, but the mode is self-signed: it is not used"), "certificate.mode"),)
    if missing:
        return (fail(_("not given: {names}").format(names=listed(missing)), *missing),)
    read = subject.beside.certificate
    return held(
        (fail(why, CERT_FILE, KEY_FILE) for why in (read.unreadable if read else ())),
        f"{wanted.cert_file}, {wanted.key_file}",
    )


def certificate_valid(subject: PlanSubject) -> Findings:
    """XR-CERT-VALID: the pair parses, belongs together, is in date and, as a warning, names the platform."""
    wanted = subject.plan.certificate
    if wanted.mode != "existing":
        return not_applicable(_("the installer makes the certificate"))
    read = subject.beside.certificate
    if read is None or read.unreadable:
        return (Finding(Outcome.UNKNOWN, _("the certificate has not been read"), paths=(CERT_FILE, KEY_FILE)),)
    observed = _("{subject}, until {day}")
    if read.authority is Authority.PRIVATE:
        observed = _("{subject}, until {day}, by a private authority: {issuer}")
    day = f"{read.not_after:%Y-%m-%d}" if read.not_after else ""
    return held(flaws(subject.plan, read), observed.format(subject=read.subject, day=day, issuer=read.last_issuer))


def certificate_for_recovery(subject: PlanSubject) -> Findings:
    """XR-CERT-DR: both clusters carry the same existing pair."""
    plan = subject.plan
    if plan.disaster_recovery.role == "none":
        return not_applicable(_("no disaster recovery planned"))
    if plan.certificate.mode != "existing":
        return (fail(_("the certificate is self-signed"), "certificate.mode", CERT_FILE, KEY_FILE),)
    return standby.certificate(subject)


def external_registry(subject: PlanSubject) -> Findings:
    """XR-REG-EXT: an external registry has an address, and its images are somebody's promise."""
    registry = subject.plan.registry
    if registry.mode != "external":
        return not_applicable(_("the platform's own registry"))
    if not registry.address:
        return (fail(_("no address of the external registry"), "registry.address"),)
    posted = subject.plan.registry_address
    question = _("{address}: is the plan for synchronising images into it agreed with the vendor?")
    asked = manual(question.format(address=posted), "registry.mode")
    if registry.address == posted:
        return asked
    observed = _("{address}: image names have no scheme; the installer is given {posted}")
    return (warn(observed.format(address=registry.address, posted=posted), "registry.address"), *asked)


def platform_registry_host(subject: PlanSubject) -> Findings:
    """P-REG-DOMAIN: the platform's registry is a bare host; its port 11443 is added by the installer's document."""
    plan = subject.plan
    if plan.registry.mode != "platform":
        return not_applicable(_("an external registry"))
    host = plan.registry.address or plan.registry_address
    if plan.registry.address and not is_domain(host) and not is_ip(host):
        observed = _("{address}: the platform's registry always listens on 11443; give the host alone")
        return (fail(observed.format(address=host), "registry.address"),)
    return passed(host or _("none"))


def registry_login(subject: PlanSubject) -> Findings:
    """XR-REG-AUTH: user and password, both or neither."""
    user, password = _registry_login(subject.plan)
    if user == password:
        return passed(_("user and password") if user else _("no login"))
    missing = "registry.password" if user else "registry.username"
    observed = _("a user without a password") if user else _("a password without a user")
    return (fail(observed, missing),)


def registry_for_recovery(subject: PlanSubject) -> Findings:
    """XR-REG-DR: the platform's registry carries a login, under the platform's own domain; a standby's is the same."""
    plan = subject.plan
    if plan.disaster_recovery.role == "none":
        return not_applicable(_("no disaster recovery planned"))
    findings = [*_own_registry_for_recovery(plan), *standby.registry(subject)]
    if plan.registry.mode != "platform" and not findings:
        return not_applicable(_("no disaster recovery with the platform's own registry"))
    return held(findings, plan.registry_address)


def _own_registry_for_recovery(plan: Plan) -> Iterator[Finding]:
    if plan.registry.mode != "platform":
        return
    user, password = _registry_login(plan)
    missing = [path for path, given in (("registry.username", user), ("registry.password", password)) if not given]
    if missing:
        yield fail(_("not given: {names}").format(names=listed(missing)), *missing)
    # A platform that is no domain is told by XR-DOMAIN-DR; it says nothing about the registry.
    wanted = plan.platform_address if is_domain(plan.platform_address) else plan.registry_address
    if plan.registry_address != wanted or not is_domain(plan.registry_address):
        observed = _("the registry is {registry}, the platform's domain is {platform}")
        registry, platform = plan.registry_address or _("none"), plan.platform_address or _("none")
        yield fail(observed.format(registry=registry, platform=platform), "registry.address")


def admin_password(subject: PlanSubject) -> Findings:
    """P-ADMIN-PASS: there is one; the installer's own rules for it are not known (OQ-ADMIN-POLICY)."""
    password = subject.plan.admin.password
    length = len(password.get_secret_value()) if password else 0
    if length == 0:
        return (fail(_("no administrator password"), "admin.password"),)
    if length < ADVISED_PASSWORD_LENGTH:
        observed = _("shorter than {count} characters").format(count=ADVISED_PASSWORD_LENGTH)
        return (warn(observed, "admin.password"),)
    return passed(_("given"))


def versions_offered(subject: PlanSubject) -> Findings:
    """XR-VERSIONS: only the running installer knows what it offers; before that, the release's table. Row: `minors`."""
    version = subject.plan.kubernetes.version
    known = subject.given.texts("minors")
    if version is None:
        return passed(_("the newest that the running installer offers"))
    if version.rpartition(".")[0] in known:
        return passed(version)
    observed = _("{version} is not among the versions known for release {release}: {minors}")
    release = subject.plan.effective_release
    return (warn(observed.format(version=version, release=release, minors=listed(known)), "kubernetes.version"),)


def network_mode_flag(subject: PlanSubject) -> Findings:
    """XR-CNI-FLAG: setup.sh gets the flag for Calico where the release has it (`ReleaseTraits.network_mode_flag`)."""
    plan = subject.plan
    if plan.network.cni != "calico":
        return passed(_("Kube-OVN needs no flag"))
    if not release_traits(plan.effective_release).network_mode_flag:
        observed = _("Calico: release {release} documents no flag for setup.sh any more; nobody has confirmed this way")
        return (warn(observed.format(release=plan.effective_release), "network.cni"),)
    if plan.network.ip_family == "ipv6":
        observed = _("both --network-mode calico and --ip-family ipv6; the manual shows them only one at a time")
        return (warn(observed, "network.cni", "network.ip_family"),)
    return passed("--network-mode calico")


def ip_family_flag(subject: PlanSubject) -> Findings:
    """XR-PROTO-IPV6-FLAG: setup.sh is told of IPv6 alone; the document for it is our reading (OQ-IPV6-JSON)."""
    if subject.plan.network.ip_family != "ipv6":
        return passed(_("no flag needed"))
    observed = _("--ip-family ipv6; no public source shows the installer's document for IPv6 alone")
    return (warn(observed, "network.ip_family"),)


def protocol_is_final(subject: PlanSubject) -> Findings:
    """XR-PROTO-FIXED: a reminder where the protocol is not the default."""
    family = subject.plan.network.ip_family
    if family == "ipv4":
        return passed(_("IPv4"))
    observed = _("{family}: this cannot be changed after the install")
    return (warn(observed.format(family=family), "network.ip_family"),)


def _registry_login(plan: Plan) -> tuple[bool, bool]:
    password = plan.registry.password
    return bool(plan.registry.username), bool(password and password.get_secret_value())
