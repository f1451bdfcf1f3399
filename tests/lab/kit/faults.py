"""Faults of nodes, each with the requirement that must report it, and healthy settings that resemble faults.

Outcomes follow the product's rules: `fail` blocks, `warn` does not, `pending-reboot` is configured but not in effect.
"""

from tests.lab.kit.profiles import Fault, cpuinfo, meminfo
from tests.lab.kit.shell import (
    BOOT_FILES,
    append,
    dpkg,
    listen,
    resolv_conf,
    unit,
    unload,
    without_parameter,
    write,
)

_SWAP = "Filename Type Size Used Priority\\n/swapfile file 8388604 0 -2\\n"

# --- machine
FEW_CPUS = Fault("4 CPUs", write("/proc/cpuinfo", cpuinfo(4)), {"HW-CPU-CORES": "fail", "CAP-SC-REC-CP": "fail"})
LITTLE_MEMORY = Fault(
    "8 GB of memory", write("/proc/meminfo", meminfo(8)), {"HW-MEM-SIZE": "fail", "CAP-SC-REC-CP": "fail"}
)
SLOW_CPU = Fault(
    "a clock of 2.1 GHz",
    write("/proc/cpuinfo", cpuinfo(16).replace("@ 3.00GHz", "@ 2.10GHz").replace("2992.968", "2100.000")),
    {"HW-CPU-CLOCK": "fail"},
)

# --- operating system and kernel
UNKNOWN_RELEASE = Fault(
    "Ubuntu 23.10",
    "sed -i 's/22\\.04/23.10/g; s/Jammy Jellyfish/Mantic Minotaur/' /etc/os-release",
    {"OS-DISTRO": "fail"},
)
KYLIN_SP1 = Fault(
    "Kylin V10 SP1",
    "sed -i 's/SP3/SP1/; s/Lance/Tercel/' /etc/.productinfo /etc/os-release; "
    "echo 4.19.90-23.8.v2101.ky10.x86_64 >/proc/sys/kernel/osrelease",
    {"OS-DISTRO": "fail", "OS-KYLIN-SP": "warn"},
)
HWE_KERNEL = Fault(
    "an HWE kernel",
    "echo 6.5.0-14-generic >/proc/sys/kernel/osrelease; "
    "echo '#14~22.04.1-Ubuntu SMP PREEMPT_DYNAMIC Mon Nov 20 18:15:30 UTC 2' >/proc/sys/kernel/version",
    {"OS-KERNEL": "fail", "OS-UBUNTU-HWE": "fail"},
)
THP_ON = Fault(
    "transparent huge pages allowed",
    f"{without_parameter('transparent_hugepage=never')}; sed -i 's/transparent_hugepage=never//' {BOOT_FILES}",
    {"KRN-THP": "fail"},
)
THP_PENDING = Fault(
    "transparent huge pages forbidden from the next boot on",
    without_parameter("transparent_hugepage=never"),
    {"KRN-THP": "pending-reboot"},
)
KMEM_ON = Fault(
    "kernel memory accounting on CentOS 7",
    f"{without_parameter('cgroup.memory=nokmem')}; sed -i 's/cgroup.memory=nokmem//' {BOOT_FILES}",
    {"KRN-NOKMEM": "fail"},
)
NO_IPVS_SH = Fault("ip_vs_sh not loaded", unload("ip_vs_sh"), {"KRN-IPVS": "fail"})
NO_GENEVE = Fault("geneve not loaded", unload("geneve"), {"KRN-OVN": "fail"})
NO_CONNTRACK4 = Fault("nf_conntrack_ipv4 not loaded", unload("nf_conntrack_ipv4"), {"KRN-CT4": "fail"})

