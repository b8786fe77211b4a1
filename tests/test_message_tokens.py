"""Messages: each letter is a token here, so every count is a sum of lengths and of the published frames."""

from __future__ import annotations

import struct
from base64 import b64encode
from typing import Any

import pytest

from ptucalc.errors import BadInput
from ptucalc.image_rules import ImagePatches, PatchBudget
from ptucalc.image_size import ImageSize
from ptucalc.token_rules import Basis

from .counted import FRAME, NO_IMAGES, REPLY, chat, counted, parts, refused, said

USER = len("user")


def png(width: int, height: int) -> str:
    data = b"\x89PNG\r\n\x1a\n" + struct.pack(">I4sII", 13, b"IHDR", width, height) + bytes(9)
    return f"data:image/png;base64,{b64encode(data).decode()}"


def image(url: str = "https://example.org/a.png", **keys: Any) -> dict[str, Any]:
    return {"type": "image_url", "image_url": {"url": url, **keys}}


def text(content: str) -> dict[str, Any]:
    return {"type": "text", "text": content}


# Frames


def test_a_message_is_its_role_its_content_and_a_frame_and_the_reply_is_begun_once() -> None:
    found = counted(chat(said("hello"), said("yes", role="assistant")))
    assert parts(found) == {
        "messages[0]": FRAME + USER + 5,
        "messages[1]": FRAME + len("assistant") + 3,
        "reply": REPLY,
    }
    assert found.basis is Basis.PUBLISHED


def test_a_name_counts_one_more_than_its_tokens() -> None:
    assert parts(counted(chat(said("hello", name="ann"))))["messages[0]"] == FRAME + USER + 5 + 3 + 1
    assert parts(counted(chat(said("hello", name=None))))["messages[0]"] == FRAME + USER + 5


def test_an_empty_text_is_a_message() -> None:
    assert parts(counted(chat(said(""))))["messages[0]"] == FRAME + USER


def test_frames_are_estimates_for_models_that_the_formula_was_not_published_for() -> None:
    for changes in ({"model": "gpt-5"}, {"model": None}, {"exact": False}):
        found = counted(chat(said("hello")), **changes)
        assert {part.basis for part in found.parts} == {Basis.ESTIMATE}
        assert found.input_tokens == counted(chat(said("hello"))).input_tokens


def test_keys_that_say_nothing_to_the_model_count_nothing() -> None:
    plain = counted(chat(said("hello")))
    other = counted(chat(said("hello", weight=1, cache_control={"type": "x"}), temperature=0.5, stop=["x"], user="u"))
    assert other.input_tokens == plain.input_tokens


@pytest.mark.parametrize("role", ["system", "developer", "assistant"])
def test_each_role_counts_its_own_tokens(role: str) -> None:
    assert parts(counted(chat(said("x", role=role))))["messages[0]"] == FRAME + len(role) + 1


# Parts


def test_one_text_part_counts_as_the_text_does() -> None:
    assert counted(chat(said([text("hello")])))[:12] == counted(chat(said("hello")))[:12]


def test_several_text_parts_are_an_estimate() -> None:
    found = counted(chat(said([text("hello"), text("you")])))
    assert parts(found)["messages[0]"] == FRAME + USER + 8
    assert found.parts[0].basis is Basis.ESTIMATE
    assert found.parts[0].note == "how several texts of a message are joined is not published"


@pytest.mark.parametrize("kind", ["text", "input_text", "output_text"])
def test_texts_have_other_names_in_responses_bodies(kind: str) -> None:
    assert parts(counted(chat(said([{"type": kind, "text": "hello"}]))))["messages[0]"] == FRAME + USER + 5


def test_a_refusal_is_a_text_and_an_estimate() -> None:
    inside = counted(chat(said([{"type": "refusal", "refusal": "no"}], role="assistant")))
    beside = counted(chat({"role": "assistant", "content": None, "refusal": "no"}))
    for found in (inside, beside):
        assert parts(found)["messages[0]"] == FRAME + len("assistant") + 2
        assert found.parts[0].basis is Basis.ESTIMATE


# Calls and what tools answer


