"""Texts about the outcome of a signature verification."""

from acp_tui.package.signature.explain import explain_signature
from acp_tui.package.signature.gpg_status import SignatureResult, Signed


def test_each_signature_outcome_has_its_own_text() -> None:
    texts = {explain_signature(SignatureResult(signed, ("A" * 40,))) for signed in Signed}
    assert len(texts) == len(Signed)