# --- security and system settings
SWAP_ON = Fault("swap in use", f"printf '{_SWAP}' >/proc/swaps", {"SYS-SWAP": "fail"})
FSTAB_SWAP = Fault("swap comes back at boot", append("/etc/fstab", "/dev/vdb none swap sw 0 0"), {"SYS-SWAP": "warn"})
SELINUX_ENFORCING = Fault(
    "SELinux enforcing",
    "mkdir /sys/fs/selinux; echo 1 >/sys/fs/selinux/enforce; "
    "sed -i s/^SELINUX=.*/SELINUX=enforcing/ /etc/selinux/config",
    {"SEC-SELINUX": "fail"},
)
SELINUX_PENDING = Fault(
    "SELinux permissive until the next boot",
    "mkdir /sys/fs/selinux; echo 0 >/sys/fs/selinux/enforce",
    {"SEC-SELINUX": "pending-reboot"},
)
FIREWALLD = Fault("firewalld runs", unit("firewalld", "active", "enabled"), {"SEC-FIREWALL": "fail"})
UFW = Fault(
    "ufw on",
    f"{unit('ufw', 'active', 'enabled')}; sed -i s/^ENABLED=no/ENABLED=yes/ /etc/ufw/ufw.conf",
    {"SEC-FIREWALL": "fail"},
)
APPARMOR = Fault(
    "AppArmor on, with profiles",
    f"{without_parameter('apparmor=0')}; sed -i 's/apparmor=0//' {BOOT_FILES}; "
    f"echo Y >/sys/module/apparmor/parameters/enabled; {unit('apparmor', 'active', 'enabled')}; "
    "mount -t tmpfs lab /sys/kernel/security; mkdir /sys/kernel/security/apparmor; "
    "echo '/usr/bin/man (enforce)' >/sys/kernel/security/apparmor/profiles",
    {"SEC-APPARMOR": "fail"},
)
FEW_TASKS = Fault("512 tasks", "echo 512 >/usr/lib/lab/tasks-max", {"SYS-TASKSMAX": "fail"})
USE_PAM = Fault("UsePAM yes", "sed -i 's/^UsePAM no/UsePAM yes/' /etc/ssh/sshd_config", {"USR-USEPAM": "fail"})
USE_DNS = Fault("UseDNS yes", "sed -i 's/^UseDNS no/UseDNS yes/' /etc/ssh/sshd_config", {"USR-USEDNS": "fail"})

# --- node network
LOCALHOST_ELSEWHERE = Fault(
    "localhost is another address",
    "sed -i 's/^127.0.0.1.*/127.0.0.1 loopback\\n198.51.100.9 localhost/' /etc/hosts",
    {"NET-HOSTS-LOCALHOST": "fail"},
)
NO_RESOLV = Fault("no resolv.conf", "rm /etc/resolv.conf", {"NET-RESOLV-EXISTS": "fail"})
NO_NAMESERVER = Fault("no name server", resolv_conf("# nameserver 198.51.100.250"), {"NET-RESOLV-NS": "fail"})
NAMESERVER_172 = Fault(
    "a name server in 172", resolv_conf("nameserver 172.16.0.53"), {"NET-RESOLV-172": "fail", "NET-172-FREE": "fail"}
)
NAMESERVER_STUB = Fault("systemd's stub resolver", resolv_conf("nameserver 127.0.0.53"), {"NET-RESOLV-172": "warn"})
MANY_SEARCH_DOMAINS = Fault(
    "29 search domains",
    resolv_conf("nameserver 198.51.100.250\nsearch " + " ".join(f"d{number}.example" for number in range(29))),
    {"NET-SEARCH-COUNT": "fail", "NET-RESOLV-SEARCH": "fail"},
)
LONG_SEARCH_DOMAIN = Fault(
    "a search domain of 254 characters",
    resolv_conf("nameserver 198.51.100.250\nsearch " + ".".join(["a" * 63] * 3 + ["b" * 62])),
    {"NET-SEARCH-LEN": "fail", "NET-RESOLV-SEARCH": "fail"},
)
LONG_SEARCH_LIST = Fault(
    "a search list of over 2048 characters",
    resolv_conf(
        "nameserver 198.51.100.250\nsearch " + " ".join(f"{'a' * 60}.{'b' * 20}.d{number}" for number in range(25))
    ),
    {"NET-SEARCH-TOTAL": "fail", "NET-RESOLV-SEARCH": "fail"},
)
NO_DEFAULT_ROUTE = Fault("no default route", "ip route del default", {"NET-ROUTE-DEFAULT": "fail"})
API_PORT_BUSY = Fault("port 6443 taken", listen(6443), {"NET-PORTS-CP": "fail"})
KUBELET_PORT_BUSY = Fault("port 10250 taken", listen(10250), {"NET-PORTS-WK": "fail"})
OVN_PORT_BUSY = Fault("port 6641 taken", listen(6641), {"NET-PORTS-OVN": "fail"})
INSTALLER_PORT_BUSY = Fault("port 8080 taken", listen(8080), {"NET-PORTS-INST": "fail"})
ADDRESS_172 = Fault(
    "an address in Docker's range", "ip addr add 172.17.0.1/16 dev eth0", {"NET-172-FREE": "fail", "NETCFG-172": "fail"}
)

