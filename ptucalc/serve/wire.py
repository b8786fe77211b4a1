"""What goes over the wire: answers of chat completions, whole and as events, and errors. The Responses API has its own module.

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
    "packed",
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

    @property
    def function(self) -> str | None:
        """The function that is called: the words are its arguments. None for a message."""
        return None if self.plan.formed is None else self.plan.formed.function

    @property
    def spell(self) -> Callable[[str], bytes]:
        """Writes a word within a string of JSON; words of free choice have no letters that must be escaped."""
        return str.encode if self.plan.formed is None else _escaped

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


def packed(value: Any) -> bytes:
    """The value as JSON without blanks."""
    return _encode(value).encode()


def _escaped(word: str) -> bytes:
    return _encode(word)[1:-1].encode()


def error_body(code: str, message: str, *, kind: str | None = None, param: str | None = None) -> bytes:
    """An error in Azure's shape: {"error": {"code", "message"}}, with `type` and `param` for invalid requests."""
    error: dict[str, Any] = {"code": code, "message": message}
    if kind is not None:
        error |= {"type": kind, "param": param}
    return packed({"error": error})


def model_list(names: Sequence[tuple[str, str]], created: int) -> bytes:
    """The deployments as a list of models: name and the model behind it."""
    data = [
        {"id": name, "object": "model", "created": created, "owned_by": "ptucalc", "root": model}
        for name, model in names
    ]
    return packed({"object": "list", "data": data})


def _tool_call(answer: Answer, arguments: str) -> dict[str, Any]:
    return {
        "id": f"call_{answer.id}",
        "type": "function",
        "function": {"name": answer.function, "arguments": arguments},
    }


def _finish_reason(answer: Answer) -> str:
    """Why the answer ended. OpenAI, "Function calling": a call of the function that was named ends with stop."""
    if answer.plan.cut:
        return "length"
    formed = answer.plan.formed
    return "tool_calls" if formed is not None and formed.function is not None and not formed.by_name else "stop"


def chat_body(answer: Answer) -> bytes:
    """A chat completion, whole."""
    text = "".join(answer.words)
    message: dict[str, Any] = {"role": "assistant", "content": text, "refusal": None, "annotations": []}
    if answer.function is not None:
        message |= {"content": None, "tool_calls": [_tool_call(answer, text)]}
    choice: dict[str, Any] = {
        "index": 0,
        "message": message,
        "logprobs": None,
        "finish_reason": _finish_reason(answer),
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
    return packed(body)


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
        return b"data: " + packed({**base, "choices": choices, **none, **more}) + b"\n\n"

    def choice(delta: dict[str, Any], reason: str | None = None) -> dict[str, Any]:
        return {"index": 0, "delta": delta, "logprobs": None, "finish_reason": reason}

    before = b""
    if answer.azure:
        before = event([], prompt_filter_results=[{"prompt_index": 0, "content_filter_results": FILTERED}])
    first: dict[str, Any] = {"role": "assistant", "content": "", "refusal": None}
    delta: dict[str, Any] = {"content": "\0"}
    if answer.function is not None:
        first |= {"content": None, "tool_calls": [{"index": 0, **_tool_call(answer, "")}]}
        delta = {"tool_calls": [{"index": 0, "function": {"arguments": "\0"}}]}
    before += event([choice(first)])
    head, _, tail = event([choice(delta)]).partition(b"\\u0000")

    def after() -> bytes:
        end = event([choice({}, _finish_reason(answer))])
        if answer.include_usage:
            end += event([], usage=answer.usage())
        return end + DONE

    spell = answer.spell
    return Events(before, lambda place, word: b"%b%b%b" % (head, spell(word), tail), after)
