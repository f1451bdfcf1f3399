"""Healthy settings that resemble a fault, and faults that resemble healthy settings.

Cases of one topic change the same files, so a node gets one case of each topic at most.
"""

from tests.lab.kit.faults import (
    _BOOT_FILES,
    _append,
    _dpkg,
    _listen,
    _resolv,
    _unit,
    _unload,
    _without_parameter,
    _write,
)
from tests.lab.kit.profiles import Fault, NodeProfile, cpuinfo

U, U20, C, R, R7, K, ARM = (
    "ubuntu-22.04", "ubuntu-20.04", "centos-7.9", "rhel-8.6", "rhel-7.8", "kylin-v10-sp3", "kylin-v10-sp3-arm",
)  # fmt: skip
SSHD = "/etc/ssh/sshd_config"
CR = "\r"
NO_THP = f"{_without_parameter('transparent_hugepage=never')}; sed -i 's/transparent_hugepage=never//' {_BOOT_FILES}"
THP = "transparent_hugepage"


def _case(base: str, name: str, shell: str, **expects: str) -> tuple[str, Fault]:
    """`expects`: requirement IDs with `_` for `-`."""
    return base, Fault(name, shell, {rule.replace("_", "-"): outcome for rule, outcome in expects.items()})


def _cmdline(more: str) -> str:
    return f'line=$(</proc/cmdline); echo "$line {more}" >/proc/cmdline'


def _file(path: str, *lines: str) -> str:
    return f"mkdir -p {path.rpartition('/')[0]}; " + _write(path, "\n".join(lines))


def _kernel(release: str, build: str = "") -> str:
    text = f"echo {release} >/proc/sys/kernel/osrelease"
    return f"{text}; echo '{build}' >/proc/sys/kernel/version" if build else text


def _program(path: str, *lines: str) -> str:
    return f"{_file(path, '#!/bin/bash', *lines)}\nchmod +x {path}"


def _selinux(enforce: int | None, *config: str) -> str:
    live = f"mkdir /sys/fs/selinux; echo {enforce} >/sys/fs/selinux/enforce; " if enforce is not None else ""
    return live + _file("/etc/selinux/config", *config)


