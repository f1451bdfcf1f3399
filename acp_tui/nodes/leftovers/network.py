"""Leftovers of network plugins: files, interfaces, and rules in the kernel (CAP-FRESH-ENV)."""

from acp_tui.core.i18n import NC_
from acp_tui.nodes.leftovers.row import Kind, Leftover

_FRESH = "CAP-FRESH-ENV"
_DOCKER = ("docker", "docker-ce", "docker.io", "docker-engine", "moby-engine")
_OPENVSWITCH = ("openvswitch", "openvswitch-switch")

NETWORK = (
    Leftover(
        "cni-config", _FRESH, Kind.NETWORK_CONFIG,
        ("/etc/cni/net.d/*.conf", "/etc/cni/net.d/*.conflist", "/etc/cni/net.d/*.json"),
        NC_("leftover", "configuration of a network plugin"),
        NC_(
            "leftover",
            "The container runtime uses the first file in /etc/cni/net.d. With an old file, Pods get addresses of the "
            "old network, or do not start.",
        ),
    ),
    Leftover(
        "cni-files", _FRESH, Kind.PATH,
        ("/etc/cni/net.d/*-kubeconfig", "/etc/cni/net.d/*.d", "/etc/cni/net.d/*[_.-]ba[kc]*", "/etc/cni/net.d/*-tls",
         "/etc/cni/multus/net.d/*"),
        NC_("leftover", "files of a network plugin"),
        NC_("leftover", "A network plugin finds the logins and settings of the old cluster, and uses them."),
        blocks=False,
    ),
    Leftover(
        "cni-state", _FRESH, Kind.PATH, ("/var/lib/cni/*/*",),
        NC_("leftover", "address list of a network plugin"),
        NC_("leftover", "The addresses in this list count as used, so new Pods do not get them."),
        blocks=False, place="/var/lib/cni",
    ),
    Leftover(
        "calico-state", _FRESH, Kind.PATH,
        ("/var/lib/calico/*", "/run/calico/*", "/etc/calico/*"),
        NC_("leftover", "state of Calico"),
        NC_("leftover", "Calico reads the node name and the settings of the old cluster from these files."),
        blocks=False,
    ),
    Leftover(
        "cilium-state", _FRESH, Kind.PATH,
        ("/var/lib/cilium/*", "/run/cilium/*", "/sys/fs/bpf/cilium*", "/sys/fs/bpf/tc/globals/cilium_*"),
        NC_("leftover", "state of Cilium"),
        NC_("leftover", "Programs of Cilium in the kernel can still redirect or drop packets."),
        blocks=False,
    ),
    Leftover(
        "network-state", _FRESH, Kind.PATH,
        ("/run/flannel/*", "/etc/kube-flannel/*", "/var/lib/weave/*", "/var/lib/kube-router/*", "/run/antrea/*",
         "/etc/antrea/*", "/run/ovn/*", "/etc/kube-ovn/*"),
        NC_("leftover", "state of a network plugin"),
        NC_("leftover", "A plugin that finds the ranges of the old cluster gives Pods wrong addresses."),
        blocks=False,
    ),
    Leftover(
        "ovn-database", _FRESH, Kind.PATH, ("/etc/origin/ovn/*", "/etc/origin/openvswitch/*"),
        NC_("leftover", "database of Kube-OVN"),
        NC_("leftover", "Kube-OVN starts with the networks, addresses and members of the old cluster."),
    ),
    Leftover(
        "openvswitch-database", _FRESH, Kind.PATH, ("/etc/openvswitch/conf.db", "/etc/ovn/*.db"),
        NC_("leftover", "database of Open vSwitch"),
        NC_("leftover", "Open vSwitch creates the bridges and tunnels of this database again."),
        blocks=False, packages=_OPENVSWITCH,
    ),
    Leftover(
        "service-interface", _FRESH, Kind.INTERFACE, ("kube-ipvs0", "nodelocaldns", "kube-dummy-if"),
        NC_("leftover", "interface with addresses of old services"),
        NC_(
            "leftover",
            "The node keeps packets to the addresses of old services. They do not reach the new services.",
        ),
    ),
    Leftover(
        "network-interface", _FRESH, Kind.INTERFACE,
        ("cni0", "flannel.[0-9]*", "flannel-v6.[0-9]*", "flannel-wg*", "cali[0-9a-f][0-9a-f][0-9a-f]*", "vxlan.calico",
         "vxlan-v6.calico", "wireguard.cali", "wg-v6.cali", "cilium_*", "lxc_health",
         "lxc[0-9a-f][0-9a-f][0-9a-f][0-9a-f][0-9a-f][0-9a-f]*", "weave", "vethwe-*", "kube-bridge", "antrea-gw0",
         "antrea-tun0", "ovn0", "ovn-k8s-*", "mirror0", "docker_gwbridge"),
        NC_("leftover", "interface of an old network plugin"),
        NC_("leftover", "Its addresses and routes can take packets of the new network."),
        blocks=False,
    ),
    Leftover(
        "openvswitch-interface", _FRESH, Kind.INTERFACE, ("br-int", "genev_sys_*", "vxlan_sys_*"),
        NC_("leftover", "bridge or tunnel of Open vSwitch"),
        NC_("leftover", "It keeps the port of the tunnel in use, which Kube-OVN needs."),
        blocks=False, packages=_OPENVSWITCH,
    ),
    Leftover(
        "docker-interface", _FRESH, Kind.INTERFACE, ("docker0", f"br-{'[0-9a-f]' * 12}"),
        NC_("leftover", "bridge of a removed Docker"),
        NC_("leftover", "Its addresses and routes can take packets of the new network."),
        blocks=False, packages=_DOCKER,
    ),
    Leftover(
        "tunnel-address", _FRESH, Kind.TUNNEL, ("tunl0",),
        NC_("leftover", "address on the tunnel of an old Calico"),
        NC_("leftover", "The node accepts and sends packets with an address of the old Pod network."),
        blocks=False,
    ),
    Leftover(
        "ipvs", _FRESH, Kind.IPVS, ("/proc/net/ip_vs",),
        NC_("leftover", "services in the IPVS table"),
        NC_("leftover", "The kernel forwards packets to Pods that no longer exist."),
        blocks=False,
    ),
    Leftover(
        "chains", _FRESH, Kind.CHAIN,
        ("KUBE-[A-Z0-9-]+", "cali-[A-Za-z0-9_.:-]+", "CILIUM_[A-Za-z_]+", "OLD_CILIUM_[A-Za-z_]+",
         "FLANNEL-[A-Z]+", "CNI-[A-Za-z0-9-]+", "WEAVE[A-Z0-9-]*", "OVN-[A-Z0-9-]+", "ANTREA-[A-Z0-9-]+"),
        NC_("leftover", "iptables chains of an old cluster"),
        NC_("leftover", "Their rules can drop packets, or send them to Pods that no longer exist."),
        blocks=False,
    ),
    Leftover(
        "docker-chains", _FRESH, Kind.CHAIN, ("DOCKER", "DOCKER-[A-Z0-9-]+"),
        NC_("leftover", "iptables chains of a removed Docker"),
        NC_("leftover", "Their rules can drop packets, or send them to containers that no longer exist."),
        blocks=False, packages=_DOCKER,
    ),
)  # fmt: skip
