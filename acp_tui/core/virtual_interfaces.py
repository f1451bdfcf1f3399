"""Names of the network interfaces that software makes: they do not connect a host to other hosts."""

_PREFIXES = (
    "lo", "dummy", "tun", "tap", "veth", "br-", "virbr",
    "docker", "podman", "cni", "nerdctl",
    "cali", "vxlan", "flannel", "ovn", "ovs", "genev", "kube", "nodelocaldns",
)  # fmt: skip
"""Loopback and test devices, VPNs, bridges and hypervisors; then container engines; then container networks."""


def is_virtual_interface(name: str) -> bool:
    """Whether a container network, a container engine, a hypervisor or a VPN made the interface `name`."""
    return name.startswith(_PREFIXES)
