"""The packages of a plan from first look to unpacked: what the wizard and the commands call.

Reading gigabytes happens in a thread and can be cancelled. What was found out holds as long as the files are the same,
so that judging again after each answer costs a few stat calls.
"""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import date, datetime
from pathlib import Path

from acp_tui.checks.release_traits import release_traits
from acp_tui.checks.verdict import Verdict
from acp_tui.core.errors import AcpError, ExitStatus
from acp_tui.core.files import resolve_path
from acp_tui.core.i18n import _
from acp_tui.core.units import megabytes
from acp_tui.package.checks import package_verdicts, signature_verdicts
from acp_tui.package.discovery import Found, find, likely_places
from acp_tui.package.extract import Check, Extracted, PackageContents, SignatureRefused, extract, inspect
from acp_tui.package.facts import (
    Identities,
    PackageFacts,
    PackageInput,
    SeenPackage,
    identity,
    is_local_address,
    questions,
)
from acp_tui.package.install_dir import (
    FileIdentity,
    FreeSpace,
    Placed,
    UnpackFailed,
    disk_free,
    free_space_after,
    placed,
)
from acp_tui.package.reader import OnProgress, aside, in_thread, silent
from acp_tui.package.signature.gpg import verify
from acp_tui.package.signature.status import SignatureResult, Signed
from acp_tui.package.tar_members import PackageRefused
from acp_tui.plan.model import Plan
from acp_tui.plan.package_name import Kind, parse_name

_FORBID_UNPACKING = frozenset(
    {"BND-CORE", "BND-CORE-NAME", "BND-EXT-NAME", "BND-EXT-ARCH", "BND-TAR-OK", "BND-SIGN", "BND-KEY-FPR"}
)
"""What is wrong with the files themselves. Place, free space and nodes gate the install, not the unpacking."""


class PackageBlocked(AcpError):
    """The packages must not be unpacked; `verdicts` are those that forbid it."""

    exit_status = ExitStatus.CHECK_FAILED

    def __init__(self, verdicts: tuple[Verdict, ...]) -> None:
        lines = (line for v in verdicts for line in (f"{v.requirement}: {v.observed}", v.remedy and f"  {v.remedy}"))
        super().__init__("\n".join(filter(None, lines)))
        self.verdicts = verdicts


