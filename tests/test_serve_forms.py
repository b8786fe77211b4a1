"""Answers in the form that a request asks for, as the real openai SDK reads them: JSON after a schema, and calls of tools."""

from __future__ import annotations

import json
from collections.abc import Iterator
from fractions import Fraction
from typing import Any, Literal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

openai = pytest.importorskip("openai", reason="the client of these tests")
pydantic = pytest.importorskip("pydantic", reason="comes with openai")
pytest.importorskip("starlette", reason="comes with ptucalc[emulate]")
pytest.importorskip("uvicorn", reason="comes with ptucalc[emulate]")

from ptucalc.errors import BadInput  # noqa: E402
from ptucalc.made_up_answers import Answers, AnswerShape, Vocabulary, usable_words  # noqa: E402
from ptucalc.made_up_forms import wanted_form  # noqa: E402
from ptucalc.read.encodings import tokenizer  # noqa: E402
from ptucalc.serve.app import application  # noqa: E402
from ptucalc.serve.running import serving  # noqa: E402

from .test_serve_clients import COUNTING, an_emulator, azure, chat_deployment, made, said, v1  # noqa: E402

TOKENS = tokenizer("o200k_base")
WORDS = Vocabulary(usable_words(TOKENS), 0).words


class Step(pydantic.BaseModel):  # type: ignore[name-defined,misc]
    explanation: str
    kind: Literal["say", "do"]


class Report(pydantic.BaseModel):  # type: ignore[name-defined,misc]
    """A report as structured outputs have it."""

    title: str
    score: int = pydantic.Field(ge=1, le=10)
    share: float = pydantic.Field(gt=0, lt=1)
    done: bool
    steps: list[Step]
    parent: Report | None


SHAPE = AnswerShape(shortest=120, longest=120, scale=Fraction(0), reasoning=Fraction(1, 4))
TOOLS = [
    {"type": "function", "function": {"name": name, "parameters": {"type": "object", "properties": properties}}}
    for name, properties in (("first", {}), ("weather", {"city": {"type": "string"}, "days": {"type": "integer"}}))
]
NAMED = {"type": "function", "function": {"name": "weather"}}


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    with serving(application(an_emulator(chat_deployment(), shape=SHAPE))) as url:
        yield url


@pytest.fixture(autouse=True)
def _closed_clients() -> Iterator[None]:
    yield
    while made:
        made.pop().close()


@pytest.mark.parametrize("client", [azure, v1])
def test_the_sdk_parses_an_answer_after_a_schema(url: str, client: Any) -> None:
    found = client(url).chat.completions.parse(model="chat", messages=said(), response_format=Report)
    report = found.choices[0].message.parsed
    assert isinstance(report, Report) and len(report.steps) == 2 and report.steps[0].explanation
    usage = found.usage
    assert usage.completion_tokens_details.reasoning_tokens == 30
    assert usage.completion_tokens - 30 == COUNTING.tokens.count(found.choices[0].message.content)
    assert 105 <= usage.completion_tokens <= 135  # the texts in it are as long as makes about 120
    assert found.choices[0].finish_reason == "stop"


def test_the_sdk_parses_a_responses_answer(url: str) -> None:
    found = v1(url).responses.parse(model="chat", input="hi", text_format=Report)
    assert isinstance(found.output_parsed, Report)
    assert found.usage.output_tokens - 30 == COUNTING.tokens.count(found.output_text)


@pytest.mark.parametrize("stream", [False, True])
def test_any_json_is_an_object(url: str, stream: bool) -> None:
    asked = {"model": "chat", "messages": said(), "response_format": {"type": "json_object"}}
    if not stream:
        text = v1(url).chat.completions.create(**asked).choices[0].message.content
    else:
        chunks = list(v1(url).chat.completions.create(**asked, stream=True, stream_options={"include_usage": True}))
        words = [c.choices[0].delta.content for c in chunks if c.choices and c.choices[0].delta.content]
        text = "".join(words)
        assert len(words) == COUNTING.tokens.count(text) == chunks[-1].usage.completion_tokens - 30
    assert set(json.loads(text)) == {"answer"} and len(text.split()) > 60


