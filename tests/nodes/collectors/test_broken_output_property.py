"""Arbitrary output and broken recordings: the parsers never fail, and each fact has the declared type."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from acp_tui.nodes.collectors import COLLECTORS, facts_from
from acp_tui.nodes.script import CollectorOutput
from tests.support.recorded_facts import EXPECTED, assert_types, recorded

WORDS = [w for d in EXPECTED for r in recorded(d) for w in r.text.split()]


SEPARATORS = ["\n", "\t", ":", "=", "9" * 5000, "²", "-", '"', "\\"]


HOSTILE = st.lists(st.sampled_from(WORDS) | st.sampled_from(SEPARATORS) | st.text(max_size=9)).map(" ".join)


NAMES = [collector.name for collector in COLLECTORS]


@settings(max_examples=300, deadline=None)
@given(answers=st.lists(st.tuples(st.sampled_from(NAMES), HOSTILE, st.sampled_from([0, 0, 0, 1, 66]))))
def test_any_output_gives_facts_of_the_declared_types(answers: list[tuple[str, str, int]]) -> None:
    outputs = [CollectorOutput(name, status, text) for name, text, status in answers]
    assert_types(facts_from("10.0.0.1", outputs, "not collected"))


@pytest.mark.parametrize("distribution", EXPECTED)
@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_a_broken_recording_never_fails(distribution: str, data: st.DataObject) -> None:
    outputs = []
    for output in recorded(distribution):
        rows = output.text.split("\n")
        row = data.draw(st.integers(0, len(rows) - 1))
        cut = data.draw(st.integers(0, 40))
        rows[row] = rows[row][cut:]
        outputs.append(CollectorOutput(output.name, output.status, "\n".join(rows)))
    assert_types(facts_from("10.0.0.1", outputs, "not collected"))