_ENTRY = "menuentry x {{\n  linux /vmlinuz-{} root=/dev/a ro {}\n}}"
BOOT = (
    _case(U, "THP: a later value wins", f"sed -i 's/{THP}=never/& {THP}=always/' {_BOOT_FILES}; "
          + _cmdline(f"{THP}=always"), KRN_THP="fail"),
    _case(U, "THP: the later value is never", f'line=$(</proc/cmdline); echo "{THP}=always $line" >/proc/cmdline'),
    _case(U, "THP: in a recovery entry alone", f"{NO_THP}; "
          + _append("/boot/grub/grub.cfg", _ENTRY.format("5.15", f"recovery {THP}=never")), KRN_THP="fail"),
    _case(U, "THP: quoted otherwise, in /etc/default/grub", f"{NO_THP}; "
          + _file("/etc/default/grub", f"GRUB_CMDLINE_LINUX_DEFAULT='quiet {THP}=never'"), KRN_THP="pending-reboot"),
    _case(U, "THP: assigned, then replaced", f"{NO_THP}; "
          + _file("/etc/default/grub", f'GRUB_CMDLINE_LINUX="{THP}=never"', 'GRUB_CMDLINE_LINUX="quiet"'),
          KRN_THP="fail"),
    _case(U, "THP: overridden by a later variable", f"{NO_THP}; "
          + _file("/etc/default/grub", f"GRUB_CMDLINE_LINUX={THP}=never", f"GRUB_CMDLINE_LINUX_DEFAULT={THP}=madvise"),
          KRN_THP="fail"),
    _case(U, "THP: in a comment of /etc/default/grub", f"{NO_THP}; "
          + _append("/etc/default/grub", f'#GRUB_CMDLINE_LINUX="{THP}=never"'), KRN_THP="fail"),
    _case(U, "THP: similar parameters", f"{NO_THP}; " + _cmdline(f"{THP}=nevermore my.{THP}=never -- {THP}=never"),
          KRN_THP="fail"),
    _case(C, "THP: in the rescue entry alone", f"{NO_THP}; "
          + _append("/boot/grub2/grub.cfg", _ENTRY.format("0-rescue-1f", f"{THP}=never")), KRN_THP="fail"),
    _case(C, "nokmem: values add up", _cmdline("cgroup.memory=nosocket")),
    _case(R7, "nokmem: on RHEL 7.8 advice", _without_parameter("cgroup.memory=nokmem")
          + f"; sed -i 's/cgroup.memory=nokmem//' {_BOOT_FILES}", KRN_NOKMEM="warn"),
    _case(R, "THP: in the rescue entry of its own file", f"{NO_THP}; "
          + _file("/boot/loader/entries/1f-0-rescue.conf", "linux /vmlinuz-0-rescue-1f", f"options ro {THP}=never"),
          KRN_THP="fail"),
    _case(R, "THP: in grubenv, which the entry includes", f"{NO_THP}; "
          + _file("/boot/grub2/grubenv", "# GRUB Environment Block", f"kernelopts=root=/dev/a ro {THP}=never ")
          + "\necho 'options $kernelopts $tuned_params' >/boot/loader/entries/1-current.conf",
          KRN_THP="pending-reboot"),
    _case(R, "THP: in the EFI file alone", f"{NO_THP}; "
          + _file("/boot/efi/EFI/redhat/grub.cfg", f"  linuxefi /vmlinuz root=/dev/a {THP}=never"),
          KRN_THP="pending-reboot"),
    _case(R, "THP: in effect, not in a boot file", f"sed -i 's/{THP}=never//' {_BOOT_FILES}"),
    _case(C, "nokmem: a similar parameter", f"sed -i 's/cgroup.mem/cgroup_mem/' {_BOOT_FILES}; "
          'line=$(</proc/cmdline); echo "${line/cgroup.mem/cgroup_mem}" >/proc/cmdline', KRN_NOKMEM="fail"),
)  # fmt: skip
MODULES = (
    _case(U, "loaded at boot, not now", f"{_unload('ip_vs_rr')}; echo ip_vs_rr >/etc/modules-load.d/x.conf",
          KRN_IPVS="fail"),
    _case(U, "built in, by a name with hyphens",
          f"{_unload('ip_vs_wrr')}; echo kernel/net/ip-vs-wrr.ko.xz >>/lib/modules/$(uname -r)/modules.builtin"),
    _case(U, "only a similar module", f"{_unload('ip_vs')}; mkdir /sys/module/ip_vs_ftp", KRN_IPVS="fail"),
    _case(R7, "the module of old kernels", _unload("nf_conntrack_ipv4"), KRN_CT4="fail"),
)  # fmt: skip
SECURITY = (
    _case(U, "AppArmor on, profiles not readable",
          f"{_without_parameter('apparmor=0')}; sed -i 's/apparmor=0//' {_BOOT_FILES}; "
          "echo Y >/sys/module/apparmor/parameters/enabled", SEC_APPARMOR="fail"),
    _case(U, "AppArmor off, its unit active as in Ubuntu", _unit("apparmor", "active", "enabled")),
    _case(U, "no AppArmor in the kernel", "rm -r /sys/module/apparmor"),
    _case(C, "the first SELINUX line counts", _selinux(None, "SELINUX=enforcing", "SELINUX=disabled"),
          SEC_SELINUX="warn"),
    _case(C, "permissive, enforcing at the next boot", _selinux(0, "SELINUX=enforcing"), SEC_SELINUX="warn"),
    _case(C, "enforcing, disabled at the next boot", _selinux(1, "SELINUX=disabled"), SEC_SELINUX="fail"),
    _case(C, "a line that ends as on Windows", _selinux(None, "SELINUX=disabled\r")),
    _case(C, "no SELinux configuration", "rm /etc/selinux/config"),
)  # fmt: skip
FIREWALL = (
    _case(U, "ufw comes back", _unit("ufw", "inactive", "enabled"), SEC_FIREWALL="warn"),
    _case(U, "ufw on in a comment", _file("/etc/ufw/ufw.conf", "#ENABLED=yes", "ENABLED=no")),
    _case(U, "ufw on, quoted", _file("/etc/ufw/ufw.conf", 'ENABLED="yes"'), SEC_FIREWALL="fail"),
    _case(U, "ufw runs, and its file is missing", f"{_unit('ufw', 'active', 'enabled')}; rm /etc/ufw/ufw.conf",
          SEC_FIREWALL="fail"),
    _case(U, "a systemctl that prints nothing for unknown units",
          "mv /usr/bin/systemctl /usr/lib/lab/systemctl; " + _program(
              "/usr/bin/systemctl", 'case "$1 $2" in "is-active firewalld") echo active ;; is-*) exit 3 ;;',
              '*) exec /usr/lib/lab/systemctl "$@" ;; esac'), SEC_FIREWALL="fail"),
    _case(C, "nftables runs", _unit("nftables", "active", "disabled"), SEC_FIREWALL="fail"),
    _case(C, "ip6tables runs", _unit("ip6tables", "active", "enabled"), SEC_FIREWALL="fail"),
    _case(C, "firewalld failed", _unit("firewalld", "failed", "disabled")),
    _case(C, "firewalld installed, not enabled", _unit("firewalld", "inactive", "static")),
    _case(U20, "rules that iptables-persistent loads", _unit("netfilter-persistent", "active", "enabled"),
          SEC_FIREWALL="fail"),
    _case(U20, "rules that iptables-persistent will load", _unit("netfilter-persistent", "inactive", "enabled"),
          SEC_FIREWALL="warn"),
    _case(U20, "iptables-persistent, switched off", _unit("netfilter-persistent", "inactive", "disabled")),
)  # fmt: skip
_ZRAM = "/etc/systemd/zram-generator.conf"
_GENERATOR = "\n" + _file("/usr/lib/systemd/system-generators/zram-generator", "")


