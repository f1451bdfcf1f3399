"""Recognise virtual network interfaces by their names. They do not connect a host to other hosts."""

_PREFIXES = (
    "lo", "dummy", "tun", "tap", "veth", "br-", "virbr",
    "docker", "podman", "cni", "nerdctl",
    "cali", "vxlan", "flannel", "ovn", "ovs", "genev", "kube", "nodelocaldns",
)  # fmt: skip
"""Name prefixes of loopback and test devices, VPNs, bridges and hypervisors; container engines; container networks."""


def is_virtual_interface(name: str) -> bool:
    """Return True if a container network, a container engine, a hypervisor or a VPN created the interface `name`."""
    return name.startswith(_PREFIXES)
