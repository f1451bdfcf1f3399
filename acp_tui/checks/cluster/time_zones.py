"""Compare the time zones of the nodes.

A zone has several names in the tz database, and versions of this database write one zone as different files.
"""

from collections.abc import Mapping
from functools import cache

from acp_tui.checks.cluster.consistency import most_common, preferred_node
from acp_tui.checks.cluster.missing_facts import fact_of_nodes
from acp_tui.checks.finding import ClusterSubject, Finding, Findings
from acp_tui.checks.verdict import Outcome
from acp_tui.core.assets import asset_text
from acp_tui.nodes.facts import Facts


def same_timezone(subject: ClusterSubject) -> Findings:
    """X-TIMEZONE: all nodes must have the UTC offset that most nodes have.

    If the offset of a node is correct, but its time zone is another zone than that of most nodes, the outcome is a
    warning. Two names of one zone count as equal, and so do two zones with equal files. A node whose /etc/localtime has
    no name is compared by its file and its present rule.
    """
    preferred = preferred_node(subject)
    offsets, findings = fact_of_nodes(subject, "utc_offset", lambda f: f.utc_offset)
    usual = most_common(offsets, preferred)
    right = {a: subject.facts[a] for a, offset in offsets.items() if offset == usual}
    zones = {a: _main_name(f.timezone) for a, f in right.items() if f.timezone}
    usual_zone = most_common(zones, preferred)
    names = {a: right[a].timezone or "" for a, zone in zones.items() if zone == usual_zone}
    usual_name = most_common(names, preferred) or ""
    rules = {a: f.timezone_rule or "" for a, f in right.items()}
    usual_rule = most_common(rules, preferred)
    models = names or {a for a, rule in rules.items() if rule == usual_rule}
    files = {(right[a].timezone_digest, right[a].timezone_rule) for a in models}
    for address, offset in offsets.items():
        facts = subject.facts[address]
        if address in right and (address in models or _same_rules(facts, files, named=bool(names))):
            continue
        findings.append(
            Finding(
                Outcome.FAIL if offset != usual else Outcome.WARN,
                observed=f"{facts.timezone or facts.timezone_rule or ''} {offset}".strip(),
                expected=f"{usual_name} {usual}".strip(),
                node=address,
                names=(usual_name or "UTC",),
            )
        )
    return tuple(findings)


def _same_rules(facts: Facts, files: set[tuple[str | None, str | None]], *, named: bool) -> bool:
    """Return whether a node has the rules of the nodes with the usual zone, as far as this is known.

    `files`: checksum and present rule of /etc/localtime on these nodes. `named`: True if their zone has a name. A node
    with a name of its own has another zone, unless the files are equal.
    """
    if facts.timezone_digest and any(digest == facts.timezone_digest for digest, _rule in files):
        return True
    if facts.timezone and named:
        return False
    return any(not rule or not facts.timezone_rule or rule == facts.timezone_rule for _digest, rule in files)


def _main_name(zone: str) -> str:
    """Return the name of a time zone in the tz database, of which `zone` can be another name."""
    name = _zone_names().get(zone, zone)
    return "UTC" if name in ("Etc/UTC", "Etc/GMT") else name


@cache
def _zone_names() -> Mapping[str, str]:
    rows = (row.split() for row in asset_text("time_zone_links.txt").splitlines() if not row.startswith("#"))
    return {other: name for name, *others in rows for other in others}
