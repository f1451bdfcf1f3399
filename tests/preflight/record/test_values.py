"""Typed values as JSON: every fact survives the conversion, and values of wrong types are errors."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import JsonValue

from acp_tui.nodes.fact_types import Bandwidth, Clock, TcpResult
from acp_tui.nodes.facts import Facts
from acp_tui.preflight.record.values import from_json, to_json
from tests.support.factories.node_facts import healthy


class Pair(NamedTuple):
    name: str
    number: int | None = None


@dataclass(frozen=True)
class Everything:
    text: str
    number: float
    flag: bool | None
    time: datetime | None
    result: TcpResult
    pairs: tuple[Pair, ...]
    names: frozenset[str] | None
    by_port: Mapping[tuple[str, int], frozenset[str]] | None


def test_all_kinds_of_values() -> None:
    value = Everything(
        "a", 1.5, None, datetime(2026, 11, 30, tzinfo=UTC), TcpResult.REFUSED, (Pair("x", 1), Pair("y")),
        frozenset({"b", "a"}), {("10.0.0.1", 443): frozenset({"10.0.0.2"})},
    )  # fmt: skip
    assert from_json(Everything, json.loads(json.dumps(to_json(value)))) == value


def test_facts_survive() -> None:
    facts = replace(
        healthy("10.20.0.11"),
        clock=Clock(0.5, 0.1, datetime(2026, 11, 30, tzinfo=UTC)),
        bandwidths={"10.20.0.12": Bandwidth(1e9)},
        backends_reached={("10.20.0.10", 6443): frozenset({"10.20.0.12"})},
    )
    assert from_json(Facts, json.loads(json.dumps(to_json(facts)))) == facts


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        (int, "1"),
        (int, True),
        (str, 1),
        (TcpResult, "x"),
        (tuple[int, ...], {}),
        (Mapping[str, int], [["a"]]),
        (tuple[str, int], ["a"]),
        (datetime, "yesterday"),
        (Everything, {"text": "a"}),
        (Everything, []),
        (int | None, []),
        (bytes, "a"),
    ],
)
def test_value_of_another_type_is_an_error(kind: object, value: JsonValue) -> None:
    with pytest.raises(ValueError, match=r"expected|type|not a valid|argument|Invalid|missing"):
        from_json(kind, value)


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)


@given(name=st.sampled_from(sorted(Facts.__dataclass_fields__)), value=_JSON)
def test_hostile_values_raise_only_the_documented_error(name: str, value: JsonValue) -> None:
    try:
        facts = from_json(Facts, {"address": "x", name: value})
    except ValueError:
        return
    assert isinstance(facts, Facts)
