"""Judging the packages: pure, from what was seen to verdicts with the catalogue's words (BND-*)."""

from collections.abc import Iterable, Iterator, Mapping
from datetime import date
from pathlib import Path

from acp_tui.checks.catalog import catalogue
from acp_tui.checks.finding import Finding
from acp_tui.checks.release_traits import release_traits
from acp_tui.checks.verdict import Outcome, Verdict
from acp_tui.checks.verdict_builder import build_verdict, waive
from acp_tui.core.i18n import N_, _
from acp_tui.core.units import gigabytes
from acp_tui.package.extract import INIT, SETUP
from acp_tui.package.facts import PackageFacts, SeenPackage, questions
from acp_tui.package.install_dir import FREE_WANTED
from acp_tui.package.signature.status import SignatureResult, Signed
from acp_tui.plan.model import Plan
from acp_tui.plan.package_name import Kind, parse_name

_PATH: Mapping[Kind, str] = {"core": "package.core", "extensions": "package.extensions"}
_NAME_RULE: Mapping[Kind, str] = {"core": "BND-CORE-NAME", "extensions": "BND-EXT-NAME"}

_FOUND: Mapping[Signed, str] = {
    Signed.GOOD: N_("good signature by the trusted key {signer}"),
    Signed.OTHER_KEY: N_("the signature is sound, but by another key than the trusted one: {signer}"),
    Signed.EXPIRED_KEY: N_("signed by the trusted key, but that key has expired"),
    Signed.EXPIRED_SIGNATURE: N_("signed by the trusted key, but the signature has expired"),
    Signed.REVOKED: N_("signed by the trusted key, but that key was revoked by its owner"),
    Signed.OTHER_FILE: N_("bad signature: the signature file is named after another package, it belongs to that one"),
    Signed.BAD: N_("bad signature: the package is not what was signed (key {signer})"),
    Signed.UNREADABLE: N_("the signature file is cut off or no signature at all"),
    Signed.NOT_DETACHED: N_("the signature file is no detached signature: it signs a text and not a file"),
    Signed.WEAK: N_("signed with a digest that gpg refuses as forgeable (MD5)"),
    Signed.NO_PUBLIC_KEY: N_("signed by a key that is not in the key file: {signer}"),
    Signed.UNSUPPORTED: N_("gpg on this host is too old for this kind of signature"),
    Signed.KEY_UNSUPPORTED: N_("gpg on this host is too old for the key in the key file, or that key is damaged"),
    Signed.KEY_UNREADABLE: N_("the key file holds no public key that gpg can read"),
    Signed.KEY_PRIVATE: N_("the key file holds a private key, which belongs to its owner alone"),
    Signed.KEY_OTHER: N_("the key file does not hold the trusted key, but {signer}"),
    Signed.KEY_FROM_THE_FUTURE: N_("by this host's clock the key in the key file is not made yet"),
    Signed.KEY_MISSING: N_("no public key file to check the signature with"),
    Signed.SIGNATURE_MISSING: N_("no signature file"),
    Signed.PACKAGE_MISSING: N_("the package cannot be read"),
    Signed.GPG_MISSING: N_("gpg is not installed on this host"),
    Signed.GPG_FAILED: N_("gpg does not run on this host"),
}
_REMEDY: Mapping[Signed, str] = {
    Signed.OTHER_KEY: N_("Ask the vendor which key signs this release. Trust another fingerprint only on their word."),
    Signed.EXPIRED_KEY: N_("Get the vendor's renewed public key, and check this host's clock: date"),
    Signed.EXPIRED_SIGNATURE: N_("Get a new signature from the vendor, and check this host's clock: date"),
    Signed.REVOKED: N_("Do not use this package. Ask the vendor for one signed by a valid key."),
    Signed.OTHER_FILE: N_("Bring the signature of exactly this file: the package's name with .sig."),
    Signed.BAD: N_("Copy the package and its signature again from the vendor's portal, and compare their sizes."),
    Signed.UNREADABLE: N_("Copy the signature file again. It belongs to exactly this package file."),
    Signed.NOT_DETACHED: N_("Bring the detached signature from the vendor's portal: the package's name with .sig."),
    Signed.WEAK: N_("Ask the vendor for a signature with SHA-256 or better."),
    Signed.NO_PUBLIC_KEY: N_("Bring the public key of that signer, if the vendor confirms it, or the right signature."),
    Signed.UNSUPPORTED: N_("Check the signature on a newer system, or bring a newer gnupg."),
    Signed.KEY_UNSUPPORTED: N_("Check the signature on a newer system, bring a newer gnupg, or copy the key again."),
    Signed.KEY_UNREADABLE: N_("Copy the vendor's public key file, verify-key.pub, again."),
    Signed.KEY_PRIVATE: N_("Bring the vendor's public key file, verify-key.pub, and tell the key's owner."),
    Signed.GPG_FAILED: N_("See what gpg --version says, and whether /run or /tmp has space left."),
    Signed.KEY_OTHER: N_("Bring the vendor's own public key file, verify-key.pub."),
    Signed.KEY_FROM_THE_FUTURE: N_("Set this host's clock, then verify again: date"),
    Signed.KEY_MISSING: N_("Bring the vendor's public key file, verify-key.pub, and name it in the plan."),
    Signed.SIGNATURE_MISSING: N_(
        "Bring the signature from the vendor's portal: the package's name with .sig. To go on without one is your"
        " decision: waive BND-SIGN with a reason, which the report keeps."
    ),
    Signed.GPG_MISSING: N_("Install gnupg on this host, then check again."),
}
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


