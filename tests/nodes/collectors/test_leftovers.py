"""Leftovers of a former cluster or runtime: each is found alone, and healthy settings that resemble one are not."""

from pathlib import Path

import pytest

from acp_tui.nodes.collectors import facts_from
from acp_tui.nodes.facts import Facts
from acp_tui.nodes.leftovers import LEFTOVERS, Kind
from acp_tui.nodes.leftovers.find import MAX_PLACES, chains
from acp_tui.nodes.script import CollectorOutput
from tests.support.collector_shell import facts_of, put

FOLDERS = ("/etc/", "/var/", "/usr/", "/run/", "/opt/", "/proc/", "/sys/")
CALICO = '{"name": "k8s-pod-network", "plugins": [{"type": "calico"}, {"type": "portmap"}]}'
LOOPBACK = '{\n  "cniVersion": "0.3.1",\n  "name": "lo",\n  "type": "loopback"\n}\n'
SERVICE = "IP Virtual Server version 1.2.1 (size=4096)\nProt LocalAddress:Port Scheduler Flags\n"
MOUNTS = "/dev/vda1 / ext4 rw 0 0\n"


def found(root: Path, files: dict[str, str], tools: dict[str, str] | None = None) -> Facts:
    """Return the facts of the collector on a node that has `files`. A name with a final slash is a folder."""
    put(root, {"/proc/mounts": MOUNTS, **{name: text for name, text in files.items() if not name.endswith("/")}})
    for name in files:
        if name.endswith("/"):
            (root / name.strip("/")).mkdir(parents=True, exist_ok=True)
    facts = facts_of("leftovers", root, *FOLDERS, tools=tools)
    assert facts.leftovers is not None, facts.missing
    return facts


def files(*paths: str) -> dict[str, str]:
    return dict.fromkeys(paths, "")


