"""Collectors of the firewall units of systemd and of the configuration of ufw (SEC-FIREWALL).

The rules themselves are read by `packet_filter.py`.
"""

import re
from collections.abc import Mapping

from acp_tui.nodes.collectors.parsing import lines
from acp_tui.nodes.fact_types import Unit
from acp_tui.nodes.script import Collector, CollectorOutput

UNITS = ("firewalld", "ufw", "nftables", "iptables", "ip6tables", "netfilter-persistent", "apparmor")
RARE_UNITS = ("shorewall", "shorewall6", "ferm", "firehol", "csf", "lfd", "apf", "arno-iptables-firewall")
"""Units of firewalls that few hosts have. systemctl is asked only if a file of the unit exists."""


def _units(output: CollectorOutput) -> Mapping[str, object]:
    """Parse lines `UNIT ACTIVE ENABLED`. A dash means that systemctl printed nothing, because the unit does not exist.

    Raises ValueError if systemctl printed nothing at all, because this means that systemd does not reply."""
    states = {}
    for line in lines(output):
        name, active, enabled = [*line.split(" "), "-", "-"][:3]
        if name in UNITS or name in RARE_UNITS:
            states[name] = (active, enabled)
    if not states.keys() >= set(UNITS) or all(state == ("-", "-") for state in states.values()):
        raise ValueError("systemd does not reply to systemctl")
    return {
        "units": {
            name: Unit("inactive" if active in ("-", "unknown") else active, "not-found" if enabled == "-" else enabled)
            for name, (active, enabled) in states.items()
        }
    }


def _ufw(output: CollectorOutput) -> Mapping[str, object]:
    """Parse ufw.conf: the last line ENABLED= counts, and comments are ignored."""
    found = re.findall(r"^[ \t]*ENABLED[ \t]*=[ \t]*([^\n#]*)", output.text, re.MULTILINE)
    value = found[-1].strip().strip("\"'") if found else ""
    return {"ufw_enabled": value.lower() == "yes"}


COLLECTORS = (
    Collector("ufw", ("ufw_enabled",), "show /etc/ufw/ufw.conf", _ufw),
    Collector(
        "units",
        ("units",),
        f"""
local unit active enabled rare=
tool systemctl || return 127
for unit in {" ".join(RARE_UNITS)}; do
  for active in /etc/systemd/system /run/systemd/generator.late /usr/lib/systemd/system /lib/systemd/system; do
    [ ! -e "$active/$unit.service" ] || {{ rare+=" $unit"; break; }}
  done
done
for unit in {" ".join(UNITS)} $rare; do
  active=$(systemctl is-active "$unit"); enabled=$(systemctl is-enabled "$unit")
  active=${{active%%$'\\n'*}} enabled=${{enabled%%$'\\n'*}}
  echo "$unit ${{active:--}} ${{enabled:--}}"
done
return 0
""",
        _units,
        timeout=10,
    ),
)
