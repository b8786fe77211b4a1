"""Tools and JSON schemas: each letter is a token here; frames are the cookbook's 7 or 10, 3, 3, -3, 3 and 12."""

from __future__ import annotations

from typing import Any

import pytest

from ptucalc.json_text import json_text
from ptucalc.token_rules import Basis

from .counted import chat, counted, parts, refused, said

END = 12
HI = said("hi")


def function(properties: Any = None, **keys: Any) -> dict[str, Any]:
    parameters = {"type": "object", "properties": {} if properties is None else properties}
    return {"name": "find", "description": "Finds.", "parameters": parameters, **keys}


def tool(properties: Any = None, **keys: Any) -> dict[str, Any]:
    return {"type": "function", "function": function(properties, **keys)}


def tokens_of(properties: Any, **keys: Any) -> tuple[int, Basis]:
    """Tokens and basis of the one function."""
    found = counted(chat(HI, tools=[tool(properties, **keys)]))
    parts(found)
    return found.parts[0].tokens, found.parts[0].basis


EMPTY = 7 + len("find:Finds")
TEXT = {"type": "string", "description": "What."}


# The published formula


def test_a_function_is_a_frame_and_a_line_without_its_full_stop_and_there_is_an_end() -> None:
    found = counted(chat(HI, tools=[tool()]))
    assert parts(found) | {"reply": 0, "messages[0]": 0} == {
        "tools[0]": EMPTY,
        "tools": END,
        "reply": 0,
        "messages[0]": 0,
    }
    assert found.basis is Basis.PUBLISHED


def test_the_end_counts_once_for_several_functions() -> None:
    found = parts(counted(chat(HI, tools=[tool(), tool()])))
    assert (found["tools[0]"], found["tools[1]"], found["tools"]) == (EMPTY, EMPTY, END)


def test_a_list_without_tools_counts_nothing() -> None:
    assert counted(chat(HI, tools=[], functions=None)).input_tokens == counted(chat(HI)).input_tokens


def test_only_one_full_stop_goes() -> None:
    assert tokens_of({}, description="Finds...") == (7 + len("find:Finds.."), Basis.PUBLISHED)


def test_the_frame_of_a_function_depends_on_the_encoding() -> None:
    body = chat(HI, tools=[tool()])
    older = counted(body, encoding="cl100k_base", model="gpt-4").parts[0]
    assert (older.tokens, older.basis) == (EMPTY + 3, Basis.PUBLISHED)
    for encoding in ("o200k_harmony", None):  # the larger, as an estimate
        other = counted(body, encoding=encoding).parts[0]
        assert (other.tokens, other.basis) == (EMPTY + 3, Basis.ESTIMATE)


def test_properties_have_a_frame_together_and_one_each() -> None:
    line = len("a:string:What")
    assert tokens_of({"a": TEXT}) == (EMPTY + 3 + 3 + line, Basis.PUBLISHED)
    assert tokens_of({"a": TEXT, "b": TEXT}) == (EMPTY + 3 + 2 * (3 + line), Basis.PUBLISHED)


def test_choices_take_a_frame_away_and_have_one_each() -> None:
    line = 3 + 3 + len("a:string:What")
    assert tokens_of({"a": {**TEXT, "enum": ["x", "long"]}}) == (EMPTY + line - 3 + 3 + 1 + 3 + 4, Basis.PUBLISHED)
    assert tokens_of({"a": {**TEXT, "enum": []}}) == (EMPTY + line - 3, Basis.PUBLISHED)


def test_what_is_required_or_strict_counts_nothing() -> None:
    schema = {"type": "object", "properties": {}, "required": ["a"], "additionalProperties": False}
    assert tokens_of({}, parameters=schema, strict=True) == (EMPTY, Basis.PUBLISHED)


def test_it_is_an_estimate_for_other_models() -> None:
    found = counted(chat(HI, tools=[tool()]), model="gpt-5")
    assert {part.basis for part in found.parts} == {Basis.ESTIMATE}
    assert found.input_tokens == counted(chat(HI, tools=[tool()])).input_tokens


# Beyond it


def estimate(properties: Any, tokens: int, **keys: Any) -> None:
    assert tokens_of(properties, **keys) == (EMPTY + tokens, Basis.ESTIMATE)


