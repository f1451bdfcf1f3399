"""Package files, signatures, trusted key and install folder."""

from acp_tui.core.i18n import N_
from acp_tui.plan.field_types import FilledText, Fingerprint
from acp_tui.plan.sections.section import Section, answer

VENDOR_FINGERPRINT = "09EEE7B9A30CF4B35E31A91B27041C16BB097AE6"  # BND-KEY-FPR


class Package(Section):
    core: str | None = answer(
        None,
        id="BND-CORE",
        help=N_("Path of the Core Package: installer-core-v4.x.y-x86.tar, -arm.tar or -hybrid.tar."),
    )
    core_signature: str | None = answer(
        None,
        id="BND-SIG-NAME",
        help=N_("Path of the detached signature of the Core Package. If empty: the package path plus .sig or .asc."),
    )
    extensions: str | None = answer(
        None,
        id="BND-EXT",
        help=N_("Optional. Path of the Extensions Package. Version and architecture should match the Core Package."),
    )
    extensions_signature: str | None = answer(
        None,
        id="BND-SIG-NAME",
        help=N_("Path of the signature of the Extensions Package. If empty: the package path plus .sig or .asc."),
    )
    public_key: str | None = answer(
        None, id="BND-KEY-MD5", help=N_("Path of the vendor's public key file, verify-key.pub.")
    )
    fingerprint: Fingerprint = answer(
        VENDOR_FINGERPRINT,
        id="BND-KEY-FPR",
        help=N_("Fingerprint of the trusted key, 40 hexadecimal digits. Change it only if the vendor gives a new one."),
    )
    install_dir: FilledText = answer(
        "/root/cpaas-install",
        id="BND-WORKDIR",
        help=N_("Folder on the installer node for the unpacked packages. 100 GB must stay free after unpacking."),
    )
