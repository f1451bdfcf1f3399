"""Find, verify and unpack the packages of a plan. The wizard and the commands use this interface.

Long reads run in a thread and can be cancelled. Results are cached while the files are unchanged. A second evaluation
of a plan therefore needs only a few stat calls.
"""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import date, datetime
from pathlib import Path

from acp_tui.checks.release_traits import release_traits
from acp_tui.checks.verdict import Verdict
from acp_tui.core.files import resolve_path
from acp_tui.core.i18n import _
from acp_tui.core.local_host import is_local_address
from acp_tui.package.archive import PackageContents, inspect
from acp_tui.package.archive_safety import PackageRefused
from acp_tui.package.blockers import PackageBlocked, as_if_good, check_blockers, check_free_space
from acp_tui.package.checks import package_verdicts, signature_verdicts
from acp_tui.package.discovery import Found, find, likely_places
from acp_tui.package.extract import Check, Extracted, SignatureRefused, extract
from acp_tui.package.facts import (
    Identities,
    PackageFacts,
    PackageInput,
    PackageState,
    identity,
    package_inputs,
)
from acp_tui.package.install_dir import (
    FileIdentity,
    FreeSpace,
    Placed,
    disk_free,
    free_space_after,
    placed,
)
from acp_tui.package.reader import OnProgress, in_daemon_thread, in_thread, silent
from acp_tui.package.signature.gpg import verify
from acp_tui.package.signature.gpg_status import SignatureResult, Signed
from acp_tui.plan.model import Plan
from acp_tui.plan.package_name import Kind, parse_name


