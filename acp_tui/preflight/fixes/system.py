"""Fixes for system settings: swap, limits, /tmp, host name, resolver, time zone, sshd.

A value from a node (name, zone, unit) becomes part of a shell line only if it matches the expected pattern.
"""

from collections.abc import Mapping
from ipaddress import ip_address
from shlex import quote

from acp_tui.checks.node.boot_settings import swaps_at_boot
from acp_tui.core.i18n import _
from acp_tui.preflight.fixes.step import FixContext, FixStep, Recipe, trusted, unexpected_names

HOSTNAME = r"(?=.{1,36}$)[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*"
"""Matches a host name that passes NET-HOSTNAME-*."""

_SWAP_UNIT = r"[A-Za-z0-9][A-Za-z0-9:_.\\@-]{0,200}\.(swap|service)"
_RESOLV = "/etc/resolv.conf"
_TASKS_FILE = "/etc/systemd/system.conf.d/90-acp.conf"
_TASKS_FILES = "/etc/systemd/system.conf /etc/systemd/system.conf.d/*.conf"
_TMP_UNITS = ("/etc/systemd/system/tmp.mount", "/etc/systemd/system/tmp.mount.d/*.conf")


def swap(case: FixContext) -> FixStep | str:
    """SYS-SWAP: turn swap off, and disable everything that turns it on at boot.

    Units that do not come from fstab are masked. A unit whose own file in /etc prevents a mask is disabled instead.
    """
    entries = swaps_at_boot(case.facts) or ()
    scripts = [entry.source for entry in entries if entry.kind == "script"]
    if scripts:
        return _("the file {files} activates swap. Remove its command yourself").format(files=", ".join(scripts))
    from_fstab = any(entry.kind == "fstab" for entry in entries)
    # An active swap unit without a file of its own comes from fstab, if fstab has a swap line.
    units = (e.unit for e in entries if e.kind != "fstab" and not (from_fstab and e.source == "systemd"))
    own = tuple(dict.fromkeys(unit for unit in units if unit))
    masked = trusted(own, _SWAP_UNIT)
    if own and masked is None:
        return unexpected_names(own)
    commands = "swapoff -a\n" r"sed -ri 's/^\s*([^#[:space:]]\S*\s+\S+\s+swap(\s|$))/#\1/' /etc/fstab"
    back = [f"systemctl unmask {masked}"] if masked else []
    back += ["swapon -a"] if case.facts.swaps else []
    return FixStep(
        case.verdict.requirement,
        case.title,
        "\n".join(
            (
                commands,
                *(f"systemctl mask {quote(unit)} || systemctl disable {quote(unit)}" for unit in own),
            )
        ),
        undo="\n".join(back) or None,
        files=("/etc/fstab",),
    )


def tasks_max(case: FixContext) -> FixStep | str:
    """SYS-TASKSMAX: set DefaultTasksMax of systemd to infinity."""
    return FixStep(
        case.verdict.requirement,
        case.title,
        f'for file in {_TASKS_FILES}; do [ ! -f "$file" ] || '
        "sed -i -E 's/^[[:space:]]*DefaultTasksMax/#&/' \"$file\"; done\n"
        f"mkdir -p {_TASKS_FILE.rpartition('/')[0]}\n"
        f"printf '[Manager]\\nDefaultTasksMax=infinity\\n' >{_TASKS_FILE}\n"
        "systemctl daemon-reexec",
        undo="systemctl daemon-reexec",
        files=(_TASKS_FILE, *_TASKS_FILES.split()),
    )


def tmp_noexec(case: FixContext) -> FixStep | str:
    """FS-TMP-NOEXEC: remount /tmp now without noexec, and change fstab and tmp.mount for the next boot."""
    drop = "s/,noexec\\b|\\bnoexec,//; s/\\bnoexec\\b/defaults/"
    units = " ".join(_TMP_UNITS)
    implied = r"/\bexec\b/!s/(\s\/tmp\/?\s+\S+\s+\S*\busers?\b)/\1,exec/"  # the option user implies noexec
    return FixStep(
        case.verdict.requirement,
        case.title,
        'mount -o remount,exec "$(findmnt -n -o TARGET -T /tmp)"\n'
        f"sed -i -E '/^\\s*[^#[:space:]]\\S*\\s+\\/tmp\\/?\\s/{{{drop}; {implied}}}' /etc/fstab\n"
        f'for unit in {units}; do [ ! -f "$unit" ] || sed -i -E \'/^Options=/{{{drop}}}\' "$unit"; done',
        undo='mount -o remount,noexec "$(findmnt -n -o TARGET -T /tmp)"',
        files=("/etc/fstab", *_TMP_UNITS),
    )


def hostname(case: FixContext) -> FixStep | str:
    """NET-HOSTNAME-*, X-HOSTNAME-UNIQUE: set the host name that the operator chose."""
    if case.hostname is None:
        return _("acp-tui does not choose a host name. Choose one and set it yourself")
    name = trusted((case.hostname,), HOSTNAME)
    if name is None:
        return _("'{name}' is not a valid host name for a node").format(name=case.hostname)
    before = trusted((case.facts.etc_hostname or case.facts.hostname or "",), r"[A-Za-z0-9._-]{1,64}")
    return FixStep(
        case.verdict.requirement,
        case.title,
        f"hostnamectl set-hostname {name}",
        undo=f"hostnamectl set-hostname {before}" if before else None,
        files=("/etc/hostname",),
    )


