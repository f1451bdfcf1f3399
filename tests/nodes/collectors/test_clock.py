"""The clock of a node: its offset from the local clock and the uncertainty of the offset."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from acp_tui.nodes.collectors import read_clock
from acp_tui.nodes.fact_types import Clock
from acp_tui.nodes.script import CollectorOutput


@pytest.mark.parametrize(
    ("text", "before", "after", "offset", "uncertainty"),
    [
        ("1000.500000000\n", 1000.0, 1001.0, 0.0, 0.5),
        ("1012.500000000\n", 1000.0, 1001.0, 12.0, 0.5),
        ("990.500000000\n", 1000.0, 1001.0, -10.0, 0.5),
        ("1000.N\n", 1000.0, 1001.0, 0.0, 1.0),
        ("1000.%N\n", 1000.0, 1001.0, 0.0, 1.0),
    ],
)
def test_clock_offset_is_measured_from_the_middle_of_the_round_trip(
    text: str, before: float, after: float, offset: float, uncertainty: float
) -> None:
    clock = read_clock(CollectorOutput("clock", 0, text), before, after)
    assert (round(clock.offset, 6), round(clock.uncertainty, 6)) == (offset, uncertainty)


@pytest.mark.parametrize(
    "output", [CollectorOutput("clock", 1, ""), CollectorOutput("clock", 0, "soon"), CollectorOutput("clock", 0, "")]
)
def test_output_without_a_time_gives_no_clock(output: CollectorOutput) -> None:
    with pytest.raises(ValueError, match="did not return its current time"):
        read_clock(output, 0, 1)


@given(st.floats(0, 4e9), st.floats(0, 100))
def test_any_time_of_a_node_is_accepted(before: float, duration: float) -> None:
    clock = read_clock(CollectorOutput("clock", 0, "99999999999.999999999\n"), before, before + duration)
    assert isinstance(clock, Clock)