def package_verdicts(plan: Plan, seen: PackageFacts, today: date) -> tuple[Verdict, ...]:
    """The verdicts on the packages of `plan`, its waivers applied."""
    return _pronounced(plan, _findings(plan, seen), today)


def name_verdicts(plan: Plan, base: Path, today: date) -> tuple[Verdict, ...]:
    """What the names of the packages tell by themselves, the files need not be here: kind, release, architecture."""
    named = {
        kind: SeenPackage(question, parse_name(question.package.name), None)
        for kind, question in questions(plan.package, base).items()
    }
    found = [(_NAME_RULE[kind], _name(package, plan.release)) for kind, package in named.items()]
    if len(named) > 1:
        found.append(("BND-EXT-ARCH", _same(named["core"], named["extensions"])))
    return _pronounced(plan, found, today)


def signature_verdicts(plan: Plan, package: SeenPackage, today: date) -> tuple[Verdict, ...]:
    """What the signature of one package comes to (BND-SIGN, BND-KEY-FPR), the plan's waivers applied."""
    return _pronounced(plan, _signature_findings(plan, package), today)


def _pronounced(plan: Plan, findings: Iterable[tuple[str, Finding]], today: date) -> tuple[Verdict, ...]:
    rules = catalogue(plan.effective_release)
    return tuple(waive(build_verdict(rules[rule], finding), plan.waivers, today) for rule, finding in findings)


def _signature_findings(plan: Plan, package: SeenPackage) -> Iterator[tuple[str, Finding]]:
    yield "BND-SIGN", _signature(package)
    if package.question.kind == "core":
        yield "BND-KEY-FPR", _key(package.signature, plan.package.fingerprint)


def explain_signature(result: SignatureResult) -> str:
    """What became of a verification, in a sentence."""
    signer = ", ".join(map(spaced, result.fingerprints)) or _("unknown")
    text = _(_FOUND[result.signed]).format(signer=signer)
    if result.verified is not None:
        text = _("{finding}, verified on {when}").format(finding=text, when=f"{result.verified:%Y-%m-%d %H:%M %Z}")
    return f"{text} ({result.detail})" if result.detail else text


