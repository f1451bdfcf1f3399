"""Leftovers of kubelet, etcd and other parts of a cluster (CAP-FRESH-ENV, FS-KUBELET-UNIT)."""

from acp_tui.core.i18n import NC_
from acp_tui.nodes.leftovers.row import Kind, Leftover

_FRESH, _UNIT = "CAP-FRESH-ENV", "FS-KUBELET-UNIT"

KUBELET = (
    Leftover(
        "kubelet-unit", _UNIT, Kind.PATH, ("/etc/systemd/system/kubelet.service",),
        NC_("leftover", "unit file of an old kubelet"),
        NC_("leftover", "systemd starts the wrong kubelet."),
    ),
    Leftover(
        "kubelet-drop-in", _UNIT, Kind.SETTINGS,
        ("/etc/systemd/system/kubelet.service.d/*.conf", "/usr/lib/systemd/system/kubelet.service.d/*.conf",
         "/usr/local/lib/systemd/system/kubelet.service.d/*.conf",
         "/run/systemd/system/kubelet.service.d/*.conf"),
        NC_("leftover", "drop-in file of an old kubelet"),
        NC_("leftover", "Its lines replace lines of the new unit, for example the start command of kubelet."),
        packages=("kubelet", "kubeadm", "kubernetes-kubeadm"),
    ),
    Leftover(
        "kubelet-flags", _FRESH, Kind.SETTINGS, ("/etc/sysconfig/kubelet", "/etc/default/kubelet"),
        NC_("leftover", "flags of an old kubelet"),
        NC_("leftover", "The new kubelet starts with these flags. If it does not know a flag, it does not start."),
    ),
    Leftover(
        "kubelet-state", _FRESH, Kind.PATH,
        ("/var/lib/kubelet/config.yaml", "/var/lib/kubelet/kubeadm-flags.env", "/var/lib/kubelet/*_manager_state",
         "/var/lib/kubelet/kubeconfig", "/var/lib/kubelet/bootstrap-kubeconfig", "/var/lib/kubelet/pods/*"),
        NC_("leftover", "state of an old kubelet"),
        NC_("leftover", "A kubelet with another CPU or memory policy does not start with this state."),
        data=True,
    ),
    Leftover(
        "kubernetes-config", _FRESH, Kind.PATH,
        ("/etc/kubernetes/*.conf", "/etc/kubernetes/manifests/*", "/etc/kubernetes/*.kubeconfig",
         "/etc/kubernetes/*.yaml", "/etc/kubernetes/*.env", "/etc/kubernetes/addons/*"),
        NC_("leftover", "configuration of an old cluster"),
        NC_("leftover", "The new components connect to the old cluster, or kubelet starts the old components."),
        data=True,
    ),
    Leftover(
        "kubernetes-certificates", _FRESH, Kind.PATH,
        ("/etc/kubernetes/pki/*", "/etc/kubernetes/ssl/*", "/etc/kubernetes/cert*/*"),
        NC_("leftover", "certificates of an old cluster"),
        NC_("leftover", "Certificates that exist are used again. The other nodes do not trust them."),
        data=True,
    ),
)  # fmt: skip

CLUSTERS = (
    Leftover(
        "etcd-data", _FRESH, Kind.PATH, ("/var/lib/etcd/*",),
        NC_("leftover", "data of etcd"),
        NC_("leftover", "etcd starts as a member of the old cluster. The installer requires an empty folder."),
        data=True,
    ),
    Leftover(
        "etcd-config", _FRESH, Kind.PATH,
        ("/etc/etcd.env", "/etc/etcd/*", "/etc/ssl/etcd/*", "/etc/systemd/system/etcd.service"),
        NC_("leftover", "configuration of an old etcd"),
        NC_("leftover", "A second etcd uses the ports 2379 and 2380."),
    ),
    Leftover(
        "other-clusters", _FRESH, Kind.PATH,
        ("/etc/rancher/*", "/var/lib/rancher/*", "/opt/rke/*", "/var/lib/k0s", "/etc/k0s/*", "/var/snap/microk8s",
         "/var/snap/k8s", "/var/lib/microshift/*", "/var/lib/minikube/*", "/etc/origin/node/*", "/etc/origin/master/*",
         "/etc/kubeedge/*", "/var/lib/kubeedge/*"),
        NC_("leftover", "files of another Kubernetes distribution"),
        NC_("leftover", "Two clusters on one node use the same ports, networks and cgroups."),
        data=True,
    ),
    Leftover(
        "unused-clusters", _FRESH, Kind.PATH, ("/var/lib/sealos/*", "/etc/kubekey/*", "/etc/kubeasz/*"),
        NC_("leftover", "files of another Kubernetes installer"),
        NC_("leftover", "They use disk space, and their services can start the old cluster again."),
        blocks=False,
    ),
    Leftover(
        "processes", _FRESH, Kind.PROCESS,
        ("kubelet", "hyperkube", "dockerd", "dockerd-current", "containerd", "docker-containe", "containerd-shim",
         "crio", "cri-dockerd", "isulad", "edgecore", "kube-apiserver", "kube-controller", "kube-scheduler",
         "kube-proxy", "kubelite", "k3s-server", "k3s-agent", "rke2", "k0s", "etcd", "flanneld", "calico-node",
         "cilium-agent", "kube-router", "rancher-system-", "kube-vip"),
        NC_("leftover", "running process"),
        NC_("leftover", "A second Kubernetes or container runtime uses the same sockets, ports and cgroups."),
        data=True,
    ),
    Leftover(
        "units-at-boot", _FRESH, Kind.UNIT,
        ("kubelet.service", "kube-*.service", "docker.service", "docker.socket", "containerd.service", "crio.service",
         "cri-docker*.service", "cri-docker*.socket", "etcd.service", "etcd[0-9].service", "k3s*.service",
         "rke2-*.service", "k0s*.service", "snap.microk8s.*", "snap.k8s.*", "snap.docker.*", "flanneld.service",
         "calico-node.service", "isulad.service", "edgecore.service", "rancher-system-agent.service"),
        NC_("leftover", "service that starts at boot"),
        NC_("leftover", "After the next boot, the old cluster or runtime runs again."),
    ),
    Leftover(
        "pod-mounts", _FRESH, Kind.MOUNT,
        ("/var/lib/kubelet/pods/*", "/var/lib/kubelet/plugins/*", "/run/containerd/io.containerd.*", "/run/k3s/*",
         "/var/lib/docker/overlay2/*", "/var/lib/docker/containers/*", "/run/netns/cni-*", "/run/docker/netns/*",
         "/run/calico/*", "/run/cilium/*"),
        NC_("leftover", "mount of an old container"),
        NC_("leftover", "The folder below it cannot be removed, and the volume stays in use."),
    ),
    Leftover(
        "rook-data", _FRESH, Kind.PATH, ("/var/lib/rook/*",),
        NC_("leftover", "data of Rook"),
        NC_("leftover", "A new Ceph cluster of Rook does not start with the keys of the old one."),
        data=True, storage="rook",
    ),
    Leftover(
        "storage-data", _FRESH, Kind.PATH, ("/var/lib/longhorn/*", "/var/openebs/*", "/var/lib/openebs/*"),
        NC_("leftover", "data of an old storage system"),
        NC_("leftover", "It uses the disk space that the platform needs."),
        blocks=False, data=True,
    ),
)  # fmt: skip
