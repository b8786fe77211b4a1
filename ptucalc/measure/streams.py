"""What a service answers, read as it comes: server-sent events of chat completions and Responses, and whole bodies."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any, TypeGuard

from ptucalc.bench_samples import Usage
from ptucalc.measure.target import Wire

__all__ = ["Answer", "EventLines", "Malformed", "retry_after_ms"]

MOST_BYTES_OF_A_LINE = 4_000_000
"""An event that is longer is not waited for."""


class Malformed(Exception):
    """An answer that is not what the wire form says. The message says what it is; it quotes nothing."""


class EventLines:
    """Cuts a stream of bytes into the data of its events."""

    def __init__(self) -> None:
        self._rest = b""

    def data(self, more: bytes) -> Iterator[bytes]:
        """The data of the events that are whole now. Raises Malformed for an event without end."""
        *lines, self._rest = (self._rest + more).split(b"\n")
        if len(self._rest) > MOST_BYTES_OF_A_LINE:
            raise Malformed("an event that does not end")
        for line in lines:
            if line.startswith(b"data:"):
                yield line[5:].strip()


class Answer:
    """The answer to one call: its usage, when it said something, whether it is complete."""

    def __init__(self, wire: Wire) -> None:
        self.wire = wire
        self.usage: Usage | None = None
        self.complete = False
        self.failure = ""
        self._head, self._tail = b"", b""
        """What stood before and after the text of an event that said nothing else."""

    def event(self, data: bytes) -> bool:
        """Takes the data of an event; whether it holds text. Raises Malformed.

        Events of a chat differ in their text alone, nearly all of them: one that does so is not parsed again.
        """
        head, tail = self._head, self._tail
        if head and len(data) > len(head) + len(tail) and data.startswith(head) and data.endswith(tail):
            text = data[len(head) : len(data) - len(tail)]
            if b'"' not in text and b"\\" not in text:
                return True
        if data == b"[DONE]":
            self.complete = True
            return False
        event = _object(data)
        if self.wire is Wire.RESPONSES:
            return self._responses_event(event)
        self._note_failure(event.get("error"))
        self._note_usage(event.get("usage"), "prompt_tokens", "prompt_tokens_details", "completion_tokens")
        choices = event.get("choices")
        if not isinstance(choices, list):
            return False
        said = False
        for choice in choices:
            delta = choice.get("delta") if isinstance(choice, dict) else None
            if isinstance(delta, dict):
                said = said or any(bool(delta.get(name)) for name in ("content", "refusal", "tool_calls"))
        if said and not event.get("usage") and not event.get("error"):
            self._learn(data, choices)
        return said

    def _learn(self, data: bytes, choices: list[Any]) -> None:
        """Remembers what stands around the text, where that is plain."""
        text = choices[0]["delta"].get("content") if len(choices) == 1 else None
        if isinstance(text, str) and text:
            around = data.split(b'"content":"' + text.encode() + b'"')
            if len(around) == 2:
                self._head, self._tail = around[0] + b'"content":"', b'"' + around[1]

    def _responses_event(self, event: Mapping[str, Any]) -> bool:
        kind = event.get("type")
        if kind in ("response.completed", "response.incomplete", "response.failed"):
            response = event.get("response")
            self._note_response(response if isinstance(response, dict) else {})
            self.complete = True
        elif kind == "error":
            self._note_failure(event.get("error") or event)
        return isinstance(kind, str) and kind.endswith(".delta") and bool(event.get("delta"))

    def _note_response(self, response: Mapping[str, Any]) -> None:
        self._note_usage(response.get("usage"), "input_tokens", "input_tokens_details", "output_tokens")
        self._note_failure(response.get("error"))

    def whole(self, body: bytes) -> None:
        """Takes an answer that is not streamed. Raises Malformed."""
        found = _object(body)
        if self.wire is Wire.RESPONSES:
            self._note_response(found)
        else:
            self._note_usage(found.get("usage"), "prompt_tokens", "prompt_tokens_details", "completion_tokens")
        self.complete = True

    def _note_usage(self, usage: Any, prompt: str, details: str, output: str) -> None:
        if not isinstance(usage, dict):
            return
        more = usage.get(details)
        cached = more.get("cached_tokens") if isinstance(more, dict) else 0
        counts = (usage.get(prompt), cached or 0, usage.get(output))
        if all(_is_count(count) for count in counts):
            tokens_in, from_cache, tokens_out = (int(count) for count in counts if count is not None)
            if from_cache <= tokens_in:
                to_cache = more.get("cache_write_tokens") if isinstance(more, dict) else None
                told = _is_count(to_cache) and from_cache + to_cache <= tokens_in
                self.usage = Usage(tokens_in, from_cache, tokens_out, to_cache if told else None)

    def _note_failure(self, error: Any) -> None:
        if error:
            self.failure = (
                str(error.get("message") or error.get("code") or "") if isinstance(error, dict) else str(error)
            )
            self.failure = self.failure or "an error without a message"


def _is_count(value: Any) -> TypeGuard[int]:
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 2**40


def _object(data: bytes) -> Mapping[str, Any]:
    try:
        found = json.loads(data)
    except (ValueError, RecursionError):
        raise Malformed("not JSON") from None
    if not isinstance(found, dict):
        raise Malformed("JSON that is no object")
    return found


def error_text(body: bytes) -> str:
    """The message of an error's body: OpenAI's form, or the text as it is."""
    try:
        error = json.loads(body).get("error")
    except (ValueError, AttributeError, RecursionError):
        return body.decode("utf-8", "replace")
    if isinstance(error, dict):
        parts = [str(error[name]) for name in ("code", "message") if error.get(name)]
        return ": ".join(parts)
    return str(error or "")


def retry_after_ms(headers: Mapping[str, str]) -> int | None:
    """The wait that a 429 names, in milliseconds: `retry-after-ms`, else `retry-after` in seconds; None without either."""
    for name, per_unit in (("retry-after-ms", 1), ("retry-after", 1000)):
        text = headers.get(name, "").strip()
        try:
            value = float(text)
        except ValueError:
            continue
        if 0 <= value <= 10**9:
            return round(value * per_unit)
    return None
