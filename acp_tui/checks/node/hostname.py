"""Check the host name of one node: length, first and last character, allowed characters."""

import re

from acp_tui.checks.finding import Finding, NodeSubject, require_fact
from acp_tui.checks.verdict import Outcome
from acp_tui.core.i18n import _, npgettext, pgettext

_ALNUM = re.compile(r"[A-Za-z0-9]")
_LOCALHOST = re.compile(r"(?:[^ ]*\.)?(?:ip6-)?localhost[46]?(?:\.localdomain[46]?)?\.?", re.IGNORECASE)


def is_localhost(name: str) -> bool:
    """Return whether a host name is a name of the loopback interface, such as `localhost.localdomain`.

    systemd treats most of these names as no name, and a name from DHCP then replaces them.
    """
    return _LOCALHOST.fullmatch(name) is not None


def _pass_or_fail(ok: bool, observed: str) -> Finding:
    return Finding(Outcome.PASS if ok else Outcome.FAIL, observed)


def hostname_length(subject: NodeSubject) -> Finding:
    """NET-HOSTNAME-LEN: the host name must not be too long, and must not be a name of the loopback interface.

    A different name in /etc/hostname gives a warning, because the node has that name after the next boot.
    """
    name = require_fact(subject.facts.hostname, "hostname")
    length = npgettext(
        "observed value",
        "the host name {name} has {count} character",
        "the host name {name} has {count} characters",
        len(name),
    )
    if is_localhost(name):
        return Finding(Outcome.FAIL, _("{name} is a name of every machine, and DHCP can replace it").format(name=name))
    stored = subject.facts.etc_hostname
    if len(name) <= subject.check.number("most") and stored and stored != name:
        observed = _("the host name is {name}, but /etc/hostname contains {stored}").format(name=name, stored=stored)
        remedy = "hostnamectl set-hostname {names}"
        return Finding(Outcome.WARN, observed, remedy=remedy, names=(name,))
    return _pass_or_fail(len(name) <= subject.check.number("most"), length.format(name=name, count=len(name)))


def hostname_edges(subject: NodeSubject) -> Finding:
    """NET-HOSTNAME-EDGE: the host name must start and end with a letter or digit."""
    name = require_fact(subject.facts.hostname, "hostname")
    return _pass_or_fail(
        bool(_ALNUM.match(name[:1]) and _ALNUM.match(name[-1:])), name or pgettext("observed value", "empty")
    )


def hostname_characters(subject: NodeSubject) -> Finding:
    """NET-HOSTNAME-CHARS: the host name must contain only lower-case letters, digits, hyphens and dots."""
    name = require_fact(subject.facts.hostname, "hostname")
    return _pass_or_fail(re.fullmatch(r"[a-z0-9.-]*", name) is not None, name)


def hostname_sequences(subject: NodeSubject) -> Finding:
    """NET-HOSTNAME-SEQ: dots divide the host name into parts. No part may be empty, or start or end with a hyphen.

    The sequence `--` inside a part is allowed.
    """
    name = require_fact(subject.facts.hostname, "hostname")
    return _pass_or_fail(not any(pair in name for pair in (".-", "..", "-.")), name)
