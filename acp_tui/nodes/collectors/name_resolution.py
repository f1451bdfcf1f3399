"""Collectors for name resolution: /etc/hosts and resolv.conf (NET-HOSTS-*, NET-RESOLV-*, NET-SEARCH-*)."""

from collections.abc import Mapping

from acp_tui.nodes.collectors.parsing import is_address, lines
from acp_tui.nodes.script import Collector, CollectorOutput


def _hosts(output: CollectorOutput) -> Mapping[str, object]:
    addresses = []
    for line in lines(output):
        address, *names = line.partition("#")[0].split() or [""]
        if is_address(address.partition("%")[0]) and "localhost" in (name.lower() for name in names):
            addresses.append(address)
    return {"hosts_localhost": tuple(addresses)}


def _resolv(output: CollectorOutput) -> Mapping[str, object]:
    """Parse resolv.conf(5) as kubelet does: blanks before a keyword are allowed.

    Only the last `search` line counts. The search domain `.`, which systemd-resolved can write, is ignored. If the
    collector ended with an exit status other than 0, the node has no resolv.conf."""
    if output.status:
        return {"resolv_exists": False, "nameservers": (), "search_domains": (), "resolv_domain": ""}
    nameservers: list[str] = []
    search: tuple[str, ...] = ()
    domain = ""
    for line in output.text.split("\n"):
        keyword, *values = line.split() or [""]
        if not values:
            continue
        if keyword == "nameserver":
            nameservers.append(values[0])
        elif keyword == "search":
            search = tuple(value for value in values if value != ".")
        elif keyword == "domain":
            domain = values[0]
    return {
        "resolv_exists": True,
        "nameservers": tuple(nameservers),
        "search_domains": search,
        "resolv_domain": domain,
    }


COLLECTORS = (
    Collector(
        "hosts",
        ("hosts_localhost",),
        """
local line rows
mapfile -t rows </etc/hosts || [ ! -e /etc/hosts ] || return 66
for line in "${rows[@]}"; do
  case $line in *[Ll][Oo][Cc][Aa][Ll][Hh][Oo][Ss][Tt]*) printf '%s\\n' "$line" ;; esac
done
return 0
""",
        _hosts,
    ),
    Collector(
        "resolv",
        ("resolv_exists", "nameservers", "search_domains", "resolv_domain"),
        "show /etc/resolv.conf",
        _resolv,
        any_status=True,
    ),
)
