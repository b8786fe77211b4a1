"""Input tokens of a request: a bare text, a chat body, a Responses body, a line of a batch that holds one.

What the prompt holds and cannot be sized is refused, all at once; what the service adds to it on its side is named as not
counted. Image tokens of text models are input tokens and are part of the sum.
"""

from __future__ import annotations

from array import array
from collections.abc import Mapping, Sequence
from typing import Any, Literal, NamedTuple

from ptucalc.errors import BadInput
from ptucalc.message_tokens import Frame, count_call, count_content, count_message, count_reply
from ptucalc.token_parts import Counting, PartTokens, Piece, Tally
from ptucalc.token_rules import Basis
from ptucalc.tool_tokens import count_response_format, count_tools

__all__ = ["RequestTokens", "count_request", "count_text", "named_model"]

Kind = Literal["text", "chat", "responses"]

_ELSEWHERE = {
    "previous_response_id": "a request that holds its whole prompt: the turns before are not in it (take the key out to count "
    "the rest)",
    "conversation": "a request that holds its whole prompt: the turns before are not in it (take the key out to count the rest)",
    "prompt": "a request that holds its whole prompt: a stored one is not in it (take the key out to count the rest)",
}
"""Keys of a body that stand for text which is not in it."""

_SERVICE = {
    "data_sources": "what the service retrieves is not in the request",
    "web_search_options": "what the service finds is not in the request",
}
"""Keys of a body that make the service add to the prompt."""

_OUTPUTS = ("function_call_output", "custom_tool_call_output")
_CALLS = {"function_call": "arguments", "custom_tool_call": "input"}


class RequestTokens(NamedTuple):
    """What one request counts.

    `input_tokens` is the sum of the parts, `image_tokens` included. `model` is what the body names, `counted_as` the catalog's
    name of the model that it was counted for, `encoding` and `exact` are those of `Counting`. `not_counted` names what the service adds: where there is any, the sum is a
    lower bound. `rendered` is the prompt in the model's order, to compare beginnings.
    """

    source: str
    kind: Kind
    custom_id: str | None
    model: str | None
    counted_as: str | None
    encoding: str | None
    exact: bool
    input_tokens: int
    image_tokens: int
    max_tokens: int | None
    parts: tuple[PartTokens, ...]
    not_counted: tuple[str, ...]
    rendered: tuple[Piece, ...]

    @property
    def basis(self) -> Basis:
        """Published only where every part is."""
        if self.not_counted:
            return Basis.ESTIMATE
        estimate = Basis.ESTIMATE
        for part in self.parts:
            if part.basis is estimate:
                return estimate
        return Basis.PUBLISHED


def count_text(text: str, counting: Counting, source: str = "") -> RequestTokens:
    """What a bare text counts, without the frame of a message."""
    ids = array("I", counting.tokens.ids(text))
    part = PartTokens("text", "", len(ids), counting.text_basis)
    piece = Piece("text", 0, ids)
    return RequestTokens(
        source=source,
        kind="text",
        custom_id=None,
        model=None,
        counted_as=counting.model,
        encoding=counting.encoding,
        exact=counting.exact,
        input_tokens=len(ids),
        image_tokens=0,
        max_tokens=None,
        parts=(part,),
        not_counted=(),
        rendered=(piece,) if ids else (),
    )


def named_model(body: Any) -> str | None:
    """The model that a body, or a line of a batch, names; None where it names none (or no text)."""
    if type(body) is not dict and not isinstance(body, Mapping):
        return None
    inner = body.get("body")
    model = inner.get("model") if _is_wrapped(body) and isinstance(inner, Mapping) else body.get("model")
    return model if isinstance(model, str) and model.strip() else None


def count_request(body: Mapping[str, Any], counting: Counting, source: str = "") -> RequestTokens:
    """What a body counts. `source` is where it was read. Raises BadInput with everything that cannot be counted."""
    tally = Tally(counting, source)
    custom_id = None
    if _is_wrapped(body):
        custom_id = body.get("custom_id")
        url = body.get("url")
        if isinstance(url, str) and not url.partition("?")[0].rstrip("/").endswith(("/chat/completions", "/responses")):
            tally.problem("url", url, "a call of /chat/completions or /responses")
        inner = tally.mapping(body["body"], "body", "the body of a request: an object")
        body = {} if inner is None else inner
        tally.where = "body."
    kind = _kind(tally, body)
    if kind and not tally.problems:
        model = body.get("model")
        if model is not None:
            model = tally.text(model, "model", "the name of a model or deployment")
        _count_body(tally, kind, body)
        most = _max_tokens(tally, body)
        _check_not_counted(tally, body)
    if tally.problems or not kind:
        raise BadInput(tally.problems)
    return RequestTokens(
        source=source,
        kind=kind,
        custom_id=custom_id if isinstance(custom_id, str) else None,
        model=model,
        counted_as=counting.model,
        encoding=counting.encoding,
        exact=counting.exact,
        input_tokens=sum([part.tokens for part in tally.parts]),
        image_tokens=sum([part.tokens for part in tally.parts if part.is_image]),
        max_tokens=most,
        parts=tuple(tally.parts),
        not_counted=tuple(tally.not_counted),
        rendered=tuple(tally.pieces),
    )


