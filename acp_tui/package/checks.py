"""Use facts to compute the verdicts on the packages of a plan (BND-*).

The functions do not read the packages and do not change anything.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from datetime import date
from pathlib import Path

from acp_tui.checks.catalog import catalogue
from acp_tui.checks.causes import with_package_causes
from acp_tui.checks.finding import Finding
from acp_tui.checks.release_traits import release_traits
from acp_tui.checks.verdict import Outcome, Verdict
from acp_tui.checks.verdict_builder import build_verdict
from acp_tui.checks.waivers import waive
from acp_tui.core.i18n import _, ngettext, pgettext
from acp_tui.package.archive import INIT, SETUP
from acp_tui.package.facts import PackageFacts, PackageState, package_inputs
from acp_tui.package.signature.explain import explain_signature, signature_fix, spaced
from acp_tui.package.signature.gpg_status import SignatureResult, Signed
from acp_tui.package.trust import not_verified, other_key
from acp_tui.plan.model import Plan
from acp_tui.plan.package_name import Kind, parse_name

_PATH: Mapping[Kind, str] = {"core": "package.core", "extensions": "package.extensions"}
_NAME_RULE: Mapping[Kind, str] = {"core": "BND-CORE-NAME", "extensions": "BND-EXT-NAME"}
_KEY_RULE = "BND-KEY-FPR"
SIGNATURE_RULES = frozenset({"BND-SIGN", _KEY_RULE})
"""The requirements that need the verification of the signatures, which reads the complete packages."""
_OF_EXTENSIONS = frozenset({"BND-EXT-NAME", "BND-EXT-ARCH", "BND-ORDER", "BND-SAMEDIR"})

_BROKEN = frozenset(
    {
        Signed.OTHER_KEY,
        Signed.EXPIRED_KEY,
        Signed.EXPIRED_SIGNATURE,
        Signed.REVOKED,
        Signed.OTHER_FILE,
        Signed.BAD,
        Signed.UNREADABLE,
        Signed.NOT_DETACHED,
        Signed.WEAK,
        Signed.NO_PUBLIC_KEY,
    }
)
_SIGNATURE_PATHS: Mapping[Signed, str] = {
    Signed.KEY_MISSING: "package.public_key",
    Signed.KEY_OTHER: "package.public_key",
    Signed.KEY_UNREADABLE: "package.public_key",
    Signed.KEY_PRIVATE: "package.public_key",
    Signed.KEY_UNSUPPORTED: "package.public_key",
    Signed.KEY_FROM_THE_FUTURE: "package.public_key",
    Signed.OTHER_KEY: "package.fingerprint",
}


def package_verdicts(plan: Plan, facts: PackageFacts, today: date) -> tuple[Verdict, ...]:
    """Return the verdicts on the packages of `plan`, with the waivers of the plan applied.

    Each requirement of scope `package` has at least one verdict, also if the plan names no package."""
    found = list(_findings(plan, facts))
    judged = {rule for rule, _finding in found}
    rows = (row for row in catalogue(plan.effective_release).values() if row.scope == "package")
    found += [(row.id, _without_package(row.id, facts)) for row in rows if row.id not in judged]
    return with_package_causes(plan, _verdicts(plan, found, today))


def name_verdicts(plan: Plan, base: Path, today: date) -> tuple[Verdict, ...]:
    """Return the verdicts on the file names of the packages (kind, release, architecture).

    The files do not have to exist."""
    named = {
        kind: PackageState(package_input, parse_name(package_input.package.name), None)
        for kind, package_input in package_inputs(plan.package, base).items()
    }
    findings = [(_NAME_RULE[kind], _name(package, plan.release)) for kind, package in named.items()]
    if len(named) > 1:
        findings.append(("BND-EXT-ARCH", _same(named["core"], named["extensions"])))
    return _verdicts(plan, findings, today)


def key_verdicts(plan: Plan, today: date) -> tuple[Verdict, ...]:
    """Return the verdict on the trusted key if it is not the vendor's key; otherwise nothing. No file is read."""
    warning = other_key(plan.package.fingerprint)
    return _verdicts(plan, [(_KEY_RULE, _other_key(warning))], today) if warning else ()


def signature_verdicts(plan: Plan, package: PackageState, today: date) -> tuple[Verdict, ...]:
    """Return the verdicts on the signature of one package (BND-SIGN, BND-KEY-FPR), with waivers applied."""
    return _verdicts(plan, _signature_findings(plan, package), today)


def _verdicts(plan: Plan, findings: Iterable[tuple[str, Finding]], today: date) -> tuple[Verdict, ...]:
    rules = catalogue(plan.effective_release)
    findings = [(rule, finding) for rule, finding in findings if rules[rule].check.kind == "step"]
    return tuple(waive(build_verdict(rules[rule], finding), plan.waivers, today) for rule, finding in findings)


