"""A node, its SSH login, and the SSH login that all nodes share."""

from typing import Literal

from pydantic import Field, SecretStr

from acp_tui.core.i18n import N_
from acp_tui.plan.field_types import Bool, IpText, Ipv6Text, Port, UserName
from acp_tui.plan.sections.section import Section, answer


class Ssh(Section):
    """The SSH login that all nodes share."""

    username: UserName = answer("root", id="P-SSH-USER", help=N_("SSH user: root, or a user with passwordless sudo."))
    port: Port = answer(22, id="P-SSH-PORT", help=N_("SSH port, 1 to 65535."))
    password: SecretStr | None = answer(None, id="P-SSH-PASS", rule="XR-SSH-AUTH", help=N_("Password of the SSH user."))
    key_file: str | None = answer(
        None, id="P-SSH-KEY", rule="XR-SSH-AUTH", help=N_("Path of the SSH private key file.")
    )
    key_passphrase: SecretStr | None = answer(
        None, id="P-SSH-KEY", help=N_("Passphrase of the SSH private key, if the key is encrypted.")
    )
    known_hosts: str | None = answer(
        None,
        id="P-SSH-USER",
        help=N_(
            "File with the host keys of the nodes, in the format of OpenSSH's known_hosts. user: the file "
            "~/.ssh/known_hosts. If empty: the keys that you confirm."
        ),
    )


class NodeSsh(Section):
    """The SSH login of one node. Missing values are taken from the login that all nodes share."""

    username: UserName | None = answer(None, id="P-SSH-USER", help=N_("SSH user for this node only."))
    port: Port | None = answer(None, id="P-SSH-PORT", help=N_("SSH port for this node only."))
    password: SecretStr | None = answer(None, id="P-SSH-PASS", help=N_("SSH password for this node only."))
    key_file: str | None = answer(None, id="P-SSH-KEY", help=N_("Path of the SSH private key file for this node only."))
    key_passphrase: SecretStr | None = answer(
        None, id="P-SSH-KEY", help=N_("Passphrase of the SSH private key for this node only.")
    )


class Node(Section):
    address: IpText = Field(
        description=N_("IPv4 address of the node. In an IPv6-only cluster: its IPv6 address."),
        json_schema_extra={"parameter": "P-CP", "rule": "NET-IP-VALID"},
    )
    ipv6: Ipv6Text | None = answer(
        None, id="P-CP6", rule="XR-DUAL-COUNT", help=N_("IPv6 address of the node. A dual-stack cluster requires it.")
    )
    role: Literal["control-plane", "worker"] = answer(
        "control-plane",
        id="P-CP",
        help=N_("Role of the node: control-plane (etcd, API server and platform) or worker (applications)."),
    )
    installer: Bool | None = answer(
        None,
        id="BND-INSTNODE",
        help=N_("true: the installer runs on this node. If no node has true: it runs on the first control plane node."),
    )
    nic: str | None = answer(None, id="P-NIC", help=N_("Network interface of this node for Kube-OVN, such as eth0."))
    platform_exclusive: Bool | None = answer(
        None,
        id="P-EXCLUSIVE",
        help=N_(
            "true: only platform components run on this node. If empty: true on control plane nodes if isolation is"
            " true, otherwise false."
        ),
    )
    deployable: Bool | None = answer(
        None,
        id="P-CP-APPS",
        help=N_("true: applications are allowed on this node. If empty: they are allowed only on workers."),
    )
    ssh: NodeSsh = answer(
        NodeSsh(),
        id="P-SSH-USER",
        help=N_("SSH login for this node, if it differs from the login that all nodes share."),
    )
