"""A folder with a signed Core Package and its key, and a plan that uses them."""

from dataclasses import dataclass
from pathlib import Path

from pydantic import JsonValue

from acp_tui.checks.verdict import Outcome, Verdict
from acp_tui.package.service import PackageWork
from acp_tui.plan.model import Plan
from tests.support.factories.plans import valid_plan
from tests.support.gpg_signer import Signer
from tests.support.package_builder import CORE, EXTENSIONS, archive, file

PLENTY = 500 * 10**9


@dataclass(frozen=True)
class PackageHarness:
    folder: Path
    signer: Signer

    def plan(self, release: str | None = None, /, **package: JsonValue) -> Plan:
        answers: dict[str, JsonValue] = {
            "core": CORE,
            "public_key": "verify-key.pub",
            "fingerprint": self.signer.fingerprint("vendor"),
            "install_dir": "target",
        }
        return valid_plan(release=release, package={**answers, **package})

    def work(self, free: int = PLENTY, here: bool = True) -> PackageWork:
        return PackageWork(self.folder, free_space=lambda _folder: free, here=lambda _address: here)

    def sign(self, package: Path, by: str = "vendor") -> Path:
        package.with_name(f"{package.name}.sig").write_bytes(self.signer.sign(by, package))
        return package

    def extensions(self, name: str = EXTENSIONS) -> Path:
        return self.sign(archive(self.folder / name, file("installer/plugins/a.tgz")))

    @property
    def installer(self) -> Path:
        return self.folder / "target" / "installer"


def outcomes(verdicts: tuple[Verdict, ...]) -> dict[str, Outcome]:
    return {verdict.requirement: verdict.outcome for verdict in verdicts}
