"""The installer's token and its offered versions are parsed from its answers."""

import json
import time
import tracemalloc

import pytest
from pydantic import JsonValue

from acp_tui.install.api.versions import Offered, parse_offer, parse_token


@pytest.mark.parametrize(
    ("body", "token"),
    [
        ("abc.def", "abc.def"),
        (" abc\n", "abc"),
        ('"abc"', "abc"),
        ('{"token": "abc"}', "abc"),
        ('{"access_token": "abc", "expires": 3}', "abc"),
        ('{"data": "abc"}', "abc"),
        ('{"data": {"token": "abc"}}', "abc"),
        ('{"token": "Bearer abc"}', "abc"),
        ("", None),
        ("{}", None),
        ("12", None),
        ("a\r\nX-Other: b", None),
        ("two words", None),
        ("x" * 16_385, None),
        ('{"data": ' * 400 + '"abc"' + "}" * 400, "abc"),
        ("клю́ч", None),
    ],
)
def test_token_is_found_in_common_formats(body: str, token: str | None) -> None:
    assert parse_token(body) == token


@pytest.mark.parametrize(
    ("data", "kubernetes", "runtimes"),
    [
        ({"kubernetes": "1.31.6", "containerd": "1.7.27-4"}, ("1.31.6",), ("containerd://1.7.27-4",)),
        ({"versions": "v1.9.10\nv1.30.2\nv1.31.10\nv1.31.9"}, ("1.31.10", "1.31.9", "1.30.2"), ()),
        (
            {"all": '{"kubernetes": ["1.31.6"], "cri": "containerd://1.7.27-4", "coredns": "1.29.9"}'},
            ("1.31.6",),
            ("containerd://1.7.27-4",),
        ),
        ({"all": "kubernetes: 1.32.7\ncontainerd: 1.7.27-4\netcd: 3.5.18"}, ("1.32.7",), ("containerd://1.7.27-4",)),
        (
            {"a": "containerd://1.6.20-4 containerd://1.7.27-4 containerd://1.7.27"},
            (),
            ("containerd://1.7.27-4", "containerd://1.7.27", "containerd://1.6.20-4"),
        ),
        (
            {"all": '{"kubernetes": ["1.31.6"], "containerd": {"default": "1.7.27-4", "pause": "3.10"}}'},
            ("1.31.6",),
            ("containerd://1.7.27-4",),
        ),
        ({"a": "nothing to see"}, (), ()),
    ],
)
def test_offered_versions_are_found_in_common_formats(
    data: JsonValue, kubernetes: tuple[str, ...], runtimes: tuple[str, ...]
) -> None:
    offered = parse_offer(json.dumps({"kind": "ConfigMap", "data": data}))
    assert (offered.kubernetes, offered.runtimes) == (kubernetes, runtimes)


@pytest.mark.parametrize("body", ["not json", "[]", '{"kind": "Status"}', '{"data": null}'])
def test_unreadable_offer_has_no_versions_and_the_raw_body(body: str) -> None:
    assert parse_offer(body) == Offered(raw=body)


@pytest.mark.parametrize(
    "body",
    [
        '{"data": {"k": "kubernetes 1.31.%s"}}' % ("9" * 800_000),
        '{"data": {"k": %s}}' % ("9" * 800_000),
        '{"data": {"k": %s}}' % ("[" * 900 + "NaN" + "]" * 900),
        json.dumps({"data": {"k" * 1_000_000: ["v"] * 50_000}}),
        '{"data": {"k": "containerd%s"}}' % (" containerd 1" * 80_000),
    ],
    ids=["digits in a text", "number with 800,000 digits", "deep", "long key for many texts", "many starts"],
)
def test_hostile_offer_has_no_versions_and_needs_little_time_and_memory(body: str) -> None:
    started = time.process_time()
    tracemalloc.start()
    try:
        offered = parse_offer(body)
        assert tracemalloc.get_traced_memory()[1] < 64 << 20
    finally:
        tracemalloc.stop()
    assert (offered.kubernetes, offered.runtimes) == ((), ())
    assert time.process_time() - started < 10


def test_deepest_text_of_an_offer_is_found() -> None:
    body = '{"data": {"kubernetes": ' + "[" * 400 + '"1.31.6"' + "]" * 400 + "}}"
    assert parse_offer(body).kubernetes == ("1.31.6",)


def test_characters_that_no_terminal_shows_are_removed_from_an_offer() -> None:
    assert parse_offer(r'{"data": {"kube": "\ud800 \u001b[31m1.31.6"}}').raw == "kube:  1.31.6"