class PackageWork:
    """Looks at packages and remembers. `base`: the folder that relative paths of the plan start from.

    `free_space` and `here` (whether an address is this host's) are asked of the system; the practice answers itself.
    `places`: where packages are looked for, the likely ones by default."""

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
        """The package's requirements with what is known now; a signature not yet verified is `unknown`.

        Whether the nodes fit the package is judged with the nodes (BND-NODE-ARCH)."""
        return package_verdicts(plan, await self.look(plan), date.today())

    async def look(self, plan: Plan) -> PackageFacts:
        """Everything that is quickly seen, and what was verified before."""
        return await asyncio.to_thread(self._look, plan)

    async def find(self, fingerprint: str) -> tuple[Found, ...]:
        """The packages that lie in likely places, the best first, and the key with this fingerprint.

        A mount that hangs holds up nobody else."""
        return await aside(lambda: find(self._places, fingerprint=fingerprint))

    def target(self, plan: Plan) -> Path:
        """Where the plan's packages are unpacked; the installer is in `installer/` below."""
        return resolve_path(self.base, plan.package.install_dir)

    async def verify(
        self, plan: Plan, on_progress: OnProgress = silent, *, afresh: bool = False
    ) -> tuple[Verdict, ...]:
        """Verify the signatures that were not yet, then judge. Progress in bytes, one package after the other.

        `afresh`: what an earlier run has verified and unpacked is verified again. Cancelling stops gpg."""
        async with self._reading:
            for question in questions(plan.package, self.base).values():
                await self._verify(question, self.target(plan), on_progress, afresh)
        return await self.verdicts(plan)

    async def unpack(self, plan: Plan, on_progress: OnProgress = silent) -> bool:
        """Unpack what belongs on the disk before the install, and verify the same bytes on the way; core first
        (BND-ORDER, BND-SAMEDIR). What is not unpacked now is verified before.

        False: all had been unpacked before. Raises PackageBlocked (verdicts forbid it), PackageRefused (an archive),
        UnpackFailed (the place). Cancelling leaves the target as it was, and what is finished is not done again."""
        done, target, now = False, self.target(plan), self._to_unpack(plan)
        async with self._reading:
            self._forbid(plan, _as_if_good(await self.look(plan)))
            for question in questions(plan.package, self.base).values():
                if question not in now:
                    await self._verify(question, target, on_progress)
            seen = await self.look(plan)
            self._forbid(plan, _as_if_good(seen, now))
            _check_room(seen)
            for question in now:
                done |= await self._unpack(plan, question, target, on_progress)
        return done

    def _forbid(self, plan: Plan, seen: PackageFacts) -> None:
        verdicts = package_verdicts(plan, seen, date.today())
        forbidding = tuple(v for v in verdicts if v.blocks and v.requirement in _FORBID_UNPACKING)
        if forbidding:
            raise PackageBlocked(forbidding)

    async def _unpack(self, plan: Plan, question: PackageInput, target: Path, on_progress: OnProgress) -> bool:
        """One package. Without gpg or a signature it is unpacked unchecked: `_forbid` has judged that before."""
        before, seen = question.identities, await asyncio.to_thread(self._see, question, target)

        def accepted(result: SignatureResult) -> bool:
            verdicts = signature_verdicts(plan, replace(seen, signature=result), date.today())
            return not any(verdict.blocks for verdict in verdicts)

        def work(on_progress: OnProgress, cancelled: Callable[[], bool]) -> Extracted | None:
            check = Check(question.hold, accepted, question.fingerprint) if question.without_asking() is None else None
            return extract(question.package, target, on_progress, cancelled, kind=question.kind, check=check)

        try:
            extracted = await in_thread(work, on_progress)
        except SignatureRefused as refused:
            self._remember(question, before, refused.result)
            found = signature_verdicts(plan, replace(seen, signature=refused.result), date.today())
            raise PackageBlocked(tuple(verdict for verdict in found if verdict.blocks)) from refused
        if extracted is not None and extracted.signature is not None:
            self._remember(question, before, extracted.signature)
        return extracted is not None

    async def _verify(
        self, question: PackageInput, target: Path, on_progress: OnProgress, afresh: bool = False
    ) -> None:
        before = question.identities
        unknown = (question, before) not in self._signatures and question.without_asking() is None
        if not unknown or not question.package.is_file() or (not afresh and _remembered(question, target, before[0])):
            return
        key_file = question.key_file or Path()

        def work(on_progress: OnProgress, cancelled: Callable[[], bool]) -> SignatureResult:
            return verify(question.package, question.signature, key_file, question.fingerprint, on_progress, cancelled)

        self._remember(question, before, await in_thread(work, on_progress))

    def _remember(self, question: PackageInput, before: Identities, result: SignatureResult) -> None:
        if question.identities == before:  # an answer about files that changed meanwhile is nobody's answer
            self._signatures[question, before] = result

    def _to_unpack(self, plan: Plan) -> tuple[PackageInput, ...]:
        named = questions(plan.package, self.base)
        early = release_traits(plan.effective_release).extensions_before_install
        return tuple(question for kind, question in named.items() if kind == "core" or early)

    def _look(self, plan: Plan) -> PackageFacts:
        target = self.target(plan)
        seen = {kind: self._see(question, target) for kind, question in questions(plan.package, self.base).items()}
        unpacked = frozenset(kind for kind, s in seen.items() if s.file and _placed(target, kind, s.file))
        missing = [seen[q.kind] for q in self._to_unpack(plan) if q.kind not in unpacked]
        try:
            still = sum(package.contents.size for package in missing if package.contents)
            free = free_space_after(target, still, self._free_space)
        except OSError:
            free = None
        node = plan.installer_node
        return PackageFacts(
            core=seen.get("core"),
            extensions=seen.get("extensions"),
            target=target,
            target_usable=identity(target) is None or target.is_dir(),
            free_after=free,
            unpacked=unpacked,
            installer_here=self._here(node.address) if node else None,
        )

    def _see(self, question: PackageInput, target: Path) -> SeenPackage:
        name = parse_name(question.package.name)
        try:
            file = FileIdentity.of(question.package)
        except OSError as error:
            return SeenPackage(question, name, None, trouble=f"{question.package}: {error.strerror}")
        if not question.package.is_file():
            trouble = _("{path} is not a file").format(path=question.package)
            return SeenPackage(question, name, None, trouble=trouble)
        found = self._inspected(question.package, file)
        signature = (
            self._signatures.get((question, question.identities))
            or _remembered(question, target, file)
            or question.without_asking()
        )
        if isinstance(found, str):
            return SeenPackage(question, name, file, trouble=found, signature=signature)
        return SeenPackage(question, name, file, contents=found, signature=signature)

    def _inspected(self, package: Path, file: FileIdentity) -> PackageContents | str:
        if (package, file) not in self._contents:
            try:
                found: PackageContents | str = inspect(package)
            except PackageRefused as refused:
                found = str(refused)
            except OSError as error:
                return error.strerror or str(error)
            self._contents[package, file] = found
        return self._contents[package, file]


def _check_room(seen: PackageFacts) -> None:
    """UnpackFailed at once, and not after the gigabytes that do fit."""
    if seen.free_after is not None and seen.free_after < 0:
        raise UnpackFailed(
            _("{folder}: {short} MB too little space to unpack. Free some, or choose another folder.").format(
                folder=seen.target, short=int(megabytes(-seen.free_after)) + 1
            )
        )


def _as_if_good(seen: PackageFacts, only: Sequence[PackageInput] | None = None) -> PackageFacts:
    """`seen`, with signatures that are still to be asked for taken to be good: what else speaks against unpacking?"""

    def assumed(package: SeenPackage | None) -> SeenPackage | None:
        if package is None or package.signature is not None or (only is not None and package.question not in only):
            return package
        return replace(package, signature=SignatureResult(Signed.GOOD, (package.question.fingerprint,)))

    return replace(seen, core=assumed(seen.core), extensions=assumed(seen.extensions))


def _placed(target: Path, kind: Kind, file: FileIdentity) -> Placed | None:
    try:
        return placed(target, kind, file)
    except OSError:  # a folder that we may not enter has nothing of ours
        return None


def _remembered(question: PackageInput, target: Path, file: FileIdentity | None) -> SignatureResult | None:
    """That an earlier run verified the package, and put in place what it verified."""
    found = _placed(target, question.kind, file) if file else None
    if found is None or found.signer != question.fingerprint:
        return None
    return SignatureResult(Signed.GOOD, (found.signer,), verified=datetime.fromisoformat(found.verified))
