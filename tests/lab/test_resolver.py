"""Name servers behind a local one, on real nodes: those that Pods get are judged, too."""

from pathlib import Path

import pytest

from tests.lab.kit.check_run import as_planned, check, plan
from tests.lab.kit.near_misses.case import U20, R, U, case
from tests.lab.kit.nodes import Lab
from tests.lab.kit.profiles import NodeProfile
from tests.lab.kit.shell import new_file, resolv_conf, unit

pytestmark = pytest.mark.lab

_REAL = "/run/systemd/resolve/resolv.conf"
_STUB = resolv_conf("nameserver 127.0.0.53\noptions edns0 trust-ad")
CASES = (
    case(U, "172.20 behind the stub of systemd-resolved", f"{_STUB}\n{new_file(_REAL, 'nameserver 172.20.1.10')}",
         NET_RESOLV_172="fail", NET_172_FREE="fail"),
    case(U20, "a good name server behind the stub", f"{_STUB}\n{new_file(_REAL, 'nameserver 198.51.100.250')}",
         NET_RESOLV_172="warn"),
    case(U, "no name server behind the stub", f"{_STUB}\n{new_file(_REAL, '# No DNS servers known.')}",
         NET_RESOLV_172="warn", NET_RESOLV_NS="fail"),
    case(U, "a name server in the Service range behind the stub", f"{_STUB}\n{new_file(_REAL, 'nameserver 10.4.0.10')}",
         NET_RESOLV_172="warn", XR_CIDR_HOST="fail"),
    case(U, "172.20 for Pods alone", f"{unit('systemd-resolved', 'active', 'enabled')}; "
         f"{new_file(_REAL, 'nameserver 172.20.1.10')}", NET_RESOLV_172="fail", NET_172_FREE="fail"),
    case(U, "172.20 left behind by systemd-resolved", f"{unit('systemd-resolved', 'inactive', 'disabled')}; "
         f"{new_file(_REAL, 'nameserver 172.20.1.10')}"),
    case(U, "search domains for Pods alone", f"{unit('systemd-resolved', 'active', 'enabled')}; "
         f"{new_file(_REAL, 'nameserver 198.51.100.250', 'search a.example')}", NET_RESOLV_SEARCH="warn"),
    case(R, "172.20 behind dnsmasq of NetworkManager", f"{resolv_conf('nameserver 127.0.0.1')}\n"
         + new_file("/run/NetworkManager/no-stub-resolv.conf", "nameserver 172.20.1.10"), NET_RESOLV_172="warn",
         NET_172_FREE="fail"),
    case(U, "a stub with an IPv6 address", resolv_conf("nameserver ::1"), NET_RESOLV_172="warn"),
)  # fmt: skip
_OF_NAMES = ("NET-RESOLV-", "NET-SEARCH-", "NET-172-FREE", "NETCFG-172", "XR-CIDR-HOST")


def test_name_servers_of_pods_are_judged(lab: Lab, tmp_path: Path) -> None:
    nodes = lab.start(*(NodeProfile(base, (fault,)) for base, fault in CASES))
    checked = check(tmp_path, plan(as_planned(nodes, len(nodes)), lab.address(0)))
    for node in nodes:
        found = {name: what for name, what in checked.outcomes[node.address].items() if name.startswith(_OF_NAMES)}
        assert (node.profile.faults[0].name, found) == (node.profile.faults[0].name, node.profile.expects)
