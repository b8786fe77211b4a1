"""Tokens of the tools that a request offers to the model, and of a JSON schema that its answer must have.

Source of the formula: OpenAI cookbook, "How to count tokens with tiktoken", part 7: each function has a frame and the line
"name:description", each of its properties a frame and the line "name:type:description", each text to choose from a frame
and its tokens, and there is a frame at the end. A final full stop of a description goes. The formula covers flat
properties with a type and a description; whatever is nested is counted as if it were flat, and the part is an estimate.
"""

from __future__ import annotations

from array import array
from collections.abc import Mapping, Sequence
from typing import Any

from ptucalc.json_text import json_text
from ptucalc.token_parts import PartTokens, Piece, Tally

__all__ = ["count_response_format", "count_tools"]

_DEEPEST = 50
"""Objects within objects; real schemas have a handful of levels."""

_SILENT = frozenset(["type", "description", "enum", "properties", "required", "strict", "$schema"])
"""Keys of a schema that the formula reads, or that leave no tokens."""

_SCHEMAS = frozenset(["items", "additionalProperties", "not", "if", "then", "else", "contains", "propertyNames"])
_LISTS = frozenset(["anyOf", "oneOf", "allOf", "prefixItems"])
_NAMED = frozenset(["$defs", "definitions", "patternProperties", "dependentSchemas"])


class _Function:
    """One function while it is counted."""

    def __init__(self, tally: Tally, path: str, frame: int) -> None:
        self.tally = tally
        self.path = path
        self.frame = frame
        self.ids: array[int] = array("I")
        self.estimates: list[str] = []

    def line(self, text: str) -> None:
        self.ids.extend(self.tally.ids(text))

    def estimate(self, why: str) -> None:
        if why not in self.estimates:
            self.estimates.append(why)

    def description(self, schema: Mapping[str, Any], path: str) -> str:
        """The description without its final full stop; "" where there is none, which the formula does not cover."""
        text = schema.get("description")
        if text is None:
            self.estimate("the formula does not cover what has no description")
            return ""
        return self.tally.text(text, f"{path}.description").removesuffix(".")

    def close(self) -> None:
        """Hands the function to the request."""
        rule = self.tally.counting.rules.tools
        basis = self.tally.counting.basis(rule.published_for, covered=not self.estimates)
        tokens = self.frame + len(self.ids)
        why = "; ".join(self.estimates)
        self.tally.add(PartTokens(self.path, "", tokens, basis, why, why=why))
        self.tally.pieces.append(Piece("function", self.frame, self.ids))


def count_tools(tally: Tally, body: Mapping[str, Any], *, published: bool) -> None:
    """Counts `tools`, and `functions` as they were named before, of a chat or Responses body.

    Tools that run at the service are noted as not counted. `published`: the formula is about such bodies.
    """
    counted = len(tally.parts)
    for key in ("tools", "functions"):
        values = body.get(key)
        if values is None:
            continue
        if isinstance(values, str) or not isinstance(values, Sequence):
            tally.problem(key, values, f"a list of {key}")
            continue
        for index, value in enumerate(values):
            path = f"{key}[{index}]"
            tool = tally.mapping(value, path, "an object with a function")
            if tool is not None:
                _count_tool(tally, tool, path, wrapped=key == "tools", published=published)
    if len(tally.parts) > counted:
        rule = tally.counting.rules.tools
        covered = published and all(part.basis is rule.basis for part in tally.parts[counted:])
        basis = tally.counting.basis(rule.published_for, covered=covered)
        tally.add(PartTokens("tools", "", rule.tokens_at_end, basis, "closes the list"))
        tally.pieces.append(Piece("end of tools", rule.tokens_at_end, array("I")))


def _count_tool(tally: Tally, tool: Mapping[str, Any], path: str, *, wrapped: bool, published: bool) -> None:
    kind = tool.get("type", "function") if wrapped else "function"
    if not isinstance(kind, str):
        tally.problem(f"{path}.type", kind, "text, such as function")
    elif kind not in ("function", "custom"):
        tally.not_counted.append(f"{tally.path(path)} ({kind}: what the service adds for it is not published)")
    else:
        definition, at = tool, path
        if wrapped and (kind in tool or published):  # Responses bodies hold the function's keys in the tool itself
            inner = tally.mapping(tool.get(kind), f"{path}.{kind}", "an object with name, description and parameters")
            if inner is None:
                return
            definition, at = inner, f"{path}.{kind}"
        _count_definition(tally, definition, path, at, plain=wrapped and published and kind == "function")


def _count_definition(tally: Tally, definition: Mapping[str, Any], path: str, at: str, *, plain: bool) -> None:
    """Counts a function or custom tool whose keys are at `at`. `plain`: the formula was published for such tools."""
    rule = tally.counting.rules.tools
    function = _Function(tally, path, rule.function_tokens(tally.counting.encoding))
    if not plain:
        function.estimate("the formula was not published for such tools")
    elif tally.counting.encoding not in rule.tokens_per_function:
        function.estimate("the formula was not published for this encoding")
    name = tally.text(definition.get("name"), f"{at}.name", "the name of a function")
    function.line(f"{name}:{function.description(definition, at)}")
    parameters = definition.get("parameters")
    if parameters is None:
        function.estimate("the formula does not cover functions without parameters")
    else:
        schema = tally.mapping(parameters, f"{at}.parameters", "a JSON schema: an object with properties")
        if schema is not None:
            _count_properties(function, schema, f"{at}.parameters", 0)
            _count_rest(function, schema, f"{at}.parameters", 0)
    if definition.get("format") is not None:
        function.line(json_text(definition["format"]))
    function.close()


