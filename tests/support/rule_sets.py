"""Rule sets of hosts: some block traffic of a cluster, some do not, and some cannot be evaluated.

The nodes are 10.20.0.11, 10.20.0.12 (whose rules these are) and others in 10.20.0.0/24, on the interface eth0.
"""

from acp_tui.nodes.packet_filter.model import PacketFilter
from tests.support.factories.verdicts import FIRST, WORKER
from tests.support.packet_filters import chain, iptables, nft, packet_filter, saved

SSH_ONLY = ("ct state established,related accept", 'iif "lo" accept', "tcp dport 22 accept")
INVALID = "ct state invalid drop"

DOCKER = saved(
    "FORWARD -j DOCKER-USER",
    "FORWARD -o docker0 -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT",
    "FORWARD -i docker0 ! -o docker0 -j ACCEPT",
    "DOCKER-USER -j RETURN",
    FORWARD="DROP", DOCKER="-", **{"DOCKER-USER": "-"},
)  # fmt: skip
UFW = saved(
    "INPUT -j ufw-before-input",
    "INPUT -j ufw-after-input",
    "ufw-before-input -i lo -j ACCEPT",
    "ufw-before-input -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT",
    "ufw-before-input -m conntrack --ctstate INVALID -j DROP",
    "ufw-before-input -p icmp -m icmp --icmp-type 8 -j ACCEPT",
    "ufw-before-input -j ufw-not-local",
    "ufw-not-local -m addrtype --dst-type LOCAL -j RETURN",
    "ufw-not-local -m addrtype --dst-type MULTICAST -j RETURN",
    "ufw-not-local -m limit --limit 3/min --limit-burst 10 -j LOG",
    "ufw-not-local -j DROP",
    "ufw-before-input -j ufw-user-input",
    "ufw-user-input -p tcp -m tcp --dport 22 -j ACCEPT",
    INPUT="DROP",
    **dict.fromkeys(("ufw-before-input", "ufw-after-input", "ufw-not-local", "ufw-user-input"), "-"),
)  # fmt: skip
FIREWALLD = """table inet firewalld {
	chain filter_INPUT {
		type filter hook input priority filter + 10; policy accept;
		ct state { established, related } accept
		ct status dnat accept
		iifname "lo" accept
		jump filter_INPUT_ZONES
		ct state { invalid } drop
		reject with icmpx type admin-prohibited
	}

	chain filter_INPUT_ZONES {
		iifname "eth0" goto filter_IN_public
		goto filter_IN_public
	}

	chain filter_IN_public {
		jump filter_IN_public_allow
		meta l4proto { icmp, ipv6-icmp } accept
	}

	chain filter_IN_public_allow {
		tcp dport 22 ct state { new, untracked } accept
	}
}
"""

