"""Recognise virtual network interfaces by their names. Nodes do not reach each other through virtual interfaces."""

_PREFIXES = (
    "lo", "dummy", "tun", "tap", "veth", "br-", "virbr",
    "docker", "podman", "cni", "nerdctl",
    "cali", "vxlan", "flannel", "ovn", "ovs", "genev", "kube", "nodelocaldns",
)  # fmt: skip
"""Prefixes of the names of virtual interfaces.

Each line has one group: system and hypervisor; container engines; container networks."""


def is_virtual_interface(name: str) -> bool:
    """Return True if a container network, a container engine, a hypervisor or a VPN created the interface `name`."""
    return name.startswith(_PREFIXES)
