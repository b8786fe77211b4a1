"""The names of a log's deployments as names of workloads: whatever a log calls them, told apart as the log does."""

from hypothesis import given
from hypothesis import strategies as st

from ptucalc.measured_workloads import workload_names
from ptucalc.workload import LONGEST_NAME, Workload


def test_names_that_a_workload_can_have_stay_as_they_are():
    names = ["chat", "x" * 200, "\u05d0\u200f", "a (2)", "=1+1"]
    assert workload_names(names) == {name: name for name in names}


def test_a_name_that_is_too_long_is_cut_and_one_like_it_gets_a_number():
    cut = "x" * 180 + "…"
    assert workload_names(["x" * 201, "x" * 10_000, cut]) == {
        "x" * 201: f"{cut} (2)",
        "x" * 10_000: f"{cut} (3)",
        cut: cut,
    }


def test_characters_that_turn_or_end_lines_are_replaced_and_no_name_is_empty():
    assert list(workload_names(["a\tb", "\u202ea", " ", "\u2028", "a "]).values()) == ["a�b", "�a", "unnamed", "�", "a"]


@given(st.lists(st.text(max_size=5) | st.text(min_size=195, max_size=210)))
def test_every_name_is_fit_and_no_two_become_one(names):
    found = workload_names(names)
    assert set(found) == set(names) and len(set(found.values())) == len(found)
    for name in found.values():
        assert 1 <= len(name) <= LONGEST_NAME
        assert Workload(model="m", input_tokens=1, output_tokens=1, requests_per_minute=1, name=name).name == name