def _count_properties(function: _Function, schema: Mapping[str, Any], path: str, depth: int) -> None:
    properties = schema.get("properties")
    if properties is None:
        return
    named = function.tally.mapping(properties, f"{path}.properties", "an object with a schema for each property")
    if named:
        function.frame += function.tally.counting.rules.tools.tokens_for_properties
        for name, value in named.items():
            _count_property(function, name, value, f"{path}.properties.{name}", depth)


def _count_property(function: _Function, name: str, value: Any, path: str, depth: int) -> None:
    tally, rule = function.tally, function.tally.counting.rules.tools
    if isinstance(value, bool):  # a schema that takes anything, or nothing
        value = {}
    schema = tally.mapping(value, path, "a JSON schema: an object with a type")
    if schema is None:
        return
    if depth >= _DEEPEST:
        tally.problem(path, value, f"schemas nested at most {_DEEPEST} levels deep")
        return
    function.frame += rule.tokens_per_property
    kind = schema.get("type")
    if isinstance(kind, list | tuple):
        kind = "|".join(map(str, kind))
        function.estimate("the formula does not cover several types")
    elif kind is None:
        kind = ""
        function.estimate("the formula does not cover what has no type")
    elif not isinstance(kind, str):
        tally.problem(f"{path}.type", kind, "text, such as string")
        kind = ""
    function.line(f"{name}:{kind}:{function.description(schema, path)}")
    choices = schema.get("enum")
    if isinstance(choices, str) or (choices is not None and not isinstance(choices, Sequence)):
        tally.problem(f"{path}.enum", choices, "a list of values")
    elif choices is not None:
        function.frame += rule.tokens_for_enum
        for choice in choices:
            function.frame += rule.tokens_per_enum_item
            function.line(choice if isinstance(choice, str) else json_text(choice))
            if not isinstance(choice, str):
                function.estimate("the formula does not cover choices that are no texts")
    if schema.get("properties"):
        function.estimate("nested properties are counted as if they were flat")
    _count_properties(function, schema, path, depth + 1)
    _count_rest(function, schema, path, depth + 1)


def _count_rest(function: _Function, schema: Mapping[str, Any], path: str, depth: int) -> None:
    """Counts what the formula does not cover: schemas within the schema, and other keys with their values."""
    for key, value in schema.items():
        if key in _SILENT or (key == "additionalProperties" and isinstance(value, bool)):
            continue
        where = f"{path}.{key}"
        if key in _SCHEMAS and not isinstance(value, list | tuple):
            function.estimate("nested schemas are counted as if they were flat")
            _count_property(function, key, value, where, depth)
        elif (key in _LISTS or key in _SCHEMAS) and isinstance(value, list | tuple):
            function.estimate("nested schemas are counted as if they were flat")
            for index, each in enumerate(value):
                _count_property(function, key, each, f"{where}[{index}]", depth)
        elif key in _NAMED and isinstance(value, Mapping):
            function.estimate("nested schemas are counted as if they were flat")
            for name, each in value.items():
                _count_property(function, name, each, f"{where}.{name}", depth)
        else:
            function.estimate(f"the formula does not cover {key}")
            function.line(f"{key}:{value if isinstance(value, str) else json_text(value)}")


def count_response_format(tally: Tally, value: Any, path: str) -> None:
    """Counts a JSON schema of the answer, as text under a heading. An estimate; other formats have no tokens.

    Source: OpenAI's harmony format, "Structured output"; of other models nothing is published.
    """
    if value is None:
        return
    form = tally.mapping(value, path, "an object with a type")
    if form is None:
        return
    kind = form.get("type")
    if kind in ("text", "json_object"):
        return
    if kind != "json_schema":
        tally.problem(f"{path}.type", "" if kind is None else kind, "text, json_object or json_schema")
        return
    inner: Mapping[str, Any] | None = form
    if "json_schema" in form:  # chat bodies hold it one level deeper than Responses bodies
        path = f"{path}.json_schema"
        inner = tally.mapping(form["json_schema"], path, "an object with name and schema")
    if inner is None:
        return
    name = tally.text(inner.get("name"), f"{path}.name", "the name of the format")
    schema = tally.mapping(inner.get("schema"), f"{path}.schema", "a JSON schema")
    if schema is None:
        return
    lines = [tally.counting.rules.response_format.heading, "", f"## {name}", ""]
    if inner.get("description") is not None:
        lines.append(f"// {tally.text(inner['description'], f'{path}.description')}")
    try:
        ids = tally.ids("\n".join([*lines, json_text(schema)]))
    except RecursionError:
        tally.problem(f"{path}.schema", schema, f"schemas nested at most {_DEEPEST} levels deep")
        return
    why = "how a schema of the answer is written is not published"
    tally.add(PartTokens(path, "", len(ids), tally.counting.basis(), why, why=why))
    tally.pieces.append(Piece("response format", 0, ids))
