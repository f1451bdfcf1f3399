"""Differences between releases that are not requirements: how the installer is started, verified and removed.

They are the `traits` of `assets/catalog/releases/<release>.yaml`. The oldest release has all of them; a later one has
those that it changes. Code asks for a trait, and never compares releases.
"""

from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict

from acp_tui.checks.catalog_files import TRAITS, read_traits
from acp_tui.core.assets import asset_path
from acp_tui.plan.release import RELEASES, Release


class ReleaseTraits(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    container_tool: Literal["docker", "nerdctl"]
    """The command on the installer node that runs the installer's container (REL-RUNTIME)."""
    network_mode_flag: bool
    """setup.sh has the flag --network-mode, which announces Calico (REL-NETMODE, XR-CNI-FLAG)."""
    extensions_before_install: bool
    """The extensions are unpacked before the install; otherwise they are uploaded after it (REL-EXT)."""
    use_pam_restorable: bool
    """UsePAM may be restored in the settings of sshd after the install (REL-USEPAM)."""
    cluster_module: bool
    """The cluster has the resource `clustermodule global`, and verification reads its phase (REL-VERIFY)."""
    unattended_install_documented: bool
    """The vendor documents the configuration of unattended installs for this release."""


def load_traits(folder: Path, release: Release) -> ReleaseTraits:
    """Return the traits of `release` in the catalogue at `folder`. Raises CatalogueError: a file is invalid."""
    return read_traits(folder, release).build(TRAITS, ReleaseTraits)


@cache
def release_traits(release: str) -> ReleaseTraits:
    """Return the traits of `release`. If it is not listed (another acp-tui stored it), those of the newest release."""
    return load_traits(asset_path("catalog"), Release(release) if release in RELEASES else RELEASES[-1])


def releases_where(holds: Callable[[ReleaseTraits], bool]) -> tuple[Release, ...]:
    """Return the listed releases whose traits pass the test, the oldest first."""
    return tuple(release for release in RELEASES if holds(release_traits(release)))
