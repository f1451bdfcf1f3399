"""Near misses whose outcome in 4.2 differs from that in 4.0. Each needs a node of its own."""

from tests.lab.kit.near_misses.case import C, R, U, case
from tests.lab.kit.profiles import cpuinfo
from tests.lab.kit.shell import kernel_release, write


def _rhel(version: str, kernel: str) -> str:
    return f"sed -i 's/8\\.6/{version}/' /etc/os-release; {kernel_release(kernel)}"


IN_4_2 = (
    case(R, "RHEL 8.10", _rhel("8.10", "4.18.0-553.el8_10.x86_64")),
    case(R, "RHEL 9.6", _rhel("9.6", "5.14.0-570.12.1.el9_6.x86_64")),
    case(R, "RHEL 9.4", _rhel("9.4", "5.14.0-427.13.1.el9_4.x86_64"), OS_DISTRO="fail"),
    case(R, "RHEL 8.4", _rhel("8.4", "4.18.0-305.el8.x86_64"), OS_DISTRO="fail"),
    case(U, "nerdctl", "mkdir -p /var/lib/nerdctl; touch /usr/local/bin/nerdctl", FS_DIR_NERDCTL="fail",
         PKG_LEFTOVER_BIN="warn"),
    case(U, "172.20", "ip addr add 172.20.0.1/24 dev eth0"),
    case(U, "172.18", "ip addr add 172.18.0.1/24 dev eth0", NET_172_FREE="fail", NETCFG_172="fail"),
    case(U, "many tasks, yet not all", "echo 4194304 >/usr/lib/lab/tasks-max", SYS_TASKSMAX="fail"),
    case(U, "the size of 4.1", write("/proc/cpuinfo", cpuinfo(8))),
    case(C, "infinity in numbers", "echo 18446744073709551615 >/usr/lib/lab/tasks-max"),
)  # fmt: skip
