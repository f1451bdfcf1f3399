"""Collectors for name resolution: hosts, nsswitch.conf and resolv.conf (NET-HOSTS-*, NET-RESOLV-*, NET-SEARCH-*).

The parsers read the files as their readers do: `/etc/hosts` and the name servers of the node as glibc, the name servers
and search domains of Pods as kubelet. Both read exact bytes, so the script sends bytes that are not printable ASCII as
escapes.
"""

import re
from collections.abc import Iterable, Mapping
from ipaddress import IPv4Address, IPv6Address, ip_address

from acp_tui.nodes.collectors.parsing import is_address
from acp_tui.nodes.script import ABSENT, Collector, CollectorOutput

RESOLVED_FILE = "/run/systemd/resolve/resolv.conf"
_ETC = "/etc/resolv.conf"
_ESCAPES = {"%25": "%", "%0d": "\r", "%bom": "\ufeff"}
_C_SPACE = " \t\n\v\f\r"
"""The characters that isspace(3) accepts."""


def unescape(text: str) -> str:
    """Return the text of a line that the shell function `escaped` printed. An unknown byte becomes `\x01`."""
    return re.sub(r"%(?:25|0d|bom|xx)", lambda match: _ESCAPES.get(match[0], "\x01"), text)


def escape(text: str) -> str:
    """Return `text` with visible escapes for a carriage return, a byte order mark and other bytes."""
    return text.replace("\r", "\\r").replace("\ufeff", "<BOM>").replace("\x01", "?")


def hosts_addresses(rows: Iterable[str], name: str) -> tuple[str, ...]:
    """Return the addresses that glibc finds for `name` in the lines `rows` of /etc/hosts, in the order of the file.

    White space of any kind divides a line, also a carriage return. A line with an invalid address does not count. An
    IPv4 address in the form ::ffff:A.B.C.D counts as A.B.C.D.
    """
    found = []
    for row in rows:
        address, *names = re.split(f"[{_C_SPACE}]+", row.partition("#")[0].strip(_C_SPACE))
        if "%" not in address and is_address(address) and name in (own.lower() for own in names):
            ip = ip_address(address)
            mapped = ip.ipv4_mapped if isinstance(ip, IPv6Address) else None
            found.append(str(mapped) if mapped else address)
    return tuple(found)