def test_max_tokens_cut_json_that_does_not_fit(url: str) -> None:
    for most, ends in ((40, "stop"), (6, "stop"), (5, "length")):
        found = v1(url).chat.completions.create(
            model="chat", messages=said(), response_format={"type": "json_object"}, max_tokens=most
        )
        assert found.choices[0].finish_reason == ends and most - 2 <= found.usage.completion_tokens <= most
        text, reasoning = found.choices[0].message.content, most // 4
        assert COUNTING.tokens.count(text) == found.usage.completion_tokens - reasoning
        assert text.endswith('"}') == (ends == "stop")
    with pytest.raises(openai.LengthFinishReasonError):
        v1(url).chat.completions.parse(model="chat", messages=said(), response_format=Report, max_tokens=20)


@pytest.mark.parametrize(
    ("choice", "name", "reason"),
    [
        (NAMED, "weather", "stop"),
        ("required", "first", "tool_calls"),
        ({"type": "allowed_tools", "allowed_tools": {"mode": "required", "tools": [NAMED]}}, "weather", "tool_calls"),
    ],
)
def test_a_tool_that_must_be_called_is_called(url: str, choice: Any, name: str, reason: str) -> None:
    asked = {"model": "chat", "messages": said(), "tools": TOOLS, "tool_choice": choice}
    (whole,) = azure(url).chat.completions.create(**asked).choices
    (call,) = whole.message.tool_calls
    assert (whole.message.content, call.type, call.function.name) == (None, "function", name)
    arguments = json.loads(call.function.arguments)
    assert list(arguments) == ([] if name == "first" else ["city", "days"]) and whole.finish_reason == reason
    with azure(url).chat.completions.stream(**asked) as stream:  # the SDK puts the pieces together
        (streamed,) = stream.get_final_completion().choices
    assert streamed.message.tool_calls[0].function.name == name and streamed.finish_reason == reason
    assert list(json.loads(streamed.message.tool_calls[0].function.arguments)) == list(arguments)


@pytest.mark.parametrize("choice", ["auto", "none", None])
def test_a_tool_that_may_be_called_is_not(url: str, choice: Any) -> None:
    found = v1(url).chat.completions.create(model="chat", messages=said(), tools=TOOLS, tool_choice=choice)
    assert found.choices[0].message.tool_calls is None and found.choices[0].message.content


@pytest.mark.parametrize("choice", ["required", {"type": "function", "name": "weather"}])
def test_a_responses_tool_is_called(url: str, choice: Any) -> None:
    tools = [{"type": "function", **TOOLS[1]["function"], "strict": False}]  # type: ignore[dict-item]
    asked = {"model": "chat", "input": "hi", "tools": tools, "tool_choice": choice}
    whole = v1(url).responses.create(**asked)
    assert [item.type for item in whole.output] == ["reasoning", "function_call"] and whole.output_text == ""
    assert list(json.loads(whole.output[1].arguments)) == ["city", "days"] and whole.status == "completed"
    events = list(v1(url).responses.create(**asked, stream=True))
    assert [event.sequence_number for event in events] == list(range(len(events)))
    deltas = [event.delta for event in events if event.type == "response.function_call_arguments.delta"]
    (done,) = [event for event in events if event.type == "response.function_call_arguments.done"]
    assert "".join(deltas) == done.arguments == events[-1].response.output[1].arguments
    assert len(deltas) == events[-1].response.usage.output_tokens - 30
    with v1(url).responses.stream(**asked) as stream:
        assert stream.get_final_response().output[1].name == "weather"


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ({"tool_choice": {"type": "function", "function": {"name": "nobody"}}}, ["tool_choice", "first, weather"]),
        ({"tool_choice": "always"}, ["tool_choice", "auto, none, required"]),
        ({"tool_choice": {"type": "custom", "custom": {"name": "x"}}}, ["tool_choice"]),
        ({"tool_choice": "required", "tools": None}, ["tool_choice", "(none)"]),
        (
            {
                "response_format": {
                    "type": "json_schema",
                    "json_schema": {
                        "name": "x",
                        "schema": {"type": "object", "properties": {"a": {"type": "string", "pattern": "b"}}},
                    },
                }
            },
            ["response_format.json_schema.schema", "a.pattern: the emulator makes no values for it"],
        ),
    ],
)
def test_what_cannot_be_answered_so_is_refused(url: str, more: dict[str, Any], words: list[str]) -> None:
    with pytest.raises(openai.BadRequestError) as error:
        v1(url).chat.completions.create(**{"model": "chat", "messages": said(), "tools": TOOLS, **more})
    assert all(word in error.value.response.json()["error"]["message"] for word in words)