PLANTED: dict[str, dict[str, str]] = {
    "cni-config": {
        "/etc/cni/net.d/10-calico.conflist": CALICO,
        "/etc/cni/net.d/10-flannel.conf": "",
        "/etc/cni/net.d/x.json": "{}",
    },
    "cni-files": files(
        "/etc/cni/net.d/calico-kubeconfig", "/etc/cni/net.d/calico-tls", "/etc/cni/net.d/10-calico.conflist.bak",
        "/etc/cni/net.d/multus.d/", "/etc/cni/multus/net.d/a.conf",
    ),
    "cni-state": files("/var/lib/cni/networks/k8s-pod-network/10.244.1.7"),
    "calico-state": files("/var/lib/calico/nodename", "/run/calico/bird.ctl", "/etc/calico/calicoctl.cfg"),
    "cilium-state": files(
        "/var/lib/cilium/bpf", "/run/cilium/cilium.sock", "/sys/fs/bpf/cilium", "/sys/fs/bpf/tc/globals/cilium_lxc",
    ),
    "network-state": files(
        "/run/flannel/subnet.env", "/etc/kube-flannel/net-conf.json", "/var/lib/weave/weave-netdata.db",
        "/var/lib/kube-router/kubeconfig", "/run/antrea/cni.sock", "/etc/antrea/antrea.conf",
        "/run/ovn/ovnnb_db.sock", "/etc/kube-ovn/ovn.conf",
    ),
    "ovn-database": files("/etc/origin/ovn/ovnnb_db.db", "/etc/origin/openvswitch/conf.db"),
    "openvswitch-database": files("/etc/openvswitch/conf.db", "/etc/ovn/ovnsb_db.db"),
    "service-interface": files(
        "/sys/class/net/kube-ipvs0/", "/sys/class/net/nodelocaldns/", "/sys/class/net/kube-dummy-if/",
    ),
    "network-interface": files(
        "/sys/class/net/cni0/", "/sys/class/net/flannel.1/", "/sys/class/net/flannel-v6.1/",
        "/sys/class/net/cali0ef24b4e2b1/", "/sys/class/net/vxlan.calico/", "/sys/class/net/wireguard.cali/",
        "/sys/class/net/cilium_host/", "/sys/class/net/lxc_health/", "/sys/class/net/lxc2f1a2b3c4d5e/",
        "/sys/class/net/weave/", "/sys/class/net/vethwe-bridge/", "/sys/class/net/kube-bridge/",
        "/sys/class/net/antrea-gw0/", "/sys/class/net/ovn0/", "/sys/class/net/ovn-k8s-mp0/",
        "/sys/class/net/mirror0/", "/sys/class/net/docker_gwbridge/",
    ),
    "openvswitch-interface": files("/sys/class/net/br-int/", "/sys/class/net/genev_sys_6081/"),
    "docker-interface": files("/sys/class/net/docker0/", "/sys/class/net/br-0a1b2c3d4e5f/"),
    "ipvs": {
        "/proc/net/ip_vs": f"{SERVICE}TCP  0A600001:01BB rr\n",
    },
    "kubelet-unit": files("/etc/systemd/system/kubelet.service"),
    "kubelet-drop-in": {
        "/etc/systemd/system/kubelet.service.d/10-kubeadm.conf": "[Service]\nExecStart=\nExecStart=/a\n",
        "/usr/lib/systemd/system/kubelet.service.d/10-kubeadm.conf": "[Service]\nCPUAccounting=true\n",
    },
    "kubelet-flags": {
        "/etc/sysconfig/kubelet": "# flags\nKUBELET_EXTRA_ARGS=--fail-swap-on=false\n",
        "/etc/default/kubelet": 'KUBELET_EXTRA_ARGS="--cgroup-driver=cgroupfs"\n',
    },
    "kubelet-state": files(
        "/var/lib/kubelet/config.yaml", "/var/lib/kubelet/kubeadm-flags.env", "/var/lib/kubelet/cpu_manager_state",
        "/var/lib/kubelet/memory_manager_state", "/var/lib/kubelet/kubeconfig", "/var/lib/kubelet/pods/a1b2/",
    ),
    "kubernetes-config": files(
        "/etc/kubernetes/admin.conf", "/etc/kubernetes/manifests/kube-apiserver.yaml",
        "/etc/kubernetes/kubelet.kubeconfig", "/etc/kubernetes/kubeadm-config.yaml", "/etc/kubernetes/kubelet.env",
    ),
    "kubernetes-certificates": files(
        "/etc/kubernetes/pki/ca.crt", "/etc/kubernetes/ssl/ca.pem", "/etc/kubernetes/cert/ca.pem",
    ),
    "etcd-data": files("/var/lib/etcd/member/", "/var/lib/etcd/default.etcd/"),
    "etcd-config": files(
        "/etc/etcd.env", "/etc/etcd/etcd.conf", "/etc/ssl/etcd/ssl/", "/etc/systemd/system/etcd.service",
    ),
    "other-clusters": files(
        "/etc/rancher/k3s/", "/var/lib/rancher/rke2/", "/var/lib/k0s/", "/etc/k0s/k0s.yaml", "/var/snap/microk8s/",
        "/etc/origin/node/node-config.yaml", "/etc/kubeedge/config/", "/opt/rke/etc/",
    ),
    "unused-clusters": files("/var/lib/sealos/data/", "/etc/kubekey/a"),
    "units-at-boot": files(
        "/etc/systemd/system/multi-user.target.wants/kubelet.service",
        "/etc/systemd/system/multi-user.target.wants/docker.service",
        "/etc/systemd/system/multi-user.target.wants/containerd.service",
        "/etc/systemd/system/multi-user.target.wants/crio.service",
        "/etc/systemd/system/multi-user.target.wants/cri-docker.service",
        "/etc/systemd/system/multi-user.target.wants/etcd.service",
        "/etc/systemd/system/multi-user.target.wants/k3s-agent.service",
        "/etc/systemd/system/multi-user.target.wants/rke2-server.service",
        "/etc/systemd/system/multi-user.target.wants/k0sworker.service",
        "/etc/systemd/system/multi-user.target.wants/snap.microk8s.daemon-kubelite.service",
        "/etc/systemd/system/sockets.target.wants/docker.socket",
    ),
    "rook-data": files("/var/lib/rook/mon-a/"),
    "storage-data": files("/var/lib/longhorn/replicas/", "/var/openebs/local/"),
    "containerd-unit": files("/etc/systemd/system/containerd.service"),
    "runtime-unit": {
        "/etc/systemd/system/docker.service": "[Service]\nExecStart=/usr/local/bin/x\n",
        "/etc/systemd/system/cri-docker.service": "[Service]\nExecStart=/usr/local/bin/x\n",
        "/etc/systemd/system/crio.service": "[Service]\nExecStart=/usr/local/bin/x\n",
        "/etc/systemd/system/k3s.service": "[Service]\nExecStart=/usr/local/bin/x\n",
        "/etc/systemd/system/rke2-server.service": "[Service]\nExecStart=/usr/local/bin/x\n",
        "/etc/systemd/system/k0scontroller.service": "[Service]\nExecStart=/usr/local/bin/x\n",
        "/etc/systemd/system/kube-proxy.service": "[Service]\nExecStart=/usr/local/bin/x\n",
        "/etc/systemd/system/flanneld.service": "[Service]\nExecStart=/usr/local/bin/x\n",
    },
    "runtime-drop-in": {
        "/etc/systemd/system/containerd.service.d/http-proxy.conf": "[Service]\nEnvironment=HTTP_PROXY=http://p\n",
        "/etc/systemd/system/docker.service.d/override.conf": "[Service]\nMountFlags=slave\n",
    },
    "containerd-config": {
        "/etc/containerd/config.toml": '# old\ndisabled_plugins = ["cri"]\n',
    },
    "docker-config": {
        "/etc/docker/daemon.json": '{"bip": "192.168.250.1/24", "data-root": "/data"}',
    },
    "runtime-state": files(
        "/var/lib/containers/storage/overlay/", "/var/lib/cri-dockerd/sandbox/", "/var/lib/crio/version",
        "/etc/crio/crio.conf", "/etc/isulad/daemon.json",
    ),
    "crictl-config": {
        "/etc/crictl.yaml": "runtime-endpoint: unix:///run/crio/crio.sock\n",
    },
    "programs": files(
        "/usr/local/bin/docker", "/usr/local/bin/dockerd", "/usr/local/bin/containerd-shim-runc-v2",
        "/usr/local/bin/ctr", "/usr/local/bin/runc", "/usr/local/bin/crun", "/usr/local/bin/podman",
        "/usr/local/bin/conmon", "/usr/local/bin/crictl", "/usr/local/bin/crio", "/usr/local/bin/cri-dockerd",
        "/usr/local/bin/rootlesskit", "/usr/local/bin/buildkitd", "/usr/local/bin/kubelet",
        "/usr/local/bin/kubeadm", "/usr/local/bin/kubectl", "/usr/local/bin/kube-proxy",
        "/usr/local/bin/k3s-uninstall.sh", "/usr/local/bin/k0s", "/usr/local/bin/rke2", "/usr/local/bin/etcd",
        "/usr/local/bin/etcdctl", "/usr/local/bin/calicoctl", "/usr/local/bin/flanneld", "/usr/local/bin/cilium",
        "/usr/local/bin/hyperkube", "/usr/local/bin/sealos", "/usr/local/sbin/etcdutl", "/opt/bin/kubelet",
        "/opt/kube/bin/kube-apiserver",
    ),
    "nerdctl-program": files("/usr/local/bin/nerdctl"),
    "cni-programs": files("/opt/cni/bin/bridge"),
}  # fmt: skip
"""ID of a row → the files and folders of a node that has all leftovers of this row, and no others."""
PLACES = {"cni-state": {"/var/lib/cni"}, "cni-programs": {"/opt/cni/bin"}}
"""The places of rows that report a folder in place of its content."""


