"""Near misses of the distribution, the kernel, the processor and the system settings."""

from tests.lab.kit.near_misses.case import ARM, R7, U20, C, K, R, U, case
from tests.lab.kit.profiles import cpuinfo
from tests.lab.kit.shell import (
    BOOT_FILES,
    append,
    dpkg,
    kernel_release,
    new_file,
    program,
    selinux,
    unit,
    unload,
    with_parameter,
    without_parameter,
    write,
)

SSHD = "/etc/ssh/sshd_config"
CR = "\r"
NO_THP = f"{without_parameter('transparent_hugepage=never')}; sed -i 's/transparent_hugepage=never//' {BOOT_FILES}"
THP = "transparent_hugepage"
_ENTRY = "menuentry x {{\n  linux /vmlinuz-{} root=/dev/a ro {}\n}}"
BOOT = (
    case(U, "THP: a later value wins", f"sed -i 's/{THP}=never/& {THP}=always/' {BOOT_FILES}; "
         + with_parameter(f"{THP}=always"), KRN_THP="fail"),
    case(U, "THP: the later value is never", f'line=$(</proc/cmdline); echo "{THP}=always $line" >/proc/cmdline'),
    case(U, "THP: in a recovery entry alone", f"{NO_THP}; "
         + append("/boot/grub/grub.cfg", _ENTRY.format("5.15", f"recovery {THP}=never")), KRN_THP="fail"),
    case(U, "THP: quoted otherwise, in /etc/default/grub", f"{NO_THP}; "
         + new_file("/etc/default/grub", f"GRUB_CMDLINE_LINUX_DEFAULT='quiet {THP}=never'"), KRN_THP="pending-reboot"),
    case(U, "THP: assigned, then replaced", f"{NO_THP}; "
         + new_file("/etc/default/grub", f'GRUB_CMDLINE_LINUX="{THP}=never"', 'GRUB_CMDLINE_LINUX="quiet"'),
         KRN_THP="fail"),
    case(U, "THP: overridden by a later variable", f"{NO_THP}; "
         + new_file("/etc/default/grub", f"GRUB_CMDLINE_LINUX={THP}=never",
                    f"GRUB_CMDLINE_LINUX_DEFAULT={THP}=madvise"), KRN_THP="fail"),
    case(U, "THP: in a comment of /etc/default/grub", f"{NO_THP}; "
         + append("/etc/default/grub", f'#GRUB_CMDLINE_LINUX="{THP}=never"'), KRN_THP="fail"),
    case(U, "THP: similar parameters", f"{NO_THP}; " + with_parameter(f"{THP}=nevermore my.{THP}=never -- {THP}=never"),
         KRN_THP="fail"),
    case(C, "THP: in the rescue entry alone", f"{NO_THP}; "
         + append("/boot/grub2/grub.cfg", _ENTRY.format("0-rescue-1f", f"{THP}=never")), KRN_THP="fail"),
    case(C, "nokmem: values add up", with_parameter("cgroup.memory=nosocket")),
    case(R7, "nokmem: on RHEL 7.8 advice", without_parameter("cgroup.memory=nokmem")
         + f"; sed -i 's/cgroup.memory=nokmem//' {BOOT_FILES}", KRN_NOKMEM="warn"),
    case(R, "THP: in the rescue entry of its own file", f"{NO_THP}; "
         + new_file("/boot/loader/entries/1f-0-rescue.conf", "linux /vmlinuz-0-rescue-1f", f"options ro {THP}=never"),
         KRN_THP="fail"),
    case(R, "THP: in grubenv, which the entry includes", f"{NO_THP}; "
         + new_file("/boot/grub2/grubenv", "# GRUB Environment Block", f"kernelopts=root=/dev/a ro {THP}=never ")
         + "\necho 'options $kernelopts $tuned_params' >/boot/loader/entries/1-current.conf",
         KRN_THP="pending-reboot"),
    case(R, "THP: in the EFI file alone", f"{NO_THP}; "
         + new_file("/boot/efi/EFI/redhat/grub.cfg", f"  linuxefi /vmlinuz root=/dev/a {THP}=never"),
         KRN_THP="pending-reboot"),
    case(R, "THP: in effect, not in a boot file", f"sed -i 's/{THP}=never//' {BOOT_FILES}", KRN_THP="warn"),
    case(C, "nokmem: a similar parameter", f"sed -i 's/cgroup.mem/cgroup_mem/' {BOOT_FILES}; "
         'line=$(</proc/cmdline); echo "${line/cgroup.mem/cgroup_mem}" >/proc/cmdline', KRN_NOKMEM="fail"),
)  # fmt: skip
MODULES = (
    case(U, "loaded at boot, not now", f"{unload('ip_vs_rr')}; echo ip_vs_rr >/etc/modules-load.d/x.conf",
         KRN_IPVS="fail"),
    case(U, "built in, by a name with hyphens",
         f"{unload('ip_vs_wrr')}; echo kernel/net/ip-vs-wrr.ko.xz >>/lib/modules/$(uname -r)/modules.builtin"),
    case(U, "only a similar module", f"{unload('ip_vs')}; mkdir /sys/module/ip_vs_ftp", KRN_IPVS="fail"),
    case(R7, "the module of old kernels", unload("nf_conntrack_ipv4"), KRN_CT4="fail"),
)  # fmt: skip
SECURITY = (
    case(U, "AppArmor on, profiles not readable",
         f"{without_parameter('apparmor=0')}; sed -i 's/apparmor=0//' {BOOT_FILES}; "
         "echo Y >/sys/module/apparmor/parameters/enabled", SEC_APPARMOR="fail"),
    case(U, "AppArmor off, its unit active as in Ubuntu", unit("apparmor", "active", "enabled")),
    case(U, "no AppArmor in the kernel", "rm -r /sys/module/apparmor"),
    case(C, "the first SELINUX line counts", selinux(None, "SELINUX=enforcing", "SELINUX=disabled"),
         SEC_SELINUX="warn"),
    case(C, "permissive, enforcing at the next boot", selinux(0, "SELINUX=enforcing"), SEC_SELINUX="warn"),
    case(C, "enforcing, disabled at the next boot", selinux(1, "SELINUX=disabled"), SEC_SELINUX="fail"),
    case(C, "a line that ends as on Windows", selinux(None, "SELINUX=disabled\r")),
    case(C, "no SELinux configuration", "rm /etc/selinux/config"),
)  # fmt: skip
FIREWALL = (
    case(U, "ufw comes back", unit("ufw", "inactive", "enabled"), SEC_FIREWALL="warn"),
    case(U, "ufw on in a comment", new_file("/etc/ufw/ufw.conf", "#ENABLED=yes", "ENABLED=no")),
    case(U, "ufw on, quoted", new_file("/etc/ufw/ufw.conf", 'ENABLED="yes"'), SEC_FIREWALL="fail"),
    case(U, "ufw runs, and its file is missing", f"{unit('ufw', 'active', 'enabled')}; rm /etc/ufw/ufw.conf",
         SEC_FIREWALL="fail"),
    case(U, "a systemctl that prints nothing for unknown units",
         "mv /usr/bin/systemctl /usr/lib/lab/systemctl; " + program(
             "/usr/bin/systemctl", 'case "$1 $2" in "is-active firewalld") echo active ;; is-*) exit 3 ;;',
             '*) exec /usr/lib/lab/systemctl "$@" ;; esac'), SEC_FIREWALL="fail"),
    case(C, "nftables runs", unit("nftables", "active", "disabled"), SEC_FIREWALL="fail"),
    case(C, "ip6tables runs", unit("ip6tables", "active", "enabled"), SEC_FIREWALL="fail"),
    case(C, "firewalld failed", unit("firewalld", "failed", "disabled")),
    case(C, "firewalld installed, not enabled", unit("firewalld", "inactive", "static")),
    case(U20, "rules that iptables-persistent loads", unit("netfilter-persistent", "active", "enabled"),
         SEC_FIREWALL="fail"),
    case(U20, "rules that iptables-persistent will load", unit("netfilter-persistent", "inactive", "enabled"),
         SEC_FIREWALL="warn"),
    case(U20, "iptables-persistent, switched off", unit("netfilter-persistent", "inactive", "disabled")),
)  # fmt: skip
_ZRAM = "/etc/systemd/zram-generator.conf"
_GENERATOR = "\n" + new_file("/usr/lib/systemd/system-generators/zram-generator", "")