BLOCKED: list[tuple[str, PacketFilter]] = [
    ("default drop, all but SSH", nft(chain("input", *SSH_ONLY, policy="drop"))),
    ("a last rule that rejects", nft(chain("input", *SSH_ONLY, "reject with icmp type admin-prohibited"))),
    ("a TCP reset", nft(chain("input", "tcp dport 6443 reject with tcp reset"))),
    ("Geneve", nft(chain("input", "udp dport 6081 drop", family="ip"))),
    ("UDP of all ports above 1024", nft(chain("input", "udp dport 1025-65535 drop"))),
    ("tunnels by the names of an old nft", nft(chain("input", "udp dport { vxlan, geneve } drop", priority="0"))),
    ("on the way out", nft(chain("output", "udp dport 6081 drop"))),
    ("default drop on the way out", nft(chain("output", 'oif "lo" accept', "tcp sport 22 accept", policy="drop"))),
    ("before routing", nft(chain("prerouting", "tcp dport { 2379, 2380 } drop", family="ip", priority="raw"))),
    ("at the device", nft(
        'table netdev edge {\n\tchain in {\n\t\ttype filter hook ingress device "eth0" priority -500; policy accept;\n'
        "\t\tip saddr 10.20.0.0/24 tcp dport 10250 drop\n\t}\n}\n")),
    ("one other node", nft(chain("input", f"ip saddr {WORKER} drop"))),
    ("the subnet of the nodes in a set", nft(
        "table inet f2b {\n\tset bad {\n\t\ttype ipv4_addr\n\t\tflags interval\n\t\telements = { 10.0.0.0/9,\n"
        "\t\t\t     192.0.2.7 }\n\t}\n\n\tchain in {\n\t\ttype filter hook input priority filter - 1; policy accept;\n"
        "\t\tip saddr @bad drop\n\t}\n}\n")),
    ("private networks on the way in", nft(chain(
        "input", 'iifname "eth0" ip saddr { 10.0.0.0/8, 192.168.0.0/16 } drop'))),
    ("all but a list of sources", nft(chain("input", f"tcp dport 6443 ip saddr != {{ {FIRST}, 10.20.0.99 }} drop"))),
    ("a verdict map", nft(chain("input", "tcp dport vmap { 22 : accept, 6443 : drop }"))),
    ("a map of interfaces", nft(chain("input", 'iifname vmap { "lo" : accept, "eth0" : drop }'))),
    ("a concatenation", nft(chain("input", f"ip saddr . tcp dport {{ {FIRST} . 10250, 192.0.2.1 . 22 }} drop"))),
    ("stateless, no replies", nft(chain("input", "tcp dport { 22, 80, 443, 2379-2380, 6443, 6641-6642, 10250, 11443, "
                                        "30000-32767 } accept", "meta l4proto { udp, icmp } accept", 'iif "lo" accept',
                                        policy="drop"))),
    ("NodePorts", nft(chain("input", "tcp dport 30000-32767 drop"))),
    ("a part of the NodePorts", nft(chain("input", "udp dport >= 30000 drop"))),
    ("ping", nft(chain("input", "icmp type echo-request drop"))),
    ("errors of the path MTU", nft(chain("input", "icmp type destination-unreachable drop"))),
    ("all packets of Pods", nft(chain("input", "ip saddr 10.3.0.0/16 drop"))),
    ("new connections", nft(chain(
        "input", "tcp dport 22 accept", "tcp flags syn / fin,syn,rst,ack ct state new drop"))),
    ("name servers", nft(chain("output", "udp dport 53 drop"))),
    ("a jump", nft(
        chain("input", "jump more").replace("}\n}\n", "}\n\n\tchain more {\n\t\ttcp dport 443 drop\n\t}\n}\n"))),
    ("a mark", nft(chain(
        "input", "tcp dport 443 meta mark set 0x00000010", "meta mark & 0x000000f0 == 0x00000010 drop"))),
    ("firewalld that left its rules", nft(FIREWALLD)),
    ("rules after those of another table", packet_filter(
        ("nft", chain("input", "accept") + chain("input", "tcp dport 6443 drop").replace("site", "later")))),
    ("iptables: all but SSH", iptables("INPUT -p tcp -m tcp --dport 22 -j ACCEPT", INPUT="DROP")),
    ("iptables: the rules of CentOS 7", iptables(
        "INPUT -m state --state RELATED,ESTABLISHED -j ACCEPT", "INPUT -p icmp -j ACCEPT", "INPUT -i lo -j ACCEPT",
        "INPUT -p tcp -m state --state NEW -m tcp --dport 22 -j ACCEPT",
        "INPUT -j REJECT --reject-with icmp-host-prohibited")),
    ("iptables: an image of a cloud", iptables(
        "INPUT -m state --state RELATED,ESTABLISHED -j ACCEPT", "INPUT -p icmp -j ACCEPT", "INPUT -i lo -j ACCEPT",
        "INPUT -p udp -m udp --sport 123 -j ACCEPT", "INPUT -p tcp -m state --state NEW -m tcp --dport 22 -j ACCEPT",
        "INPUT -j REJECT --reject-with icmp-host-prohibited", "FORWARD -j REJECT --reject-with icmp-host-prohibited",
        "OUTPUT -d 169.254.0.0/16 -j InstanceServices", "InstanceServices -d 169.254.169.254/32 -p tcp -j ACCEPT",
        "InstanceServices -d 169.254.0.0/16 -p tcp -j REJECT --reject-with tcp-reset", InstanceServices="-")),
    ("iptables: Geneve", iptables("INPUT -p udp -m udp --dport 6081 -j DROP")),
    ("iptables: several ports", iptables("INPUT -p tcp -m multiport --dports 2379,2380,10250:10256 -j REJECT")),
    ("iptables: raw", iptables("PREROUTING -p tcp -m tcp --dport 6443 -j DROP", table="raw")),
    ("iptables: new connections of clients only", iptables("INPUT -i eth0 -p tcp --syn -m tcp ! --dport 22 -j DROP")),
    ("iptables: sources of old versions", iptables("INPUT -s ! 10.20.0.0/255.255.255.252 -p tcp -j DROP")),
    ("iptables: a set", packet_filter(
        ("iptables-legacy-save", saved("INPUT -m set --match-set block src -j DROP")),
        ("ipset", "create block hash:net family inet hashsize 1024 maxelem 65536\nadd block 10.20.0.0/28\n"))),
    ("docker that was removed without a reboot", packet_filter(("iptables-legacy-save", DOCKER))),
    ("ufw whose unit was masked while it ran", packet_filter(("iptables-nft-save", UFW))),
]  # fmt: skip

