"""Requests: chat and Responses bodies, lines of batches, what is refused; and the published examples, with the real tokenizer."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from ptucalc.image_rules import ImagePatches, ImageTiles, PatchBudget
from ptucalc.image_size import ImageSize
from ptucalc.image_tokens import image_tokens
from ptucalc.request_tokens import count_request, count_text, named_model
from ptucalc.token_parts import Approximate, told
from ptucalc.token_rules import Basis

from .counted import FRAME, REPLY, RULES, TILES, chat, counted, counting, parts, refused, said

SHARED = Path(__file__).parent.parent.parent / "shared"
FILE = SHARED / "cases" / "published.yaml"
PUBLISHED: list[dict[str, Any]] = (
    [case for case in yaml.safe_load(FILE.read_text(encoding="utf-8"))["examples"] if case["kind"] == "tokens"]
    if FILE.is_file()
    else []
)
needs_cases = pytest.mark.skipif(not PUBLISHED, reason="the cases folder is not beside this repository")

MODELS = {"cl100k_base": "gpt-4", "o200k_base": "gpt-4o"}


def exact(encoding: str) -> Any:
    from ptucalc.read.encodings import tokenizer

    return counting(tokens=tokenizer(encoding), encoding=encoding, model=MODELS[encoding])


# Published examples, with the real tokenizer. Source: OpenAI cookbook, How to count tokens with tiktoken, parts 6 and 7.

JARGON = [
    said(
        "You are a helpful, pattern-following assistant that translates corporate jargon into plain English.", "system"
    ),
    said("New synergies will help drive top-line growth.", "system", name="example_user"),
    said("Things working well together will increase revenue.", "system", name="example_assistant"),
    said(
        "Let's circle back when we have more bandwidth to touch base on opportunities for increased leverage.",
        "system",
        name="example_user",
    ),
    said("Let's talk later when we're less busy about how to do better.", "system", name="example_assistant"),
    said("This late pivot means we don't have time to boil the ocean for the client deliverable."),
]

WEATHER = {
    "messages": [
        said("You are a helpful assistant that can answer to questions about the weather.", "system"),
        said("What's the weather like in San Francisco?"),
    ],
    "tools": [
        {
            "type": "function",
            "function": {
                "name": "get_current_weather",
                "description": "Get the current weather in a given location",
                "parameters": {
                    "type": "object",
                    "properties": {
                        "location": {"type": "string", "description": "The city and state, e.g. San Francisco, CA"},
                        "unit": {
                            "type": "string",
                            "description": "The unit of temperature to return",
                            "enum": ["celsius", "fahrenheit"],
                        },
                    },
                    "required": ["location"],
                },
            },
        }
    ],
}


@pytest.mark.parametrize(("encoding", "tokens"), [("cl100k_base", 129), ("o200k_base", 124)])
def test_the_cookbooks_conversation(encoding: str, tokens: int) -> None:
    found = count_request({"messages": JARGON}, exact(encoding))
    assert (found.input_tokens, found.basis) == (tokens, Basis.PUBLISHED)


@pytest.mark.parametrize(("encoding", "tokens"), [("cl100k_base", 105), ("o200k_base", 101)])
def test_the_cookbooks_conversation_with_a_tool(encoding: str, tokens: int) -> None:
    found = count_request(WEATHER, exact(encoding))
    assert (found.input_tokens, found.basis) == (tokens, Basis.PUBLISHED)


@needs_cases
def test_the_published_cases_are_those_that_are_looked_at() -> None:
    assert {case["id"] for case in PUBLISHED} == {"openai-cookbook-chat", "openai-image-tiles"}


@needs_cases
def test_the_published_conversation_of_the_cases() -> None:
    (case,) = (case for case in PUBLISHED if case["id"] == "openai-cookbook-chat")
    assert case["inputs"]["messages"] == JARGON
    found = {name: count_request(case["inputs"], exact(name)).input_tokens for name in case["published"]}
    assert found == case["published"]


@needs_cases
def test_the_published_images_of_the_cases() -> None:
    (case,) = (case for case in PUBLISHED if case["id"] == "openai-image-tiles")
    patches = ImagePatches(Fraction(1), {"high": PatchBudget(1536, 2048)}, verified=True, source="guide")
    for name, published in case["published"].items():
        size, _, how = name.replace("any, low", "9x9 low").partition(" ")
        rule: ImageTiles | ImagePatches = patches if how == "patches" else TILES
        detail = "low" if how.startswith("low") else "high"
        assert image_tokens(rule, RULES.images, detail, ImageSize.parse(size)).tokens == published, name


def test_special_text_is_text_like_any_other() -> None:
    found = count_text("<|endoftext|>", exact("o200k_base"))
    assert found.input_tokens > 1
    body = count_request(chat(said("<|endoftext|>")), exact("o200k_base"))
    assert body.input_tokens == FRAME + 1 + found.input_tokens + REPLY


# Texts


def test_a_bare_text_has_no_frame() -> None:
    found = count_text("hello", counting(), "a.txt")
    assert (found.kind, found.source, found.input_tokens, found.max_tokens) == ("text", "a.txt", 5, None)
    assert parts(found) == {"text": 5}
    assert found.basis is Basis.PUBLISHED
    assert count_text("hello", counting(exact=False)).basis is Basis.ESTIMATE
    assert count_text("hello", counting(model=None)).basis is Basis.PUBLISHED


def test_an_empty_text_has_no_tokens() -> None:
    assert count_text("", counting()).input_tokens == 0


@given(st.text(max_size=40), st.integers(1, 9))
def test_an_approximation_is_characters_divided_and_rounded_up(text: str, each: int) -> None:
    approximate = Approximate(each)
    assert approximate.count(text) == len(approximate.ids(text))
    assert (approximate.count(text) - 1) * each < len(text) <= approximate.count(text) * each or not text
    assert max(approximate.ids(text), default=0) < 2**32


def test_an_approximation_is_an_estimate_everywhere() -> None:
    found = counted(chat(said("hello you")), tokens=Approximate(4), encoding=None, exact=False)
    assert {part.basis for part in found.parts} == {Basis.ESTIMATE}
    assert parts(found) == {"messages[0]": FRAME + 1 + 3, "reply": REPLY}


def test_of_a_thousand_names_the_tokens_are_kept_and_of_more_they_are_counted_again() -> None:
    names = [f"n{number:04}" for number in range(1100)]
    many = counted(chat(*(said("x", name=name) for name in names)))
    assert many.input_tokens == 1100 * (FRAME + 4 + 1 + 5 + 1) + REPLY
    how = counting()
    for name in names:
        how.count_name(name)
    assert len(how._known) == 1000


# Responses bodies


def test_a_text_as_input_is_a_users_message_and_instructions_are_the_systems() -> None:
    found = counted({"input": "hello", "instructions": "be kind", "model": "gpt-4o"})
    assert (found.kind, found.model) == ("responses", "gpt-4o")
    assert parts(found) == {
        "instructions": FRAME + len("system") + 7,
        "input": FRAME + len("user") + 5,
        "reply": REPLY,
    }
    assert {part.basis for part in found.parts} == {Basis.ESTIMATE}
    assert [part.label for part in found.parts] == ["instructions", "input", "reply"]


def test_messages_as_input_need_no_type() -> None:
    with_type = counted({"input": [{"type": "message", **said("hello")}]})
    assert parts(with_type) == parts(counted({"input": [said("hello")]}))
    assert parts(with_type)["input[0]"] == FRAME + 4 + 5


def test_calls_what_they_yield_and_reasoning_are_items() -> None:
    items = [
        {"type": "reasoning", "summary": [{"type": "summary_text", "text": "abc"}], "content": [{"text": "de"}]},
        {"type": "function_call", "name": "find", "arguments": "{}", "call_id": "c"},
        {"type": "function_call_output", "call_id": "c", "output": "42"},
        {"type": "custom_tool_call", "name": "find", "input": "xyz"},
        {"type": "custom_tool_call_output", "output": [{"type": "input_text", "text": "4242"}]},
    ]
    assert parts(counted({"input": items})) == {
        "input[0]": FRAME + len("assistant") + 5,
        "input[1]": FRAME + len("assistant") + 3 + 4 + 2,
        "input[2]": FRAME + len("tool") + 2,
        "input[3]": FRAME + len("assistant") + 3 + 4 + 3,
        "input[4]": FRAME + len("tool") + 4,
        "reply": REPLY,
    }


def test_encrypted_reasoning_makes_a_lower_bound() -> None:
    found = counted({"input": [{"type": "reasoning", "summary": [], "encrypted_content": "gAAAA"}, said("x")]})
    assert found.not_counted == ("input[0] (reasoning that is encrypted)",)
    assert found.basis is Basis.ESTIMATE


def test_what_a_service_adds_makes_a_lower_bound_of_a_chat_body_too() -> None:
    found = counted(chat(said("x"), data_sources=[{}], web_search_options={}))
    assert len(found.not_counted) == 2
    assert found.basis is Basis.ESTIMATE
    assert counted(chat(said("x"), data_sources=None)).not_counted == ()


@pytest.mark.parametrize("key", ["previous_response_id", "conversation", "prompt"])
def test_a_body_that_leaves_some_of_its_prompt_elsewhere_is_refused(key: str) -> None:
    assert refused({"input": "hello", key: "abc"}) == [(key, "abc")]
    assert refused({"input": "hello", key: None}) == []


def test_everything_wrong_with_a_responses_body_is_told_at_once() -> None:
    items = [
        5,
        {"type": "item_reference", "id": "x"},
        {"type": "computer_call"},
        {"type": None},
        {"type": "function_call", "name": 5},
        {"type": "function_call_output"},
        {"type": "reasoning", "summary": "x", "content": [5, {}]},
    ]
    assert refused({"input": items, "instructions": 7, "conversation": "c", "model": 8, "max_output_tokens": 0}) == [
        ("model", "8"),
        ("instructions", "7"),
        ("input[0]", "5"),
        ("input[1]", "item_reference"),
        ("input[2].type", "computer_call"),
        ("input[3].type", ""),
        ("input[4].name", "5"),
        ("input[4].arguments", "null"),
        ("input[5].output", ""),
        ("input[6].summary", "x"),
        ("input[6].content[0]", "5"),
        ("input[6].content[1].text", "null"),
        ("max_output_tokens", "0"),
        ("conversation", "c"),
    ]


# Which body it is


def test_a_body_of_neither_kind_or_of_both_is_refused() -> None:
    assert refused({}) == [("messages", "nothing")]
    assert refused({"prompt": "hello", "max_tokens": 5}) == [("messages", "prompt, max_tokens")]
    assert refused({"messages": [said("x")], "input": "x"}) == [("messages", "a list")]
    assert refused({"messages": []}) == [("messages", "an empty list")]
    assert refused({"input": []}) == [("input", "an empty list")]
    assert refused({"messages": "hello"}) == [("messages", "hello")]
    assert refused({"input": 5}) == [("input", "5")]


def test_several_texts_as_input_are_no_responses_body() -> None:
    assert refused({"input": ["a", "b"], "model": "text-embedding-3-small"}) == [("input[0]", "a"), ("input[1]", "b")]


# Lines of batches


def line(body: Any, url: str = "/v1/chat/completions") -> dict[str, Any]:
    return {"custom_id": "task-0", "method": "POST", "url": url, "body": body}


def test_the_body_of_a_line_of_a_batch_is_counted_and_paths_say_so() -> None:
    found = counted(line(chat(said("hello"), model="gpt-4o-batch", max_tokens=7)), source="batch.jsonl:1")
    assert (found.custom_id, found.model, found.max_tokens) == ("task-0", "gpt-4o-batch", 7)
    assert found.source == "batch.jsonl:1"
    assert found.input_tokens == counted(chat(said("hello"))).input_tokens
    assert [part.label for part in found.parts] == ["body.messages[0]", "reply"]
    assert refused(line(chat(said(5)))) == [("body.messages[0].content", "5")]


@pytest.mark.parametrize(
    "url",
    [
        "/chat/completions",
        "/v1/responses",
        "/openai/v1/responses/",
        "https://a/chat/completions?api-version=2024-10-21",
        None,
    ],
)
def test_lines_for_chat_and_responses_are_counted(url: Any) -> None:
    assert counted(line({"input": "x"}, url)).kind == "responses"


@pytest.mark.parametrize(
    "url", ["/v1/embeddings", "/v1/images/generations", "/v1/completions", "/v1/embeddings?as=/responses"]
)
def test_a_line_for_another_call_is_refused(url: str) -> None:
    assert refused(line({"input": "x"}, url)) == [("url", url)]


def test_a_line_without_a_body_that_is_one_is_refused() -> None:
    assert refused(line("hello")) == [("body", "hello")]
    assert refused(line({})) == [("body.messages", "nothing")]


def test_a_body_with_a_key_named_body_is_no_line_of_a_batch() -> None:
    assert counted({"body": "x", **chat(said("hello"))}).kind == "chat"
    assert named_model({"body": {"model": "b"}, "input": "x", "model": "a"}) == "a"


def test_the_model_that_a_body_or_a_line_names() -> None:
    assert named_model({"model": "gpt-4o"}) == named_model(line({"model": "gpt-4o"})) == "gpt-4o"
    for body in (
        {},
        {"model": 5},
        {"model": " "},
        line(5),
        line({}),
        5,
        "gpt-4o",
        {"body": {"model": 5}, "model": "x"},
    ):
        assert named_model(body) is None


# Limits of output


@pytest.mark.parametrize("key", ["max_tokens", "max_completion_tokens", "max_output_tokens"])
def test_the_limit_of_output_tokens_is_read(key: str) -> None:
    assert counted(chat(said("x"), **{key: 1})).max_tokens == 1
    assert counted(chat(said("x"), **{key: None})).max_tokens is None
    for wrong in (0, -1, 1.5, True, "5"):
        assert refused(chat(said("x"), **{key: wrong})) == [(key, told(wrong))]


def test_two_limits_agree_or_are_refused() -> None:
    assert counted(chat(said("x"), max_tokens=5, max_completion_tokens=5)).max_tokens == 5
    assert refused(chat(said("x"), max_tokens=5, max_completion_tokens=6)) == [("max_tokens", "5")]


# Whatever comes

JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-9, 9) | st.floats(allow_nan=False) | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                [
                    "messages",
                    "input",
                    "role",
                    "content",
                    "type",
                    "text",
                    "image_url",
                    "tools",
                    "function",
                    "name",
                    "parameters",
                    "properties",
                    "items",
                    "enum",
                    "body",
                    "url",
                    "detail",
                    "arguments",
                    "tool_calls",
                    "output",
                    "summary",
                    "response_format",
                    "json_schema",
                    "schema",
                    "format",
                ]
            )
            | st.text(max_size=3),
            inner,
            max_size=4,
        )
    ),
    max_leaves=25,
)


@given(st.dictionaries(st.sampled_from(["messages", "input", "tools", "body", "text", "response_format"]), JSON))
def test_no_body_does_more_than_be_refused(body: dict[str, Any]) -> None:
    labels = [label for label, _ in refused(body)]
    assert all(labels)
    if not labels:
        found = counted(body)
        assert found.input_tokens == sum(piece.tokens for piece in found.rendered) > 0


WORDS = st.text(max_size=12)


@given(st.lists(st.tuples(st.sampled_from(["user", "assistant", "system"]), WORDS, st.none() | WORDS), min_size=1))
def test_a_chat_counts_what_the_cookbooks_loop_does(said_by: list[tuple[str, str, str | None]]) -> None:
    messages = [said(text, role) | ({} if name is None else {"name": name}) for role, text, name in said_by]
    expected = 3
    for message in messages:
        expected += 3
        for key, value in message.items():
            expected += len(value)
            if key == "name" and value:
                expected += 1
    assert counted(chat(*messages)).input_tokens == expected
