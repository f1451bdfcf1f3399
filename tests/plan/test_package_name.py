"""Kind, version and architecture from the file name of a package."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from acp_tui.plan.package_name import PackageName, parse_name, release_in_name


@pytest.mark.parametrize(
    ("name", "parts"),
    [
        ("installer-core-v4.0.3-x86.tar", PackageName("core", "4.0.3", "x86")),
        ("/root/installer-core-v4.10.0-hybrid.tar", PackageName("core", "4.10.0", "hybrid")),
        ("installer-extensions-v4.3.1-arm.tar", PackageName("extensions", "4.3.1", "arm")),
        ("installer-core-v3.18.0-x86.tar", None),
        ("installer-core-v4.0.3-x86.tar.gz", None),
        ("installer-core-v4.0.3-x86_64.tar", None),
        ("my-installer-core-v4.0.3-x86.tar", None),
        ("installer-core-v4.0-x86.tar", None),
        ("installer-core-v4.0.3-x86.tar\n", None),
        ("installer-core-v4.٣.3-x86.tar", None),
        ("acp-4.0.0.tgz", None),
        ("", None),
    ],
)
def test_parse_file_name(name: str, parts: PackageName | None) -> None:
    assert parse_name(name) == parts


def test_release_is_the_first_two_numbers_of_the_version() -> None:
    assert PackageName("core", "4.10.2", "x86").release == "4.10"


@given(st.text() | st.from_regex(r"-v4\.[0-9]+\."))
def test_release_in_any_name_is_a_release_or_missing(name: str) -> None:
    release = release_in_name(name)
    assert release is None or f"-v{release}." in name