def glibc_nameservers(rows: Iterable[str]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return the name servers that glibc accepts in the lines `rows` of resolv.conf, and the lines that it ignores.

    The keyword must start in the first column. A space or a tab must follow, and the address ends at the next one, so
    a carriage return makes it invalid. An IPv4 address can have any form that inet_aton(3) reads. glibc uses only the
    first three name servers; this function returns all.
    """
    servers, ignored = [], []
    for row in rows:
        keyword, *values = row.replace("\t", " ").split(" ")
        value = next((part for part in values if part), "")
        address = _server(value) if keyword == "nameserver" else None
        if address is not None:
            servers.append(address)
        elif re.match(r"\W*nameserver(\s|$)", row, re.IGNORECASE) and not row.strip().startswith(("#", ";")):
            ignored.append(escape(row.strip(" \t"))[:100])
    return tuple(servers), tuple(ignored)


def _server(text: str) -> str | None:
    if (four := inet_aton(text)) is not None:
        return four
    address, percent, scope = text.partition("%")
    try:
        six = IPv6Address(address)
    except ValueError:
        return None
    return f"{six}{percent}{scope}"


def inet_aton(text: str) -> str | None:
    """Return the IPv4 address that inet_aton(3) reads from `text`, such as 10.0.0.1 for `10.1`; None if it is invalid.

    Each of the one to four parts is decimal, octal (0...) or hexadecimal (0x...). The last part has the other bytes."""
    parts = text.split(".")
    values = []
    for part in parts:
        if re.fullmatch(r"0[xX][0-9a-fA-F]{1,64}", part):
            values.append(int(part, 16))
        elif re.fullmatch(r"0[0-7]{0,64}", part):
            values.append(int(part, 8))
        elif re.fullmatch(r"[1-9][0-9]{0,63}", part):
            values.append(int(part))
        else:
            return None
    if len(values) > 4 or any(value > 255 for value in values[:-1]) or values[-1] >= 256 ** (5 - len(values)):
        return None
    number = sum(value << (24 - 8 * position) for position, value in enumerate(values[:-1])) + values[-1]
    return str(IPv4Address(number))


def kubelet_settings(rows: Iterable[str]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return the name servers and the search domains that kubelet finds in the lines `rows` of resolv.conf.

    kubelet ignores blanks before a keyword, and white space of any kind divides a line. The last `search` line counts.
    """
    servers: list[str] = []
    search: list[str] = []
    for row in rows:
        keyword, *values = row.split() or [""]
        if keyword == "nameserver" and values:
            servers.append(values[0])
        elif keyword == "search":
            search = values
    return tuple(servers), tuple(search)


def _sources(text: str) -> tuple[str, ...]:
    """Return the sources of a `hosts` line of nsswitch.conf that glibc asks for the name `localhost`.

    If `dns` is followed by an action `NOTFOUND=return`, the sources behind it are not asked."""
    sources: list[str] = []
    for word in re.findall(r"\[[^\]]*\]|[^\s\[]+", text):
        if not word.startswith("["):
            sources.append(word.lower())
        elif sources[-1:] == ["dns"] and re.search(r"[^!\w]notfound\s*=\s*return", word, re.IGNORECASE):
            break
    return tuple(sources)


def _hosts(output: CollectorOutput) -> Mapping[str, object]:
    """Parse lines `hosts LINE` (of /etc/hosts) and `switch LINE` (of nsswitch.conf)."""
    rows: list[str] = []
    sources: tuple[str, ...] = ()
    for line in output.text.split("\n"):
        kind, _space, rest = line.partition(" ")
        if kind == "hosts":
            rows.append(unescape(rest))
        elif kind == "switch" and (match := re.match(r"\s*hosts\s*:([^#]*)", unescape(rest))):
            sources = _sources(match[1])
    return {"hosts_localhost": hosts_addresses(rows, "localhost"), "hosts_sources": sources}


def _resolv(output: CollectorOutput) -> Mapping[str, object]:
    """Parse lines `FILE LINE`, with FILE `etc`, `resolved` or `upstream`.

    `upstream` has the name servers that a local server asks. If the collector ended with status 66, the node has no
    resolv.conf."""
    if output.status == ABSENT:
        return {"resolv_exists": False, **dict.fromkeys(_RESOLV_FIELDS[1:6], ()), "resolv_domain": "", "pod_resolv": ""}
    if output.status:
        raise ValueError("the exit status is not 0")
    files: dict[str, list[str]] = {"etc": [], "upstream": []}
    for line in output.text.split("\n"):
        kind, _space, rest = line.partition(" ")
        if kind in ("etc", "resolved", "upstream"):
            files.setdefault(kind, []).append(unescape(rest))
    servers, ignored = glibc_nameservers(files["etc"])
    pods, search = kubelet_settings(files.get("resolved", files["etc"]))
    domains = [values[0] for row in files["etc"] if (values := row.split()[1:]) and row.split()[0] == "domain"]
    return {
        "resolv_exists": True,
        "nameservers": servers,
        "ignored_nameservers": ignored,
        "pod_nameservers": pods,
        "search_domains": tuple(escape(domain) for domain in search if domain != "."),
        "upstream_nameservers": kubelet_settings(files["upstream"])[0],
        "resolv_domain": domains[-1] if domains else "",
        "pod_resolv": RESOLVED_FILE if "resolved" in files else _ETC,
    }


_RESOLV_FIELDS = (
    "resolv_exists",
    "nameservers",
    "ignored_nameservers",
    "pod_nameservers",
    "search_domains",
    "upstream_nameservers",
    "resolv_domain",
    "pod_resolv",
)

_ESCAPED = r"""
local content
escaped() { # KIND FILE PATTERN: print the lines of a file that match, with escapes; set content
  local line rows tab=$'\t'
  mapfile -t rows <"$2" || return 66
  content=${rows[*]}
  for line in "${rows[@]}"; do
    case ${line,,} in $3) ;; *) continue ;; esac
    line=${line//[%]/%25}
    line=${line//$'\r'/%0d}
    line=${line//$'\xef\xbb\xbf'/%bom}
    line=${line//[^ -~$tab]/%xx}
    printf '%s %s\n' "$1" "$line"
  done
}
"""

COLLECTORS = (
    Collector(
        "hosts",
        ("hosts_localhost", "hosts_sources"),
        _ESCAPED
        + """
escaped hosts /etc/hosts '*localhost*' || [ ! -e /etc/hosts ] || return 66
escaped switch /etc/nsswitch.conf '*hosts*:*'
return 0
""",
        _hosts,
    ),
    Collector(
        "resolv",
        _RESOLV_FIELDS,
        _ESCAPED
        + """
local file local_server= real=/run/systemd/resolve/resolv.conf pods=
escaped etc /etc/resolv.conf '*' || { [ ! -e /etc/resolv.conf ] || [ -d /etc/resolv.conf ] || return 1; return 66; }
case $content in *127.*|*::1*) local_server=1 ;; esac
if [ -e "$real" ]; then
  case "$content $(readlink /etc/resolv.conf)" in
    *127.0.0.5[34]*|*systemd/resolve/*) pods=$real ;;
    *) ! tool systemctl || [ "$(systemctl is-active systemd-resolved)" != active ] || pods=$real ;;
  esac
fi
[ -z "$pods" ] || { echo "resolved #"; escaped resolved "$pods" '*'; }
[ -z "$local_server" ] || for file in /run/NetworkManager/no-stub-resolv.conf /etc/resolv.dnsmasq{,.conf}; do
  [ ! -e "$file" ] || escaped upstream "$file" '*'
done
return 0
""",
        _resolv,
        any_status=True,
    ),
)
