"""Near misses of folders, tools and packages that are left on a node."""

from tests.lab.kit.near_misses.case import U20, C, K, R, U, case
from tests.lab.kit.shell import append, dpkg, new_file, program

FILES = (
    case(U, "noexec below /tmp, and in /var/tmp",
         "mkdir /tmp/x; mount -t tmpfs -o noexec lab /tmp/x; mount -t tmpfs -o noexec lab /var/tmp"),
    case(U, "/tmp bound to a noexec place",
         "mount -t tmpfs -o noexec lab /mnt; mount --bind /mnt /tmp", FS_TMP_NOEXEC="fail"),
    case(U, "empty settings for a missing kubelet", new_file("/etc/systemd/system/kubelet.service.d/1.conf", "")),
    case(U20, "a start line for a kubelet that is gone",
         new_file("/etc/systemd/system/kubelet.service.d/10-kubeadm.conf", "[Service]", "ExecStart=",
                  "ExecStart=/usr/bin/kubelet --node-ip=10.0.0.1"), FS_KUBELET_UNIT="fail"),
    case(U20, "the network of a former cluster",
         new_file("/etc/cni/net.d/10-flannel.conflist", '{"name":"cbr0","plugins":[{"type":"flannel"}]}')
         + "\nmkdir -p /var/lib/cni/networks/cbr0; touch /var/lib/cni/networks/cbr0/10.244.1.7", CAP_FRESH_ENV="fail"),
    case(R, "interfaces of services that are gone", "ip link add kube-ipvs0 type bridge", CAP_FRESH_ENV="fail"),
    case(K, "a bridge of a former network", "ip link add cni0 type bridge", CAP_FRESH_ENV="warn"),
    case(R, "a mount of a Pod that is gone",
         "mkdir -p /var/lib/kubelet/pods/1; mount -t tmpfs lab /var/lib/kubelet/pods/1",
         CAP_FRESH_ENV="fail"),
    case(K, "a runtime that starts at boot",
         new_file("/etc/systemd/system/docker.service", "[Service]", "ExecStart=/bin/true")
         + "\nmkdir -p /etc/systemd/system/multi-user.target.wants"
         "\nln -s ../docker.service /etc/systemd/system/multi-user.target.wants/docker.service", CAP_FRESH_ENV="fail"),
    case(C, "empty folders of a runtime, its loopback plugin, and the range that the manual allows",
         "mkdir -p /etc/containerd /var/lib/calico /var/lib/kubelet/pods\n"
         + new_file("/etc/cni/net.d/99-loopback.conf", '{"cniVersion":"0.3.1","type":"loopback"}') + "\n"
         + new_file("/etc/docker/daemon.json", '{"bip": "192.168.250.1/24"}') + "\n"
         + new_file("/etc/sysconfig/kubelet", "KUBELET_EXTRA_ARGS=")),
    case(K, "bridges of virtual machines and of the site",
         "ip link add virbr0 type bridge; ip link add br-ex type bridge"),
    case(U, "an empty volume for Docker", "mkdir /var/lib/docker; mount -t tmpfs -o size=200g lab /var/lib/docker; "
         "mkdir /var/lib/docker/lost+found", FS_DIR_DOCKER="warn"),
    case(U, "a volume for containerd that is used", "mkdir /var/lib/containerd; "
         "mount -t tmpfs -o size=200g lab /var/lib/containerd; touch /var/lib/containerd/.x",
         FS_DIR_CONTAINERD="fail"),
    case(U, "an empty folder of logs", "mkdir /var/log/pods", FS_DIR_PODLOGS="fail"),
    case(U, "nerdctl, before 4.2", "mkdir -p /var/lib/nerdctl /opt/nerdctl; touch /usr/local/bin/nerdctl"),
    case(U, "a link to a kubectl that is gone", "ln -s /none /usr/local/bin/kubectl", PKG_LEFTOVER_BIN="warn"),
    *(
        case(base, f"{name} left over", f"touch /usr/local/bin/{name}", PKG_LEFTOVER_BIN="warn")
        for base, name in ((C, "cri-dockerd"), (R, "crio"), (R, "crun"), (K, "flanneld"), (U20, "k0s"), (U20, "cilium"))
    ),
    case(U20, "similar names of tools", "cd /usr/local/bin; touch k9s helm etcher podcast critic conman crond; cd /"),
    case(C, "static Pods of a former cluster",
         new_file("/etc/kubernetes/manifests/kube-apiserver.yaml", "kind: Pod"), CAP_FRESH_ENV="fail"),
    case(R, "leftovers of k3s", new_file("/etc/rancher/k3s/k3s.yaml", "") + "\nmkdir -p /var/lib/rancher/k3s/server",
         CAP_FRESH_ENV="fail"),
    case(K, "folders of Kubernetes without a cluster", "mkdir -p /etc/kubernetes/manifests /var/lib/etcd/lost+found"),
    case(U, "a tool that cannot be run", "chmod a-x $(readlink -f $(type -P ss))", SW_BINARIES="fail"),
    case(U, "a tool that is a link to nowhere", "rm -f /usr/bin/ss /bin/ss; ln -s /none /usr/bin/ss",
         SW_BINARIES="fail"),
    case(U, "the installer runs here", "mkdir -p /var/lib/docker/x /var/lib/containerd/x; "
         + program("/usr/bin/docker", 'echo "1f kindest/node Up minialauda-control-plane"')),
)  # fmt: skip
PACKAGES = (
    case(U, "docker.io, whose set-up failed", dpkg("docker.io", "install ok half-configured"),
         PKG_CONFLICT_DPKG="fail"),
    case(U, "containerd gone", dpkg("containerd", "deinstall ok config-files")),
    case(U, "a name that contains containerd", dpkg("golang-github-containerd-dev"), PKG_CONFLICT_DPKG="warn"),
    case(U, "unrelated names", "\n".join(map(dpkg, ("docker-compose", "docker-doc", "kubectx", "runc")))),
    case(U, "a snap whose name contains k8s", append("/usr/lib/lab/snaps", "k8s-tool"), PKG_CONFLICT_SNAP="warn"),
    case(C, "a name that contains podman", append("/usr/lib/lab/rpms", "cockpit-podman 1"), PKG_CONFLICT_RPM="warn"),
    case(C, "names that are not listed", append("/usr/lib/lab/rpms", "container-selinux 1\nperl-Text-Truncate 1")),
    case(C, "a kubelet", append("/usr/lib/lab/rpms", "kubelet 1"), PKG_CONFLICT_RPM="fail"),
    case(R, "Moby", append("/usr/lib/lab/rpms", "moby-engine 1"), PKG_CONFLICT_RPM="fail"),
    case(R, "an rpm without its data base", program("/usr/bin/rpm", "echo 'error: cannot open Packages index' >&2"),
         PKG_CONFLICT_RPM="unknown"),
    case(C, "an rpm that lists nothing", program("/usr/bin/rpm", ":"), PKG_CONFLICT_RPM="unknown"),
    case(K, "a list that an error ends", program("/usr/bin/rpm", "echo bash", "echo error: damaged header >&2"),
         PKG_CONFLICT_KYLIN="unknown"),
    case(U, "an rpm without packages on Ubuntu", program("/usr/bin/rpm", ":")),
    case(U, "an empty list of dpkg", ": >/var/lib/dpkg/status", PKG_CONFLICT_DPKG="unknown"),
    case(U20, "a snap command without snapd", program("/usr/bin/snap", "echo error: cannot communicate >&2"),
         PKG_CONFLICT_SNAP="unknown"),
    case(U20, "Docker under an old name", dpkg("lxc-docker-1.9.1"), PKG_CONFLICT_DPKG="fail"),
    case(U20, "kubeadm from the community", dpkg("kubeadm"), PKG_CONFLICT_DPKG="fail"),
    case(U20, "a dock for window managers", dpkg("docker")),
    case(C, "kubernetes-cni", append("/usr/lib/lab/rpms", "kubernetes-cni 1"), PKG_CONFLICT_RPM="fail"),
    case(C, "an rpm that always shows versions",
         "printf '#!/bin/sh\\necho runc-1.0.0-69.el7.x86_64\\n' >/usr/bin/rpm", PKG_CONFLICT_RPM="fail"),
    case(K, "containerd on Kylin", append("/usr/lib/lab/rpms", "containerd 1.2"), PKG_CONFLICT_KYLIN="fail"),
    case(K, "runc on Kylin", append("/usr/lib/lab/rpms", "runc 1.0")),
)  # fmt: skip