def test_what_has_no_description_or_type_is_an_estimate() -> None:
    estimate({"a": {"type": "string"}}, 6 + len("a:string:"))
    estimate({"a": {"description": "b"}}, 6 + len("a::b"))
    estimate({"a": {}}, 6 + len("a::"))
    estimate({"a": True}, 6 + len("a::"))
    found = counted(chat(HI, tools=[{"type": "function", "function": {"name": "find"}}])).parts[0]
    assert (found.tokens, found.basis) == (7 + len("find:"), Basis.ESTIMATE)


def test_several_types_are_joined() -> None:
    estimate({"a": {"type": ["string", "null"], "description": "b"}}, 6 + len("a:string|null:b"))


def test_choices_that_are_no_texts_count_as_json() -> None:
    estimate({"a": {**TEXT, "enum": [10, None]}}, 6 + len("a:string:What") - 3 + 3 + 2 + 3 + 4)


def test_nested_properties_count_as_if_they_were_flat() -> None:
    inner = {"type": "object", "description": "b", "properties": {"c": TEXT}}
    estimate({"a": inner}, 6 + len("a:object:b") + 3 + 3 + len("c:string:What"))


def test_items_and_alternatives_count_as_properties() -> None:
    estimate(
        {"a": {"type": "array", "description": "b", "items": TEXT}}, 6 + len("a:array:b") + 3 + len("items:string:What")
    )
    either = {"type": "object", "description": "b", "anyOf": [TEXT, TEXT]}
    estimate({"a": either}, 6 + len("a:object:b") + 2 * (3 + len("anyOf:string:What")))


def test_a_schema_of_further_properties_counts_as_a_property() -> None:
    further = {"type": "object", "description": "b", "additionalProperties": TEXT}
    estimate({"a": further}, 6 + len("a:object:b") + 3 + len("additionalProperties:string:What"))


def test_definitions_count_once_where_they_are() -> None:
    schema = {"type": "object", "properties": {"a": {"$ref": "#/$defs/x"}}, "$defs": {"x": TEXT}}
    estimate({}, 6 + len("a::") + len("$ref:#/$defs/x") + 3 + len("x:string:What"), parameters=schema)


def test_other_keys_count_as_text() -> None:
    estimate({"a": {**TEXT, "default": 5}}, 6 + len("a:string:What") + len("default:5"))
    estimate({"a": {**TEXT, "pattern": "^a"}}, 6 + len("a:string:What") + len("pattern:^a"))


def test_a_nested_schema_makes_the_end_an_estimate_too() -> None:
    found = counted(chat(HI, tools=[tool({"a": {}})]))
    assert [part.basis for part in found.parts[:2]] == [Basis.ESTIMATE, Basis.ESTIMATE]


def test_a_schema_without_end_is_refused_and_does_not_crash() -> None:
    deep: dict[str, Any] = TEXT
    for _ in range(49):
        deep = {"type": "object", "description": "b", "properties": {"a": deep}}
    assert tokens_of({"a": deep})[1] is Basis.ESTIMATE
    ((label, _),) = refused(
        chat(HI, tools=[tool({"a": {"type": "object", "description": "b", "properties": {"a": deep}}})])
    )
    assert label.startswith("tools[0].function.parameters.properties.a.properties.a")


# Other shapes


def test_functions_as_they_were_named_before_count_alike_as_an_estimate() -> None:
    found = counted(chat(HI, functions=[function()]))
    assert (found.parts[0].label, found.parts[0].tokens, found.parts[0].basis) == (
        "functions[0]",
        EMPTY,
        Basis.ESTIMATE,
    )
    assert parts(found)["tools"] == END


def test_functions_of_responses_bodies_are_flat() -> None:
    flat = {"type": "function", **function({"a": TEXT}), "strict": True}
    found = counted({"input": "hi", "tools": [flat]})
    assert parts(found)["tools[0]"] == EMPTY + 6 + len("a:string:What")
    assert found.basis is Basis.ESTIMATE


