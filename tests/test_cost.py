"""What a deployment costs: every field worked by hand, on an invented model and invented prices (tests/priced.py).

1 request a minute of 1,000 input tokens is 1 PTU and $438 a month on Global pay-as-you-go. One Global PTU is $365 a
month by the hour, $300 on a monthly reservation, $200 on a yearly one.
"""

import json
from decimal import Decimal
from fractions import Fraction

import pytest

from ptucalc import BadInput, compare_costs
from ptucalc.catalog import LongContext, TokenClass
from ptucalc.cost import compare
from ptucalc.deployment_cost import Increment
from ptucalc.hybrid import Range
from ptucalc.money import usd, usd_number
from ptucalc.prices import MINUTES_PER_MONTH, PriceTier
from ptucalc.rounding import Grid
from ptucalc.sizing import plan
from ptucalc.workload import LoadProfile

from .invented import DATA_ZONE, GLOBAL, REGIONAL, TODAY, a_catalog, a_model, calls, only, weights
from .priced import (
    HERE,
    HOURLY,
    MONTH,
    PER_HOUR,
    PER_TERM,
    PLAIN,
    THERE,
    YEAR,
    a_book,
    book_of,
    compared,
    costed,
    ptu_row,
    row,
    scope,
)

F, D = Fraction, Decimal
INPUT, CACHED, WRITE, OUTPUT = TokenClass.INPUT, TokenClass.CACHED_INPUT, TokenClass.CACHE_WRITE, TokenClass.OUTPUT
PER_REQUEST = 438


def levels(*pairs):
    return LoadProfile.from_levels(pairs)