# --- software and files
NO_SS = Fault("no ss", "rm -f /usr/bin/ss /usr/sbin/ss", {"SW-BINARIES": "fail"})
NO_COPY_TOOL = Fault("neither scp nor sftp", "rm -f /usr/bin/scp /usr/bin/sftp", {"SW-SCP-SFTP": "fail"})
KUBELET_UNIT = Fault(
    "a dangling kubelet.service",
    "mkdir -p /etc/systemd/system; ln -s /nowhere /etc/systemd/system/kubelet.service",
    {"FS-KUBELET-UNIT": "fail"},
)
DOCKER_FOLDER = Fault("/var/lib/docker", "mkdir -p /var/lib/docker/overlay2", {"FS-DIR-DOCKER": "fail"})
POD_LOGS = Fault("/var/log/pods", "mkdir -p /var/log/pods/kube-system_etcd", {"FS-DIR-PODLOGS": "fail"})
KUBELET_PKI = Fault("/var/lib/kubelet/pki", "mkdir -p /var/lib/kubelet/pki", {"FS-DIR-KUBELETPKI": "fail"})
CONTAINERD_FOLDER = Fault(
    "/var/lib/containerd", "mkdir -p /var/lib/containerd/io.containerd", {"FS-DIR-CONTAINERD": "fail"}
)
TMP_NOEXEC = Fault("/tmp noexec", "mount -o remount,noexec lab /tmp", {"FS-TMP-NOEXEC": "fail"})
DOCKER_RPM = Fault("docker-ce installed", append("/usr/lib/lab/rpms", "docker-ce 20.10"), {"PKG-CONFLICT-RPM": "fail"})
PODMAN_KYLIN = Fault("podman installed", append("/usr/lib/lab/rpms", "podman 3.4"), {"PKG-CONFLICT-KYLIN": "fail"})
CONTAINERD_DPKG = Fault("containerd installed", dpkg("containerd"), {"PKG-CONFLICT-DPKG": "fail"})
MICROK8S = Fault("the snap microk8s", append("/usr/lib/lab/snaps", "microk8s"), {"PKG-CONFLICT-SNAP": "fail"})
LEFTOVER_BINARY = Fault(
    "a forgotten kubectl",
    "touch /usr/local/bin/kubectl; chmod +x /usr/local/bin/kubectl",
    {"PKG-LEFTOVER-BIN": "warn"},
)
KUBELET_RUNS = Fault(
    "a kubelet runs",
    "cp /bin/sleep /usr/lib/lab/kubelet; /usr/lib/lab/kubelet infinity </dev/null >/dev/null 2>&1 &",
    {"CAP-FRESH-ENV": "fail"},
)

# --- between nodes
TIME_ZONE = Fault(
    "another time zone", "ln -sfn /usr/share/zoneinfo/Europe/Moscow /etc/localtime", {"X-TIMEZONE": "fail"}
)
CLOCK_AHEAD = Fault(
    "a clock 60 s ahead",
    "mv /usr/bin/date /usr/lib/lab/date; "
    'printf \'#!/bin/sh\\nexec /usr/lib/lab/date -d "+60 seconds" "$@"\\n\' >/usr/bin/date; chmod +x /usr/bin/date',
    {"X-CLOCK-SKEW": "fail"},
)

# --- warnings, which do not block
WARNINGS = tuple(
    (base, Fault(name, shell, {requirement: "warn"}))
    for base, requirement, name, shell in (
        ("ubuntu-22.04", "SEC-FIREWALL", "firewalld comes back at boot", unit("firewalld", "inactive", "enabled")),
        ("ubuntu-22.04", "SYS-TASKSMAX", "100000 tasks", "echo 100000 >/usr/lib/lab/tasks-max"),
        (
            "ubuntu-22.04",
            "SEC-APPARMOR",
            "AppArmor on, without profiles",
            f"{without_parameter('apparmor=0')}; sed -i 's/apparmor=0//' {BOOT_FILES}; "
            "echo Y >/sys/module/apparmor/parameters/enabled; mount -t tmpfs lab /sys/kernel/security; "
            "mkdir /sys/kernel/security/apparmor; : >/sys/kernel/security/apparmor/profiles",
        ),
        ("ubuntu-22.04", "NET-RESOLV-SEARCH", "a domain line", append("/etc/resolv.conf", "domain a.example")),
        ("ubuntu-22.04", "OS-UBUNTU-HWE", "an HWE kernel for the next boot", dpkg("linux-generic-hwe-22.04")),
        ("ubuntu-20.04", "USR-USEDNS", "UseDNS not set", "sed -i /^UseDNS/d /etc/ssh/sshd_config"),
        (
            "ubuntu-20.04",
            "FS-DIR-CONTAINERD",
            "a volume for containerd",
            "mkdir /var/lib/containerd; mount -t tmpfs -o size=200g lab /var/lib/containerd; "
            "mkdir /var/lib/containerd/lost+found",
        ),
        (
            "ubuntu-20.04",
            "X-TIMEZONE",
            "UTC by another name",
            "ln -sfn /usr/share/zoneinfo/Africa/Abidjan /etc/localtime",
        ),
        (
            "centos-7.9",
            "SEC-SELINUX",
            "SELinux comes back at boot",
            "sed -i s/^SELINUX=.*/SELINUX=enforcing/ /etc/selinux/config",
        ),
        (
            "centos-7.9",
            "PKG-CONFLICT-RPM",
            "a name that contains docker",
            append("/usr/lib/lab/rpms", "my-docker 1.0"),
        ),
        ("centos-7.9", "OS-KERNEL", "an early 3.10.0", "echo 3.10.0-957.el7.x86_64 >/proc/sys/kernel/osrelease"),
    )
)
RPM_HANGS = Fault(
    "rpm hangs",
    "printf '#!/bin/sh\nexec sleep infinity\n' >/usr/bin/rpm",
    {"PKG-CONFLICT-RPM": "unknown"},
)
ESCAPES = Fault(
    "an OS name with escape sequences and a command",
    write("/etc/os-release", 'ID=plan9\nVERSION_ID=4\nPRETTY_NAME="\x1b[2J\x1b]0;x\x07$(touch /tmp/run)[bold]Plan 9"'),
    {"OS-DISTRO": "fail"},
)
CALICO_PORT_BUSY = Fault("port 179 taken", listen(179))
"""A fault only with Calico."""

