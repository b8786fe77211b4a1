"""Made-up JSON: it fits its schema, or there is none; and the texts of forms have the tokens that they say."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ptucalc.json_text import json_text
from ptucalc.made_up_json import MakeError, made_json


def made(schema: Any, pick: int = 0) -> Any:
    """The value, through JSON and back."""
    return json.loads(json_text(made_json(schema, lambda letters: "word".ljust(letters, "x"), pick)))


NODE: dict[str, Any] = {
    "$defs": {
        "node": {
            "type": "object",
            "properties": {
                "value": {"type": "integer"},
                "next": {"anyOf": [{"$ref": "#/$defs/node"}, {"type": "null"}]},
                "children": {"type": "array", "items": {"$ref": "#/$defs/node"}},
            },
            "required": ["value", "next", "children"],
            "additionalProperties": False,
        }
    },
    "$ref": "#/$defs/node",
}
WIDE = {
    "type": "object",
    "properties": {f"p{number}": {"type": "array", "items": {"$ref": "#"}} for number in range(20)},
}


@pytest.mark.parametrize(
    ("schema", "value"),
    [
        ({"type": "string"}, "word"),
        ({"type": "string", "minLength": 6}, "wordxx"),
        ({"type": "string", "maxLength": 2}, "wo"),
        ({"type": "string", "enum": ["a", "b"]}, "a"),
        ({"const": {"a": [1]}}, {"a": [1]}),
        ({"type": "boolean"}, True),
        ({"type": "null"}, None),
        ({"type": ["null", "integer"]}, 1),
        ({"type": "integer", "minimum": 5}, 5),
        ({"type": "integer", "exclusiveMinimum": 5}, 6),
        ({"type": "integer", "maximum": -5}, -5),
        ({"type": "integer", "exclusiveMaximum": -5}, -6),
        ({"type": "integer", "minimum": 5, "multipleOf": 7}, 7),
        ({"type": "integer", "minimum": 4.5}, 5),
        ({"type": "number", "exclusiveMinimum": 0, "exclusiveMaximum": 1}, 0.5),
        ({"type": "number", "minimum": 0.05, "multipleOf": 0.1}, 0.1),
        ({"type": "array", "items": {"type": "integer"}}, [1, 1]),
        ({"type": "array", "items": {"type": "integer"}, "minItems": 3}, [1, 1, 1]),
        ({"type": "array", "items": {"type": "integer"}, "maxItems": 0}, []),
        ({"type": "array", "items": {"type": "integer"}, "uniqueItems": True}, [1]),
        ({"type": "array", "prefixItems": [{"type": "integer"}, {"type": "null"}], "items": False}, [1, None]),
        ({"anyOf": [{"type": "string", "pattern": "^a+$"}, {"type": "null"}]}, None),
        ({"allOf": [{"type": "integer"}]}, 1),
        ({"properties": {"a": {"type": "null"}}}, {"a": None}),
        ({"type": "object", "required": ["b"], "additionalProperties": {"type": "integer"}}, {"b": 1}),
        ({}, "word"),
        (True, "word"),
        ({"type": "string", "format": "date"}, "2026-01-31"),
        ({"$defs": {"a/b": {"type": "null"}}, "$ref": "#/$defs/a~1b"}, None),
    ],
)
def test_a_schema_gets_a_value_that_fits(schema: Any, value: Any) -> None:
    assert made(schema) == value
    pytest.importorskip("jsonschema", reason="judges the value").validate(made(schema), schema)


@pytest.mark.parametrize("schema", [NODE, WIDE])
def test_schemas_that_hold_themselves_come_to_an_end(schema: Any) -> None:
    value = made(schema)
    assert len(json.dumps(value)) < 100_000
    pytest.importorskip("jsonschema", reason="judges the value").validate(value, schema)


def test_what_may_be_left_out_is_made_too_but_not_for_ever() -> None:
    schema = {"type": "object", "properties": {"a": {"type": "integer"}, "b": {"$ref": "#"}}, "required": ["a"]}
    assert made(schema) == {"a": 1, "b": {"a": 1, "b": {"a": 1}}}  # a reference is a level, too: 0, 2, and 4 is over 3


@pytest.mark.parametrize(
    ("schema", "why"),
    [
        ({"type": "string", "pattern": "a"}, "pattern: the emulator makes no values for it"),
        ({"type": "object", "properties": {"a": {"type": "string", "pattern": "a"}}}, "a.pattern"),
        ({"allOf": [{}, {}]}, "allOf"),
        ({"$ref": "#"}, "no end"),
        ({"$ref": "#/$defs/none"}, "is not there"),
        ({"$ref": "https://example.com/schema"}, "within the schema"),
        ({"type": "object", "properties": {"a": {"$ref": "#"}}, "required": ["a"]}, "no end"),
        ({"type": "integer", "minimum": 5, "maximum": 4}, "no number"),
        ({"type": "integer", "exclusiveMinimum": 4, "exclusiveMaximum": 5}, "no number"),
        ({"type": "integer", "minimum": "5"}, "expected a number"),
        ({"type": "number", "multipleOf": 0}, "over 0"),
        ({"type": "string", "minLength": 3, "maxLength": 2}, "no text of that length"),
        ({"type": "string", "format": "date", "maxLength": 2}, "no text of that length"),
        ({"type": "string", "format": "iri"}, "one of date-time"),
        ({"type": "string", "minLength": 10**9}, "whole number, 0 to 2,000"),
        ({"type": "array", "minItems": 2, "uniqueItems": True}, "one such item"),
        ({"type": "array", "minItems": 3, "maxItems": 2}, "nothing fits"),
        ({"type": "array", "minItems": 2000, "items": {"type": "array", "minItems": 2}}, "more than 2,000 values"),
        ({"type": "object", "minProperties": 1}, "no properties of its own"),
        ({"type": "object", "required": ["a", "b"], "maxProperties": 1}, "more are required"),
        ({"type": "object", "required": "a"}, "list of required"),
        ({"type": "thing"}, "a type of JSON"),
        ({"anyOf": []}, "list of schemas"),
        ({"anyOf": [False, {"not": {}}]}, "not"),
        (False, "nothing fits it"),
        ([], "nothing fits it"),
    ],
)
def test_what_is_not_made_is_refused_and_told_where(schema: Any, why: str) -> None:
    with pytest.raises(MakeError, match=why):
        made(schema)


_leaves = st.one_of(
    st.sampled_from([{"type": "string"}, {"type": "boolean"}, {"type": "null"}, {"enum": ["x", 1, None]}, {}]),
    st.builds(
        lambda a, b: {"type": "integer", "minimum": min(a, b), "maximum": max(a, b)}, st.integers(), st.integers()
    ),
    st.builds(
        lambda a, b: {"type": "string", "minLength": min(a, b), "maxLength": max(a, b)}, *[st.integers(0, 30)] * 2
    ),
)
_schemas = st.recursive(
    _leaves,
    lambda inner: st.one_of(
        st.builds(lambda each: {"type": "array", "items": each}, inner),
        st.builds(lambda each: {"anyOf": each}, st.lists(inner, min_size=1, max_size=3)),
        st.builds(
            lambda each, all_: {"type": "object", "properties": each, "required": list(each) if all_ else []},
            st.dictionaries(st.text(max_size=5), inner, max_size=4),
            st.booleans(),
        ),
    ),
    max_leaves=12,
)


@given(_schemas, st.integers(0, 100))
@settings(max_examples=100, deadline=None)
def test_whatever_is_made_fits(schema: Any, pick: int) -> None:
    judge = pytest.importorskip("jsonschema", reason="judges the value")
    try:
        value = made(schema, pick)
    except MakeError:
        return
    judge.validate(value, schema)
