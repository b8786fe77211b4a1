"""JSON read strictly: what is wrong with it is told with its place."""

import pytest

from ptucalc.errors import BadInput
from ptucalc.read.strict_json import read_json


def told(text: str) -> list[str]:
    with pytest.raises(BadInput) as caught:
        read_json(text, "a.json", expected="JSON", shape="an answer")
    return [str(problem) for problem in caught.value.problems]


def test_numbers_are_what_they_are_made_into() -> None:
    assert read_json("[1, 1.50, NaN]", expected="", shape="", numbers=str) == ["1", "1.50", "NaN"]
    assert read_json('{"a": {"b": 1}, "b": 2.5}', expected="", shape="") == {"a": {"b": 1}, "b": 2.5}


def test_a_key_twice_in_one_object_is_refused_and_every_such_key_named() -> None:
    assert told('{"a": 1, "c": 0, "c": 1, "a": 2, "x": {"b": 1, "b": 1}}') == [
        f"a.json, JSON: expected each key once, got {key}" for key in ("b", "c", "a")
    ]


def test_where_it_breaks_off_is_told() -> None:
    (problem,) = told('{"a": 1,\n "b": }')
    assert problem.startswith("a.json:2:7") and "expected JSON" in problem


@pytest.mark.parametrize("text", ["[" * 100_000, '{"n": ' + "1" * 5000 + "}"])
def test_no_end_of_nesting_and_no_length_of_a_number_is_a_crash(text: str) -> None:
    (problem,) = told(text)
    assert "a.json" in problem
