"""Near misses of a node's network: host names, name servers, addresses, routes and ports."""

from tests.lab.kit.near_misses.case import U20, K, U, case
from tests.lab.kit.shell import append, listen, program, resolv_conf

HOSTS = (
    case(U, "lines that end as on Windows", "sed -i 's/$/\\r/' /etc/hosts"),
    case(U, "many lines, tabs, upper case",
         append("/etc/hosts", "127.0.0.1\tlocalhost4\n  127.0.0.1 LOCALHOST # 192.0.2.1\n::1\tlocalhost6 localhost")),
    case(U, "named in a trailing comment", "sed -i 's/^127.0.0.1.*/127.0.0.1 node1 # localhost/' /etc/hosts",
         NET_HOSTS_LOCALHOST="fail"),
    case(U, "127.0.1.1", "sed -i 's/^127.0.0.1/127.0.1.1/' /etc/hosts", NET_HOSTS_LOCALHOST="fail"),
    case(U, "a line without an address", append("/etc/hosts", "none localhost")),
    case(U, "longer names elsewhere", append("/etc/hosts", "192.0.2.1 localhost.corp localhost-2")),
    case(U, "no hosts file", "rm /etc/hosts", NET_HOSTS_LOCALHOST="fail"),
    case(U, "a byte order mark", "sed -i '1s/^/\\xef\\xbb\\xbf/' /etc/hosts", NET_HOSTS_LOCALHOST="fail"),
    case(U, "a zero before a digit", "sed -i 's/^127.0.0.1/127.0.0.01/' /etc/hosts", NET_HOSTS_LOCALHOST="fail"),
    case(U, "not used for host names",
         "sed -i 's/^hosts:.*/hosts: dns/' /etc/nsswitch.conf", NET_HOSTS_LOCALHOST="fail"),
    case(U, "used by systemd-resolved",
         "sed -i 's/^hosts:.*/hosts: resolve [!UNAVAIL=return] dns/' /etc/nsswitch.conf"),
)  # fmt: skip


def _searching(*domains: str) -> str:
    return append("/etc/resolv.conf", "search " + " ".join(domains))


RESOLVER = (
    case(U, "indented", resolv_conf("  nameserver 198.51.100.250"), NET_RESOLV_NS="fail"),
    case(U, "as on Windows, with a tab",
         "printf 'nameserver\\t198.51.100.250\\r\\n' >/etc/resolv.conf", NET_RESOLV_NS="fail"),
    case(U, "as on Windows, with a blank behind the address",
         "printf 'nameserver 198.51.100.250 \\r\\n' >/etc/resolv.conf"),
    case(U, "with a byte order mark", "sed -i '1s/^/\\xef\\xbb\\xbf/' /etc/resolv.conf", NET_RESOLV_NS="fail"),
    case(U, "a comment behind the address", resolv_conf("nameserver 198.51.100.250 # the only one")),
    case(U, "a comment that touches the address", resolv_conf("nameserver 198.51.100.250#it"), NET_RESOLV_NS="fail"),
    case(U, "a second line as on Windows", append("/etc/resolv.conf", "nameserver 198.51.100.251\r")),
    case(U20, "a name in place of an address", resolv_conf("nameserver dns.example.com"), NET_RESOLV_NS="fail"),
    case(U20, "a name in addition to an address", append("/etc/resolv.conf", "nameserver dns.example.com")),
    case(U, "IPv6 alone", resolv_conf("nameserver 2001:db8::53")),
    case(U, "a link to nowhere", "ln -sf /run/none /etc/resolv.conf", NET_RESOLV_EXISTS="fail"),
    case(U, "a link to a file", "mv /etc/resolv.conf /run/there; ln -s /run/there /etc/resolv.conf"),
    case(U, "empty", ": >/etc/resolv.conf", NET_RESOLV_NS="fail"),
    case(U, "options alone", resolv_conf("options ndots:2 timeout:1"), NET_RESOLV_NS="fail"),
    case(U, "172.15", append("/etc/resolv.conf", "nameserver 172.15.0.1"), NET_RESOLV_172="fail"),
    case(U, "172.20, indented", append("/etc/resolv.conf", "  nameserver 172.20.0.1"), NET_RESOLV_172="fail",
         NET_172_FREE="fail"),
    case(U, "28 domains", _searching(*(f"d{n}.e" for n in range(28))), NET_RESOLV_SEARCH="warn"),
    case(U, "2048 characters", _searching(*["a" * 203] * 9, "b" * 212), NET_RESOLV_SEARCH="warn"),
    case(U, "253 characters", _searching(".".join(["a" * 63] * 3 + ["b" * 61])), NET_RESOLV_SEARCH="warn"),
    case(U, "an empty list", _searching(".")),
    case(U, "a list behind a semicolon", append("/etc/resolv.conf", ";search a.b")),
)  # fmt: skip
NETWORK = (
    case(U, "routes next to the range", "ip route add 172.15.0.0/16 dev eth0; ip route add 172.33.0.0/16 dev eth0"),
    case(U, "the end of the range", "ip addr add 172.31.255.1/24 dev eth0", NET_172_FREE="fail", NETCFG_172="fail"),
    case(U, "a default route without a gateway", "ip route replace default dev eth0"),
    case(U, "a default route in another table", "ip route del default; ip route add default dev eth0 table 100",
         NET_ROUTE_DEFAULT="fail"),
    case(U, "an ip that does not work",
         program("/run/ip", "exit 1") + "; mount --bind /run/ip $(readlink -f /bin/ip)"),
    case(K, "Docker's range, thrown away", "ip route add blackhole 172.16.0.0/12"),
    case(K, "a network around Docker's range", "ip route add 172.0.0.0/8 dev eth0", NET_172_FREE="fail",
         NETCFG_172="fail"),
    case(U20, "a connection from a port of the ranges", "python3 -c 'import socket, time; "
         'a = socket.create_server(("", 33333)); '
         'b = socket.create_connection(("127.0.0.1", 33333), None, ("", 10250)); '
         """open("/run/done", "w"); time.sleep(999)' </dev/null >/dev/null 2>&1 & """
         "until [ -e /run/done ]; do sleep 0.02; done"),
    case(U, "ports with the same digits", listen(26443, 16642, 23790, 12379)),
    case(U, "another name after the next boot", "echo other >/etc/hostname", NET_HOSTNAME_LEN="warn"),
    case(U, "the same name with comments and a carriage return",
         "printf '# name\\n\\n%s.\\r\\n' \"$LAB_HOSTNAME\" >/etc/hostname"),
)  # fmt: skip
