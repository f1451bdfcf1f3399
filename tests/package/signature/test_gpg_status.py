"""The outcome of a verification, from the status lines of gpg."""

import pytest

from acp_tui.package.signature.gpg_status import Signed, evaluate_status

EXPIRED = Signed.EXPIRED_KEY
VALID = "A" * 40 + " 2026-01-01 1 0 4 0 22 8 00 " + "B" * 40


@pytest.mark.parametrize(
    ("lines", "signed"),
    [
        ([("GOODSIG", "A name"), ("VALIDSIG", VALID)], Signed.GOOD),
        # Both lines are required, and for the same signature.
        ([("VALIDSIG", VALID)], Signed.UNREADABLE),
        ([("GOODSIG", "A name")], Signed.UNREADABLE),
        ([("GOODSIG", "A name"), ("VALIDSIG", VALID), ("VALIDSIG", VALID.replace("A", "C"))], Signed.GOOD),
        ([("GOODSIG", "A name"), ("VALIDSIG", VALID), ("BADSIG", "C name")], Signed.BAD),
        ([("GOODSIG", "x VALIDSIG " + VALID)], Signed.UNREADABLE),
        ([("PLAINTEXT", "62 0 "), ("GOODSIG", "A name"), ("VALIDSIG", VALID)], Signed.NOT_DETACHED),
        ([("ERRSIG", "AAAA 22 8 00 1 4 -")], Signed.UNSUPPORTED),
        ([("ERRSIG", "AAAA 22 12 00 1 5 -")], Signed.UNSUPPORTED),
        ([("ERRSIG", "AAAA 22 1 00 1 5 -")], Signed.WEAK),
        # Of two signatures, the one by the trusted key decides.
        ([("GOODSIG", "C"), ("VALIDSIG", VALID.replace("B", "C")), ("EXPKEYSIG", "A"), ("VALIDSIG", VALID)], EXPIRED),
        ([("ERRSIG", "AAAA")], Signed.UNREADABLE),
        ([("ERRSIG", "")], Signed.UNREADABLE),
        ([("BADSIG", " ")], Signed.BAD),
        ([], Signed.UNREADABLE),
    ],
)
def test_outcome_of_gpg_status_lines(lines: list[tuple[str, str]], signed: Signed) -> None:
    assert evaluate_status(lines, "B" * 40).signed is signed
