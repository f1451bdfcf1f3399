"""An ear for VRRP: which virtual router IDs are in use around a node (VIP-VRID). It only listens, for four seconds.

Groups announce themselves once a second unless set otherwise, to 224.0.0.18 as IP protocol 112 (RFC 5798).
"""

import re
from collections.abc import Mapping
from shlex import quote

from acp_tui.probe.script import Reading, Snippet
from acp_tui.probe.snippets.answers import lines

_SECONDS = 4

# Python 2.7 and 3 alike. Joining the group makes the network card take its packets in.
_PYTHON = """
import select, socket, sys, time
s = socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM, socket.ntohs(0x0800))
try:
    u = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    group = socket.inet_aton('224.0.0.18') + socket.inet_aton(sys.argv[1])
    u.setsockopt(socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP, group)
except (OSError, socket.error):
    pass
end, seen = time.time() + float(sys.argv[2]), set()
while select.select([s], [], [], max(0, end - time.time()))[0] and time.time() < end:
    d = bytearray(s.recv(2048))
    if len(d) > 21 and d[9] == 112 and len(d) > (d[0] & 15) * 4 + 1:
        seen.add(d[(d[0] & 15) * 4 + 1])
for n in seen:
    print('vrid %d' % n)
print('heard')
"""

_SHELL = """
root || return
local tool nic
for tool in python3 python2 python /usr/libexec/platform-python; do
  if type -P "$tool" >/dev/null; then "$tool" -c @PYTHON@ @ADDRESS@ @SECONDS@; return; fi
done
tool tcpdump || return 127
read -r _ nic _ < <(ip -o addr show to @ADDRESS@)
limit @SECONDS@ tcpdump -l -n -i "${nic:-any}" -c 200 ip proto 112
case $? in 0 | 124) echo heard ;; *) return 1 ;; esac
"""


def ear(address: str) -> Snippet:
    """The question which VRRP groups `address`'s network hears. It needs root, and python or tcpdump."""
    blanks = {"@PYTHON@": quote(_PYTHON), "@ADDRESS@": quote(address), "@SECONDS@": str(_SECONDS)}
    shell = _SHELL
    for blank, value in blanks.items():
        shell = shell.replace(blank, value)
    return Snippet("vrrp", ("vrids",), shell, _vrids, timeout=_SECONDS + 4, early=True)


def _vrids(reading: Reading) -> Mapping[str, object]:
    """`vrid N` lines, or tcpdump's `vrid N,`; at the end `heard`."""
    if "heard" not in lines(reading):
        raise ValueError("listening failed")
    return {"vrids": frozenset(int(n) for n in re.findall(r"\bvrid (\d{1,3})\b", reading.text))}
