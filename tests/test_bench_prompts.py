"""Prompts of exactly so many tokens, each with a beginning of its own."""

from __future__ import annotations

from functools import cache

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ptucalc.bench_prompts import INSTRUCTION, WORDS, PromptMaker
from ptucalc.errors import BadInput
from ptucalc.prefix_cache import PrefixCache
from ptucalc.read.catalog import load_catalog
from ptucalc.read.encodings import tokenizer
from ptucalc.read.prompt_counting import PromptCounting
from ptucalc.request_tokens import count_request
from ptucalc.token_parts import Approximate


@cache
def counting(model: str = "gpt-4o"):
    made = PromptCounting(load_catalog(), model=model)
    return made.counting_for(made.model)


def tokens_of(text: str, model: str = "gpt-4o") -> int:
    return count_request({"messages": [{"role": "user", "content": text}]}, counting(model)).input_tokens


def test_there_are_256_words_so_that_a_byte_names_one() -> None:
    assert len(WORDS) == len(set(WORDS)) == 256


@pytest.mark.parametrize("encoding", ["cl100k_base", "o200k_base"])
def test_every_word_is_one_token_with_a_blank_before_it(encoding: str) -> None:
    assert {tokenizer(encoding).count(f" {word}") for word in WORDS} == {1}


def test_a_message_of_the_chat_form_costs_seven_tokens_beside_its_text() -> None:
    # Three for a message, one for its role, three that begin the reply: the published formula.
    assert PromptMaker(counting(), 1).frame == 7


@settings(max_examples=30, deadline=None)
@given(size=st.integers(8, 3000), shared=st.integers(0, 3000), number=st.integers(0, 10**6))
def test_a_prompt_has_exactly_the_tokens_that_were_asked_for(size: int, shared: int, number: int) -> None:
    text = PromptMaker(counting(), 5).prompt(number, size, shared)
    assert tokens_of(text) == size


def test_prompts_share_no_beginning_unless_asked_and_then_exactly_that() -> None:
    maker = PromptMaker(counting(), 3)
    texts = [maker.prompt(number, 2000).split() for number in range(50)]
    assert len({tuple(words[:8]) for words in texts}) == 50
    shared = [maker.prompt(number, 2000, 1024).split() for number in range(50)]
    # Four tokens of the frame stand before the text; the three that begin the reply stand after it.
    assert len({tuple(words[: 1024 - 4]) for words in shared}) == 1
    assert len({tuple(words[1024 - 4 : 1024 + 8]) for words in shared}) == 50


def test_a_share_that_just_reaches_the_cache_is_cached_by_the_published_rule() -> None:
    maker = PromptMaker(counting(), 3)
    rule = maker.counting.rules.prompt_cache

    def cached(shared: int) -> int:
        cache = PrefixCache(rule.minimum_tokens, rule.step_tokens, lasting_us=10**9)
        bodies = [{"messages": [{"role": "user", "content": maker.prompt(n, 2048, shared)}]} for n in range(2)]
        first, second = (cache.keys(count_request(body, counting()).rendered) for body in bodies)
        cache.remember(0, first)
        return cache.cached(1, second)

    assert [cached(shared) for shared in (1023, 1024, 1151, 1152)] == [0, 1024, 1024, 1152]


def test_a_prompt_that_is_shared_whole_still_has_a_word_of_its_own() -> None:
    maker = PromptMaker(counting(), 3)
    assert len({maker.prompt(number, 20, 20) for number in range(500)}) > 100


def test_the_same_seed_makes_the_same_prompts_and_another_one_others() -> None:
    one, same, other = (PromptMaker(counting(), seed).prompt(7, 100) for seed in (1, 1, 2))
    assert one == same != other


def test_a_prompt_with_room_asks_for_a_long_answer_and_a_short_one_is_words_alone() -> None:
    maker = PromptMaker(counting(), 1)
    assert maker.prompt(0, 500).endswith(INSTRUCTION)
    assert set(maker.prompt(0, 20).split()) <= set(WORDS)


def test_a_prompt_of_only_its_frame_is_refused() -> None:
    with pytest.raises(BadInput, match="at least 8 tokens: 7 of them frame a message"):
        PromptMaker(counting(), 1).prompt(0, 7)


def test_words_that_are_no_single_tokens_are_refused_not_miscounted() -> None:
    from dataclasses import replace

    by_characters = replace(counting(), tokens=Approximate(2), encoding=None)
    with pytest.raises(BadInput, match="an encoding in which the words of the prompts are one token each"):
        PromptMaker(by_characters, 1).prompt(0, 100)
