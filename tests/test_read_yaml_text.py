"""YAML as text: nothing is converted, everything has a place, and what could surprise is refused."""

from __future__ import annotations

import pytest

from ptucalc.errors import BadInput
from ptucalc.read.yaml_text import DEEPEST, LARGEST_FILE_CHARACTERS, read_yaml


def refused(text: str) -> list[str]:
    with pytest.raises(BadInput) as caught:
        read_yaml(text, "f.yaml")
    return [str(problem) for problem in caught.value.problems]


@pytest.mark.parametrize(
    "scalar", ["0613", "NO", "yes", "1e3", "2024-08-06", "0x1F", "1:30", "1_000", ".5", ".inf", "=", "<<"]
)
def test_scalars_stay_as_written(scalar: str) -> None:
    assert read_yaml(f"a: {scalar}", "f.yaml").value == {"a": scalar}


@pytest.mark.parametrize("empty", ["", "~", "null"])
def test_plain_empty_values_are_none(empty: str) -> None:
    assert read_yaml(f"a: {empty}", "f.yaml").value == {"a": None}


def test_quoted_null_is_text() -> None:
    assert read_yaml("""{a: "null", b: '', c: "~"}""", "f.yaml").value == {"a": "null", "b": "", "c": "~"}


def test_keys_stay_as_written() -> None:
    assert read_yaml("0613: a\nno: b\nnull: c", "f.yaml").value == {"0613": "a", "no": "b", "null": "c"}


def test_an_empty_document_is_none() -> None:
    assert read_yaml("", "f.yaml").value is None
    assert read_yaml("# only a comment\n", "f.yaml").value is None


def test_every_value_knows_its_line_and_column_from_one() -> None:
    tree = read_yaml("a: 1\nb:\n  - c: 2\n  - 3\n", "f.yaml")
    assert tree.at(("a",)) == (1, 4)
    assert tree.at(("b", 0, "c")) == (3, 8)
    assert tree.at(("b", 1)) == (4, 5)


def test_a_missing_value_stands_where_what_is_around_it_stands() -> None:
    tree = read_yaml("a: 1\nb:\n  - c: 2\n", "f.yaml")
    assert tree.at(("b", 0, "nothing", "here")) == tree.at(("b", 0)) == (3, 5)


def test_a_problem_says_file_line_column_path_found_and_expected() -> None:
    tree = read_yaml("b:\n  - c: 2\n", "f.yaml")
    problem = tree.problem(("b", 0, "c"), "2", "a 3")
    assert str(problem) == "f.yaml:2:8, b[0].c: expected a 3, got 2"


def test_repeated_keys_are_refused_with_the_line_of_the_first() -> None:
    assert refused("a: 1\nb: 2\na: 3\n") == ["f.yaml:3:1, a: expected each key once (first on line 1), got a"]


def test_aliases_anchors_and_tags_are_refused_all_at_once() -> None:
    assert refused("a: &x 1\nb: *x\nc: !!int 5\nd: !mine {e: 1}\n") == [
        "f.yaml:1:4, a: expected a value without an anchor, got &x",
        "f.yaml:2:4, b: expected a value written out (no aliases), got *x",
        "f.yaml:3:4, c: expected a value without a tag, got tag:yaml.org,2002:int",
        "f.yaml:4:4, d: expected a value without a tag, got !mine",
    ]


def test_merge_keys_bring_nothing_in() -> None:
    assert refused("a: &x {b: 1}\nc:\n  <<: *x\n") == [
        "f.yaml:1:4, a: expected a value without an anchor, got &x",
        "f.yaml:3:7, c.<<: expected a value written out (no aliases), got *x",
    ]


def test_a_mapping_or_list_as_a_key_is_refused_and_the_rest_is_still_checked() -> None:
    assert refused("? [a, b]\n: 1\nc: 1\nc: 2\n") == [
        "f.yaml:1:3, document: expected a plain key, got a list or mapping as a key",
        "f.yaml:4:1, c: expected each key once (first on line 3), got c",
    ]


def test_an_anchored_key_is_refused() -> None:
    assert len(refused("&x a: 1\n")) == 1


def test_a_second_document_is_refused() -> None:
    assert refused("a: 1\n---\nb: 2\n") == ["f.yaml:2:1, document: expected one document, got a second document"]


def test_a_syntax_error_has_its_place() -> None:
    (message,) = refused("a: 1\nb: [1, 2\nc: 3\n")
    assert message.startswith("f.yaml:3:") and "expected valid YAML" in message


def test_a_tab_as_indentation_is_a_syntax_error_not_a_crash() -> None:
    (message,) = refused("a:\n\tb: 1\n")
    assert message.startswith("f.yaml:2:1, YAML: expected valid YAML, got ")


def test_control_characters_are_a_problem_not_a_crash() -> None:
    (message,) = refused("a: \x01\n")
    assert "expected valid YAML" in message


def test_nesting_has_a_limit() -> None:
    assert read_yaml("[" * DEEPEST + "]" * DEEPEST, "f.yaml").value is not None
    (message,) = refused("[" * (DEEPEST + 1) + "]" * (DEEPEST + 1))
    assert message.endswith(f"expected at most {DEEPEST} levels, got deeper nesting")


def test_very_deep_nesting_is_refused_without_recursing() -> None:
    (message,) = refused("[" * 5000)
    assert f"at most {DEEPEST} levels" in message


def test_a_huge_file_is_refused() -> None:
    text = "a" * (LARGEST_FILE_CHARACTERS + 1)
    assert refused(text) == ["f.yaml, file: expected at most 10,000,000 characters, got 10,000,001 characters"]