@pytest.mark.parametrize("name", PLANTED)
def test_a_leftover_is_found(tmp_path: Path, name: str) -> None:
    facts = found(tmp_path, PLANTED[name])
    places = PLACES.get(name, {path.rstrip("/").removeprefix("/sys/class/net/") for path in PLANTED[name]})
    assert {row: set(seen) for row, seen in (facts.leftovers or {}).items()} == {name: places}


def test_every_row_is_planted() -> None:
    of_other_tests = {row.id for row in LEFTOVERS if row.kind in (Kind.PROCESS, Kind.CHAIN, Kind.TUNNEL)}
    assert set(PLANTED) | of_other_tests | {"pod-mounts", "system-programs"} == {row.id for row in LEFTOVERS}
    assert len({row.id for row in LEFTOVERS}) == len(LEFTOVERS)


DECOYS: dict[str, dict[str, str]] = {
    "empty folders": files(
        "/etc/cni/net.d/", "/var/lib/cni/", "/var/lib/calico/", "/opt/cni/bin/", "/etc/kubernetes/manifests/",
        "/var/lib/kubelet/", "/var/lib/kubelet/pods/", "/etc/containerd/", "/etc/docker/", "/var/lib/etcd/lost+found/",
        "/etc/systemd/system/kubelet.service.d/", "/etc/rancher/", "/var/lib/containers/", "/run/calico/",
    ),
    "address lists without an address": files("/var/lib/cni/networks/", "/var/lib/cni/results/"),
    "the plugin loopback": {"/etc/cni/net.d/99-loopback.conf": LOOPBACK},
    "the encryption key of a standby": files(
        "/etc/kubernetes/encryption-provider.conf", "/etc/kubernetes/encryption-provider.conf.bak"
    ),
    "interfaces of modules, bridges and containers of the site": files(
        *(f"/sys/class/net/{name}/" for name in (
            "lo", "eth0", "tunl0", "gre0", "sit0", "dummy0", "ovs-system", "virbr0", "lxcbr0", "lxdbr0", "br-ex", "br0",
            "bond0.100", "veth1a2b3c4", "wg0", "tun0", "calibre0", "weaver", "docker1", "team0", "cni-podman0",
        ))
    ),
    "drop-in files without settings": {
        "/etc/systemd/system/kubelet.service.d/1.conf": "\n",
        "/usr/lib/systemd/system/kubelet.service.d/2.conf": "[Service]\r\n# ExecStart=\n; x\n",
        "/etc/systemd/system/containerd.service.d/a.txt": "[Service]\nLimitNOFILE=1\n",
    },
    "flags without a value": {"/etc/sysconfig/kubelet": "KUBELET_EXTRA_ARGS=\n", "/etc/default/kubelet": 'A=""\n'},
    "the range of Docker that the manual allows": {"/etc/docker/daemon.json": '{\n  "bip": "192.168.250.1/24"\n}\n'},
    "a containerd configuration of comments": {"/etc/containerd/config.toml": "# version = 2\n\n"},
    "a unit of a distribution": files(
        "/usr/lib/systemd/system/kubelet.service", "/usr/lib/systemd/system/docker.service",
    ),
    "services of the site": files(
        *(f"/etc/systemd/system/multi-user.target.wants/{name}" for name in (
            "chronyd.service", "keepalived.service", "haproxy.service", "dockerhub-mirror.service",
            "snap.lxd.activate.service",
        ))
    ),
    "other files with similar names": files(
        "/etc/docker-registry/config.yml", "/var/lib/containers/sigstore/x", "/var/lib/kubelet-backup/config.yaml",
        "/usr/libexec/cni/bridge", "/usr/local/bin/k9s", "/usr/local/bin/helm", "/usr/local/bin/etcher",
        "/usr/local/sbin/runcible", "/opt/docker/readme", "/var/lib/rooks/a", "/etc/cni/net.d/README",
    ),
    "no service in the IPVS table": {"/proc/net/ip_vs": f"{SERVICE}  -> RemoteAddress:Port Forward Weight\n"},
    "mounts of the site": {
        "/proc/mounts": MOUNTS + "tmpfs /run/user/0 tmpfs rw 0 0\nbpf /sys/fs/bpf bpf rw 0 0\n"
        "nsfs /run/netns/blue nsfs rw 0 0\n/dev/vdb /var/lib/kubelet xfs rw 0 0\n/dev/vdc /var/lib/docker xfs rw 0 0\n"
    },
}  # fmt: skip