# --- healthy settings that resemble faults
HARMLESS = tuple(
    Fault(name, shell)
    for name, shell in (
        ("a commented swap entry", append("/etc/fstab", "  # /dev/vdb none swap sw 0 0")),
        ("a mount point called swap", append("/etc/fstab", "/dev/vdc /mnt/swap ext4 noauto 0 0")),
        ("a parameter in a comment", append("/etc/default/grub", "# GRUB_CMDLINE_LINUX=transparent_hugepage=always")),
        (
            "a module built in, not loaded",
            f"{unload('ip_vs_sh')}; "
            "echo kernel/net/netfilter/ipvs/ip_vs_sh.ko >>/lib/modules/$(uname -r)/modules.builtin",
        ),
        ("a bad search line, overridden", append("/etc/resolv.conf", "# search " + "a" * 300)),
        ("a commented name server", append("/etc/resolv.conf", "# nameserver 172.16.0.53\n; nameserver 127.0.0.53")),
        ("localhost in a comment", append("/etc/hosts", "# 198.51.100.9 localhost\n198.51.100.9 localhost.example")),
        ("sshd settings in comments", append("/etc/ssh/sshd_config", "# UsePAM yes\n#UseDNS yes")),
        ("a later sshd setting, which does not count", append("/etc/ssh/sshd_config", "UsePAM yes\nUseDNS yes")),
        ("ports with similar numbers", listen(16444, 10248, 10257)),
        ("folders with similar names", "mkdir -p /var/lib/docker-backups /var/lib/kubelet /opt/docker"),
        ("a kubelet unit elsewhere", "mkdir -p /usr/lib/systemd/system; touch /usr/lib/systemd/system/kubelet.service"),
        ("/tmp without exec, then with", "mount -t tmpfs -o noexec lab /tmp; mount -t tmpfs lab /tmp"),
        ("an address next to Docker's range", "ip addr add 172.33.0.1/24 dev eth0"),
        ("an unrelated tool", "touch /usr/local/bin/backup; chmod +x /usr/local/bin/backup"),
        ("SELinux enforcing in a comment", "mkdir -p /etc/selinux; echo '#SELINUX=enforcing' >>/etc/selinux/config"),
    )
)
HARMLESS_DPKG = tuple(
    Fault(name, shell)
    for name, shell in (
        ("docker.io removed, its settings left", dpkg("docker.io", "deinstall ok config-files")),
        (
            "a package with containerd in its description",
            dpkg("golang-doc", about="what containerd and kubernetes are made of"),
        ),
        ("a snap of another name", append("/usr/lib/lab/snaps", "kdenlive")),
    )
)
UFW_IDLE = Fault("the default ufw of Ubuntu: unit active, firewall off", unit("ufw", "active", "enabled"))
HARMLESS_SEARCH = Fault(
    "29 search domains, and a later line that replaces them",
    append(
        "/etc/resolv.conf", "search " + " ".join(f"d{number}.example" for number in range(29)) + "\nsearch a.example"
    ),
    {"NET-RESOLV-SEARCH": "warn"},
)
