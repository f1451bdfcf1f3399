"""Random addresses, names, ranges, ports and lists: the plan accepts the same values as `ipaddress` and the grammar.

The grammars are written a second time here, without regular expressions, so that the same error is unlikely in both.
"""

import string
from ipaddress import AddressValueError, IPv4Address, IPv6Address, NetmaskValueError, ip_address, ip_network

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from acp_tui.checks.catalog import catalogue
from acp_tui.checks.evaluate import check_node
from acp_tui.checks.finding import NodeSubject
from acp_tui.checks.plan.evaluate_plan import evaluate_plan
from acp_tui.checks.subnets import special
from acp_tui.checks.verdict import Outcome
from acp_tui.plan.model import Plan
from acp_tui.plan.paths import InvalidValue, answer_at, build, split_list, with_answers
from tests.support.factories.node_facts import healthy
from tests.support.factories.plans import valid_plan

pytestmark = pytest.mark.timeout(1800)
PLAN = Plan()
RULES = catalogue("4.0")
ALNUM = string.ascii_letters + string.digits


def accepted(path: str, typed: object) -> object:
    """Return the value in the plan after this text was entered. None: the field rejects it with a message."""
    first, *rest = reversed(path.split("."))
    data: object = {first: typed}
    for name in rest:
        data = {name: data}
    try:
        return answer_at(build(data), path)
    except InvalidValue as rejected:
        errors = rejected.errors
    assert all(error.message and len(error.message) < 300 for error in errors)
    return None


