"""Answers of the Responses API, whole and as events. Shapes are those of OpenAI's API reference."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ptucalc.serve.wire import Answer, Events, packed

__all__ = ["responses_body", "responses_events"]


def _response(answer: Answer, status: str, output: Sequence[Any]) -> dict[str, Any]:
    cut = status == "incomplete"
    return {
        "id": answer.id,
        "object": "response",
        "created_at": answer.created,
        "status": status,
        "background": False,
        "error": None,
        "incomplete_details": {"reason": "max_output_tokens"} if cut else None,
        "instructions": None,
        "max_output_tokens": answer.call.max_tokens,
        "model": answer.model,
        "output": output,
        "parallel_tool_calls": True,
        "previous_response_id": None,
        "reasoning": {"effort": None, "summary": None},
        "store": False,
        "temperature": 1.0,
        "text": {"format": {"type": "text"}},
        "tool_choice": "auto",
        "tools": [],
        "top_p": 1.0,
        "truncation": "disabled",
        "usage": None if status == "in_progress" else answer.responses_usage(),
        "metadata": {},
    }


def _items(answer: Answer, status: str, text: str) -> list[dict[str, Any]]:
    """The output: an item of reasoning where there is any, and the message or the call of a function."""
    found: list[dict[str, Any]] = []
    if answer.plan.reasoning:
        found.append({"id": f"rs_{answer.id}", "type": "reasoning", "summary": []})
    if answer.function is not None:
        call = {"id": f"fc_{answer.id}", "type": "function_call", "status": status, "call_id": f"call_{answer.id}"}
        return [*found, {**call, "name": answer.function, "arguments": text}]
    content = [{"type": "output_text", "text": text, "annotations": [], "logprobs": []}]
    found.append(
        {"id": f"msg_{answer.id}", "type": "message", "role": "assistant", "status": status, "content": content}
    )
    return found


def _end(answer: Answer) -> str:
    return "incomplete" if answer.plan.cut else "completed"


def responses_body(answer: Answer) -> bytes:
    """A Responses answer, whole."""
    status = _end(answer)
    return packed(_response(answer, status, _items(answer, status, "".join(answer.words))))


def responses_events(answer: Answer) -> Events:
    """A Responses answer as events, numbered."""
    number = 0

    def event(kind: str, **more: Any) -> bytes:
        nonlocal number
        data = packed({"type": kind, "sequence_number": number, **more})
        number += 1
        return f"event: {kind}\ndata: ".encode() + data + b"\n\n"

    status, text = _end(answer), "".join(answer.words)
    *thoughts, item = _items(answer, status, text)
    at = len(thoughts)
    where: dict[str, Any] = {"item_id": item["id"], "output_index": at}
    begun = _response(answer, "in_progress", [])
    before = event("response.created", response=begun) + event("response.in_progress", response=begun)
    for thought in thoughts:
        before += event("response.output_item.added", output_index=0, item=thought)
        before += event("response.output_item.done", output_index=0, item=thought)
    calls = answer.function is not None
    nothing: dict[str, Any] = {"arguments": ""} if calls else {"content": []}
    empty = {**item, "status": "in_progress", **nothing}
    before += event("response.output_item.added", output_index=at, item=empty)
    delta: dict[str, Any] = {"delta": "\0"}
    if not calls:
        where["content_index"] = 0
        delta["logprobs"] = []
        before += event("response.content_part.added", **where, part={**item["content"][0], "text": ""})
    kind = "response.function_call_arguments" if calls else "response.output_text"
    first = number
    head, _, tail = event(f"{kind}.delta", **where, **delta).partition(b"\\u0000")
    start, _, middle = head.partition(f'"sequence_number":{first}'.encode())

    spell = answer.spell

    def word_event(place: int, word: str) -> bytes:
        return b'%b"sequence_number":%d%b%b%b' % (start, first + place, middle, spell(word), tail)

    def after() -> bytes:
        nonlocal number
        number = first + len(answer.words)
        if calls:
            end = event(f"{kind}.done", **where, name=answer.function, arguments=text)
        else:
            end = event(f"{kind}.done", **where, text=text, logprobs=[])
            end += event("response.content_part.done", **where, part=item["content"][0])
        return (
            end
            + event("response.output_item.done", output_index=at, item=item)
            + event(f"response.{status}", response=_response(answer, status, [*thoughts, item]))
        )

    return Events(before, word_event, after)
