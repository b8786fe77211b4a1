"""The form that an answer must have where the request says so: JSON, with or without a schema, or the call of a function.

Its text has as many tokens as a text of free choice would have had, as far as the schema leaves room for that: texts of
free choice within it get longer, but not longer than max_tokens allow. Those cut it only where the schema asks for more.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

from ptucalc.errors import BadInput, Problem
from ptucalc.json_text import json_text
from ptucalc.made_up_json import MakeError, made_json
from ptucalc.token_parts import Tokens, told

__all__ = ["AnswerForm", "FormedText", "wanted_form"]

_ANY_OBJECT = {"type": "object", "properties": {"answer": {"type": "string"}}, "required": ["answer"]}
"""What is answered where any JSON object will do."""

_TRIES = 3
"""So often the length of free texts is adjusted."""

_LONGEST = 16_384
"""Tokens up to which free texts are made longer."""


class FormedText(NamedTuple):
    """The text of an answer, and its tokens. `cut`: max_tokens ended it, so that it is no whole JSON.

    `function` is that which the text is the arguments of, if there is one; `by_name`: the request named it.
    """

    text: str
    tokens: int
    cut: bool
    function: str | None = None
    by_name: bool = False

    def pieces(self) -> list[str]:
        """The text in as many pieces as it has tokens, of about one length: a tokenizer's own cannot be told apart."""
        length, count = len(self.text), self.tokens
        return [self.text[at * length // count : (at + 1) * length // count] for at in range(count)]


class AnswerForm(NamedTuple):
    """A schema that an answer must fit, and the function that it calls, if it calls one."""

    schema: Mapping[str, Any]
    tokens: Tokens
    words: Callable[[int, int], Sequence[str]]
    """Of the answer of this number, so many words of one token each."""
    function: str | None = None
    by_name: bool = False

    def made(self, number: int, wanted: int, most: int | None) -> FormedText:
        """The text of the answer of this number, of about as many tokens as are wanted, and of `most` at most (None: any).

        Raises MakeError where no value is made for the schema.
        """
        text, free = self._text(number, 1, 0)
        count = self.tokens.count(text)
        more = 0
        for _ in range(_TRIES):
            if not free or (found := max(0, more + min(wanted, _LONGEST) - count)) == more:
                break
            more = found
            text, free = self._text(number, 1 + more // free, more % free)
            count = self.tokens.count(text)
        cut = most is not None and count > most
        if most is not None and cut:
            text = self._beginning(text, most)
            count = self.tokens.count(text)
        return FormedText(text, count, cut, self.function, self.by_name)

    def _text(self, number: int, each: int, longer: int) -> tuple[str, int]:
        """JSON whose free texts have so many words, some of them one more; and how many of these texts there are."""
        free = 0

        def words(letters: int) -> str:
            nonlocal free
            size = each + (free < longer)
            text = "".join(self.words(number + free, size)).lstrip()
            while len(text) < letters:
                text += "".join(self.words(number, letters))
            free += 1
            return text

        return json_text(made_json(self.schema, words, number)), free

    def _beginning(self, text: str, most: int) -> str:
        """The longest beginning of a text that was found to have so many tokens at most."""
        return text[: bisect_right(range(len(text) + 1), most, key=lambda end: self.tokens.count(text[:end])) - 1]


def wanted_form(
    body: Mapping[str, Any], tokens: Tokens, words: Callable[[int, int], Sequence[str]]
) -> AnswerForm | None:
    """The form that a request, which was counted, asks for; None where any text will do.

    Raises BadInput where the emulator cannot answer so.
    """
    chosen = _chosen_function(body)
    if chosen is not None:
        name, parameters, path, by_name = chosen
        form = AnswerForm(parameters or {"type": "object"}, tokens, words, name, by_name)
    else:
        schema, path = _answer_schema(body)
        if schema is None:
            return None
        form = AnswerForm(schema, tokens, words)
    try:
        form.made(0, 0, None)
    except MakeError as error:
        expected = f"a schema that the emulator can make an answer to ({error})"
        raise BadInput([Problem(path.split(".")[0], "another one", expected, label=path)]) from None
    except RecursionError:
        raise BadInput([Problem(path.split(".")[0], "another one", "a schema of fewer levels", label=path)]) from None
    return form


def _answer_schema(body: Mapping[str, Any]) -> tuple[Mapping[str, Any] | None, str]:
    """The schema of the answer, and where it stands; None where the answer is text."""
    if "messages" in body:
        form, path = body.get("response_format"), "response_format"
    else:
        form, path = (body.get("text") or {}).get("format"), "text.format"
    if not isinstance(form, Mapping) or form.get("type") == "text":
        return None, path
    if form.get("type") == "json_object":
        return _ANY_OBJECT, path
    inner = form.get("json_schema", form)
    return inner["schema"], f"{path}.json_schema.schema" if "json_schema" in form else f"{path}.schema"


def _chosen_function(body: Mapping[str, Any]) -> tuple[str, Mapping[str, Any] | None, str, bool] | None:
    """The function that must be called: its name and parameters, where they stand, and whether the request names it."""
    choice, key, tools_key = body.get("tool_choice"), "tool_choice", "tools"
    if choice is None and body.get("functions") is not None:
        choice, key, tools_key = body.get("function_call"), "function_call", "functions"
    if choice is None or choice in ("auto", "none"):
        return None
    functions = _functions(body.get(tools_key) or (), tools_key)
    names: Sequence[str] = tuple(functions)
    by_name = False
    if isinstance(choice, Mapping) and choice.get("type") == "allowed_tools":
        allowed = choice.get("allowed_tools", choice)
        if not isinstance(allowed, Mapping) or allowed.get("mode") != "required":
            return None
        given = allowed.get("tools")
        listed = _functions(given if isinstance(given, list) else (), "")
        names = [name for name in names if name in listed]
    elif isinstance(choice, Mapping) and choice.get("type", "function") == "function":
        inner = choice.get("function", choice)
        wanted = inner.get("name") if isinstance(inner, Mapping) else None
        names, by_name = [name for name in names if name == wanted], True
    elif choice != "required":
        raise BadInput([Problem(key, told(choice), "auto, none, required or one of the functions")])
    if not names:
        raise BadInput(
            [Problem(key, told(choice), f"one of the functions of the request ({', '.join(functions) or 'none'})")]
        )
    parameters, path = functions[names[0]]
    return names[0], parameters, path, by_name


def _functions(tools: Sequence[Any], key: str) -> dict[str, tuple[Mapping[str, Any] | None, str]]:
    """The functions among tools by their names, each with its parameters and where these stand."""
    found: dict[str, tuple[Mapping[str, Any] | None, str]] = {}
    for index, tool in enumerate(tools):
        if not isinstance(tool, Mapping) or tool.get("type", "function") != "function":
            continue
        inner = tool.get("function", tool)
        if isinstance(inner, Mapping) and isinstance(inner.get("name"), str):
            path = f"{key}[{index}].{'function.' if inner is not tool else ''}parameters"
            found.setdefault(inner["name"], (inner.get("parameters"), path))
    return found