def mangled(text: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    """Generate the text unchanged, or with a character added, removed or replaced."""
    replacement = st.sampled_from([*"./:%[]_-0 xX\t\n\x00é٤", "::", "0x", "://", "\u200b", "\u2028"])

    @st.composite
    def change(draw: st.DrawFn) -> str:
        original = draw(text)
        at = draw(st.integers(0, len(original)))
        cut = draw(st.integers(0, 2))
        return original[:at] + draw(st.one_of(replacement, st.just(""))) + original[at + cut :]

    return st.one_of(text, change())


ADDRESSES = st.one_of(st.ip_addresses().map(str), st.ip_addresses(v=6).map(lambda a: a.exploded.upper()))
LABELS = st.text(ALNUM + "-", min_size=1, max_size=8) | st.text(ALNUM + "-_", min_size=60, max_size=66)
NAMES = st.lists(LABELS, min_size=1, max_size=5).map(".".join) | st.lists(LABELS, min_size=20, max_size=40).map(
    ".".join
)
PREFIXES = st.integers(-1, 130).map(str) | st.sampled_from(["", "016", "255.255.0.0", "0.0.255.255", "16 ", "٨"])


def normal_address(text: str) -> str | None:
    """Return the address in the form of `ipaddress`. None: a plan does not accept it."""
    try:
        address = ip_address(text.strip())
    except (ValueError, AddressValueError):
        return None
    if isinstance(address, IPv6Address) and (address.scope_id is not None or address.ipv4_mapped is not None):
        return None
    return str(address)


def normal_name(text: str) -> str | None:
    """Return the name in lower case without a final dot. None: it is not a name of RFC 1123."""
    name = text.strip().removesuffix(".").lower()
    labels = name.split(".")
    for label in labels:
        if not 1 <= len(label) <= 63 or "-" in (label[0], label[-1]) or set(label) - set(ALNUM + "-"):
            return None
    last = labels[-1]
    numeric = last.isdigit() or (last[:2] == "0x" and not set(last[2:]) - set(string.hexdigits))
    return None if len(name) > 253 or numeric else name


def unprintable(text: str) -> bool:
    return any((ord(c) < 32 and c not in "\t\n") or 0x7F <= ord(c) < 0xA0 or c in "\u2028\u2029" for c in text)


@given(mangled(ADDRESSES))
@example("10.0.0.010")
@example("fe80::1%eth0")
@example("::ffff:10.0.0.1")
def test_node_address_is_accepted_if_ipaddress_accepts_it(text: str) -> None:
    expected = None if unprintable(text) else normal_address(text)
    monitors = accepted("components.prometheus_nodes", (text,))
    assert monitors == (None if expected is None else (expected,))


@given(mangled(st.one_of(ADDRESSES, NAMES)))
@example("1.2.3")
@example("0x7f.1")
@example("a.0x")
@example("EXAMPLE.com.")
def test_platform_address_is_an_address_or_a_name(text: str) -> None:
    expected = None if unprintable(text) else (normal_address(text) or normal_name(text))
    assert accepted("address.platform", text) == expected


@given(mangled(st.one_of(ADDRESSES, NAMES)))
def test_endpoint_is_an_ipv4_address_or_a_name(text: str) -> None:
    expected = None if unprintable(text) or ":" in text else (normal_address(text) or normal_name(text))
    if not text.strip() and not unprintable(text):
        expected = ""
    assert accepted("address.cluster_endpoint", text) == expected


@given(mangled(st.builds(lambda a, p: f"{a}/{p}", ADDRESSES, PREFIXES)), st.sampled_from((4, 6)))
def test_cidr_range_has_no_host_bits_and_is_not_reserved(text: str, version: int) -> None:
    bare = text.strip()
    address, slash, prefix = bare.partition("/")
    expected = None
    if not unprintable(text) and slash and prefix.isascii() and prefix.isdigit() and "%" not in address:
        try:
            expected = ip_network(bare)
        except (ValueError, AddressValueError, NetmaskValueError):
            expected = None
    if expected is not None:
        ends = (expected.network_address, expected.broadcast_address)
        low = any(int(end) >> (end.max_prefixlen - 8) == 0 for end in ends)
        if (
            expected.version != version
            or low
            or any(map(special, map(str, ends)))
            or any(expected.overlaps(ip_network(reserved)) for reserved in reserved_blocks(version))
        ):
            expected = None
    for path in ("network.cluster_cidr", "network.service_cidr", "network.join_cidr"):
        assert accepted(f"{path}.ipv{version}", text) == (None if expected is None else str(expected))


def reserved_blocks(version: int) -> tuple[str, ...]:
    return ("127.0.0.0/8", "169.254.0.0/16") if version == 4 else ("fe80::/10",)


@given(st.integers(7, 32), st.integers(0, 2**32 - 1))
def test_range_with_host_bits_is_rejected_with_a_suggestion(prefix: int, number: int) -> None:
    typed = f"{IPv4Address(number)}/{prefix}"
    suggested = str(ip_network(typed, strict=False))
    if typed != suggested:
        with pytest.raises(InvalidValue) as rejected:
            with_answers(PLAN, {"network.cluster_cidr.ipv4": typed})
        assert suggested in str(rejected.value)


NUMBERS = st.one_of(
    st.integers(-70000, 140000).map(str),
    st.integers().map(str),
    st.integers(0, 70000).map(oct),
    st.integers(0, 70000).map(hex),
    st.floats().map(str),
    st.integers(0, 99999).map(lambda n: f"{n:,}"),
    st.integers(0, 99999).map(lambda n: f"{n:_}"),
    st.integers(0, 9999).map(lambda n: f"{n:06}"),
    st.integers(0, 9999).map(lambda n: f"+{n}"),
    st.text(max_size=6),
    st.text("0123456789٠١٢٣²③ ", max_size=6),
)


def integer(text: str) -> int | None:
    digits = text.strip().removeprefix("-")
    plain = (
        digits and not set(digits) - set(string.digits) and len(digits) <= 18 and (digits == "0" or digits[0] != "0")
    )
    return int(text.strip()) if plain and not unprintable(text) else None


@given(NUMBERS)
def test_number_is_decimal_and_in_its_range(text: str) -> None:
    for path, least, most in (
        ("address.https_port", 1, 65535),
        ("address.http_port", 0, 65535),
        ("ssh.port", 1, 65535),
        ("address.vrid", 1, 255),
        ("kubernetes.max_pods_per_node", 1, 1000),
    ):
        number = integer(text)
        assert accepted(path, text) == (number if number is not None and least <= number <= most else None)


@given(st.integers(0, 65535), st.integers(1, 65535))
def test_equal_or_reserved_ports_fail(http: int, https: int) -> None:
    plan = valid_plan(address={"http_port": http, "https_port": https})
    (outcome,) = {v.outcome for v in evaluate_plan(plan) if v.requirement == "XR-PORTS"}
    clash = http == https or {http, https} & {6443, 11443, 2379, 2380}
    assert outcome is (Outcome.FAIL if clash else Outcome.PASS)


@given(st.lists(mangled(st.one_of(ADDRESSES, NAMES)), max_size=6))
@example(["\u200b" + ".".join(["a" * 60] * 4)])  # a name of legal length whose message would be too long
def test_list_is_accepted_if_each_item_is(items: list[str]) -> None:
    accepted_items = [accepted("address.others", (item,)) for item in items]
    accepted_list = accepted("address.others", tuple(items))
    if None in accepted_items:
        assert accepted_list is None
    else:
        assert accepted_list == tuple(
            part for item_values in accepted_items if isinstance(item_values, tuple) for part in item_values
        )


@given(
    st.lists(st.text(ALNUM + ".:-_/", min_size=1, max_size=12), max_size=6),
    st.sampled_from((", ", ",", " ", "\n", ";")),
)
def test_list_is_split_at_any_common_separator(items: list[str], separator: str) -> None:
    assert split_list(separator.join(items)) == tuple(items)
    assert split_list(f" {separator}".join(["", *items, ""])) == tuple(items)


@given(st.text(string.ascii_letters + string.digits + "-._é ", max_size=40))
@example("a--b")
@example("a.-b")
def test_host_name_fulfils_the_vendors_requirements(name: str) -> None:
    plan = valid_plan()
    facts = healthy("10.20.0.11", hostname=name, etc_hostname=name)
    outcomes = {
        rule: check_node(NodeSubject(RULES[rule], plan, plan.nodes[0], facts, RULES)).outcome
        for rule in ("NET-HOSTNAME-LEN", "NET-HOSTNAME-EDGE", "NET-HOSTNAME-CHARS", "NET-HOSTNAME-SEQ")
    }
    ends = bool(name) and name[0] in ALNUM and name[-1] in ALNUM
    assert (outcomes["NET-HOSTNAME-LEN"] is Outcome.PASS) == (len(name) <= 36)
    assert (outcomes["NET-HOSTNAME-EDGE"] is Outcome.PASS) == ends
    assert (outcomes["NET-HOSTNAME-CHARS"] is Outcome.PASS) == (
        not set(name) - set(string.ascii_lowercase + string.digits + "-.")
    )
    assert (outcomes["NET-HOSTNAME-SEQ"] is Outcome.PASS) == (not any(bad in name for bad in (".-", "..", "-.")))
    assert set(outcomes.values()) <= {Outcome.PASS, Outcome.FAIL}
