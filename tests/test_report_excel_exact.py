"""The integers that the workbook's formulas count with: they are the exact demand, and stay within 15 digits."""

from fractions import Fraction
from math import ceil

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ptucalc.catalog import LongContext
from ptucalc.report.excel_exact import REST, Demand, Limits, Rates, call_parts, nearest, need, plan_demand

from .invented import a_catalog, a_model, calls, weights
from .workbooks import report_of

rates = st.integers(1, Limits.MOST_RATE * Limits.RATE - 1).map(lambda top: Fraction(top, Limits.RATE))
tokens = st.integers(0, 10**6 * Limits.TOKENS).map(lambda top: Fraction(top, Limits.TOKENS))
token_weights = st.integers(0, 9 * Limits.WEIGHT).map(lambda top: Fraction(top, Limits.WEIGHT))
call = st.lists(st.tuples(tokens, token_weights), min_size=1, max_size=1).flatmap(
    lambda one: st.lists(st.tuples(tokens, token_weights), max_size=3).map(lambda more: [*one, *more])
)


@given(rates, call)
def test_a_call_is_its_integers_and_none_of_them_leaves_14_digits(rate, classes):
    weight = sum((count * each for count, each in classes), Fraction(0))
    if weight >= Limits.MOST_WEIGHT_PER_CALL:
        return
    parts = call_parts(rate, [count for count, _ in classes], [each for _, each in classes])
    assert Fraction(parts.whole) + Fraction(parts.rest, REST) == rate * weight
    numbers = [*parts.tokens, *parts.weights, parts.per_call, parts.call_whole * 10**7, parts.call_rest, parts.rate]
    numbers += [parts.rate_whole * 10**3, parts.rate_rest, *parts.products, parts.whole, parts.rest]
    assert all(abs(number) <= Limits.INTEGER for number in numbers)


def test_the_integers_of_a_call_worked_by_hand():
    # 9.6 a minute x (666.37 x 1 + 200 x 4.125) = 9.6 x 1,491.37 = 14,317.152
    parts = call_parts(Fraction("9.6"), [Fraction("666.37"), Fraction(200)], [Fraction(1), Fraction("4.125")])
    assert (parts.per_call, parts.call_whole, parts.call_rest) == (14_913_700_000, 1491, 3_700_000)
    assert (parts.rate, parts.rate_whole, parts.rate_rest) == (9600, 10, -400)
    assert parts.products == (14_910, -400 * 1491, 37_000_000, -400 * 3_700_000)
    assert Fraction(parts.whole) + Fraction(parts.rest, REST) == Fraction("14317.152")


@given(
    st.integers(0, 10**9 * REST).map(lambda top: Fraction(top, REST)),
    st.integers(0, 10 * Limits.HEADROOM).map(lambda top: Fraction(top, Limits.HEADROOM)),
)
def test_the_need_is_the_demand_with_headroom_rounded_up_to_a_thousandth(weighted, headroom):
    assert need(Demand.of(weighted), headroom) == ceil(weighted * (1 + headroom) * 1000)


@given(st.integers(0, 10**13), st.integers(1, 10**9))
def test_a_nearest_quotient_and_one_comparison_round_up(top, bottom):
    quotient = nearest(top, bottom)
    assert quotient + (top > quotient * bottom) == -(-top // bottom)


@pytest.mark.parametrize(("top", "bottom", "answer"), [(5, 10, 1), (4, 10, 0), (15, 10, 2), (-5, 10, -1), (-4, 10, 0)])
def test_nearest_takes_halves_away_from_zero_as_a_sheet_does(top, bottom, answer):
    assert nearest(top, bottom) == answer


def reasons(*workloads, **given):
    document = report_of(*workloads, **given)
    return {name: each.reason for name, each in plan_demand(document, Rates(document["rates"])).items()}


@pytest.mark.parametrize(
    "given", [{"rate": "9.125"}, {"rate": "0.001"}, {"cache_ratio": "37.25%"}, {"cached_input_tokens": 333}]
)
def test_what_a_sheet_counts_exactly_is_live(given):
    assert reasons(calls(**given)) == {"Alder": ""}


@pytest.mark.parametrize("given", [{"rate": "9.1255"}, {"input_tokens": 1001, "cache_ratio": "37.2555%"}])
def test_what_is_finer_is_not_live_and_says_so(given):
    [reason] = reasons(calls(name="fine", **given)).values()
    assert reason == (
        "fine: more decimals than a spreadsheet counts exactly (3 of a rate, 4 of a call's cached tokens)"
    )


@pytest.mark.parametrize(("rate", "live"), [("9999999.999", True), ("10000000", False)])
def test_a_rate_of_ten_million_is_too_large(rate, live):
    assert bool(reasons(calls(rate, 1), catalog=a_catalog(largest_deployment_ptu=10**6))["Alder"]) is not live


@pytest.mark.parametrize(("tokens", "live"), [(9_999_999, True), (10_000_000, False)])
def test_a_call_of_ten_million_weighted_tokens_is_too_large(tokens, live):
    assert bool(reasons(calls("0.001", tokens))["Alder"]) is not live


@pytest.mark.parametrize(("headroom", "live"), [("12.5%", True), ("12.55%", False)])
def test_headroom_counts_to_a_tenth_of_a_percent(headroom, live):
    assert bool(reasons(calls(), headroom=headroom)["Alder"]) is not live


def test_a_weight_of_four_decimals_is_not_in_the_drop_down():
    document = report_of(calls(), catalog=a_catalog(a_model(weights=weights(output="3.0001"))))
    assert Rates(document["rates"]).left_out == {"Alder": "a weight has more than three decimals"}


def test_peaks_at_different_times_are_not_a_sum():
    from ptucalc import LoadProfile

    day, night = [600] + [0] * 23, [0] * 12 + [600] + [0] * 11
    several = [
        calls(rate=None, name=name, profile=LoadProfile.from_hourly(hours))
        for name, hours in (("d", day), ("n", night))
    ]
    assert reasons(*several) == {"Alder": "its workloads peak at different times, and are added hour by hour"}


def test_an_output_weight_of_the_users_own_is_not_the_lists():
    assert reasons(calls(output_tokens=10, output_weight="2", name="own")) == {
        "Alder": "own: output tokens weigh otherwise than the model's rates say"
    }


def test_long_context_is_not_live():
    long = LongContext(100_000, "table", None)
    catalog = a_catalog(a_model(long_context=long))
    assert reasons(calls(1, 100_000), catalog=catalog) == {"Alder": ""}
    assert reasons(calls(1, 100_001, name="long"), catalog=catalog) == {
        "Alder": "long: long context counts and costs otherwise for the whole call"
    }


def test_what_a_log_measured_is_not_live():
    document = report_of(calls(name="log"))
    document["working"][0]["measured"] = True
    [found] = plan_demand(document, Rates(document["rates"])).values()
    assert found.reason == "log: measured minute by minute from a log"