def test_a_custom_tool_counts_its_grammar() -> None:
    custom = {"name": "find", "description": "Finds.", "format": {"type": "grammar"}}
    tokens = EMPTY + len('{"type":"grammar"}')
    for body in (
        chat(HI, tools=[{"type": "custom", "custom": custom}]),
        {"input": "hi", "tools": [{"type": "custom", **custom}]},
    ):
        found = counted(body)
        assert (found.parts[0].tokens, found.parts[0].basis) == (tokens, Basis.ESTIMATE)


def test_tools_that_run_at_the_service_are_named_and_make_a_lower_bound() -> None:
    found = counted({"input": "hi", "tools": [{"type": "web_search"}, {"type": "function", **function()}]})
    assert found.not_counted == ("tools[0] (web_search: what the service adds for it is not published)",)
    assert "tools[0]" not in parts(found) and parts(found)["tools[1]"] == EMPTY


def test_everything_wrong_with_tools_is_told_at_once() -> None:
    tools = [
        5,
        {"type": 5},
        {"type": "function"},
        tool(name=None, description=3),
        tool({"a": 5, "b": {"type": 5, "description": 6, "enum": "x"}}),
        tool(parameters=[]),
        tool(5),
    ]
    assert [label for label, _ in refused(chat(HI, tools=tools, functions="f"))] == [
        "tools[0]",
        "tools[1].type",
        "tools[2].function",
        "tools[3].function.name",
        "tools[3].function.description",
        "tools[4].function.parameters.properties.a",
        "tools[4].function.parameters.properties.b.type",
        "tools[4].function.parameters.properties.b.description",
        "tools[4].function.parameters.properties.b.enum",
        "tools[5].function.parameters",
        "tools[6].function.parameters.properties",
        "functions",
    ]


# The answer's format

SCHEMA = {"type": "object", "properties": {"a": {"type": "string"}}}
WRITTEN = '{"type":"object","properties":{"a":{"type":"string"}}}'


def test_a_schema_of_the_answer_counts_as_text_under_a_heading_as_an_estimate() -> None:
    form = {"type": "json_schema", "json_schema": {"name": "out", "schema": SCHEMA, "strict": True}}
    found = counted(chat(HI, response_format=form))
    assert parts(found)["response_format.json_schema"] == len(f"# Response Formats\n\n## out\n\n{WRITTEN}")
    assert found.parts[0].basis is Basis.ESTIMATE


def test_responses_bodies_have_it_in_their_text() -> None:
    form = {"type": "json_schema", "name": "out", "description": "An answer.", "schema": SCHEMA}
    found = counted({"input": "hi", "text": {"format": form, "verbosity": "low"}})
    assert parts(found)["text.format"] == len(f"# Response Formats\n\n## out\n\n// An answer.\n{WRITTEN}")


@pytest.mark.parametrize("kind", ["text", "json_object"])
def test_a_format_without_schema_counts_nothing(kind: str) -> None:
    assert counted(chat(HI, response_format={"type": kind})).input_tokens == counted(chat(HI)).input_tokens
    assert counted({"input": "hi", "text": {"format": {"type": kind}}})[3:12] == counted({"input": "hi"})[3:12]


def test_a_broken_format_is_refused() -> None:
    assert refused(chat(HI, response_format="json")) == [("response_format", "json")]
    assert refused(chat(HI, response_format={"type": "xml"})) == [("response_format.type", "xml")]
    assert refused(chat(HI, response_format={"type": "json_schema", "json_schema": {}})) == [
        ("response_format.json_schema.name", "null"),
        ("response_format.json_schema.schema", "null"),
    ]
    assert refused({"input": "hi", "text": 5}) == [("text", "5")]


def test_a_schema_nested_without_end_is_refused() -> None:
    deep: Any = {}
    for _ in range(5000):
        deep = {"a": deep}
    form = {"type": "json_schema", "json_schema": {"name": "out", "schema": deep}}
    assert refused(chat(HI, response_format=form)) == [("response_format.json_schema.schema", "an object")]


def test_json_is_written_as_a_json_library_writes_it() -> None:
    import json

    value = {"a": [1, -2.5, 1e300, True, False, None, ""], 'q"\\': "\x00\x1f\n\t\r\b é 😀 </", "n": {}, "l": []}
    assert json_text(value) == json.dumps(value, separators=(",", ":"), ensure_ascii=False).replace("\\b", "\\u0008")
