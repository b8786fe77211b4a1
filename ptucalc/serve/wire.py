"""What goes over the wire: answers of chat completions and of the Responses API, whole and as events, and errors.

Shapes are those of OpenAI's API reference; paths with a deployment answer as Azure does (content filter results, and a
first event without choices). A token of text is one event.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from ptucalc.admission import ArrivingCall
from ptucalc.made_up_answers import AnswerPlan

__all__ = [
    "Answer",
    "Events",
    "chat_body",
    "chat_events",
    "error_body",
    "model_list",
    "responses_body",
    "responses_events",
]

FILTERED = {kind: {"filtered": False, "severity": "safe"} for kind in ("hate", "self_harm", "sexual", "violence")}
"""What Azure says of content that no filter caught."""

DONE = b"data: [DONE]\n\n"


class Events(NamedTuple):
    """A streamed answer: the events before the first word, that of a word (its place, the word), those after the last."""

    before: bytes
    word: Callable[[int, str], bytes]
    after: Callable[[], bytes]


class Answer(NamedTuple):
    """An answer under way: to which call, of what length, in which words. `azure`: on a path of Azure's own."""

    id: str
    created: int
    model: str
    call: ArrivingCall
    plan: AnswerPlan
    words: Sequence[str]
    azure: bool
    include_usage: bool = False
    shows_writes: bool = False

    def usage(self) -> dict[str, Any]:
        """The usage of a chat completion."""
        call, plan = self.call, self.plan
        prompt_details = {"cached_tokens": call.cached, "audio_tokens": 0}
        if self.shows_writes:
            prompt_details["cache_write_tokens"] = call.written
        return {
            "prompt_tokens": call.prompt,
            "completion_tokens": plan.output,
            "total_tokens": call.prompt + plan.output,
            "prompt_tokens_details": prompt_details,
            "completion_tokens_details": {
                "reasoning_tokens": plan.reasoning,
                "audio_tokens": 0,
                "accepted_prediction_tokens": 0,
                "rejected_prediction_tokens": 0,
            },
        }

    def responses_usage(self) -> dict[str, Any]:
        """The usage of a Responses answer."""
        call, plan = self.call, self.plan
        details = {"cached_tokens": call.cached}
        if self.shows_writes:
            details["cache_write_tokens"] = call.written
        return {
            "input_tokens": call.prompt,
            "input_tokens_details": details,
            "output_tokens": plan.output,
            "output_tokens_details": {"reasoning_tokens": plan.reasoning},
            "total_tokens": call.prompt + plan.output,
        }


_encode = json.JSONEncoder(separators=(",", ":")).encode


def _packed(value: Any) -> bytes:
    return _encode(value).encode()


def error_body(code: str, message: str, *, kind: str | None = None, param: str | None = None) -> bytes:
    """An error in Azure's shape: {"error": {"code", "message"}}, with `type` and `param` for invalid requests."""
    error: dict[str, Any] = {"code": code, "message": message}
    if kind is not None:
        error |= {"type": kind, "param": param}
    return _packed({"error": error})


def model_list(names: Sequence[tuple[str, str]], created: int) -> bytes:
    """The deployments as a list of models: name and the model behind it."""
    data = [
        {"id": name, "object": "model", "created": created, "owned_by": "ptucalc", "root": model}
        for name, model in names
    ]
    return _packed({"object": "list", "data": data})


def chat_body(answer: Answer) -> bytes:
    """A chat completion, whole."""
    choice: dict[str, Any] = {
        "index": 0,
        "message": {"role": "assistant", "content": "".join(answer.words), "refusal": None, "annotations": []},
        "logprobs": None,
        "finish_reason": "length" if answer.plan.cut else "stop",
    }
    body: dict[str, Any] = {
        "id": answer.id,
        "object": "chat.completion",
        "created": answer.created,
        "model": answer.model,
        "choices": [choice],
        "usage": answer.usage(),
        "system_fingerprint": "fp_ptucalc",
    }
    if answer.azure:
        choice["content_filter_results"] = FILTERED
        body["prompt_filter_results"] = [{"prompt_index": 0, "content_filter_results": FILTERED}]
    return _packed(body)


def chat_events(answer: Answer) -> Events:
    """A chat completion as events."""
    base: dict[str, Any] = {
        "id": answer.id,
        "object": "chat.completion.chunk",
        "created": answer.created,
        "model": answer.model,
        "system_fingerprint": "fp_ptucalc",
    }
    none = {"usage": None} if answer.include_usage else {}

    def event(choices: Sequence[Any], **more: Any) -> bytes:
        return b"data: " + _packed({**base, "choices": choices, **none, **more}) + b"\n\n"

    def choice(delta: dict[str, Any], reason: str | None = None) -> dict[str, Any]:
        return {"index": 0, "delta": delta, "logprobs": None, "finish_reason": reason}

    before = b""
    if answer.azure:
        before = event([], prompt_filter_results=[{"prompt_index": 0, "content_filter_results": FILTERED}])
    before += event([choice({"role": "assistant", "content": "", "refusal": None})])
    head, _, tail = event([choice({"content": "\0"})]).partition(b"\\u0000")

    def after() -> bytes:
        end = event([choice({}, "length" if answer.plan.cut else "stop")])
        if answer.include_usage:
            end += event([], usage=answer.usage())
        return end + DONE

    return Events(before, lambda place, word: b"%b%b%b" % (head, word.encode(), tail), after)


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
    """The output: an item of reasoning where there is any, and the message."""
    found: list[dict[str, Any]] = []
    if answer.plan.reasoning:
        found.append({"id": f"rs_{answer.id}", "type": "reasoning", "summary": []})
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
    return _packed(_response(answer, status, _items(answer, status, "".join(answer.words))))


def responses_events(answer: Answer) -> Events:
    """A Responses answer as events, numbered."""
    number = 0

    def event(kind: str, **more: Any) -> bytes:
        nonlocal number
        data = _packed({"type": kind, "sequence_number": number, **more})
        number += 1
        return f"event: {kind}\ndata: ".encode() + data + b"\n\n"

    status, text = _end(answer), "".join(answer.words)
    *thoughts, message = _items(answer, status, text)
    at = len(thoughts)
    where = {"item_id": message["id"], "output_index": at, "content_index": 0}
    begun = _response(answer, "in_progress", [])
    before = event("response.created", response=begun) + event("response.in_progress", response=begun)
    for thought in thoughts:
        before += event("response.output_item.added", output_index=0, item=thought)
        before += event("response.output_item.done", output_index=0, item=thought)
    empty = {**message, "status": "in_progress", "content": []}
    before += event("response.output_item.added", output_index=at, item=empty)
    before += event("response.content_part.added", **where, part={**message["content"][0], "text": ""})
    first = number
    delta = event("response.output_text.delta", **where, delta="\0", logprobs=[])
    head, _, tail = delta.partition(b"\\u0000")
    start, _, middle = head.partition(f'"sequence_number":{first}'.encode())

    def word_event(place: int, word: str) -> bytes:
        return b'%b"sequence_number":%d%b%b%b' % (start, first + place, middle, word.encode(), tail)

    def after() -> bytes:
        nonlocal number
        number = first + len(answer.words)
        return (
            event("response.output_text.done", **where, text=text, logprobs=[])
            + event("response.content_part.done", **where, part=message["content"][0])
            + event("response.output_item.done", output_index=at, item=message)
            + event(f"response.{status}", response=_response(answer, status, [*thoughts, message]))
        )

    return Events(before, word_event, after)