def spaced(fingerprint: str) -> str:
    """A fingerprint in groups of four, as people compare it."""
    return " ".join(fingerprint[i : i + 4] for i in range(0, len(fingerprint), 4))


def _findings(plan: Plan, seen: PackageFacts) -> Iterator[tuple[str, Finding]]:
    if seen.core is None:
        yield "BND-CORE", Finding(Outcome.FAIL, _("the plan names no Core Package"), paths=("package.core",))
        return
    if seen.core.file is None:
        yield "BND-CORE", Finding(Outcome.FAIL, seen.core.trouble, paths=("package.core",))
    else:
        yield "BND-CORE", Finding(Outcome.PASS, str(seen.core.question.package))
    for package in seen.packages:
        yield _NAME_RULE[package.question.kind], _name(package, plan.release)
        if package.file is not None:
            yield "BND-TAR-OK", _archive(package)
            yield from _signature_findings(plan, package)
        elif package.question.kind == "extensions":
            yield "BND-TAR-OK", Finding(Outcome.FAIL, package.trouble, paths=("package.extensions",))
    if seen.extensions is not None:
        yield "BND-EXT-ARCH", _same(seen.core, seen.extensions)
        yield "BND-ORDER", _order(plan, seen)
        yield "BND-SAMEDIR", _together(plan, seen)
    yield "BND-WORKDIR", _folder(seen)
    yield "BND-FREE-100G", _space(seen)
    if seen.installer_here is not None:
        yield "BND-INSTNODE", _place(plan, seen.installer_here)


def _name(package: SeenPackage, release: str | None) -> Finding:
    kind, file = package.question.kind, package.question.package.name
    paths = (_PATH[kind],)
    if package.name is None:
        observed = _("{name} is not the name of a package; version and architecture are not known").format(name=file)
        return Finding(Outcome.WARN, observed, paths=paths)
    if package.name.kind != kind:
        return Finding(Outcome.FAIL, _("{name} is a package of the other kind").format(name=file), paths=paths)
    if release is not None and package.name.release != release:
        observed = _("{name} is not of release {release}, whose rules the plan asks for").format(
            name=file, release=release
        )
        return Finding(Outcome.WARN, observed, paths=(*paths, "release"))
    observed = _("{name}: version {version}, architecture {arch}")
    return Finding(Outcome.PASS, observed.format(name=file, version=package.name.version, arch=package.name.arch))


def _archive(package: SeenPackage) -> Finding:
    path = _PATH[package.question.kind]
    name = package.question.package.name
    contents = package.contents
    if contents is None:
        return Finding(Outcome.FAIL, f"{name}: {package.trouble}", paths=(path,))
    if package.question.kind == "core" and not contents.installable:
        missing = [file for file, there in ((SETUP, contents.setup), (INIT, contents.init)) if not there]
        observed = _("{name} has no plain file {missing}").format(name=name, missing=", ".join(missing))
        return Finding(Outcome.FAIL, observed, paths=(path,))
    return Finding(
        Outcome.PASS,
        _("{name}: whole, {members} members, {size} bytes").format(
            name=name, members=contents.members, size=contents.size
        ),
    )


def _signature(package: SeenPackage) -> Finding:
    name = package.question.package.name
    result = package.signature
    if result is None:
        return Finding(
            Outcome.UNKNOWN, _("{name}: not verified yet").format(name=name), remedy=_("Verify the package.")
        )
    observed = f"{name}: {explain_signature(result)}"
    if result.signed is Signed.BAD and package.contents is None:
        observed = _("{name}: bad signature, as the archive is not whole").format(name=name)
    if result.signed is Signed.GOOD:
        return Finding(Outcome.PASS, observed)
    outcome = Outcome.FAIL if result.signed in _BROKEN else Outcome.UNKNOWN
    path = _SIGNATURE_PATHS.get(result.signed, f"{_PATH[package.question.kind]}_signature")
    return Finding(outcome, observed, remedy=_(_REMEDY.get(result.signed, "")), paths=(path,))


