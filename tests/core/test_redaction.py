"""Secrets are masked in every form that a log may contain; other text stays readable."""

import html
import json
import re
import shlex
from base64 import b64decode, b64encode, encodebytes, urlsafe_b64encode
from urllib.parse import quote, quote_plus, unquote

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import JsonValue

from acp_tui.core.redaction import MASK, Masker, mask_document, mask_lines, mask_values, secret_values, unmask

SECRETS = st.text(st.characters(min_codepoint=33, max_codepoint=0x24F, exclude_characters="•"), min_size=6)


@given(SECRETS, st.binary(max_size=9), st.binary(max_size=9))
def test_known_secret_is_masked_in_every_encoding(secret: str, before: bytes, after: bytes) -> None:
    longer = b64encode(before + secret.encode() + after).decode()
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


TYPED = "P@ss w0rd/\"x'\u00fc=+&<9"
HALF = len(TYPED) // 2


def wrapped(data: bytes) -> str:
    return encodebytes(data).decode()


@pytest.mark.parametrize(
    "text",
    [
        json.dumps(json.dumps(TYPED)),
        json.dumps(TYPED).replace("/", "\\/"),
        json.dumps(TYPED).replace("\\u00fc", "\\u00FC"),
        json.dumps(TYPED, ensure_ascii=False).replace("&", "\\u0026").replace("<", "\\u003c"),
        quote(TYPED),
        quote(TYPED).replace("%2F", "%2f").replace("%C3%BC", "%c3%bc"),
        quote_plus(TYPED),
        "".join(f"%{byte:02X}" for byte in TYPED.encode()),
        shlex.quote(TYPED),
        "'" + TYPED.replace("'", "'\\''") + "'",
        html.escape(TYPED),
        html.escape(TYPED).replace("&quot;", "&#34;").replace("&#x27;", "&#39;"),
        repr(TYPED),
        repr(TYPED.encode()),
        re.sub(r"([^\w-])", r"\\\1", TYPED),
        TYPED.encode().hex().upper(),
        b64encode(b"admin:" + TYPED.encode()).decode(),
        b64encode(json.dumps({"p": TYPED}).encode()).decode(),
        b64encode(b64encode(TYPED.encode())).decode(),
        wrapped(json.dumps({"x": "y" * 41, "p": TYPED, "z": "z" * 60}, ensure_ascii=False).encode()),
        f"{TYPED[:HALF]}\n{TYPED[HALF:]}",
        f"{TYPED[:HALF]}\r\n      {TYPED[HALF:]}",
        f"{TYPED[:HALF]}\\\n{TYPED[HALF:]}",
    ],
)
def test_known_secret_is_masked_as_other_programs_escape_it(text: str) -> None:
    masked = Masker(["another", TYPED])(f"before {text}\nafter")
    assert "w0rd" in decoded(text), "the test must be able to detect it"
    assert masked.startswith("before ")
    assert masked.endswith("\nafter")
    assert MASK in masked
    assert "w0rd" not in decoded(masked)


def decoded(text: str) -> str:
    """Return the text without line breaks, and its decoded percent escapes, base64 and hexadecimal."""
    flat = "".join(text.split())
    forms = [flat, unquote(flat)]
    for run in re.findall(r"[A-Za-z0-9+/]{8,}", flat):
        for start in range(4):
            forms.append(plain(run[start:]))
            forms.append(plain(forms[-1]))
        if re.fullmatch(r"([0-9A-F]{2})+", run):
            forms.append(bytes.fromhex(run).decode("latin-1"))
    return " ".join(forms)


def plain(encoded: str) -> str:
    digits = re.sub(r"[^A-Za-z0-9+/]", "", encoded)
    return b64decode(digits[: len(digits) // 4 * 4]).decode("latin-1")


@pytest.mark.parametrize(
    "text",
    ["a" * 100_000, "\\" * 100_000, "-" * 100_000, '"' * 100_000, "token" + " " * 100_000, "://" * 30_000,
     "password: " * 10_000, "-----BEGIN PRIVATE KEY-----" * 4000],
)  # fmt: skip
def test_masking_time_stays_bounded_on_hostile_text(text: str) -> None:
    Masker(["@s3cret-canary"])(text)


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
def test_unknown_secret_is_masked_by_pattern(line: str, secret: str) -> None:
    assert secret not in Masker([])(f"before {line}\nafter")


@pytest.mark.parametrize(
    "line",
    ["2026-01-01 step 3 of 5", "kube-system/coredns-1: Pending 0/1", "tokens are fine", '{"a": [1, 2], "b": "c"}'],
)
def test_other_text_is_unchanged(line: str) -> None:
    assert Masker(["cAn4ry-secret", "ab"])(line) == line


def test_short_secret_is_masked_only_as_a_separate_word() -> None:
    assert Masker(["ab"])("ab cab x=ab, abc") == f"{MASK} cab x={MASK}, abc"


@pytest.mark.parametrize("kept", range(6, 14))
@pytest.mark.parametrize("end", ["", "…", "...", "... and more"])
def test_start_of_a_secret_is_masked_where_a_text_was_cut(kept: int, end: str) -> None:
    encoded = b64encode(b"cAn4ry-secret").decode()
    for form in ("cAn4ry-secret", encoded):
        assert Masker(["another", "cAn4ry-secret"]).known(f"line {form[:kept]}{end}") == f"line {MASK}{end}"


def test_known_secrets_are_masked_without_patterns() -> None:
    text = "the password is wrong, token: none, x=hunter22"
    assert Masker(["hunter22"]).known(text) == f"the password is wrong, token: none, x={MASK}"


def test_lines_of_a_key_are_hidden_one_by_one() -> None:
    key = "-----BEGIN KEY-----\nAAAABBBBCCCCDDDDEEEE\nFFFFGGGGHHHHIIIIJJJJ\n-----END KEY-----\n"
    assert "FFFFGGGG" not in Masker([key])("the log has FFFFGGGGHHHHIIIIJJJJ here")


def test_json_stays_json() -> None:
    document = json.dumps({"password": "x" * 9, "text": "the token: abc", "list": ["secret=abc"]}, indent=2)
    assert set(json.loads(Masker([])(document))) == {"password", "text", "list"}


def test_document_is_masked_by_key_at_any_depth_and_empty_values_stay() -> None:
    document: dict[str, JsonValue] = {
        "cluster": {"ssh": [{"password": "a"}, {"privateKey": "b"}], "name": "password"},
        "password": "",
    }
    masked = {"cluster": {"ssh": [{"password": MASK}, {"privateKey": MASK}], "name": "password"}, "password": ""}
    assert mask_document(document) == masked
    assert list(secret_values(document)) == ["a", "b"]


def test_values_are_masked_as_they_are_and_as_json_escapes_them() -> None:
    assert mask_values('quote"d and quote\\"d', ['quote"d']) == f"{MASK} and {MASK}"


def test_masked_lines_get_their_secrets_back() -> None:
    text = f"first secret\nab\nboth one and two\nsecret {MASK}1{MASK}, {MASK}2{MASK}"
    shown, hidden = mask_lines(text, [(1, "secret"), (2, "ab"), (3, "one"), (3, "two"), (4, "secret")])
    assert "secret" not in shown
    assert "one" not in shown
    assert len(shown.splitlines()) == 4
    assert unmask(shown, hidden) == text