CLEAN: list[tuple[str, PacketFilter]] = [
    ("no table", nft("")),
    ("empty tables", nft("table inet filter {\n}\ntable ip nat {\n}\n")),
    ("the accept-only file of Ubuntu", nft(chain("input") + chain("forward") + chain("output"))),
    ("empty tables of iptables", packet_filter(("iptables-save", saved() + saved(table="nat") + saved(table="raw")))),
    ("counters", nft(chain(
        "input", "tcp dport 6443 counter packets 7 bytes 420", "counter packets 9 bytes 540 accept"))),
    ("invalid packets", nft(chain("input", INVALID, "tcp flags != syn / fin,syn,rst,ack ct state new drop"))),
    ("invalid packets, as kube-proxy drops them", iptables("FORWARD -m conntrack --ctstate INVALID -j DROP")),
    ("SSH above a rate", nft(chain("input", "tcp dport 22 ct state new limit rate over 10/minute drop"))),
    ("SSH above a rate for each source", nft(chain(
        "input", "tcp dport 22 ct state new meter ssh size 65535 { ip saddr limit rate over 5/minute } drop"))),
    ("SSH, recent", iptables(
        "INPUT -p tcp -m tcp --dport 22 -m state --state NEW -m recent --set --name DEFAULT "
        "--mask 255.255.255.255 --rsource",
        "INPUT -p tcp -m tcp --dport 22 -m state --state NEW -m recent --update --seconds 60 --hitcount 4 "
        "--name DEFAULT --mask 255.255.255.255 --rsource -j DROP")),
    ("fail2ban with iptables", iptables(
        "INPUT -p tcp -m multiport --dports 22 -j f2b-sshd",
        "f2b-sshd -s 203.0.113.9/32 -j REJECT --reject-with icmp-port-unreachable",
        "f2b-sshd -s 203.0.113.10/32 -j REJECT --reject-with icmp-port-unreachable",
        "f2b-sshd -j RETURN", **{"f2b-sshd": "-"})),
    ("fail2ban with nft", nft(
        "table inet f2b-table {\n\tset addr-set-sshd {\n\t\ttype ipv4_addr\n"
        "\t\telements = { 203.0.113.9, 203.0.113.10 }\n\t}\n\n\tchain f2b-chain {\n"
        "\t\ttype filter hook input priority filter - 1; policy accept;\n"
        "\t\ttcp dport 22 ip saddr @addr-set-sshd reject with icmp port-unreachable\n\t}\n}\n")),
    ("a block list for all ports", packet_filter(
        ("iptables-legacy-save", saved("INPUT -m set --match-set crowdsec-blacklists src -j DROP")),
        ("ipset", "create crowdsec-blacklists hash:ip family inet timeout 300\n"
                  "add crowdsec-blacklists 203.0.113.8\n"))),
    ("only docker0", nft(chain("forward", 'iifname "docker0" oifname "docker0" drop', 'oifname "virbr0" reject'))),
    ("libvirt", iptables(
        "INPUT -j LIBVIRT_INP", "FORWARD -j LIBVIRT_FWI", "FORWARD -j LIBVIRT_FWO",
        "LIBVIRT_INP -i virbr0 -p udp -m udp --dport 53 -j ACCEPT",
        "LIBVIRT_FWI -d 192.168.122.0/24 -o virbr0 -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT",
        "LIBVIRT_FWI -o virbr0 -j REJECT --reject-with icmp-port-unreachable",
        "LIBVIRT_FWO -i virbr0 -j REJECT --reject-with icmp-port-unreachable",
        LIBVIRT_INP="-", LIBVIRT_FWI="-", LIBVIRT_FWO="-")),
    ("another interface", nft(chain(
        "input", 'iifname "mgmt0" tcp dport != 22 drop', 'iifname { "usb0", "wg*" } drop'))),
    ("spoofed addresses", nft(chain(
        "prerouting", "fib saddr . iif oif missing drop", 'iif != "lo" ip saddr 127.0.0.0/8 drop',
        'iifname "eth0" fib daddr . iif type != { local, broadcast, multicast } drop', priority="raw"))),
    ("spoofed addresses, iptables", iptables(
        "PREROUTING -m rpfilter --loose --validmark --invert -j DROP", "PREROUTING -s 127.0.0.0/8 ! -i lo -j DROP",
        table="raw")),
    ("other ICMP", nft(chain("input", "icmp type { redirect, timestamp-request, address-mask-request } drop"))),
    ("other ICMP, iptables", iptables("INPUT -p icmp -m icmp --icmp-type 13 -j DROP", "INPUT -f -j DROP")),
    ("pings above a rate", nft(chain("input", "icmp type echo-request limit rate over 10/second drop"))),
    ("old services", nft(chain("input", "tcp dport { 23, 111, 445 } drop", "udp dport { 111, 137-138 } drop"))),
    ("mail on the way out", nft(chain("output", "tcp dport 25 reject"))),
    ("the metadata service of a cloud", iptables(
        "OUTPUT -d 168.63.129.16/32 -p tcp -m owner --uid-owner 0 -j ACCEPT",
        "OUTPUT -d 168.63.129.16/32 -p tcp -m conntrack --ctstate INVALID,NEW -j DROP")),
    ("IPv6 only", packet_filter(("ip6tables-legacy-save", saved("INPUT -i lo -j ACCEPT", INPUT="DROP")))),
    ("a table that is switched off", nft(chain("input", policy="drop").replace("{\n", "{\n\tflags dormant\n\n", 1))),
    ("everything from the nodes", nft(chain(
        "input", "ct state established,related accept", 'iif "lo" accept', 'iifname "ovn0" accept',
        "ip saddr { 10.20.0.0/24, 10.3.0.0/16 } accept", policy="drop"))),
    ("all ports open", nft(chain("input", *SSH_ONLY, "tcp dport 1-65535 accept", "meta l4proto { udp, icmp } accept",
                                 policy="drop"))),
    ("packets that the firewall of a container network marks", iptables(
        "INPUT -j KUBE-FIREWALL", "KUBE-FIREWALL -m comment --comment \"drop marked packets\" -m mark "
        "--mark 0x8000/0x8000 -j DROP", "KUBE-FIREWALL ! -s 127.0.0.0/8 -d 127.0.0.0/8 -m comment --comment \"block "
        "incoming localnet connections\" -m conntrack ! --ctstate RELATED,ESTABLISHED,DNAT -j DROP",
        **{"KUBE-FIREWALL": "-"})),
    ("limits of log lines", iptables("INPUT -m limit --limit 5/min -j LOG --log-prefix \"DROP -j REJECT \"")),
    ("bridged packets", iptables("FORWARD -m physdev --physdev-is-bridged -j DROP")),
    ("tables of bridges and ARP", nft(
        "table arp filter {\n\tchain INPUT {\n\t\ttype filter hook input priority filter; "
        "policy drop;\n\t}\n}\n")),
    ("masquerading", iptables("POSTROUTING -s 172.17.0.0/16 ! -o docker0 -j MASQUERADE", table="nat")),
    ("ufw after `ufw disable`", iptables(
        "INPUT -j ufw-before-input", **{"ufw-before-input": "-", "ufw-user-input": "-"})),
]  # fmt: skip

UNDECIDED: list[tuple[str, PacketFilter]] = [
    ("a match of iptables in a list of nft", nft(chain("input", '# xt_tcp counter packets 1 bytes 40 drop'))),
    ("an unknown match", iptables("INPUT -p tcp -m geoip ! --source-country DE -j DROP")),
    ("a set that is not listed", iptables("INPUT -m set --match-set unknown src -j DROP")),
    ("connections above a rate", nft(chain("input", "tcp dport 443 ct state new limit rate over 50/second drop"))),
    ("connections below a rate", iptables(
        "INPUT -p tcp -m tcp --tcp-flags FIN,SYN,RST,ACK SYN -j flood", "flood -m limit --limit 1/sec -j RETURN",
        "flood -j DROP", flood="-")),
    ("many connections of one host", iptables("INPUT -p tcp --syn -m connlimit --connlimit-above 40 -j REJECT")),
    ("a program decides", nft(chain("input", "tcp dport 1-65535 queue num 0"))),
    ("times of the day", nft(chain("input", 'meta hour >= "18:00" drop'))),
    ("hardware addresses", nft(chain("input", "ether saddr != { 02:00:00:00:00:01 } drop"))),
]  # fmt: skip
