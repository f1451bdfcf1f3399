"""Find the virtual router IDs in use on a node's network (VIP-VRID). The node listens for four seconds.

By default, a VRRP group sends an advertisement every second. Its IP protocol number is 112, and its destination is
224.0.0.18 or ff02::12 (RFC 5798). The test listens only on the network of the node's address, because a group on a
different network can have the same ID.
"""

import re
from collections.abc import Mapping
from shlex import quote

from acp_tui.core.text import fill_template
from acp_tui.nodes.collectors.parsing import lines
from acp_tui.nodes.script import Collector, CollectorOutput

_SECONDS = 4

# For Python 2.7 and 3. The network card receives the packets only after the node joins the multicast group. An IPv4 and
# an IPv6 group may have the same ID (RFC 5798, section 7.3), so only the family of the node's address is checked.
_PYTHON = """
import select, socket, struct, sys, time
address, seconds, nic = sys.argv[1], float(sys.argv[2]), sys.argv[3]
six = ':' in address
kind = 0x86dd if six else 0x0800
s = socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM, socket.ntohs(kind))
if nic:
    s.bind((nic, kind))
try:
    if six:
        u = socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)
        number = int(open('/sys/class/net/%s/ifindex' % nic).read())
        group = socket.inet_pton(socket.AF_INET6, 'ff02::12') + struct.pack('@I', number)
        u.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_JOIN_GROUP, group)
    else:
        u = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        group = socket.inet_aton('224.0.0.18') + socket.inet_aton(address)
        u.setsockopt(socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP, group)
except (OSError, IOError, socket.error):
    pass
end, seen = time.time() + seconds, set()
while select.select([s], [], [], max(0, end - time.time()))[0] and time.time() < end:
    d = bytearray(s.recv(2048))
    at = 40 if six else (d[0] & 15) * 4
    if len(d) > max(at + 1, 21) and d[6 if six else 9] == 112:
        seen.add(d[at + 1])
for n in seen:
    print('vrid %d' % n)
print('done')
"""

_SHELL = """
root || return
local tool nic
read -r _ nic _ < <(ip -o addr show to @ADDRESS@)
for tool in python3 python2 python /usr/libexec/platform-python; do
  if type -P "$tool" >/dev/null; then "$tool" -c @PYTHON@ @ADDRESS@ @SECONDS@ "$nic"; return; fi
done
tool tcpdump || return 127
limit @SECONDS@ tcpdump -l -n -i "${nic:-any}" -c 200 @FAMILY@ proto 112
case $? in 0 | 124) echo done ;; *) return 1 ;; esac
"""


def vrrp_collector(address: str) -> Collector:
    """Return the collector of VRRP groups on the network of `address`. The test requires root and python or tcpdump."""
    shell = fill_template(
        _SHELL,
        PYTHON=quote(_PYTHON),
        ADDRESS=quote(address),
        SECONDS=str(_SECONDS),
        FAMILY="ip6" if ":" in address else "ip",
    )
    return Collector("vrrp", ("vrids_seen",), shell, _vrids, timeout=_SECONDS + 4, early=True)


def _vrids(output: CollectorOutput) -> Mapping[str, object]:
    """Parse lines `vrid N` of python, or `vrid N,` of tcpdump. The last line is `done`."""
    if "done" not in lines(output):
        raise ValueError("the node cannot listen for VRRP packets")
    return {"vrids_seen": frozenset(int(n) for n in re.findall(r"\bvrid (\d{1,3})\b", output.text))}