def hourly(*rates):
    return LoadProfile.from_hourly([*rates] * (24 // len(rates)))


def monthly(cost):
    return {option.term: option.monthly_usd for option in cost.options}


def mixes(cost):
    return {term.value: (mix.ptu, mix.monthly_usd) for term, mix in cost.hybrid.items() if mix}


# Pay-as-you-go


def test_every_class_of_token_is_billed_at_its_own_price():
    # per call: 500 plain, 300 cached, 200 written, 100 output
    # 500 x 10 + 300 x 2 + 200 x 12 + 100 x 40 = 12,000 millionths; x 10 a minute x 43,800 = $5,256
    cost = costed(calls(10, 1000, 100, cache_ratio="0.3", cache_write_ratio="0.2"))
    assert cost.payg_monthly_usd == D("5256.00")
    minutes = 10 * 43_800
    assert cost.tokens_per_month == {
        INPUT: 500 * minutes,
        CACHED: 300 * minutes,
        WRITE: 200 * minutes,
        OUTPUT: 100 * minutes,
    }
    assert [(t.token_class, t.tokens_per_month, t.usd_per_1m, t.monthly_usd) for t in cost.payg_terms] == [
        (INPUT, 500 * minutes, 10, D("2190.00")),
        (CACHED, 300 * minutes, 2, D("262.80")),
        (WRITE, 200 * minutes, 12, D("1051.20")),
        (OUTPUT, 100 * minutes, 40, D("1752.00")),
    ]
    assert cost.requests_per_month == minutes
    # PTU: 500 + 0 x 300 + 200 + 3 x 100 = 1,000 weighted tokens a call
    assert (cost.peak_weighted_tpm, cost.mean_weighted_tpm, cost.peak_ptu) == (10_000, 10_000, 10)


def test_cached_tokens_cost_money_on_pay_as_you_go_and_nothing_on_ptu():
    plain, cached = costed(calls(12)), costed(calls(12, cache_ratio="50%"))
    assert (plain.peak_weighted_tpm, cached.peak_weighted_tpm) == (12_000, 6_000)
    # 500 x 10 + 500 x 2 = 6,000 millionths a call instead of 10,000
    assert (plain.payg_monthly_usd, cached.payg_monthly_usd) == (D("5256.00"), D("3153.60"))


def test_cached_tokens_that_weigh_something_on_ptu_do_so_here_too():
    catalog = a_catalog(a_model(weights=weights(cached_input="0.1")))
    assert costed(calls(10, cache_ratio="50%"), catalog=catalog).peak_weighted_tpm == 5500


def test_reading_and_writing_the_cache_have_different_prices():
    # 1,000 tokens at 2 or at 12 millionths, x 10 x 43,800
    read, written = costed(calls(10, cache_ratio=1)), costed(calls(10, cache_write_ratio=1))
    assert (read.payg_monthly_usd, written.payg_monthly_usd) == (D("876.00"), D("5256.00"))


def test_an_average_price_of_a_class_is_that_of_all_workloads():
    long = LongContext(5000, "table", None)
    book = book_of({GLOBAL: scope([row(**PLAIN), row(long=True, input=20, output=60)])})
    catalog = a_catalog(a_model(long_context=long))
    cost = costed([calls(10, 1000), calls(1, 10_000)], catalog=catalog, book=book)
    # 10,000 tokens a minute at 10 and 10,000 at 20
    (term,) = cost.payg_terms
    assert (term.token_class, term.usd_per_1m, term.monthly_usd) == (INPUT, 15, D("13140.00"))


@pytest.mark.parametrize(("input_tokens", "per_1m"), [(5000, 10), (5001, 20)])
def test_a_call_over_the_threshold_is_billed_at_the_long_prices_altogether(input_tokens, per_1m):
    book = book_of({GLOBAL: scope([row(**PLAIN), row(long=True, input=20, output=60)])})
    catalog = a_catalog(a_model(long_context=LongContext(5000, "table", None)))
    cost = costed(calls(1, input_tokens), catalog=catalog, book=book)
    assert cost.payg_monthly_usd == usd(F(input_tokens * per_1m * 43_800, 10**6))


def test_a_long_call_whose_long_price_is_not_known_is_not_billed_at_the_short_one():
    catalog = a_catalog(a_model(long_context=LongContext(5000, "table", None)))
    cost = costed(calls(1, 5001), catalog=catalog)
    assert cost.payg_monthly_usd is None
    assert cost.payg_reason == "no Global pay-as-you-go long-context price of Alder is known"


def test_other_tiers_are_shown_where_they_have_prices():
    # batch: 1,000 x 5 + 100 x 20 = 7,000 millionths x 10 x 43,800
    cost = costed(calls(10, 1000, 100))
    assert [(each.tier, each.monthly_usd) for each in cost.alternatives] == [(PriceTier.BATCH, D("3066.00"))]
    assert costed(calls(10), kind=DATA_ZONE).alternatives == ()


def test_a_version_is_billed_at_its_own_prices():
    catalog = a_catalog(a_model(versions=("1", "2")))
    book = a_book(models={**a_book().models, "alder-2": {GLOBAL: scope([row(input=20, output=60)])}})
    one, two = (costed(calls(10, model_version=v), catalog=catalog, book=book).payg_monthly_usd for v in "12")
    assert (one, two) == (D("4380.00"), D("8760.00"))


# Ways to buy


def test_every_way_to_buy_a_steady_load():
    cost = costed(calls(12))
    assert (cost.peak_ptu, cost.peak_utilization) == (15, F(12, 15))
    assert (cost.requests_per_minute, cost.price_region, cost.region) == (12, HERE, None)
    tokens_m = F(12 * 1000 * 43_800, 10**6)  # 525.6 million
    assert [tuple(option) for option in cost.options] == [
        ("payg", 0, 0, D("5256.00"), D("5256.00"), 0, 10, None, ""),
        ("hourly", 15, D("5475.00"), 0, D("5475.00"), F(5475, 5256) - 1, 5475 / tokens_m, 365, ""),
        ("1-month", 15, D("4500.00"), 0, D("4500.00"), F(4500, 5256) - 1, 4500 / tokens_m, 300, ""),
        ("1-year", 15, D("3000.00"), 0, D("3000.00"), F(3000, 5256) - 1, 3000 / tokens_m, 200, ""),
    ]
    assert cost.cheapest == cost.hybrid[YEAR]
    assert cost.all_known


def test_the_cheapest_mix_with_all_its_figures():
    # 10 PTU hold 10 of the 12 calls: 10 x 300 + 2 x 438 = 3,876, against 5,256 and 4,500
    mix = costed(calls(12)).hybrid[MONTH]
    assert (mix.term, mix.ptu, mix.utilization) == (MONTH, 10, 1)
    assert (mix.fixed_monthly_usd, mix.spillover_monthly_usd, mix.monthly_usd) == (
        D("3000.00"),
        D("876.00"),
        D("3876.00"),
    )
    assert mix.vs_payg == F(3876, 5256) - 1
    assert mix.usd_per_1m_tokens == F(3876 * 10**6, 12 * 1000 * 43_800)
    assert mix.spilled_tokens_per_month == {INPUT: 2 * 1000 * 43_800}
    assert mix.curve == ((0, D("5256.00")), (10, D("3876.00")), (15, D("4500.00")))
    # from 0: costs 3,000, saves 10 x 438; to 15: costs 1,500, saves 2 x 438
    assert mix.last_increment == Increment(0, 10, D("3000.00"), D("4380.00"), D("1380.00"))
    assert mix.next_increment == Increment(10, 15, D("1500.00"), D("876.00"), D("-624.00"))


def test_spilled_tokens_are_the_same_share_of_every_class_and_workload():
    # 5 x 1,000 + 1 x (1,000 + 3 x 3,000) = 15,000 weighted; 10 PTU hold two thirds
    cost = costed([calls(5), calls(1, 1000, 3000)])
    mix = cost.hybrid[MONTH]
    # a month: 6,000 input and 3,000 output a minute: 6,000 x 10 + 3,000 x 40 = 180,000 millionths = $7,884
    assert cost.payg_monthly_usd == D("7884.00")
    # 10: 3,000 + 2,628; 15: 4,500
    assert mix.curve == ((0, D("7884.00")), (10, D("5628.00")), (15, D("4500.00")))
    hour = costed([calls(5), calls(1, 1000, 3000)], book=a_book(hourly={GLOBAL: ((ptu_row("0.8"),),)})).hybrid[HOURLY]
    # 10 x 584 + 2,628 = 8,468; 15 x 584 = 8,760; nothing 7,884
    assert hour.ptu == 0
    assert hour.spilled_tokens_per_month == cost.tokens_per_month
    dear = costed([calls(5), calls(1, 1000, 3000)], book=a_book(reservations={(GLOBAL, MONTH): ((ptu_row(525),),)}))
    # 10 x 525 + 2,628 = 7,878 is just below 7,884; 15 x 525 = 7,875 below that; at 526 neither
    assert dear.hybrid[MONTH].ptu == 15
    two = costed([calls(5, profile=None), calls("0.5", 1000, 3000)])
    # 10,000 weighted: 10 PTU hold it all
    assert (two.hybrid[MONTH].ptu, two.hybrid[MONTH].spilled_tokens_per_month) == (10, {INPUT: 0, OUTPUT: 0})


def test_a_profile_is_followed_level_by_level():
    # a quarter of the time 100, else 20: average 40 = $17,520
    cost = costed(calls(None, profile=levels(("1/4", 100), ("3/4", 20))))
    assert (cost.payg_monthly_usd, cost.peak_ptu, cost.peak_utilization) == (D("17520.00"), 100, F(2, 5))
    month = cost.hybrid[MONTH]
    # up to 20 a PTU saves 438, beyond it 109.50: 20 x 300 + 80 / 4 x 438 = 14,760
    assert (month.ptu, month.monthly_usd) == (20, D("14760.00"))
    assert month.utilization == 1
    assert month.last_increment == Increment(15, 20, D("1500.00"), D("2190.00"), D("690.00"))
    assert month.next_increment == Increment(20, 25, D("1500.00"), D("547.50"), D("-952.50"))
    assert cost.option("1-month").monthly_usd == D("30000.00")
    assert len(month.curve) == 1 + 19  # nothing; 10, 15 ... 100


def test_an_idle_ptu_shows_in_the_utilization_of_the_mix():
    # half the time 12, half 4: 10 PTU serve 10 and 4, on average 7
    cost = costed(calls(None, profile=hourly(12, 4)))
    assert cost.hybrid[YEAR].ptu == 10
    assert cost.hybrid[YEAR].utilization == F(7, 10)


def test_with_no_ptu_the_mix_is_pay_as_you_go():
    mix = costed(calls(1)).hybrid[HOURLY]  # 438 against 3,650
    assert (mix.ptu, mix.fixed_monthly_usd, mix.monthly_usd, mix.vs_payg) == (0, 0, D("438.00"), 0)
    assert (mix.utilization, mix.last_increment) == (None, None)
    assert mix.next_increment == Increment(0, 10, D("3650.00"), D("438.00"), D("-3212.00"))
    assert costed(calls(1)).cheapest == costed(calls(1)).option("payg")


def test_the_largest_size_of_the_curve_has_no_next_step():
    mix = costed(calls(15)).hybrid[YEAR]
    assert (mix.ptu, mix.next_increment, mix.spilled_tokens_per_month) == (15, None, {INPUT: 0})


def test_full_ptu_have_headroom_and_the_mix_has_none():
    # 15 x 1.1 = 16.5 is 20 PTU; the curve ends at 15, which covers the peak
    cost = costed(calls(15), headroom="10%")
    assert (cost.peak_ptu, cost.peak_utilization) == (20, F(3, 4))
    assert cost.option("1-month").monthly_usd == D("6000.00")
    assert [ptu for ptu, _ in cost.hybrid[MONTH].curve] == [0, 10, 15]
    assert cost.hybrid[MONTH].ptu == 15


def test_a_peak_exactly_at_a_size_needs_no_larger_one():
    assert [ptu for ptu, _ in costed(calls(15)).hybrid[MONTH].curve][-1] == 15
    assert [ptu for ptu, _ in costed(calls("15.001")).hybrid[MONTH].curve][-1] == 20


def test_a_minimum_off_its_grid_is_a_size_of_the_curve():
    catalog = a_catalog(a_model(grids={GLOBAL: Grid(25, 50)}))
    cost = costed(calls(60), catalog=catalog)
    assert [ptu for ptu, _ in cost.hybrid[MONTH].curve] == [0, 25, 50, 100]
    # 25: 7,500 + 35 x 438 = 22,830; 50: 15,000 + 10 x 438 = 19,380; 100: 30,000
    assert mixes(cost)["1-month"] == (50, D("19380.00"))


def test_the_discount_is_off_every_ptu_price_and_off_nothing_else():
    cost = costed(calls(12), discount="10%")
    # 15 x 365, 300, 200 x 0.9
    assert monthly(cost) == {
        "payg": D("5256.00"),
        "hourly": D("4927.50"),
        "1-month": D("4050.00"),
        "1-year": D("2700.00"),
    }
    assert [option.usd_per_ptu_month for option in cost.options] == [None, F("328.5"), 270, 180]
    # 10 x 270 + 876
    assert mixes(cost)["1-month"] == (10, D("3576.00"))
    assert cost.break_even[1].utilization == F(270, 438)


@pytest.mark.parametrize("discount", [1, "100%", -1, "ten", 12])
def test_a_discount_that_is_none_is_refused(discount):
    with pytest.raises(BadInput) as caught:
        compared(calls(12), discount=discount)
    hint = " (12%?)" if discount == 12 else ""
    assert str(caught.value) == f"discount: expected a share under 1: 0.12 or 12%{hint}, got {discount}"


def test_only_the_terms_asked_for_are_priced():
    cost = costed(calls(12), terms=(YEAR,))
    assert list(monthly(cost)) == ["payg", "1-year"]
    assert {term: mix is not None for term, mix in cost.hybrid.items()} == {HOURLY: False, MONTH: False, YEAR: True}
    assert [each.term for each in cost.break_even] == [YEAR]
    assert {term: found for term, found in cost.sensitivity[0].cheapest.items() if found} == {
        YEAR: cost.sensitivity[0].cheapest[YEAR]
    }


def test_each_deployment_type_has_its_own_prices():
    result = compared(calls(12))
    found = {cost.deployment_type: (cost.peak_ptu, *monthly(cost).values()) for cost in result.deployments}
    assert found == {
        # 12 x 1,000 x 43,800 x 10, 11, 12 millionths; PTU x 365, 438, 584 and so on
        GLOBAL: (15, D("5256.00"), D("5475.00"), D("4500.00"), D("3000.00")),
        DATA_ZONE: (15, D("5781.60"), D("6570.00"), D("5250.00"), D("3750.00")),
        REGIONAL: (40, D("6307.20"), D("23360.00"), D("16000.00"), D("12000.00")),
    }


def test_a_deployment_with_a_type_and_a_region_of_its_own_is_priced_there():
    (cost,) = compared(calls(12, deployment_type="data-zone", region=HERE)).deployments
    assert (cost.deployment_type, cost.region, cost.price_region) == (DATA_ZONE, HERE, HERE)
    assert cost.payg_monthly_usd == D("5781.60")


def test_a_type_that_is_not_offered_has_no_entry():
    catalog = a_catalog(only(a_model(), GLOBAL))
    assert [cost.deployment_type for cost in compared(calls(12), catalog=catalog).deployments] == [GLOBAL]


def test_pay_as_you_go_and_spillover_can_be_priced_at_another_scope():
    cost = costed(calls(12), kind=REGIONAL, payg_type=GLOBAL)
    assert (cost.payg_type, cost.payg_monthly_usd) == (GLOBAL, D("5256.00"))
    # at Regional prices of PTU: 40 x 300; nothing else is cheaper than pay-as-you-go here
    assert cost.option("1-year").monthly_usd == D("12000.00")
    assert cost.hybrid[YEAR].curve == ((0, D("5256.00")), (40, D("12000.00")))


# Several workloads


def test_levels_hours_a_steady_rate_on_one_deployment():
    flat, wave = calls(2), calls(None, profile=hourly(8, 2))
    stairs = calls(None, profile=levels(("1/4", 5), ("3/4", 1)))
    cost = costed([flat, wave, stairs])
    # a quarter 2 + 8 + 5 = 15; a quarter 2 + 8 + 1 = 11; half 2 + 2 + 1 = 5: average 9
    assert (cost.peak_weighted_tpm, cost.mean_weighted_tpm, cost.peak_ptu) == (15_000, 9_000, 15)
    assert cost.payg_monthly_usd == D("3942.00")
    # 10 PTU spill 5 / 4 + 1 / 4 = 1.5 on average: 657
    assert cost.hybrid[YEAR].curve == ((0, D("3942.00")), (10, D("2657.00")), (15, D("3000.00")))
    assert cost.workloads == ("workload-1", "workload-2", "workload-3")


def test_profiles_that_do_not_coincide_need_fewer_ptu():
    cost = costed([calls(None, profile=hourly(10, 0)), calls(None, profile=hourly(0, 10))])
    assert (cost.peak_ptu, cost.peak_utilization, cost.payg_monthly_usd) == (10, 1, D("4380.00"))


def test_the_busiest_hour_need_not_be_the_first():
    # 1 + 2, then 9 + 3
    cost = costed([calls(None, profile=hourly(1, 9)), calls(None, profile=hourly(2, 3))])
    assert (cost.peak_ptu, cost.peak_weighted_tpm, cost.mean_weighted_tpm) == (15, 12_000, 7_500)
    assert cost.requests_per_minute == 12


def test_two_deployments_are_costed_apart():
    result = compared([calls(12), calls(1, deployment="other")], deployment_types=(GLOBAL,))
    assert [(cost.name, cost.payg_monthly_usd) for cost in result.deployments] == [
        ("Alder", D("5256.00")),
        ("other", D("438.00")),
    ]


# Averages


def test_an_average_bills_what_is_used_and_the_peak_decides_the_ptu():
    cost = costed(calls(12, average_requests_per_minute=3))
    assert (cost.payg_monthly_usd, cost.peak_ptu, cost.peak_utilization) == (D("1314.00"), 15, F(1, 5))
    assert (cost.peak_weighted_tpm, cost.mean_weighted_tpm) == (12_000, 3_000)
    assert cost.hybrid == {HOURLY: None, MONTH: None, YEAR: None}
    assert cost.cheapest == cost.option("payg")
    assert not cost.all_known
    # PTU pay where the average is so high: 365, 300, 200 / 438
    assert [each.utilization for each in cost.break_even] == [F(365, 438), F(300, 438), F(200, 438)]
    # of the peak rate r only r / 4 is billed: $109.50; a PTU is dearer
    assert [each.cheaper_rpm_ranges for each in cost.break_even] == [(), (), ()]


def test_an_average_counts_for_its_hours():
    # 3 x 365 hours x 60 minutes = 65,700 calls of 1,000 tokens at 10 millionths
    cost = costed(calls(12, average_requests_per_minute=3, hours_per_month=365))
    assert (cost.requests_per_month, cost.payg_monthly_usd) == (65_700, D("657.00"))


def test_a_what_if_on_an_average_compares_the_pure_choices():
    cost = costed(calls(12, average_requests_per_minute=11))
    more = next(each for each in cost.sensitivity if each.change == "requests +20%")
    # 14.4 at peak is 15 PTU; 13.2 x 438 = 5,781.60 on average
    assert (more.payg_monthly_usd, more.peak_ptu) == (D("5781.60"), 15)
    assert more.cheapest == {HOURLY: (15, D("5475.00")), MONTH: (15, D("4500.00")), YEAR: (15, D("3000.00"))}
    seldom = costed(calls(12, average_requests_per_minute=3)).sensitivity
    (more,) = [each for each in seldom if each.change == "requests +20%"]
    # the peak of 14.4 still needs 15; 3.6 x 438 on average are cheaper than that
    assert (more.peak_ptu, more.cheapest) == (15, dict.fromkeys((HOURLY, MONTH, YEAR), (0, D("1576.80"))))


def test_no_deployment_is_busier_than_all_the_time():
    cost = costed(calls(10, average_requests_per_minute=10, hours_per_month=730))
    assert cost.peak_utilization == 1


# Break-even


def test_break_even_is_the_price_of_a_ptu_over_what_its_tokens_would_cost():
    cost = costed(calls(12))
    assert cost.ptu_month_worth_usd == 438  # 1,000 a minute x 43,800 x 10 millionths
    assert [(each.term, each.utilization, each.reason) for each in cost.break_even] == [
        (HOURLY, F(365, 438), ""),
        (MONTH, F(300, 438), ""),
        (YEAR, F(200, 438), ""),
    ]


def test_break_even_depends_on_the_mix_of_calls():
    # 1,000 plain, 1,000 cached, 1,000 output: 10,000 + 2,000 + 40,000 = 52,000 millionths for 4,000 weighted tokens
    cost = costed(calls(1, 2000, 1000, cache_ratio="50%"))
    assert cost.ptu_month_worth_usd == F(52_000, 4000) * F(1000 * 43_800, 10**6)


def test_break_even_ranges_keep_the_shape_of_the_load():
    # average 7.5 of a peak of 10: $328.50 for each call of the peak, which is 1 PTU. 300 / 328.5 = 0.9132
    cost = costed(calls(None, profile=hourly(10, 5)), largest_ptu=30)
    month = cost.break_even[1]
    assert month.cheaper_rpm_ranges == tuple(
        Range(F(300 * ptu * 2, 657), None if ptu == 0 else F(ptu)) for ptu in (10, 15, 20, 25, 30)
    )
    assert cost.break_even[0].cheaper_rpm_ranges == ()  # 365 a PTU that saves 328.50 at best: never


def test_the_ranges_reach_at_least_to_the_peak_of_the_load_itself():
    cost = costed(calls(40), largest_ptu=15)
    # with 365 / 438: up to 30 the steps have gaps, then it goes on; without the load's own 40 it would stop at 15
    assert cost.break_even[0].cheaper_rpm_ranges[-1] == Range(F(125, 6), None)


def test_headroom_raises_what_the_ranges_need():
    # 10 PTU at 300 pay over 3,000 / 438 = 6.85 requests either way, and hold 10 of them, or 8 with a quarter of headroom
    assert costed(calls(12)).break_even[1].cheaper_rpm_ranges[0] == Range(F(3000, 438), F(10))
    assert costed(calls(12), headroom="25%").break_even[1].cheaper_rpm_ranges[0] == Range(F(3000, 438), F(8))
    # by the hour 8 requests ($3,504) never pay for 10 PTU ($3,650)
    assert costed(calls(12), headroom="25%").break_even[0].cheaper_rpm_ranges == ()


def test_over_one_means_never():
    cost = costed(calls(12), book=a_book(hourly={GLOBAL: ((ptu_row("0.6"),),)}))
    assert cost.break_even[0].utilization == 1  # 438 / 438
    assert cost.break_even[0].cheaper_rpm_ranges == ()
    dear = costed(calls(12), book=a_book(hourly={GLOBAL: ((ptu_row("0.9"),),)}))
    assert (dear.break_even[0].utilization, dear.break_even[0].cheaper_rpm_ranges) == (F(3, 2), ())


# Calls that weigh nothing


def test_calls_that_weigh_nothing_have_no_break_even_utilization():
    # all cached: 1,000 x 2 millionths x 43,800 = $87.60 for a call a minute; 10 PTU serve any number
    cost = costed(calls(10, cache_ratio=1))
    assert (cost.payg_monthly_usd, cost.peak_ptu, cost.peak_utilization) == (D("876.00"), 10, 0)
    assert cost.ptu_month_worth_usd is None
    month = cost.break_even[1]
    assert (month.utilization, month.reason) == (None, "these calls weigh nothing: any PTU serves any number of them")
    assert month.cheaper_rpm_ranges == (Range(F(3000 * 10, 876), None),)


def test_calls_that_weigh_nothing_are_not_free_without_ptu():
    cost = costed(calls(10, cache_ratio=1))
    assert mixes(cost) == dict.fromkeys(("hourly", "1-month", "1-year"), (0, D("876.00")))


def test_hours_of_weightless_calls_are_billed_in_a_mix_without_ptu():
    cached = calls(None, cache_ratio=1, profile=hourly(10, 0))
    cost = costed([cached, calls(None, profile=hourly(0, 1))])
    # 5 x 87.60 + 438 / 2 = 657
    assert cost.payg_monthly_usd == D("657.00")
    assert cost.hybrid[HOURLY].curve[0] == (0, D("657.00"))


def test_calls_that_weigh_nothing_may_be_idle_at_first():
    cost = costed(calls(None, cache_ratio=1, profile=hourly(0, 10)))
    assert cost.payg_monthly_usd == D("438.00")


def test_calls_of_no_tokens_at_all_cost_nothing_and_never_pay():
    cost = costed(calls(10, 0, 0))
    assert (cost.payg_monthly_usd, cost.payg_terms, cost.tokens_per_month) == (0, (), {})
    assert [option.vs_payg for option in cost.options] == [None] * 4
    assert [option.usd_per_1m_tokens for option in cost.options] == [None] * 4
    assert cost.break_even[1].cheaper_rpm_ranges == ()


# What is not known


def test_an_unknown_pay_as_you_go_price_leaves_the_ptu_prices():
    cost = costed(calls(12, region=THERE), kind=DATA_ZONE)
    reason = "no Data zone pay-as-you-go price of Alder is known for southland"
    assert (cost.payg_monthly_usd, cost.payg_reason) == (None, reason)
    assert tuple(cost.option("payg")) == ("payg", 0, None, None, None, None, None, None, reason)
    hour = cost.option("hourly")
    assert (hour.monthly_usd, hour.vs_payg) == (D("6570.00"), None)  # 15 x 438
    assert hour.usd_per_1m_tokens == F(6570 * 10**6, 12 * 1000 * 43_800)
    assert cost.hybrid == {HOURLY: None, MONTH: None, YEAR: None}
    assert cost.break_even[0] == (HOURLY, None, None, reason)
    assert (cost.ptu_month_worth_usd, cost.payg_terms, cost.alternatives) == (None, (), ())
    assert (cost.cheapest, cost.all_known) == (None, False)
    assert all(each.payg_monthly_usd is None for each in cost.sensitivity)


def test_a_what_if_calls_nothing_the_cheapest_where_pay_as_you_go_is_not_known():
    cost = costed(calls(12, region=THERE), kind=DATA_ZONE)
    assert cost.cheapest is None
    assert cost.sensitivity[0].cheapest == {HOURLY: None, MONTH: None, YEAR: None}


def test_the_nearest_known_price_is_a_wider_type_here_then_the_same_type_elsewhere():
    assert costed(calls(12), kind=REGIONAL).payg_nearest is None  # known
    near = costed(calls(12, region=THERE), kind=REGIONAL).payg_nearest
    assert near == (GLOBAL, THERE, D("5256.00"))  # the Data Zone price is not known there either
    both = {
        GLOBAL: scope([row(input=10)]),
        DATA_ZONE: scope([row(THERE, input=11)]),
        REGIONAL: scope([row(HERE, input=12)]),
    }
    assert costed(calls(12, region=THERE), kind=REGIONAL, book=book_of(both)).payg_nearest == (
        DATA_ZONE,
        THERE,
        D("5781.60"),
    )
    alone = {GLOBAL: scope([row(HERE, input=10)])}
    assert costed(calls(12, region=THERE), book=book_of(alone)).payg_nearest == (GLOBAL, HERE, D("5256.00"))
    assert costed(calls(12, region=THERE), kind=REGIONAL, book=book_of(alone)).payg_nearest is None
    assert costed(calls(12), book=a_book(models={})).payg_nearest is None


def test_one_unknown_reservation_leaves_everything_else():
    book = a_book(reservations={**PER_TERM, (GLOBAL, MONTH): ()})
    cost, full = costed(calls(12), book=book), costed(calls(12))
    reason = "no Global 1-month reservation price is known for northland"
    assert tuple(cost.option("1-month")) == ("1-month", 15, None, None, None, None, None, None, reason)
    assert cost.break_even[1] == (MONTH, None, None, reason)
    assert cost.hybrid[MONTH] is None
    assert cost.hybrid[YEAR] == full.hybrid[YEAR] and cost.hybrid[HOURLY] == full.hybrid[HOURLY]
    assert [option for option in cost.options if option.term != "1-month"] == [
        option for option in full.options if option.term != "1-month"
    ]
    assert cost.sensitivity[0].cheapest[MONTH] is None
    assert cost.sensitivity[0].cheapest[YEAR] == full.sensitivity[0].cheapest[YEAR]
    assert not cost.all_known
    assert cost.cheapest == full.cheapest


def test_an_unknown_hourly_price_leaves_the_reservations():
    cost = costed(calls(12), book=a_book(hourly={**PER_HOUR, GLOBAL: ()}))
    assert cost.option("hourly").reason == "no Global PTU hourly price is known for northland"
    assert cost.option("hourly").monthly_usd is None
    assert cost.option("1-month").monthly_usd == D("4500.00")


def test_one_workload_without_a_price_leaves_the_whole_deployment_without():
    # output has no price: the deployment's other workload has none
    book = book_of({GLOBAL: scope([row(input=10)])})
    cost = costed([calls(10), calls(1, 1000, 10)], book=book)
    assert cost.payg_monthly_usd is None
    assert cost.payg_reason == "no Global pay-as-you-go price of Alder is known for output tokens in northland"
    assert costed(calls(10), book=book).payg_monthly_usd == D("4380.00")


# What if


def test_what_ifs_change_one_thing_by_a_fifth():
    cost = costed(calls(10, 1000, 100, cache_ratio="50%"))
    # a call: 500 x 10 + 500 x 2 + 100 x 40 = 10,000 millionths; 500 + 300 = 800 weighted
    found = {each.change: (each.payg_monthly_usd, each.peak_ptu) for each in cost.sensitivity}
    kinds = list(dict.fromkeys(change.rsplit(" ", 1)[0] for change in found))
    assert len(kinds) == 5
    requests, output, cached, tokens, ptu = kinds
    per_call = 10 * 43_800
    assert found == {
        f"{requests} -20%": (usd(F(8000 * per_call, 10**6)), 10),
        f"{requests} +20%": (usd(F(12_000 * per_call, 10**6)), 10),
        f"{output} -20%": (usd(F(9200 * per_call, 10**6)), 10),
        f"{output} +20%": (usd(F(10_800 * per_call, 10**6)), 10),
        f"{cached} -20%": (usd(F(10_800 * per_call, 10**6)), 10),  # 600 x 10 + 400 x 2 + 4,000
        f"{cached} +20%": (usd(F(9200 * per_call, 10**6)), 10),  # 400 x 10 + 600 x 2 + 4,000
        f"{tokens} -20%": (usd(F(8000 * per_call, 10**6)), 10),
        f"{tokens} +20%": (usd(F(12_000 * per_call, 10**6)), 10),
        f"{ptu} -20%": (D("4380.00"), 10),
        f"{ptu} +20%": (D("4380.00"), 10),
    }


def test_a_what_if_finds_its_own_size_and_its_own_mix():
    cost = costed(calls(12))
    more = next(each for each in cost.sensitivity if each.change.startswith("requests +"))
    # 14.4: 6,307.20; 10: 3,000 + 4.4 x 438 = 4,927.20; 15: 4,500
    assert (more.payg_monthly_usd, more.peak_ptu) == (D("6307.20"), 15)
    assert more.cheapest[MONTH] == (15, D("4500.00"))
    less = next(each for each in cost.sensitivity if each.change.startswith("requests -"))
    # 9.6: 4,204.80 against 10 x 300, 10 x 365
    assert less.peak_ptu == 10
    assert less.cheapest == {HOURLY: (10, D("3650.00")), MONTH: (10, D("3000.00")), YEAR: (10, D("2000.00"))}


def test_what_ifs_on_prices_leave_the_other_side():
    cost = costed(calls(12))
    cheap, dear, less, more = cost.sensitivity[-4:]
    # tokens at 80%: 10 x 300 + 876 x 0.8 = 3,700.80; at 120%: 15 x 300 = 4,500, 10: 3,000 + 1,051.20
    assert (cheap.payg_monthly_usd, cheap.cheapest[MONTH]) == (D("4204.80"), (10, D("3700.80")))
    assert (dear.payg_monthly_usd, dear.cheapest[MONTH]) == (D("6307.20"), (10, D("4051.20")))
    # PTU at 240 and 360: 2,400 + 876; 3,600 + 876
    assert (less.payg_monthly_usd, less.cheapest[MONTH]) == (D("5256.00"), (10, D("3276.00")))
    assert (more.payg_monthly_usd, more.cheapest[MONTH]) == (D("5256.00"), (10, D("4476.00")))
    assert [each.change for each in (less, more)] == ["PTU prices -20%", "PTU prices +20%"]


def test_a_better_cache_cannot_hold_more_than_the_input():
    cost = costed(calls(10, 1000, 100, cache_ratio="90%"))
    # 90% x 1.2 is all of it: 1,000 x 2 + 4,000 = 6,000 millionths
    (better,) = [each for each in cost.sensitivity if "cache" in each.change and "+" in each.change]
    assert better.payg_monthly_usd == usd(F(6000 * 10 * 43_800, 10**6))


def test_nothing_is_varied_that_is_not_there():
    changes = [each.change for each in costed(calls(10)).sensitivity]
    assert len(changes) == 6
    assert not [change for change in changes if "output" in change or "cache" in change]


def test_headroom_counts_in_what_ifs():
    cost = costed(calls(12), headroom="10%")
    more = next(each for each in cost.sensitivity if each.change.startswith("requests +"))
    assert more.peak_ptu == 20  # 14.4 x 1.1 = 15.84


# Money and its shapes


def test_money_is_rounded_once_half_a_cent_up():
    # 1 token at $10 per 1M, 43,800 calls a month at 1 a minute: $0.438; 5 tokens at 2.5: 0.5475
    assert costed(calls(1, 1)).payg_monthly_usd == D("0.44")
    assert (usd(F(1, 200)), usd(F(149, 10_000)), usd(F(3, 200)), usd(F(-1, 200))) == (
        D("0.01"),
        D("0.01"),
        D("0.02"),
        D("-0.01"),
    )
    # two of 0.438 are 0.876, not 0.44 + 0.44
    assert costed([calls(1, 1), calls(1, 1)]).payg_monthly_usd == D("0.88")
    # halves of a cent: 15 PTU of $1 a year: 15 / 12 = 1.25; of $0.10: 0.125
    book = a_book(reservations={(GLOBAL, YEAR): ((ptu_row("0.1"),),)})
    assert costed(calls(12), book=book).option("1-year").monthly_usd == D("0.13")


def test_the_curve_is_rounded_like_the_rest():
    book = a_book(reservations={(GLOBAL, YEAR): ((ptu_row("0.1"),),)})
    assert costed(calls(12), book=book).hybrid[YEAR].curve[-1] == (15, D("0.13"))


def test_money_in_json_is_a_number_of_dollars():
    assert [usd_number(amount) for amount in (None, D("5.00"), D("5.10"), D("0.07"), D("-3.25"))] == [
        None,
        5,
        5.1,
        0.07,
        -3.25,
    ]
    assert isinstance(usd_number(D("5.00")), int)


@pytest.mark.parametrize("rate", [12, "12", D("12.0"), 12.0, F(12)])
def test_numbers_may_be_given_in_any_exact_form(rate):
    assert costed(calls(rate), discount=0).options == costed(calls(12)).options
    for off in (0.1, "0.1", "10%", D("0.1"), F(1, 10)):
        assert costed(calls(12), discount=off).options == costed(calls(12), discount="10%").options


def test_the_result_names_its_editions_and_days():
    result = compared(calls(12), headroom="10%", discount="5%")
    assert (result.version, result.catalog_editions, result.price_editions) == (
        "0",
        ("invented-1",),
        ("invented-prices-1",),
    )
    assert [day.isoformat() for day in (result.catalog_as_of, result.prices_as_of, result.oldest_price_capture)] == [
        "2030-03-01",
        "2030-03-02",
        "2030-02-03",
    ]
    assert (result.headroom, result.discount) == (F(1, 10), F(1, 20))


def test_json_holds_the_same_numbers():
    result = compared(calls(12, name="chat"), deployment_types=(GLOBAL,), discount="10%")
    (cost,) = result.deployments
    data = json.loads(json.dumps(result.to_dict()))
    assert (data["schema"], data["currency"], data["discount"], data["headroom"]) == ("ptucalc.cost/1", "USD", 0.1, 0)
    assert (data["catalog"], data["prices"], data["oldest_price_capture"]) == (
        ["invented-1"],
        ["invented-prices-1"],
        "2030-02-03",
    )
    assert [(s["name"], s["checked"]) for s in data["price_sources"]] == [("list", "2030-02-03")]
    (one,) = data["deployments"]
    assert (one["name"], one["deployment_type"], one["payg_deployment_type"], one["price_region"], one["region"]) == (
        "Alder",
        "global",
        "global",
        HERE,
        None,
    )
    assert (one["workloads"], one["available"], one["payg_monthly_usd"], one["payg_reason"], one["payg_nearest"]) == (
        ["chat"],
        True,
        5256,
        None,
        None,
    )
    assert one["tokens_per_month"] == {"input": 525_600_000}
    assert one["payg_terms"] == [
        {"token_class": "input", "tokens_per_month": 525_600_000, "usd_per_1m": 10, "monthly_usd": 5256}
    ]
    assert (one["requests_per_minute"], one["requests_per_month"], one["peak_ptu"], one["peak_utilization"]) == (
        12,
        525_600,
        15,
        0.8,
    )
    assert one["options"][0] == {
        "term": "payg",
        "ptu": 0,
        "fixed_monthly_usd": 0,
        "spillover_monthly_usd": 5256,
        "monthly_usd": 5256,
        "vs_payg": 0,
        "usd_per_1m_tokens": 10,
        "usd_per_ptu_month": None,
        "reason": None,
    }
    assert one["options"][1]["monthly_usd"] == 4927.5 and one["options"][1]["vs_payg"] == -0.0625
    month = one["hybrid"]["1-month"]
    assert month["curve"] == [[0, 5256], [10, 3576], [15, 4050]]
    assert (month["ptu"], month["monthly_usd"], month["utilization"]) == (10, 3576, 1)
    assert month["last_increment"] == {
        "from_ptu": 0,
        "to_ptu": 10,
        "costs_monthly_usd": 2700,
        "saves_monthly_usd": 4380,
        "earns_monthly_usd": 1680,
    }
    assert month["spilled_tokens_per_month"] == {"input": 87_600_000}
    assert one["break_even"][0]["cheaper_rpm_ranges"][0] == [
        float(edge) for edge in cost.break_even[0].cheaper_rpm_ranges[0]
    ]
    assert one["break_even"][2]["cheaper_rpm_ranges"][-1][1] is None
    assert one["sensitivity"][0]["cheapest"]["1-year"] == {"ptu": 10, "monthly_usd": 1800}
    assert one["alternatives"] == [{"tier": "batch", "monthly_usd": 2628}]
    assert data["totals"][0]["payg_monthly_usd"] == 5256
    assert data["reservations"][0]["term"] == "1-month"


def test_json_says_null_where_nothing_is_known():
    (cost,) = compared(calls(12, region=THERE), deployment_types=(DATA_ZONE,)).deployments
    data = json.loads(json.dumps(cost.to_dict()))
    assert data["payg_monthly_usd"] is None and data["payg_reason"]
    assert data["payg_nearest"] == {"deployment_type": "global", "region": THERE, "payg_monthly_usd": 5256}
    assert data["hybrid"] == {"hourly": None, "1-month": None, "1-year": None}
    assert data["break_even"][0] == {
        "term": "hourly",
        "utilization": None,
        "cheaper_rpm_ranges": None,
        "reason": "no Data zone pay-as-you-go price of Alder is known for southland",
    }
    assert data["options"][2]["monthly_usd"] is None and data["options"][2]["reason"]


def test_rows_are_one_for_each_way_to_buy():
    rows = compared(calls(12, region=THERE), deployment_types=(GLOBAL, DATA_ZONE)).rows()
    assert [(r["deployment_type"], r["way_to_buy"], r["term"], r["ptu"], r["monthly_usd"]) for r in rows] == [
        ("global", "payg", None, 0, 5256),
        ("global", "full PTU", "hourly", 15, 5475),
        ("global", "full PTU", "1-month", 15, 4500),
        ("global", "full PTU", "1-year", 15, 3000),
        ("global", "cheapest mix", "hourly", 10, 4526),
        ("global", "cheapest mix", "1-month", 10, 3876),
        ("global", "cheapest mix", "1-year", 10, 2876),
        ("data-zone", "payg", None, 0, None),
        ("data-zone", "full PTU", "hourly", 15, 6570),
        ("data-zone", "full PTU", "1-month", 15, None),
        ("data-zone", "full PTU", "1-year", 15, None),
    ]
    assert rows[7]["reason"] == "no Data zone pay-as-you-go price of Alder is known for southland"
    assert {r["price_region"] for r in rows} == {THERE} and {r["model"] for r in rows} == {"Alder"}
    assert (rows[5]["fixed_monthly_usd"], rows[5]["spillover_monthly_usd"], rows[5]["reason"]) == (3000, 876, None)
    assert len({tuple(r) for r in rows}) == 1  # the same columns


def test_html_escapes_names_and_never_says_0_for_unknown():
    result = compared(calls(12, name="<b>", deployment="<script>&", region=THERE), deployment_types=(DATA_ZONE,))
    html = result._repr_html_()
    assert "<script>" not in html and "&lt;script&gt;&amp;" in html and "<b>" not in html
    assert "<td>unknown</td>" in html and "<td>6,570.00</td>" in html
    assert ">0.00<" not in html


# Totals


def test_totals_add_up_the_deployments_by_type():
    result = compared([calls(12), calls(12, deployment="other")])
    globally, zone, regional = result.totals
    assert (globally.deployment_type, globally.payg_usd, globally.cheapest_usd) == (GLOBAL, D("10512.00"), D("5752.00"))
    assert globally.full_usd == {"hourly": D("10950.00"), "1-month": D("9000.00"), "1-year": D("6000.00")}
    assert (zone.payg_usd, regional.full_usd["1-year"]) == (D("11563.20"), D("24000.00"))
    assert result.to_dict()["totals"][0]["full_ptu_monthly_usd"]["1-month"] == 9000


def test_a_total_with_an_unknown_part_is_unknown():
    result = compared([calls(12, region=HERE), calls(12, region=THERE)], deployment_types=(DATA_ZONE,))
    (total,) = result.totals
    assert (total.payg_usd, total.cheapest_usd) == (None, None)
    assert total.full_usd == {"hourly": D("13140.00"), "1-month": None, "1-year": None}


def test_a_deployment_with_a_type_of_its_own_counts_only_there():
    result = compared([calls(12), calls(12, deployment="other", deployment_type="global")])
    found = {total.deployment_type: total.payg_usd for total in result.totals}
    # the first may be of any type, the other is Global
    assert found == {GLOBAL: D("10512.00"), DATA_ZONE: D("5781.60"), REGIONAL: D("6307.20")}


# The library's front door


def test_compare_costs_takes_a_catalog_prices_and_a_common_profile():
    profile = levels(("1/4", 100), ("3/4", 20))
    given = {"catalog": a_catalog(), "prices": a_book(), "sku": "global", "today": TODAY}
    one = compare_costs(calls(100), profile=profile, **given).deployments[0]
    assert one == costed(calls(None, profile=profile))
    assert compare_costs([calls(12)], headroom="10%", discount=0.1, payg_type="data zone", **given).deployments[
        0
    ] == costed(calls(12), headroom="10%", discount="10%", payg_type=DATA_ZONE)
    assert compare_costs(calls(12), **given).deployments == (costed(calls(12)),)


@pytest.mark.parametrize(
    ("workload", "message"),
    [
        (calls(99), "requests_per_minute: expected the peak of `profile` (100), as the rate follows from it, got 99"),
        (calls(100, average_requests_per_minute=4), "profile: expected either the workload's own profile or average, or `profile`, not both, got another profile"),
        (calls(None, profile=levels((1, 100))), "profile: expected either the workload's own profile or average, or `profile`, not both, got another profile"),
    ],
)  # fmt: skip
def test_a_profile_that_contradicts_a_workload_is_refused(workload, message):
    with pytest.raises(BadInput) as caught:
        compare_costs([workload], profile=levels(("1/2", 100), ("1/2", 2)), catalog=a_catalog(), prices=a_book())
    assert str(caught.value) == f"workloads[0].{message}"


def test_an_unknown_scope_of_pay_as_you_go_is_refused():
    with pytest.raises(BadInput, match=r"^payg_type: expected .*, got galaxy$"):
        compare_costs(calls(12), catalog=a_catalog(), prices=a_book(), payg_type="galaxy")


def test_a_month_has_the_same_length_everywhere():
    assert costed(calls(12)).requests_per_month == 12 * MINUTES_PER_MONTH == 12 * 730 * 60


# What reviews found


def test_a_what_if_over_the_largest_peak_does_not_stop_the_answer():
    # 10 deployments of at most 7,000 PTU are priced: 70,000 calls need 70,000 PTU, a fifth more 84,000
    cost = costed(calls(70_000))
    assert cost.peak_ptu == 70_000
    assert [each.peak_ptu for each in cost.sensitivity if each.change == "requests +20%"] == [84_000]
    with pytest.raises(BadInput, match=r"^deployment: expected a peak of at most 70,000 PTU, got Alder: 70,005 PTU$"):
        costed(calls(70_001))


def test_a_what_if_whose_price_is_unknown_has_no_answer_of_another_load():
    book = book_of({GLOBAL: scope([row(cached_input=2, output=40)])})  # nobody knows plain input: all is cached now
    cost = costed(calls(10, cache_ratio=1, output_tokens=100), book=book)
    (less,) = [each for each in cost.sensitivity if each.change == "cached -20%"]
    assert (less.payg_monthly_usd, set(less.cheapest.values())) == (None, {None})


def test_an_only_version_goes_without_saying_for_prices_too():
    catalog = a_catalog(a_model(versions=("2030-01-01",)))
    prices = {"alder": {GLOBAL: scope([row(input=10)])}, "alder-2030-01-01": {GLOBAL: scope([row(input=5)])}}
    both = [calls(10), calls(10, model_version="2030-01-01")]
    given = {"catalog": catalog, "book": a_book(models=prices)}
    assert [costed(each, **given).payg_monthly_usd for each in both] == [
        D("2190.00")
    ] * 2  # 10 x 1,000 x 43,800 x 5 / 1M


def test_what_ifs_are_left_out_where_nobody_asks():
    sized = plan([calls(10)], catalog=a_catalog(), deployment_types=(GLOBAL,), version="0", today=TODAY)
    assert compare(sized, a_book(), largest_ptu=7000, what_ifs=False).deployments[0].sensitivity == ()
    assert compare(sized, a_book(), largest_ptu=7000).deployments[0].sensitivity