def _wanted_by(target: str, unit: str) -> str:
    wants = f"/etc/systemd/system/{target}.target.wants"
    return f"mkdir -p {wants}; ln -s /lib/systemd/system/{unit} {wants}/{unit}"


SWAP = (
    _case(U, "commented without a blank", _append("/etc/fstab", "#/dev/sda2 swap swap defaults 0 0")),
    _case(U, "a swap file, with tabs", _append("/etc/fstab", "/swapfile\tnone\tswap\tsw\t0\t0"), SYS_SWAP="warn"),
    _case(U, "a last line without an end", "printf '/swapfile none swap sw 0 0' >>/etc/fstab", SYS_SWAP="warn"),
    _case(U, "no fstab", "rm /etc/fstab"),
    _case(C, "swap in a trailing comment, and as a mount point",
          _append("/etc/fstab", "/dev/vdb /mnt xfs defaults 0 0 # old swap disk\n/dev/vdc /swap xfs defaults 0 0")),
    _case(U, "a swap unit that failed", _unit("dev-vdb.swap", "failed", "static")),
    _case(U20, "a swap unit that boots, off now", f"{_wanted_by('swap', 'swapfile.swap')}", SYS_SWAP="warn"),
    _case(U20, "a swap unit that boots, yet is masked",
          f"{_wanted_by('swap', 'swapfile.swap')}; ln -s /dev/null /etc/systemd/system/swapfile.swap"),
    _case(U20, "zram-tools, off now", _wanted_by("multi-user", "zramswap.service"), SYS_SWAP="warn"),
    _case(U20, "a zram generator's settings", _file(_ZRAM, "[zram0]", "zram-size = ram / 2") + _GENERATOR,
          SYS_SWAP="warn"),
    _case(U20, "a zram generator without devices", _file(_ZRAM, "# [zram0]") + _GENERATOR),
    _case(U20, "settings of a missing zram generator", _file(_ZRAM, "[zram0]")),
)  # fmt: skip
TASKS = tuple(
    _case(U, f"{value} tasks", f"echo '{value}' >/usr/lib/lab/tasks-max", **({"SYS_TASKSMAX": what} if what else {}))
    for value, what in (("4194304", ""), ("4194303", "warn"), ("65536", "warn"), ("65535", "fail"), ("15%", "fail"))
)
LOGIN = (
    _case(U, "lines that end as on Windows", f"sed -i 's/$/\\r/' {SSHD}"),
    _case(U, "with an equals sign", f"sed -i 's/^UseDNS no/UseDNS=no/; s/^UsePAM no/UsePAM = no/' {SSHD}"),
    _case(U, "included before, as on Windows",
          f"{_file(SSHD + '.d/1.conf', 'UsePAM yes' + CR)}\nsed -i '1i Include {SSHD}.d/*.conf\\r' {SSHD}",
          USR_USEPAM="fail"),
    _case(U, "included behind", f"{_file(f'{SSHD}.d/1.conf', 'UsePAM yes')}\necho 'Include {SSHD}.d/*.conf' >>{SSHD}"),
    _case(U, "set in an included file, by a relative path",
          f"{_file(f'{SSHD}.d/1.conf', 'UsePAM no', 'UseDNS no')}\n"
          f"sed -i '/^Use/d; 1i Include sshd_config.d/*.conf' {SSHD}"),
    _case(U, "in lower case, indented and quoted",
          f"sed -i 's/^UseDNS no/  usedns \"no\"/; s/^UsePAM/\\tusepam/' {SSHD}"),
    _case(U, "UsePAM left to its default", f"sed -i /^UsePAM/d {SSHD}", USR_USEPAM="warn"),
    _case(U, "yes, and then no", f"sed -i 's/^UsePAM no/UsePAM yes\\nUsePAM no/' {SSHD}", USR_USEPAM="fail"),
    _case(U, "sshd -T does not run", _program("/usr/local/bin/sshd", "exit 255")),
)  # fmt: skip
HOSTS = (
    _case(U, "lines that end as on Windows", "sed -i 's/$/\\r/' /etc/hosts"),
    _case(U, "many lines, tabs, upper case",
          _append("/etc/hosts", "127.0.0.1\tlocalhost4\n  127.0.0.1 LOCALHOST # 192.0.2.1\n::1\tlocalhost6 localhost")),
    _case(U, "named in a trailing comment", "sed -i 's/^127.0.0.1.*/127.0.0.1 node1 # localhost/' /etc/hosts",
          NET_HOSTS_LOCALHOST="fail"),
    _case(U, "127.0.1.1", "sed -i 's/^127.0.0.1/127.0.1.1/' /etc/hosts", NET_HOSTS_LOCALHOST="fail"),
    _case(U, "a line without an address", _append("/etc/hosts", "none localhost")),
    _case(U, "longer names elsewhere", _append("/etc/hosts", "192.0.2.1 localhost.corp localhost-2")),
    _case(U, "no hosts file", "rm /etc/hosts", NET_HOSTS_LOCALHOST="fail"),
)  # fmt: skip