def test_a_call_is_a_frame_a_name_and_arguments_as_an_estimate() -> None:
    call = {"id": "call_1", "type": "function", "function": {"name": "find", "arguments": '{"a":1}'}}
    found = counted(chat({"role": "assistant", "content": None, "tool_calls": [call, call]}))
    assert parts(found)["messages[0]"] == FRAME + len("assistant") + 2 * (3 + 4 + 7)
    assert found.parts[0].basis is Basis.ESTIMATE


def test_a_call_as_it_was_named_before_and_a_custom_one_count_alike() -> None:
    before = chat({"role": "assistant", "function_call": {"name": "find", "arguments": "abc"}})
    custom = chat({"role": "assistant", "tool_calls": [{"type": "custom", "custom": {"name": "find", "input": "abc"}}]})
    for body in (before, custom):
        assert parts(counted(body))["messages[0]"] == FRAME + len("assistant") + 3 + 4 + 3


def test_text_beside_calls_counts_too() -> None:
    message = said("so", role="assistant", tool_calls=[{"function": {"name": "f", "arguments": ""}}])
    assert parts(counted(chat(message)))["messages[0]"] == FRAME + len("assistant") + 2 + 3 + 1


def test_what_a_tool_answers_is_a_message_and_an_estimate_and_ids_count_nothing() -> None:
    found = counted(chat(said("hello"), said("42", role="tool", tool_call_id="call_1")))
    assert parts(found)["messages[1]"] == FRAME + len("tool") + 2
    assert [part.basis for part in found.parts] == [Basis.PUBLISHED, Basis.ESTIMATE, Basis.PUBLISHED]
    assert counted(chat(said("42", role="function", name="f"))).parts[0].basis is Basis.ESTIMATE


# Images


def test_an_image_is_a_part_of_its_own_and_an_input_token_like_others() -> None:
    found = counted(chat(said([text("what"), image(png(1024, 1024), detail="high"), text("is it")])))
    assert parts(found) == {
        "messages[0]": FRAME + USER + 9,
        "messages[0].content[1]": 765,
        "reply": REPLY,
    }
    assert found.image_tokens == 765
    assert found.input_tokens == FRAME + USER + 9 + 765 + REPLY
    assert [part.is_image for part in found.parts] == [False, True, False]
    assert found.parts[1].basis is Basis.PUBLISHED


def test_the_size_is_that_of_the_bytes_and_not_the_one_given_for_others() -> None:
    body = chat(said([image(png(512, 512), detail="high"), image(detail="high")]))
    found = counted(body, image_size=ImageSize(1024, 1024))
    assert [(part.tokens, part.note) for part in found.parts if part.is_image] == [
        (255, "512 x 512, 1 tile"),
        (765, "1024 x 1024, 4 tiles; size as given"),
    ]


def test_low_detail_of_tiles_needs_no_size() -> None:
    assert counted(chat(said([image(detail="low")]))).image_tokens == 85


def test_an_image_of_unknown_size_is_refused_and_not_guessed() -> None:
    body = chat(said([text("a"), image(), image("file.png", detail="high")]))
    assert refused(body) == [
        ("messages[0].content[1].image_url.url", "https://example.org/a.png"),
        ("messages[0].content[2].image_url.url", "file.png"),
    ]


@pytest.mark.parametrize("url", ["", None, 5, {}])
def test_an_image_without_a_url_is_refused(url: Any) -> None:
    ((label, _),) = refused(chat(said([image(url, detail="low")])))
    assert label == "messages[0].content[0].image_url.url"


def test_bytes_that_are_no_image_are_refused_even_where_a_size_is_given() -> None:
    body = chat(said([image("data:image/png;base64,AAAA")]))
    assert refused(body, image_size=ImageSize(9, 9)) == [
        ("messages[0].content[0].image_url.url", "data:image/png;base64,AA..."),
    ]


def test_an_image_without_detail_is_an_estimate() -> None:
    found = counted(chat(said([image(png(512, 512))])))
    assert found.parts[1].basis is Basis.ESTIMATE
    assert found.parts[1].note == "512 x 512, 1 tile; detail auto taken as high"
    assert found.parts[1].why == "detail auto taken as high"