@pytest.mark.parametrize("name", DECOYS)
def test_healthy_settings_that_resemble_a_leftover_are_not_found(tmp_path: Path, name: str) -> None:
    facts = found(tmp_path, DECOYS[name])
    assert (facts.leftovers, facts.unreadable_folders) == ({}, ())


def test_masked_docker_and_links_to_nowhere(tmp_path: Path) -> None:
    units = tmp_path / "etc/systemd/system"
    (units / "multi-user.target.wants").mkdir(parents=True)
    (units / "docker.service").symlink_to("/dev/null")
    (units / "multi-user.target.wants/docker.service").symlink_to("/no/such/unit")
    assert found(tmp_path, {}).leftovers == {}
    (units / "kubelet.service").symlink_to("/no/such/unit")
    assert found(tmp_path, {}).leftovers == {"kubelet-unit": ("/etc/systemd/system/kubelet.service",)}


@pytest.mark.parametrize(
    "point",
    ["/var/lib/kubelet/pods/1/volumes/x", "/run/containerd/io.containerd.runtime.v2.task/k8s.io/1/rootfs",
     "/var/lib/docker/overlay2/1/merged", "/run/netns/cni-1", "/run/k3s/containerd/x", "/run/docker/netns/default"],
)  # fmt: skip
def test_mounts_of_containers_are_found(tmp_path: Path, point: str) -> None:
    facts = found(tmp_path, {"/proc/mounts": f"{MOUNTS}overlay {tmp_path}{point} overlay rw 0 0\n"})
    assert facts.leftovers == {"pod-mounts": (point,)}