def _signature_findings(plan: Plan, package: PackageState) -> Iterator[tuple[str, Finding]]:
    yield "BND-SIGN", _signature(package)
    if package.package_input.kind == "core":
        yield _KEY_RULE, _key(package.signature, plan.package.fingerprint)


def _findings(plan: Plan, facts: PackageFacts) -> Iterator[tuple[str, Finding]]:
    if facts.core is None:
        remedy = _("Download the Core Package, and set package.core in the plan to its path.")
        yield (
            "BND-CORE",
            Finding(Outcome.FAIL, _("the plan names no Core Package"), "", remedy, paths=("package.core",)),
        )
    elif facts.core.file is None:
        yield "BND-CORE", Finding(Outcome.FAIL, facts.core.trouble, paths=("package.core",))
    else:
        yield "BND-CORE", Finding(Outcome.PASS, str(facts.core.package_input.package))
    for package in facts.packages:
        yield _NAME_RULE[package.package_input.kind], _name(package, plan.release)
        if package.file is not None:
            yield "BND-TAR-OK", _archive(package)
            yield from _signature_findings(plan, package)
        elif package.package_input.kind == "extensions":
            yield "BND-TAR-OK", Finding(Outcome.FAIL, package.trouble, paths=("package.extensions",))
    if facts.extensions is not None:
        if facts.core is not None:
            yield "BND-EXT-ARCH", _same(facts.core, facts.extensions)
        yield "BND-ORDER", _order(plan, facts)
        yield "BND-SAMEDIR", _together(facts)
    yield "BND-WORKDIR", _folder(facts)
    if facts.installer_here is not None:
        yield "BND-INSTNODE", _host(plan, facts.installer_here)


def _without_package(rule: str, facts: PackageFacts) -> Finding:
    """Return the finding on a requirement that could not be checked, because a package or node is missing."""
    if rule == "BND-INSTNODE":
        return Finding(Outcome.UNKNOWN, _("the plan has no control plane node yet"), paths=("nodes",))
    if facts.extensions is None and rule in _OF_EXTENSIONS:
        return Finding(Outcome.NOT_APPLICABLE, _("the plan names no Extensions Package"))
    missing = _("the plan names no Core Package") if facts.core is None else _("the Core Package is not available")
    remedy = _("Set package.core in the plan to the path of the Core Package. Then verify the package.")
    return Finding(Outcome.UNKNOWN, missing, remedy=remedy, paths=("package.core",))


def _name(package: PackageState, release: str | None) -> Finding:
    kind, file = package.package_input.kind, package.package_input.package.name
    paths = (_PATH[kind],)
    if package.name is None:
        observed = _("{name} is not the file name of a package, so version and architecture are unknown").format(
            name=file
        )
        return Finding(Outcome.WARN, observed, paths=paths)
    if package.name.kind != kind:
        text = _("{name} is an Extensions Package") if kind == "core" else _("{name} is a Core Package")
        return Finding(Outcome.FAIL, text.format(name=file), paths=paths)
    if release is not None and package.name.release != release:
        observed = _("{name} does not belong to release {release} of the plan").format(name=file, release=release)
        return Finding(Outcome.WARN, observed, paths=(*paths, "release"))
    observed = pgettext("observed value", "{name} has version {version} and architecture {arch}")
    return Finding(Outcome.PASS, observed.format(name=file, version=package.name.version, arch=package.name.arch))


def _archive(package: PackageState) -> Finding:
    path = _PATH[package.package_input.kind]
    name = package.package_input.package.name
    contents = package.contents
    if contents is None:
        return Finding(Outcome.FAIL, f"{name}: {package.trouble}", paths=(path,))
    if package.package_input.kind == "core" and not contents.installable:
        missing = [file for file, present in ((SETUP, contents.setup), (INIT, contents.init)) if not present]
        observed = ngettext(
            "{name} does not contain the file {missing}", "{name} does not contain the files {missing}", len(missing)
        ).format(name=name, missing=", ".join(missing))
        return Finding(Outcome.FAIL, observed, paths=(path,))
    return Finding(
        Outcome.PASS,
        ngettext(
            "{name} is complete and has {members} member and {size} bytes",
            "{name} is complete and has {members} members and {size} bytes",
            contents.members,
        ).format(name=name, members=contents.members, size=contents.size),
    )