def _wanted_by(target: str, unit: str) -> str:
    wants = f"/etc/systemd/system/{target}.target.wants"
    return f"mkdir -p {wants}; ln -s /lib/systemd/system/{unit} {wants}/{unit}"


SWAP = (
    case(U, "commented without a blank", append("/etc/fstab", "#/dev/sda2 swap swap defaults 0 0")),
    case(U, "a swap file, with tabs", append("/etc/fstab", "/swapfile\tnone\tswap\tsw\t0\t0"), SYS_SWAP="warn"),
    case(U, "a last line without an end", "printf '/swapfile none swap sw 0 0' >>/etc/fstab", SYS_SWAP="warn"),
    case(U, "no fstab", "rm /etc/fstab"),
    case(C, "swap in a trailing comment, and as a mount point",
         append("/etc/fstab", "/dev/vdb /mnt xfs defaults 0 0 # old swap disk\n/dev/vdc /swap xfs defaults 0 0")),
    case(U, "a swap unit that failed", unit("dev-vdb.swap", "failed", "static")),
    case(U20, "a swap unit that boots, off now", f"{_wanted_by('swap', 'swapfile.swap')}", SYS_SWAP="warn"),
    case(U20, "a swap unit that boots, yet is masked",
         f"{_wanted_by('swap', 'swapfile.swap')}; ln -s /dev/null /etc/systemd/system/swapfile.swap"),
    case(U20, "zram-tools, off now", _wanted_by("multi-user", "zramswap.service"), SYS_SWAP="warn"),
    case(U20, "a zram generator's settings", new_file(_ZRAM, "[zram0]", "zram-size = ram / 2") + _GENERATOR,
         SYS_SWAP="warn"),
    case(U20, "a zram generator without devices", new_file(_ZRAM, "# [zram0]") + _GENERATOR),
    case(U20, "settings of a missing zram generator", new_file(_ZRAM, "[zram0]")),
)  # fmt: skip
TASKS = tuple(
    case(U, f"{value} tasks", f"echo '{value}' >/usr/lib/lab/tasks-max", **({"SYS_TASKSMAX": what} if what else {}))
    for value, what in (("4194304", ""), ("4194303", "warn"), ("65536", "warn"), ("65535", "fail"), ("15%", "fail"))
)
LOGIN = (
    case(U, "lines that end as on Windows", f"sed -i 's/$/\\r/' {SSHD}"),
    case(U, "with an equals sign", f"sed -i 's/^UseDNS no/UseDNS=no/; s/^UsePAM no/UsePAM = no/' {SSHD}"),
    case(U, "included before, as on Windows",
         f"{new_file(SSHD + '.d/1.conf', 'UsePAM yes' + CR)}\nsed -i '1i Include {SSHD}.d/*.conf\\r' {SSHD}",
         USR_USEPAM="fail"),
    case(U, "included behind",
         f"{new_file(f'{SSHD}.d/1.conf', 'UsePAM yes')}\necho 'Include {SSHD}.d/*.conf' >>{SSHD}"),
    case(U, "set in an included file, by a relative path",
         f"{new_file(f'{SSHD}.d/1.conf', 'UsePAM no', 'UseDNS no')}\n"
         f"sed -i '/^Use/d; 1i Include sshd_config.d/*.conf' {SSHD}"),
    case(U, "in lower case, indented and quoted",
         f"sed -i 's/^UseDNS no/  usedns \"no\"/; s/^UsePAM/\\tusepam/' {SSHD}"),
    case(U, "UsePAM left to its default", f"sed -i /^UsePAM/d {SSHD}", USR_USEPAM="warn"),
    case(U, "yes, and then no", f"sed -i 's/^UsePAM no/UsePAM yes\\nUsePAM no/' {SSHD}", USR_USEPAM="fail"),
    case(U, "sshd -T does not run", program("/usr/local/bin/sshd", "exit 255")),
)  # fmt: skip
SYSTEM = (
    case(R, "Rocky Linux", "sed -i 's/^ID=.*/ID=\"rocky\"/' /etc/os-release", OS_DISTRO="fail"),
    case(R, "RHEL 8.10", "sed -i 's/8\\.6/8.10/' /etc/os-release", OS_DISTRO="fail"),
    case(R, "RHEL 8.0", "sed -i 's/8\\.6/8.0/' /etc/os-release; " + kernel_release("4.18.0-80.el8.x86_64")),
    case(R, "an unlisted rebuild, with podman",
         "sed -i 's/^ID=.*/ID=\"anolis\"/' /etc/os-release; echo podman 3 >>/usr/lib/lab/rpms", OS_DISTRO="fail",
         PKG_CONFLICT_RPM="fail"),
    case(R, "a kernel of another vendor", kernel_release("5.4.0-1.el8.elrepo.x86_64"), OS_KERNEL="fail"),
    case(R7, "RHEL 7.9", "sed -i 's/7\\.8/7.9/' /etc/os-release", OS_DISTRO="fail"),
    case(C, "CentOS 7.6", "sed -i 's/7.9.2009/7.6.1810/' /etc/centos-release; "
         + kernel_release("3.10.0-957.el7.x86_64"), OS_KERNEL="warn"),
    case(C, "an empty release file in addition to a valid one", ": >/etc/centos-release"),
    case(C, "no release file", "rm /etc/centos-release /etc/redhat-release", OS_DISTRO="unknown"),
    case(U, "an HWE kernel of the last line", kernel_release("6.8.0-40-generic", "#40~22.04.3-Ubuntu SMP"),
         OS_KERNEL="fail", OS_UBUNTU_HWE="fail"),
    case(U20, "an HWE kernel of 20.04", kernel_release("5.15.0-56-generic", "#62~20.04.1-Ubuntu SMP"),
         OS_KERNEL="fail", OS_UBUNTU_HWE="fail"),
    case(U, "quoted otherwise, as on Windows", "sed -i \"s/\\\"/'/g; s/\\$/\\r/\" /etc/os-release"),
    case(K, "a desktop", "sed -i 's/^VERSION_ID=.*/VERSION_ID=\"v10\"/' /etc/os-release", OS_DISTRO="fail"),
    case(K, "V10 without a service pack",
         new_file("/etc/.productinfo", "release V10 /(Azalea)-x86_64") + "\n: >/etc/.kyinfo; "
         "sed -i 's/Lance/Azalea/' /etc/os-release; " + kernel_release("4.19.90-17.ky10.x86_64"),
         OS_KYLIN_SP="warn", OS_DISTRO="fail"),
    case(K, "SP3 by name and kernel alone", "rm /etc/.productinfo /etc/.kyinfo"),
    case(ARM, "another ARM processor", 'text=$(</proc/cpuinfo); echo "${text//0x48/0x43}" >/proc/cpuinfo; '
         "sed -i 's/Kunpeng 920-4826/ThunderX2/' /usr/lib/lab/processor", OS_ARM_CPU="fail"),
    case(U, "an HWE image, booted next time", dpkg("linux-image-6.8.0-40-generic"), OS_UBUNTU_HWE="warn"),
    case(U20, "an HWE image, booted next time", dpkg("linux-image-unsigned-5.15.0-91-generic"),
         OS_UBUNTU_HWE="warn"),
    case(U, "another image of its own line", dpkg("linux-image-5.15.0-91-generic")),
    case(U20, "an HWE image that is gone", dpkg("linux-image-5.15.0-91-generic", "deinstall ok config-files")),
)  # fmt: skip
PROCESSOR = (
    case(U, "a figure a little below", write("/proc/cpuinfo", cpuinfo(16).replace(" @ 3.00GHz", "")
                                             .replace("2992.968", "2499.998"))),
    case(U, "a low clock at the moment", write("/proc/cpuinfo", cpuinfo(16).replace("3.00GHz", "2.50GHz")
                                   .replace("2992.968", "1200.000"))),
    case(U, "2.4 GHz", write("/proc/cpuinfo", cpuinfo(16).replace("@ 3.00GHz", "@ 2.4 GHz")), HW_CPU_CLOCK="fail"),
    case(ARM, "2 GHz", "sed -i 's/2600/2000/' /usr/lib/lab/processor", HW_CPU_CLOCK="fail"),
    case(ARM, "the SMBIOS data of QEMU", new_file("/usr/lib/lab/processor", "Manufacturer: QEMU", "Version: virt-4.0",
                                              "Current Speed: 2000 MHz"), HW_CPU_CLOCK="unknown"),
    case(U, "only the momentary clock", write("/proc/cpuinfo", cpuinfo(16).replace(" @ 3.00GHz", "")
                                              .replace("fpu vme", "aperfmperf fpu vme")), HW_CPU_CLOCK="unknown"),
)  # fmt: skip
