"""What a benchmark sends at most."""

from __future__ import annotations

from fractions import Fraction

from ptucalc.bench_budget import Budget, budget_of
from ptucalc.bench_schedule import CallSize, Closed, Load, Ramp, Timed
from ptucalc.call_trace import Call, CallTrace
from ptucalc.catalog import TokenClass, Unknown
from ptucalc.prices import TokenPrices

MINUTE = 60_000_000


def prices_of(input_usd: int, write_usd: int, output_usd: int) -> TokenPrices:
    """Dollars for a million tokens."""
    classes = (TokenClass.INPUT, TokenClass.CACHE_WRITE, TokenClass.OUTPUT)
    return TokenPrices(dict(zip(classes, map(Fraction, (input_usd, write_usd, output_usd)), strict=True)), (), ())


PRICES, LONG = prices_of(2, 2, 8), prices_of(4, 4, 12)


def budget(load: Load, most: int = 10_000, retries: int = 0, prices=PRICES, over: int | None = None) -> Budget:
    return budget_of(load, most_requests=most, retries=retries, prices=prices, long_prices=LONG, long_over=over)


GENERATION = CallSize(500, 0, 1000)


def ramp(size: CallSize = GENERATION) -> Ramp:
    return Ramp(size=size, from_rpm=Fraction(60), to_rpm=Fraction(120), by_rpm=Fraction(60), step_us=MINUTE)


def test_a_ramp_sends_the_calls_of_all_its_steps() -> None:
    found = budget(ramp())
    assert (found.requests, found.input_tokens, found.output_tokens) == (180, 180 * 500, 180 * 1000)
    # 180 x (500 x $2 + 1,000 x $8) / 1M
    assert found.usd == Fraction(162, 100)
    assert (found.duration_us, found.capped) == (2 * MINUTE, False)


def test_what_may_be_written_to_the_cache_is_priced_as_that_where_it_is_dearer() -> None:
    def usd(minimum: int, write_usd: int) -> object:
        prices = prices_of(2, write_usd, 8)
        return budget_of(
            ramp(), most_requests=1, retries=0, prices=prices, long_prices=LONG, long_over=None, cache_minimum=minimum
        ).usd

    # 500 x $2 + 1,000 x $8 a million, or 500 x $5.
    assert (usd(501, 5), usd(500, 5), usd(500, 1)) == (Fraction(9, 1000), Fraction(105, 10_000), Fraction(9, 1000))


def test_each_call_may_be_tried_again_and_each_try_counts() -> None:
    found = budget(ramp(), retries=2)
    assert (found.requests, found.input_tokens, found.usd) == (540, 540 * 500, Fraction(486, 100))


def test_no_more_is_sent_than_the_cap_allows_and_it_says_so() -> None:
    assert budget(ramp(), most=180).capped is False
    found = budget(ramp(), most=179)
    assert (found.requests, found.input_tokens, found.capped) == (179, 179 * 500, True)
    assert budget(ramp(), most=180, retries=1).capped is True


def test_callers_without_pause_send_up_to_the_cap() -> None:
    found = budget(Closed(size=CallSize(10, 0, 5), concurrency=4, duration_us=MINUTE), most=1000)
    assert (found.requests, found.input_tokens, found.output_tokens, found.capped) == (1000, 10_000, 5000, False)


def test_of_a_log_the_calls_count_that_are_played() -> None:
    trace = CallTrace.of([Call(0, 100, 10), Call(MINUTE - 1, 50, 5), Call(MINUTE, 10_000, 10_000)])
    found = budget(Timed(calls=trace, duration_us=MINUTE))
    assert (found.requests, found.input_tokens, found.output_tokens) == (2, 150, 15)


def test_where_tries_are_capped_the_largest_of_each_kind_may_be_those_sent() -> None:
    trace = CallTrace.of([Call(0, 100, 1), Call(1, 1, 100)])
    found = budget(Timed(calls=trace, duration_us=MINUTE), most=2, retries=5)
    assert (found.requests, found.input_tokens, found.output_tokens) == (2, 200, 200)
    assert found.usd == 2 * Fraction(1 * 2 + 100 * 8, 10**6)


def test_long_prompts_have_long_context_prices() -> None:
    load = ramp(CallSize(1001, 0, 10))
    assert budget(load, over=1000).usd == Fraction(180 * (1001 * 4 + 10 * 12), 10**6)
    assert budget(load, over=1001).usd == Fraction(180 * (1001 * 2 + 10 * 8), 10**6)


def test_an_unknown_price_is_unknown_and_not_nothing() -> None:
    assert budget(ramp(), prices=Unknown("nobody published it")).usd == Unknown("nobody published it")
    no_output = TokenPrices({TokenClass.INPUT: Fraction(2), TokenClass.OUTPUT: Unknown("no meter")}, (), ())
    assert budget(ramp(), prices=no_output).usd == Unknown("no meter")
