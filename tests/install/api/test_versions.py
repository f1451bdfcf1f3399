"""The installer's token and its offered versions are parsed from its answers."""

import json

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
