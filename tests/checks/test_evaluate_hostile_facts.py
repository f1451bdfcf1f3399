"""Evaluation of random and hostile facts: it always returns verdicts."""

from collections.abc import Mapping
from dataclasses import fields, replace
from typing import get_type_hints

from hypothesis import given, settings
from hypothesis import strategies as st

from acp_tui.nodes.fact_types import AtBoot, BootEntry, Interface, Listener, Route, SwapAtBoot
from acp_tui.nodes.facts import Facts
from tests.support.factories.node_facts import healthy
from tests.support.factories.plans import valid_plan
from tests.support.factories.verdicts import SECOND, cluster, verdicts

PLAN = valid_plan(network={"cni": "calico"}, local_storage="rook")
TEXT = st.one_of(
    st.text(max_size=40),
    st.from_regex(r"[0-9]{1,6}[.-][0-9.]{0,10}[~-][a-z0-9]{0,9}"),
    st.sampled_from(["9" * 5000, "172.", "::", "0.0.0.0/0", "4.19.90-" + "9" * 5000, "SP" + "9" * 5000, "-", "~"]),
)
TEXTS = st.lists(TEXT, max_size=3).map(tuple)
HINTS = get_type_hints(Facts)
BY_TYPE: dict[object, st.SearchStrategy[object]] = {
    str | None: TEXT,
    bool | None: st.booleans(),
    int | None: st.integers(-1, 10**15),
    float | None: st.floats(),
    tuple[str, ...] | None: TEXTS,
    frozenset[str] | None: TEXTS.map(frozenset),
    tuple[Interface, ...] | None: st.lists(st.builds(Interface, TEXT, TEXT, st.integers(-1, 999)), max_size=2).map(
        tuple
    ),
    tuple[Route, ...] | None: st.lists(st.builds(Route, TEXT, st.none() | TEXT, TEXT), max_size=2).map(tuple),
    tuple[Listener, ...] | None: st.lists(st.builds(Listener, st.integers(0, 65535), TEXT), max_size=2).map(tuple),
}
BY_TYPE |= {
    tuple[BootEntry, ...] | None: st.lists(st.builds(BootEntry, TEXTS, TEXT, TEXT), max_size=2).map(tuple),
    tuple[SwapAtBoot, ...] | None: st.lists(st.builds(SwapAtBoot, TEXT, TEXT, TEXT, TEXT), max_size=2).map(tuple),
    AtBoot | None: st.builds(AtBoot, TEXT, TEXT),
    Mapping[str, str] | None: st.dictionaries(TEXT, TEXT, max_size=2),
}
FIELDS = {f.name: BY_TYPE[HINTS[f.name]] for f in fields(Facts) if HINTS[f.name] in BY_TYPE}
SYSTEMS = st.sampled_from(["ubuntu", "centos", "rhel", "kylin", "", "Ubuntu"])


@settings(max_examples=150, deadline=None)
@given(st.fixed_dictionaries({}, optional={**FIELDS, "os_id": SYSTEMS}))
def test_any_facts_of_a_node_give_verdicts(changes: dict[str, object]) -> None:
    facts = cluster(PLAN)
    facts[SECOND] = replace(healthy(SECOND), **changes)  # type: ignore[arg-type]
    assert verdicts(PLAN, facts)


def test_random_facts_cover_most_fields() -> None:
    assert len(FIELDS) > len(fields(Facts)) * 0.7
