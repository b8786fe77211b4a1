"""What spilled calls cost, and the cheapest PTU + spillover, by hand.

Alder: 1 PTU serves 1,000 weighted TPM, an output token weighs 3; Global PTU are 365 dollars a month by the hour (0.5 x 730).
Input tokens are $10 a million. Sizes go 10, 15, 20 ...

The log is two minutes: 6 calls of 10,000 tokens in the first second of the first, one in the second. With a window of 3 s
10 PTU drain 166.67 tokens a second and hold 500: the first call gets in, 5 do not, and the last does.
"""

from dataclasses import replace
from decimal import Decimal
from fractions import Fraction

import pytest

from ptucalc.call_groups import CallGroup
from ptucalc.call_trace import Call, CallTrace
from ptucalc.catalog import Unknown
from ptucalc.prices import PtuTerm
from ptucalc.simulated_runs import CallTokens, TokenSums
from ptucalc.simulation import simulate
from ptucalc.spill_mix import Clock, Money, SpillPrices, by_the_minute, mixes

from .invented import GLOBAL, TODAY, a_catalog, a_model
from .priced import HERE, HOURLY, MONTH, a_book

SECOND = 1_000_000
MINUTE = 60 * SECOND
CALLS = [Call(place * 1000, 10_000, 0) for place in range(6)] + [Call(MINUTE, 10_000, 0)]
CLOCK = Clock(0, 2, 2 * MINUTE)
ALDER = a_model()
GROUP = CallGroup("chat", ("chat",), ALDER, "Alder", None, None, GLOBAL, CallTrace.of(CALLS, relative_clock=True))
MONTHS = 43_800


def money(*terms, discount=0):
    return Money(a_book(), Fraction(discount), terms or tuple(PtuTerm))


def minute_cost(group=GROUP, clock=CLOCK, terms=tuple(PtuTerm)):
    return by_the_minute(group, clock, money(*terms), catalog=a_catalog(), output_weight=None, version="0", today=TODAY)


def found(group=GROUP, clock=CLOCK, **given):
    result = simulate(group.trace, ALDER, ptu=10, window=3, sweep=True, largest_ptu=7000)
    terms = given.pop("terms", (HOURLY,))
    asked = money(*terms, **given)
    return mixes(result, SpillPrices.of(group, asked.prices, clock), asked, minute_cost(group, clock, terms), group)


def test_spilled_tokens_cost_a_month_what_they_cost_in_the_time_they_stand_for():
    prices = SpillPrices.of(GROUP, a_book(), CLOCK)
    # 1,000,000 tokens in two minutes: $10 x 21,900
    assert prices.monthly(TokenSums(CallTokens(1_000_000))) == 219_000
    half = SpillPrices.of(GROUP, a_book(), Clock(0, 2, 90 * SECOND))
    assert half.monthly(TokenSums(CallTokens(1_000_000))) == 292_000  # 90 s: x 29,200
    assert prices.region == HERE


def test_the_regions_prices_are_those_of_the_deployment():
    there = GROUP._replace(region="southland")
    assert SpillPrices.of(there, a_book(), CLOCK).region == "southland"


def test_whole_calls_and_minutes_each_have_their_cheapest_mix():
    (mix,) = found()
    # by the minute: the first has 60,000 (60 PTU), the second 10,000 (10 PTU); 10 PTU spill 50,000 of 70,000 tokens:
    # $0.50 in two minutes = $10,950, and cost 3,650. All of it at pay-as-you-go is $0.70 = $15,330.
    # 60 PTU are 21,900 and spill nothing; each 5 PTU more than 10 cost 1,825 and save $0.05 x 21,900 = 1,095
    assert mix.minutes is not None
    assert mix.minutes == (10, Decimal("3650.00"), Decimal("10950.00"), Decimal("14600.00"))
    # whole calls: 5 of 7 spill at 10 PTU, which is the same $10,950; more PTU let no further call in for long
    assert mix.calls is not None and mix.calls == mix.minutes
    assert mix.whole_calls_spilled_usd == Decimal("10950.00")
    assert mix.reason == ""


def test_a_discount_is_off_the_ptu_price():
    (mix,) = found(discount="1/2")
    assert mix.calls is not None and mix.calls.fixed_usd == Decimal("182.50") * mix.calls.ptu


def test_a_mix_of_no_ptu_is_one_too():
    lone = GROUP._replace(trace=CallTrace.of([Call(0, 10, 0), Call(5, 10, 0)], relative_clock=True))
    result = simulate(lone.trace, ALDER, ptu=10, sweep=True, largest_ptu=7000)
    clock = Clock(0, 1, MINUTE)
    (mix,) = mixes(
        result, SpillPrices.of(lone, a_book(), clock), money(HOURLY), minute_cost(lone, clock, (HOURLY,)), lone
    )
    assert mix.calls is not None and mix.calls == (0, 0, Decimal("8.76"), Decimal("8.76"))  # 20 tokens x 43,800


def test_terms_come_in_the_order_asked_for():
    assert [mix.term for mix in found(terms=(HOURLY, MONTH))] == [HOURLY, MONTH]


def test_without_a_price_there_is_no_mix_but_a_reason():
    unpriced = GROUP._replace(model=replace_name(ALDER, "Birch"), model_name="Birch")
    result = simulate(GROUP.trace, ALDER, ptu=10, sweep=True, largest_ptu=7000)
    prices = SpillPrices.of(unpriced, a_book(), CLOCK)
    assert isinstance(prices.monthly(result.tokens), Unknown)
    (mix,) = mixes(result, prices, money(HOURLY), Unknown("no price"), unpriced)
    assert (mix.calls, mix.minutes, mix.whole_calls_spilled_usd) == (None, None, None)
    assert mix.reason == "no pay-as-you-go price of Birch is known"


def replace_name(model, name):
    return model._replace(name=name)


def test_without_sizes_looked_at_there_is_no_mix():
    result = simulate(GROUP.trace, ALDER, ptu=10, largest_ptu=7000)
    (mix,) = mixes(result, SpillPrices.of(GROUP, a_book(), CLOCK), money(HOURLY), minute_cost(), GROUP)
    assert mix.calls is None and mix.minutes is not None and "no sizes" in mix.reason


def test_the_minutes_of_a_log_are_taken_where_there_are_some():
    with_profile = GROUP._replace(profile=replace(demand(), length=4))
    (mix,) = mixes(
        simulate(GROUP.trace, ALDER, ptu=10, sweep=True, largest_ptu=7000),
        SpillPrices.of(GROUP, a_book(), CLOCK),
        money(HOURLY),
        minute_cost(with_profile, CLOCK, (HOURLY,)),
        GROUP,
    )
    assert mix.minutes is not None and mix.minutes.monthly_usd == Decimal(
        "7665.00"
    )  # half of 15,330: over four minutes


def demand():
    from ptucalc.call_minutes import demand_of

    return demand_of(GROUP.trace, (), first_minute=0, minutes=2)


@pytest.mark.parametrize("model", [a_model(prompt_limit_tokens=5)])
def test_what_cost_refuses_is_no_estimate_but_a_reason(model):
    limited = a_catalog(model)
    found = by_the_minute(
        GROUP._replace(model=model), CLOCK, money(HOURLY), catalog=limited, output_weight=None, version="0", today=TODAY
    )
    assert isinstance(found, Unknown) and "on PTU" in found.reason