def localhost(case: FixContext) -> FixStep | str:
    """NET-HOSTS-LOCALHOST: map localhost to 127.0.0.1 only."""
    return FixStep(
        case.verdict.requirement,
        case.title,
        r"sed -i -E '/^[^#]*\slocalhost(\s|$)/{/^(127\.0\.0\.1|::1)\s/!s/\slocalhost(\s|$)/\1/g}' /etc/hosts"
        "\n"
        r"grep -qE '^127\.0\.0\.1\s(.*\s)?localhost(\s|$)' /etc/hosts || sed -i '1i 127.0.0.1 localhost' /etc/hosts",
        files=("/etc/hosts",),
    )


def search_domains(case: FixContext) -> FixStep | str:
    """NET-RESOLV-SEARCH, NET-SEARCH-*: remove the search domains from the resolver configuration."""
    if case.facts.pod_resolv not in (None, _RESOLV):
        return _(
            "systemd-resolved gives Pods these search domains. Remove them from the settings of the network, such as "
            "netplan or DHCP"
        )
    return FixStep(
        "NET-RESOLV-SEARCH",
        case.title,
        f"sed -i -E '/^\\s*(search|domain)\\s/d' {_RESOLV}",
        files=(_RESOLV,),
        also=() if case.verdict.requirement == "NET-RESOLV-SEARCH" else (case.verdict.requirement,),
        note=_(
            "After this fix, short host names no longer resolve. NetworkManager or DHCP can overwrite "
            "/etc/resolv.conf, so remove the search domains from their settings too."
        ),
    )


def nameservers(case: FixContext) -> FixStep | str:
    """NET-RESOLV-172: remove name servers in 172.0.0.0/8 if other name servers remain.

    If /etc/resolv.conf names the local name server of systemd-resolved, it is replaced with a link to the file in which
    systemd-resolved lists the servers that it uses.
    """
    servers = case.facts.nameservers or ()
    barred = [server for server in servers if server.startswith("172.")]
    others = [server for server in servers if server not in barred and not _local(server)]
    pods = [server for server in case.facts.pod_nameservers or () if server.startswith("172.")]
    if pods and not barred:
        return _(
            "systemd-resolved gives Pods the name servers {servers}. Choose others in the settings of the network, "
            "such as netplan or DHCP"
        ).format(servers=", ".join(pods))
    if barred and not others:
        return _("no other name server is configured. Choose a name server yourself")
    if barred:
        command = f"sed -i -E '/^\\s*nameserver\\s+172\\./d' {_RESOLV}"
    elif "127.0.0.53" in servers:
        command = f"use_resolved_servers {_RESOLV}"
    else:
        return _("a configured name server runs on this node. Choose a different name server yourself")
    return FixStep(
        case.verdict.requirement,
        case.title,
        command,
        files=(_RESOLV,),
        note=_(
            "NetworkManager or DHCP can overwrite /etc/resolv.conf, so change the name servers in their settings too."
        ),
    )


def _local(server: str) -> bool:
    try:
        return ip_address(server).is_loopback
    except ValueError:
        return True


def time_zone(case: FixContext) -> FixStep | str:
    """X-TIMEZONE: set the time zone that most nodes have."""
    zone = trusted(case.verdict.names, r"[A-Z][A-Za-z0-9_+-]*(/[A-Za-z0-9_+-]+){0,2}")
    if zone is None or len(case.verdict.names) != 1:
        return unexpected_names(case.verdict.names)
    return FixStep(
        case.verdict.requirement,
        case.title,
        f"timedatectl set-timezone {zone}",
        files=("/etc/localtime", "/etc/timezone"),
    )


def _sshd(keyword: str) -> Recipe:
    """USR-USEDNS, USR-USEPAM: set the keyword at the top of the file, because sshd uses the first value it reads."""

    def recipe(case: FixContext) -> FixStep | str:
        setting = (case.facts.sshd or {}).get(keyword.lower())
        if setting is not None and setting.effective == "no" and setting.running not in (None, "no"):
            return _(
                "the files of sshd are correct. Restart sshd yourself, and keep your session open until a second "
                "login succeeds"
            )
        file, line = "/etc/ssh/sshd_config", f"{keyword} no"
        return FixStep(
            case.verdict.requirement,
            case.title,
            f"head -n 2 {file} | grep -qix {quote(line)} || "
            f"sed -i -e '1i {line}' -e '/^[[:space:]]*{keyword}[[:space:]=]/Id' {file}",
            files=(file,),
            second_login=True,
            note=_(
                "The change is kept only if a second login succeeds. If it fails, acp-tui undoes the change at once. "
                "If acp-tui cannot do so, the node undoes the change after one minute."
            ),
        )

    return recipe


SYSTEM_RECIPES: Mapping[str, Recipe] = {
    "SYS-SWAP": swap,
    "SYS-TASKSMAX": tasks_max,
    "FS-TMP-NOEXEC": tmp_noexec,
    "NET-HOSTNAME-LEN": hostname,
    "NET-HOSTNAME-EDGE": hostname,
    "NET-HOSTNAME-CHARS": hostname,
    "NET-HOSTNAME-SEQ": hostname,
    "X-HOSTNAME-UNIQUE": hostname,
    "NET-HOSTS-LOCALHOST": localhost,
    "NET-RESOLV-SEARCH": search_domains,
    "NET-SEARCH-COUNT": search_domains,
    "NET-SEARCH-LEN": search_domains,
    "NET-SEARCH-TOTAL": search_domains,
    "NET-RESOLV-172": nameservers,
    "X-TIMEZONE": time_zone,
    "USR-USEDNS": _sshd("UseDNS"),
    "USR-USEPAM": _sshd("UsePAM"),
}
