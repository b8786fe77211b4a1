"""Made-up answers: lengths, times and texts, each as asked for, and the same for the same seed."""

from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ptucalc import load_catalog
from ptucalc.errors import BadInput
from ptucalc.made_up_answers import WORDS, Answers, AnswerShape, Vocabulary, parse_lengths, usable_words
from ptucalc.read.encodings import ENCODINGS, tokenizer
from ptucalc.token_parts import Approximate

from .counted import Letters

F = Fraction
STEADY = {"spread": F(0)}


def test_an_answer_has_the_length_asked_for_or_that_of_max_tokens() -> None:
    answers = Answers(AnswerShape(shortest=50, longest=50, **STEADY), 20)
    found = [answers.plan(most) for most in (None, 51, 50, 49)]
    assert [(plan.output, plan.cut) for plan in found] == [(50, False), (50, False), (50, False), (49, True)]
    assert [plan.number for plan in found] == [1, 2, 3, 4]


def test_a_range_of_lengths_gives_each_of_them_and_no_other() -> None:
    answers = Answers(AnswerShape(shortest=3, longest=6), None)
    lengths = [answers.plan(None).output for _ in range(200)]
    assert set(lengths) == {3, 4, 5, 6}
    assert all(30 <= lengths.count(length) <= 70 for length in set(lengths))


def test_max_is_as_many_as_max_tokens_allow() -> None:
    answers = Answers(AnswerShape(shortest=None, longest=None, unlimited=77), None)
    assert [(answers.plan(most).output, answers.plan(most).cut) for most in (5000, None)] == [(5000, True), (77, False)]


def test_the_time_is_that_of_the_latency_target() -> None:
    plan = Answers(AnswerShape(shortest=100, longest=100, **STEADY), 20).plan(None)
    assert (plan.first_us, plan.duration_us) == (50_000, 5_000_000)
    later = Answers(AnswerShape(shortest=100, longest=100, first_token_us=700_000, **STEADY), 20).plan(None)
    assert (later.first_us, later.duration_us) == (750_000, 5_700_000)
    half = Answers(AnswerShape(shortest=100, longest=100, first_token_us=700_000, scale=F(1, 2), **STEADY), 20).plan(
        None
    )
    assert (half.first_us, half.duration_us) == (375_000, 2_850_000)
    assert Answers(AnswerShape(scale=F(0)), 20).plan(None).duration_us == 0
    assert Answers(AnswerShape(), None).plan(None).duration_us == 0


def test_reasoning_comes_before_the_first_word() -> None:
    shape = AnswerShape(shortest=100, longest=100, reasoning=F(2, 5), **STEADY)
    plan = Answers(shape, 20).plan(None)
    assert (plan.reasoning, plan.shown, plan.first_us) == (40, 60, 41 * 50_000)
    assert Answers(shape, 20).plan(4).reasoning == 1


def test_times_spread_evenly_around_the_target() -> None:
    answers = Answers(AnswerShape(shortest=100, longest=100, spread=F(1, 10)), 20)
    times = sorted(answers.plan(None).duration_us for _ in range(1000))
    assert 4_500_000 <= times[0] < 4_520_000 and 5_480_000 < times[-1] <= 5_500_000
    assert 4_900_000 < times[500] < 5_100_000


def test_the_same_seed_gives_the_same_answers_and_another_others() -> None:
    def plans(seed: int) -> list[int]:
        answers = Answers(AnswerShape(shortest=1, longest=10**6, seed=seed), 20)
        return [answers.plan(None).output for _ in range(5)]

    assert plans(1) == plans(1) != plans(2)


def test_wrong_shapes_are_told_at_once() -> None:
    with pytest.raises(BadInput) as error:
        AnswerShape(reasoning=F(2), spread=F(-1), scale=F(-1))
    assert [each.field for each in error.value.problems] == ["reasoning", "spread", "latency_scale"]


@pytest.mark.parametrize("text", ["", "0", "-5", "5-", "9-8", "1.5", "a", "12345678", "1-2-3", "¹"])
def test_what_is_no_length_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="100-300"):
        parse_lengths(text)


@pytest.mark.parametrize("name", list(ENCODINGS))
def test_texts_have_exactly_their_number_of_tokens(name: str) -> None:
    tokens = tokenizer(name)
    words = usable_words(tokens)
    assert len(words) > 100
    vocabulary = Vocabulary(words, 0)
    for number in (0, 1, 12345):
        for count in (0, 1, 2, 17, 4096, 5000):
            assert tokens.count(vocabulary.text(number, count)) == count == len(vocabulary.words(number, count))


@given(st.integers(1, 12), st.integers(0, 9999), st.integers(0, 300))
def test_approximate_texts_do_too(width: int, number: int, count: int) -> None:
    tokens = Approximate(width)
    assert tokens.count(Vocabulary(usable_words(tokens), 1).text(number, count)) == count


def test_texts_differ_from_call_to_call_and_from_seed_to_seed() -> None:
    words = [f" {word}" for word in WORDS.split()]
    one, other = Vocabulary(words, 1), Vocabulary(words, 2)
    assert one.text(1, 30) == Vocabulary(words, 1).text(1, 30)
    assert len({one.text(1, 30), one.text(2, 30), other.text(1, 30)}) == 3


def test_a_tokenizer_without_such_words_is_refused() -> None:
    with pytest.raises(ValueError, match="no words of one token"):
        usable_words(Letters())


def test_every_encoding_of_the_catalog_has_such_words() -> None:
    names = {model.encoding.name for model in load_catalog().models if hasattr(model.encoding, "name")}
    assert names <= set(ENCODINGS)