def _signature(package: PackageState) -> Finding:
    name = package.package_input.package.name
    result = package.signature
    if result is None:
        return Finding(
            Outcome.UNKNOWN,
            _("the signature of {name} is not verified yet").format(name=name),
            remedy=_("Verify the package."),
        )
    reason = explain_signature(result)
    if result.signed is Signed.GOOD:
        return Finding(Outcome.PASS, f"{name}: {reason}")
    if result.signed is Signed.BAD and package.contents is None:
        observed = not_verified(name, _("the signature is bad, because the archive is incomplete"))
        path = f"{_PATH[package.package_input.kind]}_signature"
        return Finding(Outcome.FAIL, observed, remedy=signature_fix(result), paths=(path,), cause="BND-TAR-OK")
    outcome = Outcome.FAIL if result.signed in _BROKEN else Outcome.UNKNOWN
    path = _SIGNATURE_PATHS.get(result.signed, f"{_PATH[package.package_input.kind]}_signature")
    return Finding(outcome, not_verified(name, reason), remedy=signature_fix(result), paths=(path,))


def _key(result: SignatureResult | None, fingerprint: str) -> Finding:
    """Return the finding on the signing key. A key other than the vendor's key is a warning even if it is correct."""
    found, warning = _trusted_key(result, fingerprint), other_key(fingerprint)
    if not warning:
        return found
    if found.outcome in (Outcome.PASS, Outcome.NOT_APPLICABLE):
        return _other_key(warning)
    return replace(found, observed=f"{found.observed}; {warning}")


def _other_key(warning: str) -> Finding:
    expected = _("the plan must trust the vendor's key")
    remedy = _("Keep this fingerprint only if the vendor has confirmed it. Otherwise, remove package.fingerprint.")
    return Finding(Outcome.WARN, warning, expected, remedy, paths=("package.fingerprint",))


def _trusted_key(result: SignatureResult | None, fingerprint: str) -> Finding:
    expected = spaced(fingerprint)
    remedy = signature_fix(result) if result else _("Verify the package.")
    observed = explain_signature(result) if result else _("the signature of the Core Package is not verified yet")
    outcome = Outcome.UNKNOWN
    if (
        result is not None and result.signed is Signed.SIGNATURE_MISSING
    ):  # BND-SIGN reports the same, so one waiver is enough
        outcome = Outcome.NOT_APPLICABLE
    elif result is not None and result.signed is Signed.KEY_OTHER:
        outcome = Outcome.FAIL
    elif result is not None and (result.signed in _BROKEN or result.signed in (Signed.GOOD, Signed.UNSUPPORTED)):
        text = _("the key file contains the trusted key {fingerprint}")
        if result.verified is not None:  # the result is from an earlier verification; the key file is not read again
            text = _("the Core Package is signed by the trusted key {fingerprint}")
        return Finding(Outcome.PASS, text.format(fingerprint=expected))
    return Finding(outcome, observed, expected, remedy, paths=("package.public_key", "package.fingerprint"))


def _same(core: PackageState, extensions: PackageState) -> Finding:
    if core.name is None or extensions.name is None:
        return Finding(Outcome.UNKNOWN, _("at least one package has a file name without version and architecture"))
    names = f"{core.package_input.package.name}, {extensions.package_input.package.name}"
    paths = ("package.extensions",)
    if core.name.arch != extensions.name.arch:
        return Finding(Outcome.FAIL, names, paths=paths)
    if core.name.version != extensions.name.version:
        return Finding(
            Outcome.WARN,
            pgettext("observed value", "the packages have different versions: {names}").format(names=names),
            paths=paths,
        )
    return Finding(Outcome.PASS, names)


def _order(plan: Plan, facts: PackageFacts) -> Finding:
    if not release_traits(plan.effective_release).extensions_before_install:
        observed = _("in release {release}, the Extensions Package is uploaded with the tool violet after the install")
        return Finding(Outcome.PASS, observed.format(release=plan.effective_release))
    if "extensions" in facts.unpacked:
        return Finding(Outcome.PASS, _("both packages are unpacked, and the Core Package was unpacked first"))
    return Finding(Outcome.PASS, _("acp-tui unpacks the Core Package, then the Extensions Package, before the install"))


def _together(facts: PackageFacts) -> Finding:
    return Finding(Outcome.PASS, _("acp-tui unpacks both packages into {folder}").format(folder=facts.target))


def _folder(facts: PackageFacts) -> Finding:
    if not facts.target_usable:
        observed = _("the install folder {path} is not a folder").format(path=facts.target)
        return Finding(
            Outcome.FAIL,
            observed,
            pgettext("observed value", "the install folder must be a folder, not a file"),
            _("Choose a different install folder."),
            paths=("package.install_dir",),
        )
    return Finding(Outcome.PASS, str(facts.target))


def _host(plan: Plan, is_installer_node: bool) -> Finding:
    node = plan.installer_node
    address = node.address if node else ""
    if is_installer_node:
        return Finding(
            Outcome.PASS, _("this host has the address {address} of the installer node").format(address=address)
        )
    return Finding(
        Outcome.FAIL, _("this host does not have the address {address} of the installer node").format(address=address)
    )
