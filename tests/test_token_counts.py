"""Counts of many requests: sums, percentiles, notes; as JSON data of the exported shape, rows and HTML."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from fractions import Fraction
from typing import Any

import pytest
from pydantic import TypeAdapter

from ptucalc.catalog import ContextLimit, LongContext, Model, Unknown
from ptucalc.read.catalog import load_catalog
from ptucalc.request_tokens import RequestTokens, count_text
from ptucalc.results import Note
from ptucalc.token_counts import ROW_COLUMNS, SHOWN_IN_HTML, TokenCounter, TokenCounts
from ptucalc.token_documents import TokensDocument
from ptucalc.token_parts import Approximate
from ptucalc.token_rules import Basis

from .counted import RULES, chat, counted, counting, said

CATALOG = load_catalog()


def model(name: str = "gpt-4o", **changes: Any) -> Model:
    """A model of the catalog without limits, but for the changes."""
    return CATALOG.find(name)[0]._replace(**{"prompt_limit_tokens": None, "long_context": None, **changes})


def of(
    *requests: RequestTokens,
    files: Iterable[str] | None = None,
    models: Mapping[str, Model] | None = None,
    notes: Iterable[Note] = (),
) -> TokenCounts:
    counter = TokenCounter(RULES)
    for path, request in zip(files or ["a.txt"] * len(requests), requests, strict=True):
        counter.add(path, request)
    given = {"gpt-4o": model()} if models is None else models
    return counter.result(version="1.2.3", catalog=CATALOG, tokenizer="tiktoken 9", models=given, notes=notes)


def text(length: int, **changes: Any) -> RequestTokens:
    return count_text("x" * length, counting(**changes), "a.txt")


def codes(counts: TokenCounts) -> dict[str, str]:
    found = {note.code: note.message for note in counts.notes}
    assert len(found) == len(counts.notes)
    return found


# Sums and percentiles


def test_totals_are_sums_and_nearest_ranks_over_all_requests() -> None:
    totals = of(*(text(length) for length in (40, 10, 20, 30)), files=["a", "b", "a", "b"]).totals
    assert (totals.files, totals.requests, totals.input_tokens) == (2, 4, 100)
    assert totals.mean_input_tokens == 25
    ranks = (totals.p50_input_tokens, totals.p90_input_tokens, totals.p99_input_tokens, totals.max_input_tokens)
    assert ranks == (20, 40, 40, 40)


def test_percentiles_of_a_hundred_requests() -> None:
    totals = of(*(text(length) for length in range(1, 101))).totals
    ranks = (totals.p50_input_tokens, totals.p90_input_tokens, totals.p99_input_tokens, totals.max_input_tokens)
    assert ranks == (50, 90, 99, 100)
    assert totals.mean_input_tokens == Fraction(101, 2)


def test_files_keep_their_order_and_sum_their_requests() -> None:
    counts = of(text(1), text(2), text(4), files=["b", "a", "b"])
    assert [(file.path, file.input_tokens, len(file.requests)) for file in counts.files] == [("b", 5, 2), ("a", 2, 1)]
    assert [request.input_tokens for request in counts.requests] == [1, 4, 2]


def test_limits_of_output_are_averaged_over_the_requests_that_have_one() -> None:
    limited = [counted(chat(said("x"), max_tokens=most)) for most in (10, 15)]
    totals = of(*limited, text(1)).totals
    assert (totals.requests_with_max_tokens, totals.mean_max_tokens) == (2, Fraction(25, 2))
    assert (of(text(1)).totals.requests_with_max_tokens, of(text(1)).totals.mean_max_tokens) == (0, None)


def test_images_are_summed_apart_and_are_part_of_the_input() -> None:
    image = {"type": "image_url", "image_url": {"url": "http://x", "detail": "low"}}
    counts = of(counted(chat(said([image]))), text(5))
    assert counts.totals.image_tokens == counts.files[0].image_tokens == 85
    assert counts.totals.input_tokens == 85 + (3 + 4) + 3 + 5


def test_a_sum_with_an_estimate_is_an_estimate_and_one_with_something_not_counted_a_lower_bound() -> None:
    plain, open_ended = of(text(1)).totals, of(text(1), counted(chat(said("x"), data_sources=[1]))).totals
    assert (plain.basis, plain.is_lower_bound) == (Basis.PUBLISHED, False)
    assert (open_ended.basis, open_ended.is_lower_bound) == (Basis.ESTIMATE, True)


def test_the_prompts_themselves_are_not_kept() -> None:
    assert all(request.rendered == () for request in of(text(9)).requests)


def test_no_request_or_several_encodings_is_a_programmers_mistake() -> None:
    with pytest.raises(ValueError, match="one encoding, not 0"):
        of()
    with pytest.raises(ValueError, match="one encoding, not 2"):
        of(text(1), text(1, encoding="cl100k_base"))


# Which model and encoding


def test_the_model_is_told_where_all_requests_are_of_one() -> None:
    assert of(text(1), text(2)).model == "gpt-4o"
    assert of(text(1), text(2, model="gpt-4o-mini")).model is None
    assert of(text(1, model=None)).model is None


def test_the_encoding_is_verified_where_it_is_that_of_every_model() -> None:
    assert of(text(1)).encoding_verified is True
    assert of(text(1), text(1, exact=False)).encoding_verified is False
    assert of(text(1, model=None)).encoding_verified is None
    assert of(text(1, model=None), text(1, exact=False)).encoding_verified is False


def test_without_a_tokenizer_there_is_neither_encoding_nor_library() -> None:
    counts = of(text(8, tokens=Approximate(4), encoding=None, exact=False))
    assert (counts.encoding, counts.encoding_verified, counts.tokenizer, counts.totals.input_tokens) == (
        None,
        False,
        None,
        2,
    )
    assert "4 characters count as a token" in codes(counts)["approximate"]
    assert of(text(1)).tokenizer == "tiktoken 9"


# Notes


def test_an_exact_count_of_one_text_has_no_notes() -> None:
    assert codes(of(text(5))) == {}
    assert codes(of(counted(chat(said("x"))))) == {}


def test_notes_that_are_given_come_first_and_once() -> None:
    mine = Note("empty", "two files are empty.")
    assert of(text(1), text(2), notes=[mine, mine]).notes[0] == mine
    assert [note.code for note in of(text(1), text(2), notes=[mine, mine]).notes] == ["empty", "few_requests"]


def test_an_encoding_that_is_not_known_to_be_the_models_is_told() -> None:
    found = of(text(1, exact=False, model="gpt-6-sol"), models={})
    assert codes(found) == {
        "encoding_unverified": "counted in o200k_base, which is not known to be the encoding of gpt-6-sol: an estimate."
    }
    assert found.notes[0].about == "gpt-6-sol"


def test_frames_of_other_models_are_told_to_be_estimates() -> None:
    message = codes(of(counted(chat(said("x")), model="gpt-5")))["frames_estimated"]
    assert "the messages of gpt-5" in message and "gpt-4o, gpt-4o-mini" in message
    assert "a model that is not named" in codes(of(counted(chat(said("x")), model=None)))["frames_estimated"]
    assert "frames_estimated" not in codes(of(text(1, model="gpt-5")))
    approximate = counted(chat(said("x")), model="gpt-5", tokens=Approximate(4), encoding=None, exact=False)
    assert set(codes(of(approximate))) == {"approximate"}


def test_responses_bodies_are_told_to_be_estimates() -> None:
    assert set(codes(of(counted({"input": "x"})))) == {"responses_estimated"}


def test_what_is_estimated_in_chat_bodies_is_told_once() -> None:
    body = chat(said([{"type": "text", "text": "a"}] * 2), said("x", "tool"), said("y", "tool"))
    found = codes(of(counted(body), counted({"custom_id": "1", "body": body})))
    message = found["parts_estimated"]
    assert message == (
        "estimates: how several texts of a message are joined is not published; the formula does not cover what a tool "
        "answers."
    )


def test_what_is_not_counted_is_told() -> None:
    body = {"input": "x", "tools": [{"type": "web_search"}]}
    assert codes(of(counted(body)))["not_counted"].startswith(
        "the request: not counted, so that the sum is a lower bound: tools[0]"
    )
    assert codes(of(counted(body), text(1)))["not_counted"].startswith("1 of 2 requests: ")


def test_prompts_over_the_limit_of_ptu_are_told_and_those_at_it_are_not() -> None:
    limited = {"gpt-4o": model(prompt_limit_tokens=100)}
    assert "prompt_limit" not in codes(of(text(100), models=limited))
    assert codes(of(text(101), models=limited)) == {
        "prompt_limit": "the prompt is over the 100 tokens that gpt-4o takes on PTU (101): refused with HTTP 400, or they spill "
        "over."
    }
    several = codes(of(text(100), text(101), text(1200), models=limited))["prompt_limit"]
    assert several.startswith("2 of 3 prompts are over the 100 tokens that gpt-4o takes on PTU (the largest has 1,200)")
    assert codes(of(text(1), text(101), models=limited))["prompt_limit"].startswith("1 of 2 prompts is over")


def test_prompts_over_the_context_are_told_and_those_at_it_are_not() -> None:
    limited = {"gpt-4o": model(context=ContextLimit(100, verified=True, source="page"))}
    assert "context_limit" not in codes(of(text(100), models=limited))
    assert codes(of(text(101), models=limited)) == {
        "context_limit": "the prompt is over the 100 input tokens that the context of gpt-4o holds (101): no deployment of it "
        "takes that."
    }
    doubtful = {"gpt-4o": model(context=ContextLimit(100, verified=False, source="list"))}
    several = codes(of(text(100), text(101), text(1200), models=doubtful))["context_limit"]
    assert several.startswith(
        "2 of 3 prompts are over the 100 input tokens that the context of gpt-4o holds (a third party's number: list) (the "
        "largest has 1,200)"
    )
    unknown = {"gpt-4o": model(context=Unknown("nobody says"))}
    assert "context_limit" not in codes(of(text(10_000_000), models=unknown))


def test_limits_are_those_of_the_requests_own_model() -> None:
    limited = {"gpt-4o": model(prompt_limit_tokens=100), "gpt-4o-mini": model(prompt_limit_tokens=10)}
    found = of(text(50), text(5, model="gpt-4o-mini"), models=limited)
    assert "prompt_limit" not in codes(found)


def test_long_context_is_told() -> None:
    long = {"gpt-4o": model(long_context=LongContext(100, "pages", None))}
    assert "long_context" not in codes(of(text(100), models=long))
    assert "over 100 tokens (101): gpt-4o counts" in codes(of(text(101), models=long))["long_context"]


def test_a_shared_beginning_is_told_as_an_upper_bound() -> None:
    bodies = [counted(chat(said("s" * 1990, "system"), said(word))) for word in ("a", "b")]
    message = codes(of(*bodies))["shared_prefix"]
    assert message.startswith("2 of 2 requests begin with the same 2,006 tokens: at most 99.8% of the input tokens")
    assert "upper bound" in message
    others = [counted(chat(said("t" * 1990, "system"), said(word))) for word in ("a", "b", "c")]
    assert codes(of(*bodies, *others))["shared_prefix"].startswith(
        "3 of 5 requests begin with the same 2,006 tokens, 2 in 1 more group with others: at most"
    )


def test_of_few_requests_the_p99_is_the_largest() -> None:
    assert codes(of(text(1), text(2)))["few_requests"] == "of 2 requests the p99 is the largest."
    assert "few_requests" in codes(of(*[text(1)] * 99))
    assert "few_requests" not in codes(of(*[text(1)] * 100))


# Ways out


def batch() -> TokenCounts:
    image = {"type": "image_url", "image_url": {"url": "http://x", "detail": "low"}}
    requests = [
        counted({"custom_id": "t<1>", "url": "/chat/completions", "body": chat(said("hi"), max_tokens=9)}, "b.jsonl:1"),
        counted(chat(said([{"type": "text", "text": "x"}, image]), model="my-gpt"), "b.jsonl:2"),
        counted({"input": "x", "tools": [{"type": "mcp"}]}, "b.jsonl:3"),
    ]
    return of(*requests, files=["b.jsonl"] * 3)


def test_the_json_data_has_the_shape_of_the_exported_schema() -> None:
    prefix = of(*[counted(chat(said("s" * 2000), max_tokens=most)) for most in (1, 2)])
    approx = of(text(8, tokens=Approximate(4), encoding=None, exact=False, model=None))
    for counts in (batch(), prefix, approx):
        written = counts.to_dict()
        assert TypeAdapter(TokensDocument).validate_python(written, strict=True) == written


def test_the_json_data_says_what_was_found() -> None:
    data = batch().to_dict()
    assert (data["schema"], data["version"], data["model"]) == ("ptucalc.tokens/1", "1.2.3", "gpt-4o")
    assert (data["encoding"], data["encoding_verified"], data["tokenizer"]) == ("o200k_base", True, "tiktoken 9")
    assert data["catalog_as_of"] == CATALOG.as_of.isoformat() and data["rules"] == RULES.edition
    (file,) = data["files"]
    first, second, third = file["requests"]
    assert (file["path"], file["request_count"]) == ("b.jsonl", 3)
    assert (first["source"], first["custom_id"], first["kind"], first["max_tokens"]) == ("b.jsonl:1", "t<1>", "chat", 9)
    assert (first["input_tokens"], first["basis"], first["not_counted"]) == (3 + 4 + 2 + 3, "published", [])
    assert second["parts"][1] == {
        "label": "messages[0].content[1]",
        "role": "user",
        "input_tokens": 85,
        "is_image": True,
        "basis": "published",
        "note": "low detail, any size",
    }
    assert (second["model"], second["counted_as"], second["image_tokens"]) == ("my-gpt", "gpt-4o", 85)
    assert (third["kind"], third["basis"], len(third["not_counted"])) == ("responses", "estimate", 1)
    assert third["parts"][-1]["role"] is None
    totals = data["totals"]
    assert totals["input_tokens"] == file["input_tokens"] == 12 + (3 + 4 + 1 + 85 + 3) + (3 + 4 + 1 + 3)
    assert totals["mean_input_tokens"] == pytest.approx(119 / 3)
    assert (totals["requests_with_max_tokens"], totals["mean_max_tokens"], totals["is_lower_bound"]) == (1, 9, True)
    assert data["shared_prefix"] == {
        "minimum_tokens": 1024,
        "groups": [],
        "share": None,
        "reason": "no two requests begin with the same 1,024 tokens",
        "not_compared": 0,
    }
    assert {note["code"] for note in data["notes"]} == {"responses_estimated", "not_counted", "few_requests"}


def test_shared_beginnings_are_in_the_json_data() -> None:
    body = counted(chat(said("s" * 2000)))
    assert of(body, body).to_dict()["shared_prefix"] == {
        "minimum_tokens": 1024,
        "groups": [{"tokens": 2010, "requests": 2}],
        "share": 1,
        "reason": None,
        "not_compared": 0,
    }


def test_there_is_a_row_for_each_request() -> None:
    rows = batch().rows()
    assert [tuple(row) for row in rows] == [ROW_COLUMNS] * 3
    assert [tuple(row.values()) for row in rows] == [
        ("b.jsonl", "b.jsonl:1", "t<1>", "chat", None, "gpt-4o", 12, 0, 9, "published", False),
        ("b.jsonl", "b.jsonl:2", None, "chat", "my-gpt", "gpt-4o", 96, 85, None, "published", False),
        ("b.jsonl", "b.jsonl:3", None, "responses", None, "gpt-4o", 11, 0, None, "estimate", True),
    ]


def test_a_notebook_shows_the_requests_escaped() -> None:
    nasty = count_text("x", counting(model="<i>"), "<b>&.txt")
    html = of(nasty, nasty, models={}, notes=[Note("n", "<script>")])._repr_html_()
    assert "&lt;b&gt;&amp;.txt" in html and "<caption>&lt;i&gt;, o200k_base</caption>" in html
    assert "<li>&lt;script&gt;</li>" in html
    assert "<b>" not in html and "<script>" not in html
    assert "<td>all</td><td></td><td>2</td>" in html


def test_a_notebook_shows_the_first_requests_and_how_many_more_there_are() -> None:
    assert "more" not in of(*[text(1)] * SHOWN_IN_HTML)._repr_html_()
    assert "<td>1 more</td>" in of(*[text(1)] * (SHOWN_IN_HTML + 1))._repr_html_()
    assert "<td>all</td>" not in of(text(1))._repr_html_()