def _key(result: SignatureResult | None, fingerprint: str) -> Finding:
    wanted = spaced(fingerprint)
    remedy = _(_REMEDY.get(result.signed, "")) if result else _("Verify the package.")
    seen = explain_signature(result) if result else _("not looked at yet")
    outcome = Outcome.UNKNOWN
    if result is not None and result.signed is Signed.SIGNATURE_MISSING:  # BND-SIGN says so; one waiver is enough
        outcome = Outcome.NOT_APPLICABLE
    elif result is not None and result.signed is Signed.KEY_OTHER:
        outcome = Outcome.FAIL
    elif result is not None and (result.signed in _BROKEN or result.signed in (Signed.GOOD, Signed.UNSUPPORTED)):
        found = _("the key file holds the trusted key {fingerprint}")
        if result.verified is not None:  # from then on nobody asks for the key file
            found = _("signed by the trusted key {fingerprint}")
        return Finding(Outcome.PASS, found.format(fingerprint=wanted))
    return Finding(outcome, seen, wanted, remedy, paths=("package.public_key", "package.fingerprint"))


def _same(core: SeenPackage, extensions: SeenPackage) -> Finding:
    if core.name is None or extensions.name is None:
        return Finding(Outcome.UNKNOWN, _("the names do not tell version and architecture"))
    names = f"{core.question.package.name}, {extensions.question.package.name}"
    paths = ("package.extensions",)
    if core.name.arch != extensions.name.arch:
        return Finding(Outcome.FAIL, names, paths=paths)
    if core.name.version != extensions.name.version:
        return Finding(Outcome.WARN, _("other versions: {names}").format(names=names), paths=paths)
    return Finding(Outcome.PASS, names)


def _order(plan: Plan, seen: PackageFacts) -> Finding:
    if not release_traits(plan.effective_release).extensions_before_install:
        observed = _("release {release}: the core is installed first, then the extensions are uploaded (violet)")
        return Finding(Outcome.PASS, observed.format(release=plan.effective_release))
    if "extensions" in seen.unpacked:
        return Finding(Outcome.PASS, _("both are unpacked, the core was first"))
    return Finding(Outcome.PASS, _("acp-tui unpacks the core, then the extensions, both before the install"))


def _together(plan: Plan, seen: PackageFacts) -> Finding:
    if not release_traits(plan.effective_release).extensions_before_install:
        observed = _("release {release} does not want the extensions beside the installer")
        return Finding(Outcome.NOT_APPLICABLE, observed.format(release=plan.effective_release))
    return Finding(Outcome.PASS, _("both into {folder}").format(folder=seen.target))


def _folder(seen: PackageFacts) -> Finding:
    if not seen.target_usable:
        observed = _("{path} is not a folder").format(path=seen.target)
        return Finding(Outcome.FAIL, observed, _("a folder"), _("Choose another path."), paths=("package.install_dir",))
    return Finding(Outcome.PASS, str(seen.target))


def _space(seen: PackageFacts) -> Finding:
    paths = ("package.install_dir",)
    if seen.free_after is None:
        return Finding(Outcome.UNKNOWN, _("{path}: free space cannot be told").format(path=seen.target), paths=paths)
    observed = (
        _("{path}: {free} GB free once all is unpacked").format(path=seen.target, free=int(gigabytes(seen.free_after)))
        if seen.free_after >= 0
        else _("{path}: {short} bytes too little even to unpack").format(path=seen.target, short=-seen.free_after)
    )
    return Finding(Outcome.PASS if seen.free_after >= FREE_WANTED else Outcome.FAIL, observed, paths=paths)


def _place(plan: Plan, here: bool) -> Finding:
    node = plan.installer_node
    address = node.address if node else ""
    if here:
        return Finding(Outcome.PASS, _("this host is {address}").format(address=address))
    return Finding(Outcome.FAIL, _("this host does not have the address {address}").format(address=address))
