"""A secret is hidden in every form in which it may stand in a log; what is none stays readable."""

import json
from base64 import b64encode, urlsafe_b64encode
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from acp_tui.support.masking import MASK, Masker

SECRETS = st.text(st.characters(min_codepoint=33, max_codepoint=0x24F, exclude_characters="•"), min_size=6)


@given(SECRETS, st.binary(max_size=9), st.binary(max_size=9))
def test_by_value_in_every_form(secret: str, ahead: bytes, behind: bytes) -> None:
    longer = b64encode(ahead + secret.encode() + behind).decode()
    forms = {
        secret,
        json.dumps(secret)[1:-1],
        quote(secret, safe=""),
        secret.encode().hex(),
        b64encode(secret.encode()).decode(),
        b64encode(secret.encode() + b"\n").decode(),
        urlsafe_b64encode(secret.encode()).decode(),
    }
    text = "".join(f"line {form} end\n" for form in (*forms, longer))
    masked = Masker([secret])(text)
    for form in forms - {MASK}:
        assert form not in masked
    assert longer not in masked
    assert masked.count("line ") == masked.count(" end") == len(forms) + 1


@pytest.mark.parametrize(
    ("line", "secret"),
    [
        ("password: hunter-22", "hunter-22"),
        ('  "password": "hun zq9\\"22",', "zq9"),
        ("SSH_PASSWORD='hunter 22' next", "hunter 22"),
        ("--admin-password=hunter22 --x", "hunter22"),
        ("--registry-password hunter22", "hunter22"),
        ("Authorization: Bearer abc.def-ghi", "abc.def-ghi"),
        ("http://user:hunter22@host/path", "hunter22"),
        ('{\\"token\\": \\"hunter22\\"}', "hunter22"),
        ("-----BEGIN RSA PRIVATE KEY-----\nabcdef\n-----END RSA PRIVATE KEY-----\n", "abcdef"),
        ("-----BEGIN OPENSSH PRIVATE KEY-----\ncut in the middle", "cut in"),
    ],
)
def test_by_the_look_of_a_line(line: str, secret: str) -> None:
    assert secret not in Masker([])(f"before {line}\nafter")


@pytest.mark.parametrize(
    "line",
    ["2026-01-01 step 3 of 5", "kube-system/coredns-1: Pending 0/1", "tokens are fine", '{"a": [1, 2], "b": "c"}'],
)
def test_what_is_no_secret_stays(line: str) -> None:
    assert Masker(["cAn4ry-secret", "ab"])(line) == line


def test_a_short_secret_is_hidden_where_it_stands_alone() -> None:
    assert Masker(["ab"])("ab cab x=ab, abc") == f"{MASK} cab x={MASK}, abc"


def test_lines_of_a_key_are_hidden_one_by_one() -> None:
    key = "-----BEGIN KEY-----\nAAAABBBBCCCCDDDDEEEE\nFFFFGGGGHHHHIIIIJJJJ\n-----END KEY-----\n"
    assert "FFFFGGGG" not in Masker([key])("it said FFFFGGGGHHHHIIIIJJJJ here")


def test_json_stays_json() -> None:
    document = json.dumps({"password": "x" * 9, "text": "the token: abc", "list": ["secret=abc"]}, indent=2)
    assert set(json.loads(Masker([])(document))) == {"password", "text", "list"}
