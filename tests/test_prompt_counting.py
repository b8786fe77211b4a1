"""`count_tokens`, and prompts counted file by file: which model, which encoding, what is kept.

By hand, in o200k_base: "hello world" is 2 tokens; a chat request of it has 3 + 1 (role) + 2, and 3 for the reply: 9.
"""

from __future__ import annotations

import json
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest

from ptucalc import BadInput, TokenCounts, count_tokens, load_catalog
from ptucalc.read.prompt_call import PromptCall, PromptSources
from ptucalc.read.prompt_counting import count_files

BODY: dict[str, Any] = {"model": "gpt-4o", "messages": [{"role": "user", "content": "hello world"}]}


def told(*arguments: Any, **given: Any) -> str:
    with pytest.raises(BadInput) as caught:
        count_tokens(*arguments, **given)
    return str(caught.value)


def test_one_text_one_body_or_many() -> None:
    found = count_tokens("hello world", model="gpt-4o")
    assert isinstance(found, TokenCounts) and found.totals.input_tokens == 2
    assert count_tokens(BODY).totals.input_tokens == 9
    several = count_tokens(iter([BODY, "hello world"]), model="gpt-4o")
    assert (several.totals.input_tokens, several.totals.mean_input_tokens) == (11, Fraction(11, 2))
    assert [row["source"] for row in several.rows()] == ["requests[0]", "requests[1]"]


def test_a_body_may_be_any_mapping() -> None:
    from types import MappingProxyType

    assert count_tokens(MappingProxyType(BODY)).totals.input_tokens == 9


def test_a_table_for_a_notebook_is_escaped() -> None:
    found = count_tokens({**BODY, "model": "gpt-4o"})._repr_html_()
    assert "<table>" in found and "requests[0]" in found


def test_an_encoding_may_be_given_instead_of_a_model() -> None:
    assert count_tokens("hello world", encoding="cl100k_base").encoding == "cl100k_base"
    assert count_tokens({**BODY, "model": "mine"}, encoding="o200k_base").totals.input_tokens == 9
    assert count_tokens({**BODY, "model": "mine"}, approx=True).totals.basis == "estimate"


@pytest.mark.parametrize(
    ("arguments", "given", "message"),
    [
        (("hello",), {}, "requests[0], model: expected the model that it is for: -m MODEL (or --encoding NAME), got (empty)"),
        (([],), {"model": "gpt-4o"}, "requests: expected one text or request body, or more, got (empty)"),
        (([7],), {"model": "gpt-4o"}, "requests[0], request: expected a text or a request body, got 7"),
        (("hello",), {"model": "gpt4o"}, "model: expected a known model: gpt-4o?, got gpt4o"),
        (("hello",), {"encoding": "gpt2"}, "encoding: expected cl100k_base or o200k_base or o200k_harmony, got gpt2"),
    ],
)  # fmt: skip
def test_what_cannot_be_counted_is_told(arguments: Any, given: Any, message: str) -> None:
    assert told(*arguments, **given) == message


@pytest.mark.parametrize(
    ("value", "found"), [(None, "None"), (5, "5"), (b"x", "b'x'"), (bytearray(b"x"), "bytearray(b'x')")]
)
def test_what_is_no_request_at_all_is_told(value: Any, found: str) -> None:
    expected = "a text, a request body, or several of them"
    assert told(value, model="gpt-4o") == f"requests: expected {expected}, got {found}"


def test_an_image_that_is_only_linked_to_needs_a_size() -> None:
    image = {"type": "image_url", "image_url": {"url": "https://example.com/a.png", "detail": "high"}}
    body = {"model": "gpt-4o", "messages": [{"role": "user", "content": [image]}]}
    assert "image_size" in told(body) or "--image-size" in told(body)
    # 1024 x 1024 is 765 tokens as gpt-4o (published); 3 + 1 for the message, 3 for the reply
    assert count_tokens(body, image_size="1024x1024").totals.input_tokens == 765 + 7


def test_without_parts_the_sums_the_basis_and_the_notes_are_the_same(tmp_path: Path) -> None:
    tools = [{"type": "function", "function": {"name": "f", "description": "Does.", "parameters": {"type": "object", "properties": {"a": {"type": "array", "items": {"type": "object", "properties": {"b": {"type": "string"}}}}}}}}]  # fmt: skip
    bodies = [BODY, {**BODY, "tools": tools}, {"model": "gpt-4.1", "input": "hello world"}]
    (tmp_path / "a.jsonl").write_text("".join(json.dumps(body) + "\n" for body in bodies))
    (tmp_path / "b.txt").write_text("hello")
    for how in ({"model": "gpt-4.1"}, {"encoding": "cl100k_base"}, {"approx": True}):
        one, other = (
            count_files([tmp_path], load_catalog(), each_part=each_part, **how)  # type: ignore[arg-type]
            for each_part in (True, False)
        )
        assert (one.totals, one.notes, one.rows()) == (other.totals, other.notes, other.rows())
        assert one.shared_prefix == other.shared_prefix
        assert sum(part.tokens for part in one.requests[0].parts) == one.requests[0].input_tokens
        assert sum(part.tokens for part in other.requests[0].parts) == 0


def test_prompts_of_a_workload_are_counted_once_and_only_when_asked_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[int] = []

    def catalog() -> Any:
        asked.append(1)
        return load_catalog()

    (tmp_path / "a.txt").write_text("hello world")
    call = PromptCall(PromptSources("a.txt"), {"model": "gpt-4o"}, catalog=catalog, folder=str(tmp_path))
    assert (asked, call.notes) == ([], ())
    assert call.values() == call.values() == {"input_tokens": 2}
    assert asked == [1] and [note.code for note in call.notes] == ["tokens_counted"]
    missing = PromptCall(PromptSources("none.txt", "none too.txt"), {"model": "gpt-4o"}, catalog=catalog)
    for _ in range(2):
        with pytest.raises(BadInput) as caught:
            missing.values()
        assert [problem.source for problem in caught.value.problems] == ["none.txt", "none too.txt"]
    assert asked == [1, 1, 1]


def test_a_folder_of_very_many_requests_keeps_little_of_each(tmp_path: Path) -> None:
    lines = "".join(json.dumps({**BODY, "n": n}) + "\n" for n in range(300))
    (tmp_path / "a.jsonl").write_text(lines)
    found = count_files([tmp_path], load_catalog(), each_part=False)
    assert len({id(request.parts) for request in found.requests}) == 1
    assert len({id(request.model) for request in found.requests}) == 1