@pytest.mark.parametrize(
    ("tools", "status", "expected"),
    [
        pytest.param({"rpm": "echo file $2 is not owned by any package; exit 1"}, "", True, id="rpm: no package"),
        pytest.param({"rpm": "echo kubelet-1.28.2-0.x86_64"}, "", False, id="rpm: of a package"),
        pytest.param({"rpm": "echo error: cannot open Packages index >&2; exit 1"}, "", False, id="rpm: unknown"),
        pytest.param({"dpkg-query": "echo dpkg-query: no path found matching >&2; exit 1"}, "x", True, id="dpkg: none"),
        pytest.param({"dpkg-query": "echo kubelet: /usr/bin/kubelet"}, "x", False, id="dpkg: of a package"),
        pytest.param({"dpkg-query": "echo completion: /usr/share/x/kubelet"}, "x", True, id="dpkg: other"),
        pytest.param({"dpkg-query": "echo dpkg-query: error: no database >&2; exit 2"}, "x", False, id="dpkg: unknown"),
    ],
)  # fmt: skip
def test_programs_of_the_system_count_if_no_package_has_them(
    tmp_path: Path, tools: dict[str, str], status: str, expected: bool
) -> None:
    facts = found(tmp_path, {"/usr/bin/kubelet": "", "/var/lib/dpkg/status": status}, tools)
    assert facts.leftovers == ({"system-programs": ("/usr/bin/kubelet",)} if expected else {})


def test_many_places_of_one_row_are_cut(tmp_path: Path) -> None:
    many = files(*(f"/sys/class/net/cali{number:011x}/" for number in range(500)))
    leftovers = found(tmp_path, many).leftovers or {}
    assert len(leftovers["network-interface"]) == MAX_PLACES


@pytest.mark.parametrize(
    "name", ["kubelet", "dockerd-current", "containerd-shim", "cri-dockerd", "kube-apiserver", "k0s"]
)
def test_processes_are_found(tmp_path: Path, name: str) -> None:
    put(tmp_path, {"/proc/17/comm": f"{name}\n", "/proc/18/comm": "sshd\n", "/proc/19/comm": "etcdump\n"})
    assert facts_of("running", tmp_path, "/proc/").cluster_processes == (name,)


def test_hidden_processes_are_unknown(tmp_path: Path) -> None:
    put(tmp_path, {"/proc/18/comm": "sshd\n"})
    hidden = facts_of("running", tmp_path, "/proc/")
    assert (hidden.cluster_processes, hidden.missing_reason("cluster_processes")) == (
        None,
        "the node hides the processes of other users",
    )
    put(tmp_path, {"/proc/1/comm": "systemd\n"})
    assert facts_of("running", tmp_path, "/proc/").cluster_processes == ()


def test_chains_are_found_by_name() -> None:
    names = ("INPUT", "KUBE-SERVICES", "cali-INPUT", "DOCKER-USER", "ufw-user-input", "f2b-sshd", "LIBVIRT_INP")
    assert chains(LEFTOVERS, names) == {"chains": ("KUBE-SERVICES", "cali-INPUT"), "docker-chains": ("DOCKER-USER",)}
    assert chains(LEFTOVERS, ("INPUT", "NIXOS-FW", "DOCKERS", "MY-KUBE-X")) == {}


def parsed(text: str) -> Facts:
    return facts_from("x", [CollectorOutput("leftovers", 0, text)])


def test_a_list_without_its_end_is_not_used() -> None:
    assert parsed("").leftovers is None
    assert parsed("programs /usr/local/bin/kubectl\n").leftovers is None
    assert parsed("programs /usr/local/bin/kubectl\nend\n").leftovers == {"programs": ("/usr/local/bin/kubectl",)}
    assert parsed("end\n").leftovers == {}


def test_folders_that_only_root_can_read_are_named() -> None:
    facts = parsed("denied /var/lib/etcd\nno-such-row /x\nend\n")
    assert (facts.leftovers, facts.unreadable_folders) == ({}, ("/var/lib/etcd",))