# Forms without a server


@pytest.mark.parametrize("length", [1, 20, 100, 1000, 5000])
def test_texts_fill_the_length_that_is_wanted(length: int) -> None:
    schema = {"type": "object", "properties": {"a": {"type": "string"}, "b": {"type": "string"}}}
    body = {"messages": [], "response_format": {"type": "json_schema", "json_schema": {"name": "x", "schema": schema}}}
    form = wanted_form(body, TOKENS, WORDS)
    assert form is not None
    found = form.made(7, length, None)
    assert TOKENS.count(found.text) == found.tokens and set(json.loads(found.text)) == {"a", "b"}
    assert abs(found.tokens - max(length, 11)) <= 2 and not found.cut
    assert "".join(found.pieces()) == found.text and len(found.pieces()) == found.tokens


@pytest.mark.parametrize("most", [1, 2, 8, 9, 10, 13, 40])
def test_an_answer_is_never_longer_than_max_tokens(most: int) -> None:
    form = wanted_form({"messages": [], "response_format": {"type": "json_object"}}, TOKENS, WORDS)
    plan = Answers(AnswerShape(shortest=50, longest=50, reasoning=Fraction(1, 2)), 20).plan(most, form)
    assert plan.formed is not None and plan.cut == (most < 9)  # half is reasoning; {"answer":"word"} has 5
    assert plan.output == plan.reasoning + plan.formed.tokens and most - 1 <= plan.output <= most
    assert TOKENS.count(plan.formed.text) == plan.formed.tokens


@given(st.integers(1, 400), st.integers(1, 400), st.integers(0, 9999))
@settings(max_examples=60, deadline=None)
def test_a_whole_answer_is_whole_json(wanted: int, most: int, number: int) -> None:
    form = wanted_form({"messages": [], "response_format": {"type": "json_object"}}, TOKENS, WORDS)
    assert form is not None
    found = form.made(number, min(wanted, most), most)
    assert found.tokens == TOKENS.count(found.text) <= most and found.cut == (not found.text.endswith('"}'))
    assert not found.cut or most < 8


def test_a_longer_form_takes_longer() -> None:
    schema = {"type": "array", "items": {"type": "integer"}, "minItems": 100}
    body = {"input": "hi", "text": {"format": {"type": "json_schema", "name": "x", "schema": schema}}}
    form = wanted_form(body, TOKENS, WORDS)
    plan = Answers(AnswerShape(shortest=5, longest=5, spread=Fraction(0)), 20).plan(None, form)
    assert plan.formed is not None and plan.output == TOKENS.count(plan.formed.text) > 100
    assert (plan.duration_us, plan.first_us) == (plan.output * 50_000, 50_000)


def test_legacy_functions_are_tools() -> None:
    functions = [{"name": "f", "parameters": {"type": "object", "properties": {"a": {"type": "null"}}}}]
    form = wanted_form({"messages": [], "functions": functions, "function_call": {"name": "f"}}, TOKENS, WORDS)
    assert form is not None and form.made(0, 0, None).text == '{"a":null}' and form.function == "f"
    with pytest.raises(BadInput, match="function_call: expected one of the functions"):
        wanted_form({"messages": [], "functions": functions, "function_call": {"name": "g"}}, TOKENS, WORDS)