def _searching(*domains: str) -> str:
    return _append("/etc/resolv.conf", "search " + " ".join(domains))


RESOLVER = (
    _case(U, "indented", _resolv("  nameserver 198.51.100.250")),
    _case(U, "as on Windows, with a tab", _resolv("nameserver\t198.51.100.250\r")),
    _case(U20, "a name in place of an address", _resolv("nameserver dns.example.com"), NET_RESOLV_NS="fail"),
    _case(U20, "a name in addition to an address", _append("/etc/resolv.conf", "nameserver dns.example.com")),
    _case(U, "IPv6 alone", _resolv("nameserver 2001:db8::53")),
    _case(U, "a link to nowhere", "ln -sf /run/none /etc/resolv.conf", NET_RESOLV_EXISTS="fail"),
    _case(U, "a link to a file", "mv /etc/resolv.conf /run/there; ln -s /run/there /etc/resolv.conf"),
    _case(U, "empty", ": >/etc/resolv.conf", NET_RESOLV_NS="fail"),
    _case(U, "options alone", _resolv("options ndots:2 timeout:1"), NET_RESOLV_NS="fail"),
    _case(U, "172.15", _append("/etc/resolv.conf", "nameserver 172.15.0.1"), NET_RESOLV_172="fail"),
    _case(U, "172.20, indented", _append("/etc/resolv.conf", "  nameserver 172.20.0.1"), NET_RESOLV_172="fail",
          NET_172_FREE="fail"),
    _case(U, "28 domains", _searching(*(f"d{n}.e" for n in range(28))), NET_RESOLV_SEARCH="warn"),
    _case(U, "2048 characters", _searching(*["a" * 203] * 9, "b" * 212), NET_RESOLV_SEARCH="warn"),
    _case(U, "253 characters", _searching(".".join(["a" * 63] * 3 + ["b" * 61])), NET_RESOLV_SEARCH="warn"),
    _case(U, "an empty list", _searching(".")),
    _case(U, "a list behind a semicolon", _append("/etc/resolv.conf", ";search a.b")),
)  # fmt: skip
NETWORK = (
    _case(U, "routes next to the range", "ip route add 172.15.0.0/16 dev eth0; ip route add 172.33.0.0/16 dev eth0"),
    _case(U, "the end of the range", "ip addr add 172.31.255.1/24 dev eth0", NET_172_FREE="fail", NETCFG_172="fail"),
    _case(U, "a default route without a gateway", "ip route replace default dev eth0"),
    _case(U, "a default route in another table", "ip route del default; ip route add default dev eth0 table 100",
          NET_ROUTE_DEFAULT="fail"),
    _case(U, "an ip that does not work",
          _program("/run/ip", "exit 1") + "; mount --bind /run/ip $(readlink -f /bin/ip)"),
    _case(K, "Docker's range, thrown away", "ip route add blackhole 172.16.0.0/12"),
    _case(K, "a network around Docker's range", "ip route add 172.0.0.0/8 dev eth0", NET_172_FREE="fail",
          NETCFG_172="fail"),
    _case(U20, "a connection from a port of the ranges", "python3 -c 'import socket, time; "
          'a = socket.create_server(("", 33333)); '
          'b = socket.create_connection(("127.0.0.1", 33333), None, ("", 10250)); '
          """open("/run/done", "w"); time.sleep(999)' </dev/null >/dev/null 2>&1 & """
          "until [ -e /run/done ]; do sleep 0.02; done"),
    _case(U, "ports with the same digits", _listen(26443, 16642, 23790, 12379)),
    _case(U, "another name after the next boot", "echo other >/etc/hostname", NET_HOSTNAME_LEN="warn"),
)  # fmt: skip
FILES = (
    _case(U, "noexec below /tmp, and in /var/tmp",
          "mkdir /tmp/x; mount -t tmpfs -o noexec lab /tmp/x; mount -t tmpfs -o noexec lab /var/tmp"),
    _case(U, "/tmp bound to a noexec place",
          "mount -t tmpfs -o noexec lab /mnt; mount --bind /mnt /tmp", FS_TMP_NOEXEC="fail"),
    _case(U, "settings for a missing kubelet", _file("/etc/systemd/system/kubelet.service.d/1.conf", "")),
    _case(U, "an empty volume for Docker", "mkdir /var/lib/docker; mount -t tmpfs -o size=200g lab /var/lib/docker; "
          "mkdir /var/lib/docker/lost+found", FS_DIR_DOCKER="warn"),
    _case(U, "a volume for containerd that is used", "mkdir /var/lib/containerd; "
          "mount -t tmpfs -o size=200g lab /var/lib/containerd; touch /var/lib/containerd/.x",
          FS_DIR_CONTAINERD="fail"),
    _case(U, "an empty folder of logs", "mkdir /var/log/pods", FS_DIR_PODLOGS="fail"),
    _case(U, "nerdctl, before 4.2", "mkdir -p /var/lib/nerdctl /opt/nerdctl; touch /usr/local/bin/nerdctl"),
    _case(U, "a link to a kubectl that is gone", "ln -s /none /usr/local/bin/kubectl", PKG_LEFTOVER_BIN="warn"),
    *(
        _case(base, f"{name} left over", f"touch /usr/local/bin/{name}", PKG_LEFTOVER_BIN="warn")
        for base, name in ((C, "cri-dockerd"), (R, "crio"), (R, "crun"), (K, "flanneld"), (U20, "k0s"), (U20, "cilium"))
    ),
    _case(U20, "similar names of tools", "cd /usr/local/bin; touch k9s helm etcher podcast critic conman crond; cd /"),
    _case(C, "static Pods of a former cluster",
          _file("/etc/kubernetes/manifests/kube-apiserver.yaml", "kind: Pod"), CAP_FRESH_ENV="fail"),
    _case(R, "leftovers of k3s", _file("/etc/rancher/k3s/k3s.yaml", "") + "\nmkdir -p /var/lib/rancher/k3s/server",
          CAP_FRESH_ENV="fail"),
    _case(K, "folders of Kubernetes without a cluster", "mkdir -p /etc/kubernetes/manifests /var/lib/etcd/lost+found"),
    _case(U, "a tool that cannot be run", "chmod a-x $(readlink -f $(type -P ss))", SW_BINARIES="fail"),
    _case(U, "a tool that is a link to nowhere", "rm -f /usr/bin/ss /bin/ss; ln -s /none /usr/bin/ss",
          SW_BINARIES="fail"),
    _case(U, "the installer runs here", "mkdir -p /var/lib/docker/x /var/lib/containerd/x; "
          + _program("/usr/bin/docker", 'echo "1f kindest/node Up minialauda-control-plane"')),
)  # fmt: skip
PACKAGES = (
    _case(U, "docker.io, whose set-up failed", _dpkg("docker.io", "install ok half-configured"),
          PKG_CONFLICT_DPKG="fail"),
    _case(U, "containerd gone", _dpkg("containerd", "deinstall ok config-files")),
    _case(U, "a name that contains containerd", _dpkg("golang-github-containerd-dev"), PKG_CONFLICT_DPKG="warn"),
    _case(U, "unrelated names", "\n".join(map(_dpkg, ("docker-compose", "docker-doc", "kubectx", "runc")))),
    _case(U, "a snap whose name contains k8s", _append("/usr/lib/lab/snaps", "k8s-tool"), PKG_CONFLICT_SNAP="warn"),
    _case(C, "a name that contains podman", _append("/usr/lib/lab/rpms", "cockpit-podman 1"), PKG_CONFLICT_RPM="warn"),
    _case(C, "names that are not listed", _append("/usr/lib/lab/rpms", "kubelet 1\nkubeadm 1\ncontainer-selinux 1")),
    _case(C, "kubernetes-cni", _append("/usr/lib/lab/rpms", "kubernetes-cni 1"), PKG_CONFLICT_RPM="fail"),
    _case(C, "an rpm that always shows versions",
          "printf '#!/bin/sh\\necho runc-1.0.0-69.el7.x86_64\\n' >/usr/bin/rpm", PKG_CONFLICT_RPM="fail"),
    _case(K, "containerd on Kylin", _append("/usr/lib/lab/rpms", "containerd 1.2"), PKG_CONFLICT_KYLIN="fail"),
    _case(K, "runc on Kylin", _append("/usr/lib/lab/rpms", "runc 1.0")),
)  # fmt: skip
SYSTEM = (
    _case(R, "Rocky Linux", "sed -i 's/^ID=.*/ID=\"rocky\"/' /etc/os-release", OS_DISTRO="fail"),
    _case(R, "RHEL 8.10", "sed -i 's/8\\.6/8.10/' /etc/os-release", OS_DISTRO="fail"),
    _case(R, "RHEL 8.0", "sed -i 's/8\\.6/8.0/' /etc/os-release; " + _kernel("4.18.0-80.el8.x86_64")),
    _case(R, "an unlisted rebuild, with podman",
          "sed -i 's/^ID=.*/ID=\"anolis\"/' /etc/os-release; echo podman 3 >>/usr/lib/lab/rpms", OS_DISTRO="fail",
          PKG_CONFLICT_RPM="fail"),
    _case(R, "a kernel of another vendor", _kernel("5.4.0-1.el8.elrepo.x86_64"), OS_KERNEL="fail"),
    _case(R7, "RHEL 7.9", "sed -i 's/7\\.8/7.9/' /etc/os-release", OS_DISTRO="fail"),
    _case(C, "CentOS 7.6", "sed -i 's/7.9.2009/7.6.1810/' /etc/centos-release; " + _kernel("3.10.0-957.el7.x86_64"),
          OS_KERNEL="warn"),
    _case(C, "an empty release file in addition to a valid one", ": >/etc/centos-release"),
    _case(C, "no release file", "rm /etc/centos-release /etc/redhat-release", OS_DISTRO="unknown"),
    _case(U, "an HWE kernel of the last line", _kernel("6.8.0-40-generic", "#40~22.04.3-Ubuntu SMP"), OS_KERNEL="fail",
          OS_UBUNTU_HWE="fail"),
    _case(U20, "an HWE kernel of 20.04", _kernel("5.15.0-56-generic", "#62~20.04.1-Ubuntu SMP"), OS_KERNEL="fail",
          OS_UBUNTU_HWE="fail"),
    _case(U, "quoted otherwise, as on Windows", "sed -i \"s/\\\"/'/g; s/\\$/\\r/\" /etc/os-release"),
    _case(K, "a desktop", "sed -i 's/^VERSION_ID=.*/VERSION_ID=\"v10\"/' /etc/os-release", OS_DISTRO="fail"),
    _case(K, "V10 without a service pack",
          _file("/etc/.productinfo", "release V10 /(Azalea)-x86_64") + "\n: >/etc/.kyinfo; "
          "sed -i 's/Lance/Azalea/' /etc/os-release; " + _kernel("4.19.90-17.ky10.x86_64"), OS_KYLIN_SP="warn"),
    _case(K, "SP3 by name and kernel alone", "rm /etc/.productinfo /etc/.kyinfo"),
    _case(ARM, "another ARM processor", 'text=$(</proc/cpuinfo); echo "${text//0x48/0x43}" >/proc/cpuinfo; '
          "sed -i 's/Kunpeng 920-4826/ThunderX2/' /usr/lib/lab/processor", OS_ARM_CPU="fail"),
    _case(U, "an HWE image, booted next time", _dpkg("linux-image-6.8.0-40-generic"), OS_UBUNTU_HWE="warn"),
    _case(U20, "an HWE image, booted next time", _dpkg("linux-image-unsigned-5.15.0-91-generic"),
          OS_UBUNTU_HWE="warn"),
    _case(U, "another image of its own line", _dpkg("linux-image-5.15.0-91-generic")),
    _case(U20, "an HWE image that is gone", _dpkg("linux-image-5.15.0-91-generic", "deinstall ok config-files")),
)  # fmt: skip
PROCESSOR = (
    _case(U, "a figure a little below", _write("/proc/cpuinfo", cpuinfo(16).replace(" @ 3.00GHz", "")
                                               .replace("2992.968", "2499.998"))),
    _case(U, "a low clock at the moment", _write("/proc/cpuinfo", cpuinfo(16).replace("3.00GHz", "2.50GHz")
                                     .replace("2992.968", "1200.000"))),
    _case(U, "2.4 GHz", _write("/proc/cpuinfo", cpuinfo(16).replace("@ 3.00GHz", "@ 2.4 GHz")), HW_CPU_CLOCK="fail"),
    _case(ARM, "2 GHz", "sed -i 's/2600/2000/' /usr/lib/lab/processor", HW_CPU_CLOCK="fail"),
)  # fmt: skip