class PackageWork:
    """Collects facts about packages and caches them. `base`: the folder in which relative paths of the plan start.

    `free_space` returns the free bytes of a folder. `here` returns True if an address belongs to this host. The
    practice cluster replaces these two functions. `places`: the folders to search for packages; None means the
    result of `likely_places`."""

    def __init__(
        self,
        base: Path,
        *,
        free_space: FreeSpace = disk_free,
        here: Callable[[str], bool] = is_local_address,
        places: Sequence[Path] | None = None,
    ) -> None:
        self.base = base
        self._places = likely_places(base) if places is None else places
        self._free_space = free_space
        self._here = here
        self._signatures: dict[tuple[PackageInput, Identities], SignatureResult] = {}
        self._contents: dict[tuple[Path, FileIdentity], PackageContents | str] = {}
        self._reading = asyncio.Lock()

    async def verdicts(self, plan: Plan) -> tuple[Verdict, ...]:
        """Return the verdicts on the packages. A signature that is not verified yet has the outcome `unknown`.

        The architecture of the nodes (BND-NODE-ARCH) is not included, because the checks of the nodes evaluate it."""
        return package_verdicts(plan, await self.facts(plan), date.today())

    async def facts(self, plan: Plan) -> PackageFacts:
        """Collect the facts without verifying signatures, and add the results of earlier verifications."""
        return await asyncio.to_thread(self._collect_facts, plan)

    async def find(self, fingerprint: str) -> tuple[Found, ...]:
        """Search folders for packages and for the key with this fingerprint. The most suitable package comes first.

        The search runs in its own thread, so a mount that hangs does not block other work."""
        return await in_daemon_thread(lambda: find(self._places, fingerprint=fingerprint))

    def target(self, plan: Plan) -> Path:
        """Return the install folder of the plan. It contains the folder `installer/` with the installer."""
        return resolve_path(self.base, plan.package.install_dir)

    async def verify(self, plan: Plan, on_progress: OnProgress = silent, *, again: bool = False) -> tuple[Verdict, ...]:
        """Verify the signatures that are not verified yet, and return the verdicts.

        Progress is in bytes of each package.

        `again`: True to repeat the verification of packages that an earlier run verified and unpacked. Cancelling stops
        gpg."""
        async with self._reading:
            for package_input in package_inputs(plan.package, self.base).values():
                await self._verify(package_input, self.target(plan), on_progress, again)
        return await self.verdicts(plan)

    async def unpack(self, plan: Plan, on_progress: OnProgress = silent) -> bool:
        """Unpack the packages that the install needs, first the Core Package (BND-ORDER, BND-SAMEDIR).

        Packages that the install does not unpack are verified first. Every other package is verified while it is
        unpacked. Return False if all packages were already unpacked.

        Raises PackageBlocked if a requirement blocks unpacking, PackageRefused for an invalid archive, UnpackFailed if
        the install folder cannot be used. After cancellation, packages that are completely unpacked stay in the install
        folder, and everything else in it is unchanged."""
        done, target, now = False, self.target(plan), self._to_unpack(plan)
        async with self._reading:
            check_blockers(plan, as_if_good(await self.facts(plan)))
            for package_input in package_inputs(plan.package, self.base).values():
                if package_input not in now:
                    await self._verify(package_input, target, on_progress)
            facts = await self.facts(plan)
            check_blockers(plan, as_if_good(facts, now))
            check_free_space(facts)
            for package_input in now:
                done |= await self._unpack(plan, package_input, target, on_progress)
        return done

    async def _unpack(self, plan: Plan, package_input: PackageInput, target: Path, on_progress: OnProgress) -> bool:
        """Unpack one package. Return False if it was already unpacked.

        If gpg or a file that gpg needs is missing, the package is unpacked without verification. In this case,
        `check_blockers` has already checked that the plan contains a waiver."""
        before, state = package_input.identities, await asyncio.to_thread(self._package_state, package_input, target)

        def accepted(result: SignatureResult) -> bool:
            verdicts = signature_verdicts(plan, replace(state, signature=result), date.today())
            return not any(verdict.blocks for verdict in verdicts)

        def work(on_progress: OnProgress, cancelled: Callable[[], bool]) -> Extracted | None:
            known = package_input.result_without_gpg()
            check = Check(package_input.verify, accepted, package_input.fingerprint) if known is None else None
            kind = package_input.kind
            return extract(package_input.package, target, on_progress, cancelled, kind=kind, check=check, known=known)

        try:
            extracted = await in_thread(work, on_progress)
        except SignatureRefused as refused:
            self._remember(package_input, before, refused.result)
            verdicts = signature_verdicts(plan, replace(state, signature=refused.result), date.today())
            raise PackageBlocked(tuple(verdict for verdict in verdicts if verdict.blocks)) from refused
        if extracted is not None and extracted.signature is not None:
            self._remember(package_input, before, extracted.signature)
        return extracted is not None

    async def _verify(
        self, package_input: PackageInput, target: Path, on_progress: OnProgress, again: bool = False
    ) -> None:
        before = package_input.identities
        unknown = (package_input, before) not in self._signatures and package_input.result_without_gpg() is None
        if (
            not unknown
            or not package_input.package.is_file()
            or (not again and _remembered(package_input, target, before[0]))
        ):
            return
        key_file = package_input.key_file or Path()

        def work(on_progress: OnProgress, cancelled: Callable[[], bool]) -> SignatureResult:
            return verify(
                package_input.package,
                package_input.signature,
                key_file,
                package_input.fingerprint,
                on_progress,
                cancelled,
            )

        self._remember(package_input, before, await in_thread(work, on_progress))

    def _remember(self, package_input: PackageInput, before: Identities, result: SignatureResult) -> None:
        if package_input.identities == before:  # the result is not valid if the files changed during the verification
            self._signatures[package_input, before] = result

    def _to_unpack(self, plan: Plan) -> tuple[PackageInput, ...]:
        named = package_inputs(plan.package, self.base)
        early = release_traits(plan.effective_release).extensions_before_install
        return tuple(package_input for kind, package_input in named.items() if kind == "core" or early)

    def _collect_facts(self, plan: Plan) -> PackageFacts:
        target = self.target(plan)
        states = {
            kind: self._package_state(package_input, target)
            for kind, package_input in package_inputs(plan.package, self.base).items()
        }
        unpacked = frozenset(kind for kind, s in states.items() if s.file and _placed(target, kind, s.file))
        missing = [states[q.kind] for q in self._to_unpack(plan) if q.kind not in unpacked]
        try:
            still = sum(package.contents.size for package in missing if package.contents)
            free = free_space_after(target, still, self._free_space)
        except OSError:
            free = None
        node = plan.installer_node
        return PackageFacts(
            core=states.get("core"),
            extensions=states.get("extensions"),
            target=target,
            target_usable=identity(target) is None or target.is_dir(),
            free_after=free,
            unpacked=unpacked,
            installer_here=self._here(node.address) if node else None,
        )

    def _package_state(self, package_input: PackageInput, target: Path) -> PackageState:
        name = parse_name(package_input.package.name)
        try:
            file = FileIdentity.of(package_input.package)
        except OSError as error:
            return PackageState(package_input, name, None, trouble=f"{package_input.package}: {error.strerror}")
        if not package_input.package.is_file():
            trouble = _("{path} is not a regular file").format(path=package_input.package)
            return PackageState(package_input, name, None, trouble=trouble)
        contents = self._inspected(package_input.package, file)
        signature = (
            self._signatures.get((package_input, package_input.identities))
            or _remembered(package_input, target, file)
            or package_input.result_without_gpg()
        )
        if isinstance(contents, str):
            return PackageState(package_input, name, file, trouble=contents, signature=signature)
        return PackageState(package_input, name, file, contents=contents, signature=signature)

    def _inspected(self, package: Path, file: FileIdentity) -> PackageContents | str:
        if (package, file) not in self._contents:
            try:
                contents: PackageContents | str = inspect(package)
            except PackageRefused as refused:
                contents = str(refused)
            except OSError as error:
                return error.strerror or str(error)
            self._contents[package, file] = contents
        return self._contents[package, file]


def _placed(target: Path, kind: Kind, file: FileIdentity) -> Placed | None:
    try:
        return placed(target, kind, file)
    except OSError:  # the folder is not accessible, so acp-tui has not unpacked a package into it
        return None


def _remembered(package_input: PackageInput, target: Path, file: FileIdentity | None) -> SignatureResult | None:
    """Return the result of an earlier run that verified and unpacked this package; None if no such run exists."""
    stamp = _placed(target, package_input.kind, file) if file else None
    if stamp is None or stamp.signer != package_input.fingerprint:
        return None
    return SignatureResult(Signed.GOOD, (stamp.signer,), verified=datetime.fromisoformat(stamp.verified))
