"""What became of each call, and statistics of that."""

from __future__ import annotations

from fractions import Fraction

import pytest

from ptucalc.bench_samples import Outcome, Refusal, Sample, Spread, Usage, planned_usage, weighted
from ptucalc.bench_schedule import CallSize, Planned
from ptucalc.catalog import LongContext, TokenWeights, Unknown

from .invented import a_model as model

PLANNED = Planned(0, 100, CallSize(10, 0, 5))


def sample(**more: object) -> Sample:
    return Sample(PLANNED, Outcome.SERVED, 100, 150, 1100)._replace(**more)


def test_times_are_from_when_the_call_was_to_start_not_from_when_it_was_sent() -> None:
    found = sample(first_token_us=400, last_token_us=1000)
    assert (found.end_to_end_us, found.to_first_token_us) == (1000, 300)


@pytest.mark.parametrize(("output", "between"), [(4, 200), (3, 300), (2, 600), (1, None), (0, None)])
def test_the_time_between_tokens_is_that_of_the_tokens_after_the_first(output: int, between: int | None) -> None:
    assert sample(first_token_us=400, last_token_us=1000, usage=Usage(10, 0, output)).between_tokens_us == between


def test_without_usage_or_stream_there_is_no_time_between_tokens() -> None:
    assert sample(first_token_us=400, last_token_us=1000).between_tokens_us is None
    assert sample(usage=Usage(10, 0, 4)).between_tokens_us is None
    assert sample().to_first_token_us is None


def test_every_request_that_was_sent_is_a_try() -> None:
    two = (Refusal(0, 1, None), Refusal(2, 3, 5))
    assert sample(refusals=two).tries == 3
    assert sample(refusals=two, outcome=Outcome.THROTTLED).tries == 2
    assert sample(outcome=Outcome.FAILED).tries == 1


def test_percentiles_are_nearest_ranks_of_all_values() -> None:
    spread = Spread.of(range(1, 201), per=10)
    assert spread == (200, Fraction(201, 20), 10, 19, Fraction(198, 10), 20)
    # Of three values p50 is the second, p95 and p99 the third.
    assert Spread.of([Fraction(1, 2), 3, 1])[1:] == (Fraction(3, 2), 1, 3, 3, 3)


def test_no_values_have_no_statistics() -> None:
    assert Spread.of([]) == (0, None, None, None, None, None)


WEIGHTS = TokenWeights(Fraction(1), Fraction(1, 10), Fraction(1), Fraction(4))


def test_cached_tokens_have_their_own_weight() -> None:
    # 60 uncached + 40 cached at a tenth + 5 of output at 4.
    assert weighted(model()._replace(weights=WEIGHTS), WEIGHTS, Usage(100, 40, 5)) == 60 + 4 + 20


DEAR = TokenWeights(Fraction(1), Fraction(1, 10), Fraction(5, 4), Fraction(4))  # as GPT-6: writes weigh 1.25


def test_tokens_written_to_the_cache_have_their_own_weight() -> None:
    # 10 uncached + 40 cached at a tenth + 50 written at 1.25 + 5 of output at 4.
    assert weighted(model()._replace(weights=DEAR), DEAR, Usage(100, 40, 5, 50)) == Fraction("96.5")
    assert weighted(model()._replace(weights=WEIGHTS), WEIGHTS, Usage(100, 40, 5, 50)) == 60 + 4 + 20


def test_writes_that_are_not_told_are_unknown_where_they_weigh_otherwise_and_there_may_be_some() -> None:
    made = model()._replace(weights=DEAR)
    found = weighted(made, DEAR, Usage(1024, 0, 5), cache_minimum=1024)
    assert isinstance(found, Unknown) and "the answers do not tell it (no cache_write_tokens" in found.reason
    assert weighted(made, DEAR, Usage(1023, 0, 5), cache_minimum=1024) == 1023 + 20  # too short to be kept
    assert weighted(made, DEAR, Usage(1024, 0, 5, 0), cache_minimum=1024) == 1024 + 20  # told: none
    assert (
        weighted(made, DEAR, Usage(1024, 1024, 5), cache_minimum=1024) == Fraction("102.4") + 20
    )  # all of it was there
    same = model()._replace(weights=WEIGHTS)
    assert weighted(same, WEIGHTS, Usage(1024, 0, 5), cache_minimum=1024) == 1024 + 20


def test_a_planned_call_writes_what_it_does_not_share_where_that_weighs_otherwise() -> None:
    dear, same = model()._replace(weights=DEAR), model()._replace(weights=WEIGHTS)
    assert planned_usage(dear, CallSize(2000, 500, 9), cache_minimum=1024) == Usage(2000, 500, 9, 1500)
    assert planned_usage(dear, CallSize(1024, 0, 9), cache_minimum=1024) == Usage(1024, 0, 9, 1024)
    assert planned_usage(dear, CallSize(1023, 500, 9), cache_minimum=1024) == Usage(1023, 500, 9, 0)
    assert planned_usage(same, CallSize(2000, 500, 9), cache_minimum=1024) == Usage(2000, 500, 9, 0)


def test_a_weight_that_nobody_published_is_only_needed_where_there_are_such_tokens() -> None:
    unknown = TokenWeights(Fraction(1), Unknown("not said"), None, Fraction(4))
    made = model()._replace(name="m", weights=unknown)
    assert weighted(made, unknown, Usage(100, 0, 5)) == 120
    assert weighted(made, unknown, Usage(100, 1, 5)) == Unknown("m has no weight for cached input tokens: not said")


def test_long_prompts_have_the_long_context_weights() -> None:
    long = TokenWeights(Fraction(2), Fraction(1), Fraction(2), Fraction(6))
    made = model()._replace(weights=WEIGHTS, long_context=LongContext(100, "s", long))
    assert weighted(made, WEIGHTS, Usage(100, 0, 1)) == 104
    assert weighted(made, WEIGHTS, Usage(101, 0, 1)) == 208