def _rhel(version: str, kernel: str) -> str:
    return f"sed -i 's/8\\.6/{version}/' /etc/os-release; {_kernel(kernel)}"


IN_4_2 = (
    _case(R, "RHEL 8.10", _rhel("8.10", "4.18.0-553.el8_10.x86_64")),
    _case(R, "RHEL 9.6", _rhel("9.6", "5.14.0-570.12.1.el9_6.x86_64")),
    _case(R, "RHEL 9.4", _rhel("9.4", "5.14.0-427.13.1.el9_4.x86_64"), OS_DISTRO="fail"),
    _case(R, "RHEL 8.4", _rhel("8.4", "4.18.0-305.el8.x86_64"), OS_DISTRO="fail"),
    _case(U, "nerdctl", "mkdir -p /var/lib/nerdctl; touch /usr/local/bin/nerdctl", FS_DIR_NERDCTL="fail",
          PKG_LEFTOVER_BIN="warn"),
    _case(U, "172.20", "ip addr add 172.20.0.1/24 dev eth0"),
    _case(U, "172.18", "ip addr add 172.18.0.1/24 dev eth0", NET_172_FREE="fail", NETCFG_172="fail"),
    _case(U, "many tasks, yet not all", "echo 4194304 >/usr/lib/lab/tasks-max", SYS_TASKSMAX="fail"),
    _case(U, "the size of 4.1", _write("/proc/cpuinfo", cpuinfo(8))),
    _case(C, "infinity in numbers", "echo 18446744073709551615 >/usr/lib/lab/tasks-max"),
)  # fmt: skip
"""Cases with another outcome in 4.2 than in 4.0; each on a node of its own."""

TOPICS = (
    BOOT, MODULES, SECURITY, FIREWALL, SWAP, TASKS, LOGIN, HOSTS, RESOLVER, NETWORK, FILES, PACKAGES, SYSTEM, PROCESSOR,
)  # fmt: skip


def profiles() -> tuple[NodeProfile, ...]:
    """Return the smallest number of nodes for all cases. Each case is on one node."""
    faults_by_node: dict[tuple[str, int], list[Fault]] = {}
    for topic in TOPICS:
        count: dict[str, int] = {}
        for base, fault in topic:
            count[base] = count.get(base, -1) + 1
            faults_by_node.setdefault((base, count[base]), []).append(fault)
    return tuple(NodeProfile(base, tuple(faults)) for (base, _number), faults in faults_by_node.items())
