"""Leftovers of container runtimes, and old programs (CAP-FRESH-ENV, PKG-LEFTOVER-BIN)."""

from acp_tui.core.i18n import NC_
from acp_tui.nodes.leftovers.row import Kind, Leftover

_FRESH, _PROGRAM = "CAP-FRESH-ENV", "PKG-LEFTOVER-BIN"
_CONTAINERD = ("containerd", "containerd.io", "moby-containerd")
_DOCKER = ("docker", "docker-ce", "docker.io", "docker-engine", "moby-engine")

RUNTIMES = (
    Leftover(
        "containerd-unit", _FRESH, Kind.PATH,
        ("/etc/systemd/system/containerd.service", "/usr/local/lib/systemd/system/containerd.service"),
        NC_("leftover", "unit file of an old containerd"),
        NC_("leftover", "systemd starts the wrong containerd."),
    ),
    Leftover(
        "runtime-unit", _FRESH, Kind.SETTINGS,
        ("/etc/systemd/system/docker.service", "/etc/systemd/system/docker.socket",
         "/etc/systemd/system/cri-docker*.service", "/etc/systemd/system/crio.service",
         "/etc/systemd/system/k3s*.service", "/etc/systemd/system/rke2-*.service",
         "/usr/local/lib/systemd/system/rke2-*.service", "/etc/systemd/system/k0s*.service",
         "/etc/systemd/system/kube-*.service", "/etc/systemd/system/flanneld.service"),
        NC_("leftover", "unit file of an old cluster or runtime"),
        NC_("leftover", "If the unit starts, a second cluster or runtime uses the same sockets and ports."),
        blocks=False,
    ),
    Leftover(
        "runtime-drop-in", _FRESH, Kind.SETTINGS,
        ("/etc/systemd/system/containerd.service.d/*.conf", "/etc/systemd/system/docker.service.d/*.conf",
         "/etc/systemd/system/crio.service.d/*.conf"),
        NC_("leftover", "drop-in file of an old runtime"),
        NC_(
            "leftover",
            "The new runtime starts with these settings. A proxy, for example, prevents the pull of images.",
        ),
        blocks=False,
    ),
    Leftover(
        "containerd-config", _FRESH, Kind.SETTINGS, ("/etc/containerd/config.toml", "/etc/containerd/conf.d/*.toml"),
        NC_("leftover", "configuration of an old containerd"),
        NC_(
            "leftover",
            "With disabled_plugins = [\"cri\"] or another cgroup driver, kubelet cannot use the new containerd.",
        ),
        blocks=False, packages=_CONTAINERD,
    ),
    Leftover(
        "docker-config", _FRESH, Kind.DOCKER_CONFIG, ("/etc/docker/daemon.json",),
        NC_("leftover", "configuration of an old Docker"),
        NC_("leftover", "The installer's Docker starts with these settings, or does not start."),
        blocks=False, packages=_DOCKER,
    ),
    Leftover(
        "runtime-state", _FRESH, Kind.PATH,
        ("/var/lib/containers/storage/*", "/var/lib/cri-dockerd/*", "/var/lib/dockershim/*", "/var/lib/crio/*",
         "/var/lib/isulad/*", "/etc/crio/*", "/etc/isulad/*"),
        NC_("leftover", "files of an old container runtime"),
        NC_("leftover", "They use disk space, and a runtime that starts again starts the old containers."),
        blocks=False, packages=("podman", "buildah", "cri-o", "iSulad"),
    ),
    Leftover(
        "crictl-config", _FRESH, Kind.SETTINGS, ("/etc/crictl.yaml",),
        NC_("leftover", "configuration of crictl"),
        NC_("leftover", "crictl connects to the socket of the old runtime."),
        blocks=False, packages=("cri-o", "cri-tools"),
    ),
)  # fmt: skip

PROGRAMS = (
    Leftover(
        "programs", _PROGRAM, Kind.PROGRAM,
        ("docker*", "containerd*", "ctr", "runc", "crun", "runsc", "podman*", "conmon*", "crictl", "crio*", "cri-*",
         "rootlesskit*", "buildkitd", "kubelet*", "kubeadm*", "kubectl*", "kube-*", "k3s*", "k0s", "rke2*", "minikube",
         "etcd", "etcdctl", "etcdutl", "calico*", "flannel*", "cilium*", "cni*", "hyperkube", "isulad", "sealos",
         "sealctl", "lvscare", "keadm", "edgecore", "microshift", "weave*", "antctl", "critest"),
        NC_("leftover", "program of an old runtime or cluster"),
        NC_("leftover", "The shell can find it before the program of the platform, and then runs the wrong version."),
        blocks=False,
    ),
    Leftover(
        "nerdctl-program", _PROGRAM, Kind.PROGRAM, ("nerdctl*",),
        NC_("leftover", "program of an old runtime or cluster"),
        NC_(
            "leftover",
            "The shell can find it before the nerdctl of the installer, and then runs the wrong version.",
        ),
        blocks=False, since="4.2",
    ),
    Leftover(
        "system-programs", _PROGRAM, Kind.SYSTEM_PROGRAM,
        ("kubelet", "kubeadm", "dockerd", "containerd", "runc", "crio", "k3s", "rke2", "etcd", "cri-dockerd", "sealos"),
        NC_("leftover", "program that belongs to no package"),
        NC_("leftover", "The shell can find it before the program of the platform, and then runs the wrong version."),
        blocks=False,
    ),
    Leftover(
        "cni-programs", _PROGRAM, Kind.PATH, ("/opt/cni/bin/*",),
        NC_("leftover", "programs of an old network plugin"),
        NC_("leftover", "The container runtime can run an old program of this folder."),
        blocks=False, place="/opt/cni/bin", packages=("kubernetes-cni",),
    ),
)  # fmt: skip
