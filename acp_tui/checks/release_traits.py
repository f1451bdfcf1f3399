"""Differences between releases that are not requirements: how the installer is started, verified and removed.

The differences are called traits, and are in `assets/catalog/releases/<release>.yaml`. The file of the oldest release
has all traits; the file of a later release has only those that it changes. Code reads a trait, and never compares
releases.
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
    """True if setup.sh has the flag --network-mode, which selects Calico (REL-NETMODE, XR-CNI-FLAG)."""
    extensions_before_install: bool
    """True if the extensions are unpacked before the install (REL-EXT).

    If not, the operator adds them to the platform after the install, with the tool violet.
    """
    use_pam_restorable: bool
    """True if the sshd setting UsePAM can get its earlier value back after the install (REL-USEPAM)."""
    cluster_module: bool
    """True if the cluster has the resource `clustermodule global`, whose phase the verification reads (REL-VERIFY)."""
    unattended_install_documented: bool
    """True if the vendor documents the configuration of unattended installs for this release."""


def load_traits(folder: Path, release: Release) -> ReleaseTraits:
    """Return the traits of `release` in the catalogue at `folder`. Raises CatalogueError: a file is invalid."""
    return read_traits(folder, release).build(TRAITS, ReleaseTraits)


@cache
def release_traits(release: str) -> ReleaseTraits:
    """Return the traits of `release`. For a release that is not in `RELEASES`, return those of the newest release.

    A file that a different version of acp-tui wrote can name such a release.
    """
    return load_traits(asset_path("catalog"), Release(release) if release in RELEASES else RELEASES[-1])


def releases_where(holds: Callable[[ReleaseTraits], bool]) -> tuple[Release, ...]:
    """Return the releases of `RELEASES` whose traits fulfil the condition `holds`, the oldest first."""
    return tuple(release for release in RELEASES if holds(release_traits(release)))
