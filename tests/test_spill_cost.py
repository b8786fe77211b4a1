"""What spilled calls cost a month, and the cheapest number of PTU with whole calls spilling."""

from fractions import Fraction

from hypothesis import given, settings

from ptucalc.call_trace import Call, CallTrace
from ptucalc.catalog import LongContext, TokenClass, Unknown
from ptucalc.prices import TokenPrices
from ptucalc.simulated_runs import CallTokens, TokenSums
from ptucalc.simulation import simulate
from ptucalc.spill_cost import MixPoint, cheapest_mix, mix_costs, monthly_usd

from .invented import a_model
from .test_bucket_kernel import traces

F = Fraction
NOT_KNOWN = Unknown("nobody published it")


def prices(**usd):
    """USD per 1M tokens of a class; unknown where not given."""
    return TokenPrices({c: F(usd[c.value]) if c.value in usd else NOT_KNOWN for c in TokenClass}, (), ())


USUAL = prices(input=2, cached_input="1/2", cache_write=3, output=8)
LONG = prices(input=4, cached_input=1, cache_write=6, output=12)


def test_each_class_has_its_price_and_a_log_stands_for_a_month():
    # 1M of each: 2 + 0.50 + 3 + 8 dollars in 438 minutes, a hundredth of a month
    tokens = TokenSums(CallTokens(10**6, 10**6, 10**6, 10**6))
    assert monthly_usd(tokens, 438, USUAL, NOT_KNOWN) == F("13.5") * 100


def test_long_context_calls_have_their_own_prices():
    tokens = TokenSums(CallTokens(uncached=10**6), CallTokens(output=10**6))
    assert monthly_usd(tokens, 43_800, USUAL, LONG) == 2 + 12
    assert monthly_usd(tokens, 43_800, USUAL, NOT_KNOWN) == NOT_KNOWN


def test_a_price_that_is_not_known_matters_only_where_it_is_needed():
    some = prices(input=2, output=8)
    assert monthly_usd(TokenSums(CallTokens(1, 0, 0, 1)), 43_800, some, NOT_KNOWN) == F(10, 10**6)
    assert monthly_usd(TokenSums(CallTokens(1, 1, 0, 1)), 43_800, some, NOT_KNOWN) == NOT_KNOWN
    assert monthly_usd(TokenSums(), 43_800, NOT_KNOWN, NOT_KNOWN) == 0


BURST = CallTrace.of([Call(0, 21, 0), *[Call(0, 10**6, 0)] * 3])
"""At 10 by 5 PTU of one token a second: up to 20 PTU refuse three calls, 2,000,025 PTU none."""


def test_cost_of_every_size_is_that_of_its_ptu_and_of_what_it_refuses():
    result = simulate(BURST, a_model(tpm_per_ptu=60), ptu=10, window=1, largest_ptu=30, sweep=True)
    found = mix_costs(result, F(100), USUAL, NOT_KNOWN)
    month = 43_800 * 2  # one minute of the log, and 2 dollars per 1M
    assert found == (
        MixPoint(0, F(0), F(3_000_021, 10**6) * month),
        MixPoint(10, F(1000), F(3) * month),
        MixPoint(15, F(1500), F(3) * month),
        MixPoint(20, F(2000), F(3) * month),
        MixPoint(25, F(2500), F(2) * month),
        MixPoint(30, F(3000), F(2) * month),
    )
    assert cheapest_mix(found).ptu == 25
    assert found[4].monthly_usd == 2500 + 2 * month


def test_of_equally_cheap_sizes_the_smaller_counts():
    points = [MixPoint(0, F(0), F(9)), MixPoint(5, F(4), F(3)), MixPoint(10, F(7), F(0))]
    assert cheapest_mix(points).ptu == 5
    assert cheapest_mix(points[::-1]).ptu == 5


def test_without_a_price_there_is_no_cheapest_mix():
    result = simulate(BURST, a_model(tpm_per_ptu=60), ptu=10, window=1, largest_ptu=30, sweep=True)
    assert mix_costs(result, F(100), NOT_KNOWN, NOT_KNOWN) == NOT_KNOWN


@settings(max_examples=30, deadline=None)
@given(traces)
def test_beyond_the_first_size_without_429s_nothing_is_cheaper(calls):
    long_context = LongContext(900, "a test", None)
    model = a_model(tpm_per_ptu=700, prompt_limit_tokens=4000, long_context=long_context)
    trace = CallTrace.of(calls)
    result = simulate(trace, model, largest_ptu=3000, policy="spillover")
    points = mix_costs(result, F(1), USUAL, LONG)
    larger = simulate(trace, model, largest_ptu=3000, policy="spillover", ptu=result.sweep[-1].ptu + 5).runs[0]
    spilled = monthly_usd(larger.tokens_spilled, result.minutes, USUAL, LONG)
    assert spilled == points[-1].spilled_usd
    assert points[0].spilled_usd == monthly_usd(result.tokens, result.minutes, USUAL, LONG)
