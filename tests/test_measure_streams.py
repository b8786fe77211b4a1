"""Answers read as they come: chat completions and Responses, whole and in parts, right and wrong."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ptucalc.bench_samples import Usage
from ptucalc.measure.streams import Answer, EventLines, Malformed, error_text, retry_after_ms
from ptucalc.measure.target import Wire


def event(answer: Answer, document: object) -> bool:
    return answer.event(json.dumps(document).encode())


@given(cuts=st.lists(st.integers(0, 60), max_size=10))
def test_events_are_the_same_however_the_bytes_are_cut(cuts: list[int]) -> None:
    whole = b"data: one\r\n\r\n: a comment\nevent: x\ndata:two\n\ndata: [DONE]\n\n"
    lines, found, at = EventLines(), [], 0
    for cut in [*sorted(cuts), len(whole)]:
        found += lines.data(whole[at:cut])
        at = max(at, cut)
    assert found == [b"one", b"two", b"[DONE]"]


def test_an_event_without_end_is_not_waited_for() -> None:
    with pytest.raises(Malformed, match="does not end"):
        list(EventLines().data(b"x" * 4_000_001))


def test_a_chat_stream_says_something_with_its_first_text_not_with_its_role() -> None:
    answer = Answer(Wire.AZURE)
    assert not event(answer, {"choices": []})  # what the content filter says of the prompt
    assert not event(answer, {"choices": [{"delta": {"role": "assistant", "content": ""}}]})
    assert event(answer, {"choices": [{"delta": {"content": "a"}}]})
    assert event(answer, {"choices": [{"delta": {"tool_calls": [{}]}}]})
    assert not event(answer, {"choices": [{"delta": {}, "finish_reason": "stop"}]})
    usage = {"prompt_tokens": 9, "completion_tokens": 3, "prompt_tokens_details": {"cached_tokens": 4}}
    assert not event(answer, {"choices": [], "usage": usage})
    assert not answer.complete
    assert not answer.event(b"[DONE]")
    assert (answer.usage, answer.complete, answer.failure) == (Usage(9, 4, 3), True, "")


def test_a_responses_stream_ends_with_its_usage() -> None:
    answer = Answer(Wire.RESPONSES)
    assert not event(answer, {"type": "response.created", "response": {}})
    assert event(answer, {"type": "response.output_text.delta", "delta": "a"})
    assert not event(answer, {"type": "response.output_text.delta", "delta": ""})
    usage = {"input_tokens": 9, "output_tokens": 3, "input_tokens_details": {"cached_tokens": 0}}
    assert not event(answer, {"type": "response.incomplete", "response": {"usage": usage}})
    assert (answer.usage, answer.complete) == (Usage(9, 0, 3), True)


@pytest.mark.parametrize(
    ("told", "written"),
    [(5, 5), (0, 0), (6, None), (-1, None), (True, None), ("5", None), (None, None)],
)
def test_tokens_written_to_the_cache_are_read_where_they_can_be(told: object, written: int | None) -> None:
    details = {"cached_tokens": 4, "cache_write_tokens": told}
    chat, responses = Answer(Wire.V1), Answer(Wire.RESPONSES)
    event(chat, {"usage": {"prompt_tokens": 9, "completion_tokens": 3, "prompt_tokens_details": details}})
    usage = {"input_tokens": 9, "output_tokens": 3, "input_tokens_details": details}
    event(responses, {"type": "response.completed", "response": {"usage": usage}})
    assert chat.usage == responses.usage == Usage(9, 4, 3, written)


def test_a_failure_within_a_stream_is_told() -> None:
    chat = Answer(Wire.V1)
    event(chat, {"error": {"message": "overloaded"}})
    assert chat.failure == "overloaded"
    responses = Answer(Wire.RESPONSES)
    event(responses, {"type": "response.failed", "response": {"error": {"code": "server_error"}}})
    assert (responses.failure, responses.complete) == ("server_error", True)
    other = Answer(Wire.RESPONSES)
    event(other, {"type": "error", "message": "bad"})
    assert other.failure == "bad"


def test_an_answer_that_is_not_streamed_has_its_usage_too() -> None:
    chat = Answer(Wire.AZURE)
    chat.whole(b'{"usage": {"prompt_tokens": 2, "completion_tokens": 1}}')
    assert (chat.usage, chat.complete) == (Usage(2, 0, 1), True)
    responses = Answer(Wire.RESPONSES)
    responses.whole(b'{"usage": {"input_tokens": 2, "output_tokens": 1}, "error": null}')
    assert (responses.usage, responses.failure) == (Usage(2, 0, 1), "")


@pytest.mark.parametrize(
    "usage",
    [None, [], {"prompt_tokens": 2}, {"prompt_tokens": -1, "completion_tokens": 1}, {"prompt_tokens": True, "completion_tokens": 1},
     {"prompt_tokens": 2.5, "completion_tokens": 1}, {"prompt_tokens": 2**50, "completion_tokens": 1},
     {"prompt_tokens": 2, "completion_tokens": 1, "prompt_tokens_details": {"cached_tokens": 3}}],
)  # fmt: skip
def test_usage_that_cannot_be_is_no_usage(usage: object) -> None:
    answer = Answer(Wire.AZURE)
    event(answer, {"choices": [], "usage": usage})
    assert answer.usage is None


@pytest.mark.parametrize("data", [b"", b"{", b"[]", b"7", b"\xff\xfe", b"[" * 100_000])
def test_what_is_no_object_is_malformed(data: bytes) -> None:
    with pytest.raises(Malformed):
        Answer(Wire.AZURE).event(data)
    with pytest.raises(Malformed):
        Answer(Wire.AZURE).whole(data)


@pytest.mark.parametrize(
    ("headers", "wait"),
    [
        ({"retry-after-ms": "250", "retry-after": "1"}, 250),
        ({"retry-after": "3"}, 3000),
        ({"retry-after": "0.5"}, 500),
        ({"retry-after-ms": "soon", "retry-after": "2"}, 2000),
        ({"retry-after-ms": "-1"}, None),
        ({"retry-after": "nan"}, None),
        ({"retry-after": "inf"}, None),
        ({"retry-after": "Wed, 21 Oct 2026 07:28:00 GMT"}, None),
        ({}, None),
    ],
)
def test_the_wait_of_a_429_is_in_milliseconds_and_the_finer_header_counts(headers: dict, wait: int | None) -> None:
    assert retry_after_ms(headers) == wait


@pytest.mark.parametrize(
    ("body", "text"),
    [
        (b'{"error": {"code": "401", "message": "no"}}', "401: no"),
        (b'{"error": "plain"}', "plain"),
        (b"<html>", "<html>"),
        (b"[]", "[]"),
        (b"\xff", "\ufffd"),
    ],
)
def test_an_errors_message_is_found_in_whatever_form_it_has(body: bytes, text: str) -> None:
    assert error_text(body) == text


CHUNK = '{"id":"a","choices":[{"index":0,"delta":{"content":"%s"},"finish_reason":%s}],"usage":%s}'


@pytest.mark.parametrize(
    ("event", "text"),
    [
        (CHUNK % (" next", "null", "null"), True),
        (CHUNK % ("", "null", "null"), False),
        (CHUNK % ('"},"x":{"content":"', "null", "null"), False),  # the text of two, neither of which says anything
        (CHUNK % ("\\\\", "null", "null"), True),
        (CHUNK % ("", '"stop"', "null"), False),
        (CHUNK % ("", "null", '{"prompt_tokens":3,"completion_tokens":4}'), False),
        ('{"choices":[],"error":{"message":"no"}}', False),
    ],
)
def test_an_event_like_the_one_before_is_read_as_if_it_stood_alone(event: str, text: bool) -> None:
    alone, after = Answer(Wire.V1), Answer(Wire.V1)
    assert after.event((CHUNK % (" word", "null", "null")).encode()) is True
    assert after.event(event.encode()) is alone.event(event.encode()) is text
    assert (after.usage, after.failure, after.complete) == (alone.usage, alone.failure, alone.complete)


def test_an_event_that_is_cut_is_no_event_like_the_one_before() -> None:
    after = Answer(Wire.V1)
    whole = (CHUNK % (" word", "null", "null")).encode()
    after.event(whole)
    for cut in range(1, len(whole)):
        with pytest.raises(Malformed):
            after.event(whole[:cut])
