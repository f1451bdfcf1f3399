"""A package with a trusted key, for tests that sign it and verify the signature."""

from dataclasses import dataclass
from pathlib import Path

from acp_tui.package.signature.gpg import verify
from acp_tui.package.signature.gpg_status import Signed
from tests.support.gpg_signer import Signer


@dataclass(frozen=True)
class Case:
    signer: Signer
    package: Path
    fingerprint: str
    """Fingerprint of the trusted key `good`."""

    def file(self, name: str, content: bytes) -> Path:
        path = self.package.parent / name
        path.write_bytes(content)
        return path

    def signed(self, name: str, *options: str, at: str | None = None) -> Path:
        return self.file("signature", self.signer.sign(name, self.package, *options, at=at))

    def keys(self, *names: str) -> Path:
        return self.file("keys.pub", self.signer.export(*names))

    def outcome(self, signature: Path, keys: Path, fingerprint: str | None = None) -> Signed:
        return verify(self.package, signature, keys, fingerprint or self.fingerprint).signed