@pytest.mark.parametrize("detail", ["huge", "original", "", 5])
def test_an_unknown_detail_is_refused(detail: object) -> None:
    assert refused(chat(said([image(png(9, 9), detail=detail)])))[0][0] == "messages[0].content[0].image_url.detail"


def test_images_of_models_without_a_published_rule_are_refused() -> None:
    assert refused(chat(said([image(png(9, 9))])), images=NO_IMAGES) == [("messages[0].content[0]", "an image")]


def test_patches_count_where_the_model_counts_patches() -> None:
    from fractions import Fraction

    rule = ImagePatches(Fraction(162, 100), {"high": PatchBudget(1536, 2048)}, verified=True, source="guide")
    with pytest.raises(BadInput, match="--image-size 1024x768 takes the costliest"):
        counted(chat(said([image(png(1800, 2400), detail="low")])), images=rule)
    for way_out in ({"image_size": ImageSize(1, 1)}, {"encoding": None}):
        found = counted(chat(said([image(png(1800, 2400), detail="low")])), images=rule, **way_out)
        (part,) = [each for each in found.parts if each.is_image]
        assert (part.tokens, part.basis, part.why) == (2353, Basis.ESTIMATE, "detail low taken as high")
    assert counted(chat(said([image(png(1800, 2400), detail="high")])), images=rule).image_tokens == 2353


def test_an_image_of_a_responses_body_has_its_url_and_detail_beside_each_other() -> None:
    part = {"type": "input_image", "image_url": png(512, 512), "detail": "high"}
    assert counted({"input": [said([part])]}).image_tokens == 255
    assert counted({"input": [said([{"type": "input_image", "file_id": "f1", "detail": "low"}])]}).image_tokens == 85
    assert refused({"input": [said([{"type": "input_image", "file_id": "f1"}])]}) == [
        ("input[0].content[0].file_id", "f1")
    ]


def test_an_image_in_a_chat_body_may_be_a_bare_url() -> None:
    assert counted(chat(said([{"type": "image_url", "image_url": png(512, 512)}]))).image_tokens == 255


# What cannot be counted


@pytest.mark.parametrize("kind", ["input_audio", "file", "input_file", "video_url", None, 5])
def test_a_part_that_is_neither_text_nor_image_is_refused(kind: object) -> None:
    ((label, _),) = refused(chat(said([{"type": kind, str(kind): {}}])))
    assert label.startswith("messages[0].content[0]")


def test_everything_wrong_is_told_at_once_with_its_path() -> None:
    body = chat(
        said(None),
        said(5, role="nobody"),
        said([text("a"), "b", {"type": "text"}], name=7),
        "hello",
        {"role": "assistant", "tool_calls": [{"function": {"name": "f"}}, 3, {"type": "function"}]},
        {"role": "assistant", "content": "x", "audio": {"id": "a"}, "tool_calls": "f"},
        {"content": "x"},
    )
    assert refused(body) == [
        ("messages[0].content", ""),
        ("messages[1].role", "nobody"),
        ("messages[1].content", "5"),
        ("messages[2].name", "7"),
        ("messages[2].content[1]", "b"),
        ("messages[2].content[2].text", "null"),
        ("messages[3]", "hello"),
        ("messages[4].tool_calls[0].function.arguments", "null"),
        ("messages[4].tool_calls[1]", "3"),
        ("messages[4].tool_calls[2].function", "null"),
        ("messages[5].audio", "an object"),
        ("messages[5].tool_calls", "f"),
        ("messages[6].role", ""),
    ]


def test_an_empty_list_of_parts_is_a_message_without_text() -> None:
    assert parts(counted(chat(said([]))))["messages[0]"] == FRAME + USER


def test_a_message_of_many_texts_takes_time_in_proportion() -> None:
    from time import process_time

    start = process_time()
    parts = [{"type": "text", "text": "abcdefghij"}] * 60_000
    assert counted(chat(said(parts))).input_tokens == 600_000 + 3 + 4 + 3  # user: four letters, each a token here
    assert process_time() - start < 5
