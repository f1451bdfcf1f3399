"""Profiles of lab nodes: a healthy machine of one distribution, and the faults planted on it.

A machine is a set of files at their canonical paths; a fault is shell text that root runs before sshd starts.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

MODULES = ("ip_vs", "ip_vs_rr", "ip_vs_wrr", "ip_vs_sh", "nf_conntrack", "geneve", "openvswitch")


@dataclass(frozen=True)
class Base:
    """A healthy machine. `files`: path → text. `tools`: fake commands where files alone are not enough."""

    kernel: str
    kernel_build: str
    files: Mapping[str, str]
    tools: tuple[str, ...]
    removed: tuple[str, ...] = ()
    modules: tuple[str, ...] = MODULES
    arch: str = "x86_64"


@dataclass(frozen=True)
class Fault:
    """A fault of a node or, with empty `expects`, a healthy setting that resembles one.

    `shell` runs as root inside the node before its sshd starts. `expects`: requirement ID → outcome on that node.
    """

    name: str
    shell: str
    expects: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class NodeProfile:
    base: str = "ubuntu-22.04"
    faults: tuple[Fault, ...] = ()
    hostname: str | None = None
    """None: a valid, unique name."""
    shared: tuple[Path, ...] = ()
    """Folders of this host that the node has at the same path."""

    @property
    def expects(self) -> dict[str, str]:
        """Requirement ID → outcome of all faults of this node."""
        return {name: outcome for fault in self.faults for name, outcome in fault.expects.items()}


_CPU = """\
processor\t: {number}
vendor_id\t: GenuineIntel
cpu family\t: 6
model\t\t: 85
model name\t: Intel(R) Xeon(R) Gold 6248R CPU @ 3.00GHz
stepping\t: 7
cpu MHz\t\t: 2992.968
cache size\t: 36608 KB
physical id\t: 0
siblings\t: 16
core id\t\t: {number}
cpu cores\t: 16
flags\t\t: fpu vme de pse tsc msr pae mce cx8 apic sep mtrr pge mca cmov pat pse36 clflush mmx fxsr sse sse2 ss ht \
syscall nx pdpe1gb rdtscp lm constant_tsc rep_good nopl xtopology cpuid pni pclmulqdq vmx ssse3 fma cx16 sse4_1 sse4_2 \
x2apic movbe popcnt aes xsave avx f16c rdrand hypervisor lahf_lm abm avx2 avx512f
bogomips\t: 5985.93
"""


def cpuinfo(count: int) -> str:
    """Return /proc/cpuinfo of a virtual machine with `count` logical CPUs of 3.0 GHz."""
    return "\n".join(_CPU.format(number=number) for number in range(count)) + "\n"


_ARM_CPU = """\
processor\t: {number}
BogoMIPS\t: 200.00
Features\t: fp asimd evtstrm aes pmull sha1 sha2 crc32 atomics fphp asimdhp cpuid asimdrdm jscvt fcma dcpop
CPU implementer\t: 0x48
CPU architecture: 8
CPU variant\t: 0x1
CPU part\t: 0xd01
CPU revision\t: 0
"""


def meminfo(gigabytes: int) -> str:
    """Return /proc/meminfo of a machine with `gigabytes` GiB, of which the kernel reserves a small part."""
    total = gigabytes * 1024 * 1024 * 985 // 1000
    return f"MemTotal:       {total} kB\nMemFree:        {total // 2} kB\nMemAvailable:   {total * 3 // 4} kB\n" + (
        "Buffers:           88232 kB\nCached:          1880544 kB\nSwapCached:            0 kB\n"
        "SwapTotal:             0 kB\nSwapFree:              0 kB\n"
    )


_SSHD = """\
Port 22
PermitRootLogin yes
PasswordAuthentication yes
KbdInteractiveAuthentication no
UseDNS no
UsePAM no
PrintMotd no
Subsystem sftp internal-sftp
"""

_PAM = """\
auth required pam_unix.so
account required pam_unix.so
session required pam_unix.so
"""

_SWAPS_HEADER = "Filename\t\t\t\tType\t\tSize\t\tUsed\t\tPriority\n"


def _files(release: str, command_line: str, **more: str) -> dict[str, str]:
    """Return the files that every healthy node has; `more`: path → text."""
    return {
        "/etc/os-release": release,
        "/etc/hosts": "127.0.0.1 localhost localhost.localdomain\n::1 localhost ip6-localhost ip6-loopback\n",
        "/etc/resolv.conf": "nameserver 198.51.100.250\noptions timeout:2 attempts:2\n",
        "/etc/fstab": "UUID=5a3d2f0e-8f3e-4f43-8a8d-0d9a4b1d7c11 / ext4 errors=remount-ro 0 1\n",
        "/etc/ssh/sshd_config": _SSHD,
        "/etc/pam.d/sshd": _PAM,
        "/etc/default/grub": f'GRUB_TIMEOUT=5\nGRUB_CMDLINE_LINUX_DEFAULT=""\nGRUB_CMDLINE_LINUX="{command_line}"\n',
        "/proc/cpuinfo": cpuinfo(16),
        "/proc/meminfo": meminfo(64),
        "/proc/swaps": _SWAPS_HEADER,
        "/sys/kernel/mm/transparent_hugepage/enabled": "always madvise [never]\n",
        "/usr/lib/lab/virtual": "kvm\n",
        "/usr/lib/lab/tasks-max": "infinity\n",
        "/usr/lib/lab/units/sshd": "active enabled\n",
        "/usr/lib/lab/units/chronyd": "active enabled\n",
        **more,
    }


def _boot(kernel: str, command_line: str) -> str:
    return f"linux /vmlinuz-{kernel} root=UUID=5a3d2f0e-8f3e-4f43-8a8d-0d9a4b1d7c11 ro {command_line}\n"


def _cmdline(kernel: str, command_line: str) -> str:
    return f"BOOT_IMAGE=/vmlinuz-{kernel} root=UUID=5a3d2f0e-8f3e-4f43-8a8d-0d9a4b1d7c11 ro {command_line}\n"


_TOOLS = ("uname", "systemctl", "modprobe", "systemd-detect-virt", "timedatectl", "nproc")
_UBUNTU_PARAMETERS = "transparent_hugepage=never apparmor=0"
_DPKG = "".join(
    f"Package: {name}\nStatus: {status}\nArchitecture: amd64\nVersion: 1.0-1\nDescription: {about}\n\n"
    for name, status, about in (
        ("bash", "install ok installed", "GNU Bourne Again SHell"),
        ("iproute2", "install ok installed", "networking and traffic control tools"),
        ("openssh-server", "install ok installed", "secure shell (SSH) server"),
        ("tar", "install ok installed", "GNU version of the tar archiving utility"),
    )
)


def _ubuntu(version: str, code_name: str, kernel: str) -> Base:
    release = (
        f'PRETTY_NAME="Ubuntu {version}.3 LTS"\nNAME="Ubuntu"\nVERSION_ID="{version}"\n'
        f'VERSION="{version}.3 LTS ({code_name})"\nID=ubuntu\nID_LIKE=debian\n'
    )
    return Base(
        kernel,
        "#62-Ubuntu SMP Tue Nov 22 19:54:14 UTC 2022",
        _files(
            release,
            _UBUNTU_PARAMETERS,
            **{
                "/proc/cmdline": _cmdline(kernel, _UBUNTU_PARAMETERS),
                "/boot/grub/grub.cfg": _boot(kernel, _UBUNTU_PARAMETERS),
                "/var/lib/dpkg/status": _DPKG,
                "/etc/ufw/ufw.conf": "ENABLED=no\nLOGLEVEL=low\n",
                "/usr/lib/lab/snaps": "core20\nlxd\nsnapd\n",
                "/sys/module/apparmor/parameters/enabled": "N\n",
                "/usr/lib/lab/units/snapd": "active enabled\n",
            },
        ),
        (*_TOOLS, "snap", "ufw"),
        removed=("/usr/bin/rpm",),
    )


_RPMS = "bash 5.1\ncoreutils 8.32\niproute 5.18\nopenssh-server 8.0p1\ntar 1.30\nsystemd 239\n"


def _red_hat(
    release: str,
    kernel: str,
    build: str,
    parameters: str,
    files: Mapping[str, str],
    modules: tuple[str, ...] = (),
    arch: str = "x86_64",
) -> Base:
    return Base(
        kernel,
        build,
        _files(
            release,
            parameters,
            **{
                "/proc/cmdline": _cmdline(kernel, parameters),
                "/boot/grub2/grub.cfg": _boot(kernel, parameters),
                "/boot/loader/entries/1-current.conf": f"title Linux\nversion {kernel}\noptions {parameters}\n",
                "/etc/selinux/config": "# a comment with SELINUX=enforcing\nSELINUX=disabled\nSELINUXTYPE=targeted\n",
                "/usr/lib/lab/rpms": _RPMS,
                **files,
            },
        ),
        (*_TOOLS, "rpm", "getenforce", "dmidecode"),
        removed=("/usr/bin/dpkg-query", "/usr/bin/dpkg", "/usr/bin/apt-get", "/usr/bin/apt", "/usr/bin/snap"),
        modules=(*MODULES, *modules),
        arch=arch,
    )


def _kylin(arch: str, **files: str) -> Base:
    return _red_hat(
        'NAME="Kylin Linux Advanced Server"\nVERSION="V10 (Lance)"\nID="kylin"\nVERSION_ID="V10"\n'
        'PRETTY_NAME="Kylin Linux Advanced Server V10 (Lance)"\n',
        f"4.19.90-52.22.v2207.ky10.{arch}",
        "#1 SMP Tue Mar 14 12:19:10 CST 2023",
        "transparent_hugepage=never",
        {
            "/etc/.productinfo": f"Kylin Linux Advanced Server\nrelease V10 (SP3) /(Lance)-{arch}-Build23/20230324\n",
            "/etc/.kyinfo": f"[dist]\nname=Kylin\nmilestone=Server-V10-GFB-Release-2303\narch={arch}\n",
            "/etc/kylin-release": "Kylin Linux Advanced Server release V10 (Lance)\n",
            **files,
        },
        arch=arch,
    )


BASES: Mapping[str, Base] = {
    "ubuntu-22.04": _ubuntu("22.04", "Jammy Jellyfish", "5.15.0-56-generic"),
    "ubuntu-20.04": _ubuntu("20.04", "Focal Fossa", "5.4.0-124-generic"),
    "centos-7.9": _red_hat(
        'NAME="CentOS Linux"\nVERSION="7 (Core)"\nID="centos"\nID_LIKE="rhel fedora"\nVERSION_ID="7"\n'
        'PRETTY_NAME="CentOS Linux 7 (Core)"\n',
        "3.10.0-1160.el7.x86_64",
        "#1 SMP Mon Oct 19 16:18:59 UTC 2020",
        "transparent_hugepage=never cgroup.memory=nokmem",
        {
            "/etc/centos-release": "CentOS Linux release 7.9.2009 (Core)\n",
            "/etc/redhat-release": "CentOS Linux release 7.9.2009 (Core)\n",
        },
        ("nf_conntrack_ipv4", "nf_conntrack_ipv6"),
    ),
    "rhel-8.6": _red_hat(
        'NAME="Red Hat Enterprise Linux"\nVERSION="8.6 (Ootpa)"\nID="rhel"\nID_LIKE="fedora"\nVERSION_ID="8.6"\n'
        'PRETTY_NAME="Red Hat Enterprise Linux 8.6 (Ootpa)"\n',
        "4.18.0-372.9.1.el8.x86_64",
        "#1 SMP Fri Apr 15 22:12:19 EDT 2022",
        "transparent_hugepage=never",
        {"/etc/redhat-release": "Red Hat Enterprise Linux release 8.6 (Ootpa)\n"},
    ),
    "rhel-7.8": _red_hat(
        'NAME="Red Hat Enterprise Linux Server"\nVERSION="7.8 (Maipo)"\nID="rhel"\nID_LIKE="fedora"\nVERSION_ID="7.8"\n'
        'PRETTY_NAME="Red Hat Enterprise Linux Server 7.8 (Maipo)"\n',
        "3.10.0-1127.el7.x86_64",
        "#1 SMP Tue Feb 18 16:39:12 EST 2020",
        "transparent_hugepage=never cgroup.memory=nokmem",
        {"/etc/redhat-release": "Red Hat Enterprise Linux Server release 7.8 (Maipo)\n"},
        ("nf_conntrack_ipv4",),
    ),
    "kylin-v10-sp3": _kylin("x86_64"),
    "kylin-v10-sp3-arm": _kylin(
        "aarch64",
        **{
            "/proc/cpuinfo": "\n".join(_ARM_CPU.format(number=number) for number in range(16)) + "\n",
            "/usr/lib/lab/processor": "Version: Kunpeng 920-4826\nMax Speed: 2600 MHz\nCurrent Speed: 2600 MHz\n",
        },
    ),
}