def _is_wrapped(body: Mapping[str, Any]) -> bool:
    """Whether this is a line of a batch: {"custom_id", "method", "url", "body"}."""
    return "body" in body and not {"messages", "input"} & set(body)


def _kind(tally: Tally, body: Mapping[str, Any]) -> Kind | None:
    chat, responses = body.get("messages") is not None, body.get("input") is not None
    if chat and responses:
        tally.problem("messages", body["messages"], "messages (a chat body) or input (a Responses body), not both")
        return None
    if chat or responses:
        return "chat" if chat else "responses"
    if not tally.problems:
        found = ", ".join(map(str, list(body)[:5])) or "nothing"
        tally.problem("messages", found, "a chat body with messages, or a Responses body with input")
    return None


def _count_body(tally: Tally, kind: Kind, body: Mapping[str, Any]) -> None:
    chat = kind == "chat"
    count_tools(tally, body, published=chat)
    if chat:
        count_response_format(tally, body.get("response_format"), "response_format")
        _count_list(tally, body["messages"], "messages", published=True)
    else:
        text = body.get("text")
        if isinstance(text, Mapping):
            count_response_format(tally, text.get("format"), "text.format")
        elif text is not None:
            tally.problem("text", text, "an object with a format")
        if body.get("instructions") is not None:
            _count_said(tally, "system", body["instructions"], "instructions")
        if isinstance(body["input"], str):
            _count_said(tally, "user", body["input"], "input")
        else:
            _count_list(tally, body["input"], "input", published=False)
    count_reply(tally, published=chat)


def _count_said(tally: Tally, role: str, value: Any, path: str) -> None:
    frame = Frame(tally, path, role, published=False)
    count_content(frame, value, path)
    frame.close()


def _count_list(tally: Tally, values: Any, path: str, *, published: bool) -> None:
    what = "messages" if published else "items"
    if isinstance(values, str) or not isinstance(values, Sequence):
        tally.problem(path, values, f"a list of {what}")
    elif not values:
        tally.problem(path, "an empty list", f"one or more {what}")
    else:
        for index, value in enumerate(values):
            where = f"{path}[{index}]"
            if published or not isinstance(value, Mapping) or value.get("type", "message") == "message":
                count_message(tally, value, where, published=published)
            else:
                _count_item(tally, value, where)


def _count_item(tally: Tally, item: Mapping[str, Any], path: str) -> None:
    """Counts an item of a Responses body that is no message."""
    kind = item["type"]
    if kind in _OUTPUTS:
        frame = Frame(tally, path, "tool", published=False)
        count_content(frame, item.get("output"), f"{path}.output")
    elif isinstance(kind, str) and kind in _CALLS:
        frame = Frame(tally, path, "assistant", published=False)
        given = item.get(_CALLS[kind])
        name = tally.text(item.get("name"), f"{path}.name")
        count_call(frame, name, tally.text(given, f"{path}.{_CALLS[kind]}"))
    elif kind == "reasoning":
        frame = Frame(tally, path, "assistant", published=False)
        for key in ("summary", "content"):
            for index, value in enumerate(_texts(tally, item.get(key), f"{path}.{key}")):
                where = f"{path}.{key}[{index}]"
                part = tally.mapping(value, where, "an object with a text")
                if part is not None:
                    frame.text(tally.text(part.get("text"), f"{where}.text"))
        if item.get("encrypted_content") is not None:
            tally.not_counted.append(f"{tally.path(path)} (reasoning that is encrypted)")
    elif kind == "item_reference":
        tally.problem(path, kind, "an item whose text is in the request (take it out to count the rest)")
        return
    else:
        expected = "a message, function_call, function_call_output or reasoning (take it out to count the rest)"
        tally.problem(f"{path}.type", "" if kind is None else kind, expected)
        return
    frame.close()


def _texts(tally: Tally, values: Any, path: str) -> Sequence[Any]:
    if values is None:
        return ()
    if isinstance(values, str) or not isinstance(values, Sequence):
        tally.problem(path, values, "a list of texts")
        return ()
    return values


def _max_tokens(tally: Tally, body: Mapping[str, Any]) -> int | None:
    """The most output tokens that the request allows."""
    found: dict[str, int] = {}
    for key in ("max_completion_tokens", "max_output_tokens", "max_tokens"):
        value = body.get(key)
        if value is None:
            continue
        if isinstance(value, bool) or not isinstance(value, int) or value < 1:
            tally.problem(key, value, "a whole number, 1 or more")
        else:
            found[key] = value
    if len(set(found.values())) > 1:
        first, *others = found
        tally.problem(others[0], found[others[0]], f"one limit of output tokens: {first} is {found[first]}")
    return next(iter(found.values()), None)


def _check_not_counted(tally: Tally, body: Mapping[str, Any]) -> None:
    for key, expected in _ELSEWHERE.items():
        if body.get(key) is not None:
            tally.problem(key, body[key], expected)
    for key, why in _SERVICE.items():
        if body.get(key) is not None:
            tally.not_counted.append(f"{tally.path(key)} ({why})")
