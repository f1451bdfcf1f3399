"""The traits of the releases, and errors in the release files."""

from pathlib import Path

import pytest
import yaml

from acp_tui.checks.catalog_files import CatalogueError
from acp_tui.checks.release_traits import ReleaseTraits, load_traits, release_traits, releases_where
from acp_tui.plan.release import RELEASES, Release

FIRST: dict[str, str | bool] = {
    "container_tool": "docker",
    "network_mode_flag": True,
    "extensions_before_install": True,
    "use_pam_restorable": False,
    "cluster_module": False,
    "unattended_install_documented": False,
}
CHANGES: dict[str, dict[str, str | bool]] = {
    "4.1": {"extensions_before_install": False, "use_pam_restorable": True, "unattended_install_documented": True},
    "4.2": {"container_tool": "nerdctl", "network_mode_flag": False, "unattended_install_documented": False},
    "4.3": {"cluster_module": True},
}


def write(folder: Path, **releases: object) -> None:
    """Write release files; `r4_1` is the content for release 4.1."""
    (folder / "releases").mkdir(exist_ok=True)
    for name, content in releases.items():
        text = content if isinstance(content, str) else yaml.safe_dump(content)
        (folder / "releases" / f"{name[1:].replace('_', '.')}.yaml").write_text(text, encoding="utf-8")


def test_every_release_has_its_traits() -> None:
    expected: dict[str, str | bool] = {}
    for release in RELEASES:
        expected |= FIRST if release == RELEASES[0] else CHANGES.get(release, {})
        assert release_traits(release).model_dump() == expected, release


def test_unlisted_release_has_the_traits_of_the_newest() -> None:
    assert release_traits("5.0") == release_traits(RELEASES[-1])


def test_releases_can_be_selected_by_a_trait() -> None:
    assert releases_where(lambda traits: traits.unattended_install_documented) == ("4.1",)
    assert releases_where(lambda traits: not traits.container_tool) == ()


def test_release_inherits_the_traits_of_the_previous_release(tmp_path: Path) -> None:
    write(tmp_path, r4_0={"traits": FIRST}, r4_3={"traits": {"cluster_module": True}})
    write(tmp_path, r4_10={"traits": {"container_tool": "nerdctl"}}, r4_11="")
    changed = {**FIRST, "cluster_module": True}
    assert load_traits(tmp_path, Release("4.3")).model_dump() == changed
    assert load_traits(tmp_path, Release("4.10")).model_dump() == {**changed, "container_tool": "nerdctl"}
    assert load_traits(tmp_path, Release("4.11")) == load_traits(tmp_path, Release("4.10"))


@pytest.mark.parametrize(
    ("first", "later", "error"),
    [
        (FIRST, {"container_tool": "podman"}, r"releases/4\.1\.yaml: traits: container_tool: Input should be 'docker'"),
        (FIRST, {"cluster_module": "maybe"}, r"releases/4\.1\.yaml: traits: cluster_module: Input should be a valid b"),
        (FIRST, {"sidecar": True}, r"assets/catalog/releases/4\.1\.yaml: traits: sidecar: Extra inputs are not"),
        (FIRST, ["cluster_module"], r"releases/4\.1\.yaml: traits: expected a mapping"),
        ({**FIRST, "network_mode_flag": 1}, {}, r"releases/4\.0\.yaml: traits: network_mode_flag: Input should be"),
        ({"container_tool": "docker"}, {}, r"releases/4\.0\.yaml: traits: network_mode_flag: Field required"),
    ],
)
def test_invalid_trait_is_named_with_its_file(first: object, later: object, error: str, tmp_path: Path) -> None:
    write(tmp_path, r4_0={"traits": first}, r4_1={"traits": later})
    with pytest.raises(CatalogueError, match=error):
        load_traits(tmp_path, Release("4.1"))


def test_traits_have_no_default_in_code() -> None:
    assert all(field.is_required() for field in ReleaseTraits.model_fields.values())
