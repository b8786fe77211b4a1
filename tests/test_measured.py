"""Workloads whose minutes a log measured, through sizes and costs: by hand, and against the same load given otherwise."""

from dataclasses import replace
from fractions import Fraction
from itertools import pairwise

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from ptucalc.catalog import CLASSES, LongContext, TokenClass
from ptucalc.demand_profile import DemandProfile, MinuteSums
from ptucalc.deployment_load import DeploymentLoad, Stream
from ptucalc.errors import BadInput
from ptucalc.flat_rows import ROW_COLUMNS
from ptucalc.prices import PtuTerm
from ptucalc.report.cost_blocks import cost_blocks
from ptucalc.report.size_blocks import size_blocks
from ptucalc.workload import LoadProfile, Workload

from .invented import GLOBAL, a_catalog, a_model, bought, calls, note_messages, sized, weights
from .priced import YEAR, a_book, compared, costed, messages, row, scope

F = Fraction
MINUTES = 43_800

settings.register_profile("few", deadline=None, max_examples=40)
few = settings.get_profile("few")


def minute(at, requests=0, uncached=0, cached=0, written=0, output=0, *, unsized=0, band=0):
    return MinuteSums(at, band, requests, unsized, uncached, cached, written, output)


def log(*rows, length=None, start=None, thresholds=(), scale=1):
    """A profile that ends with its last row, unless told otherwise."""
    return DemandProfile(start, length or rows[-1].minute + 1, thresholds, rows, scale)


def measured(profile, percentile="max", **given):
    """A workload on Alder with these minutes."""
    return Workload(**{"model": "Alder", "profile": LoadProfile.from_demand(profile, percentile), **given})


CHANGING = log(
    minute(0, 10, uncached=20_000, cached=5_000, output=1_000),  # 20,000 + 3 x 1,000 = 23,000
    minute(2, 2, uncached=1_000, output=13_000),  # 1,000 + 3 x 13,000 = 40,000
    minute(3, 8, uncached=2_000, cached=30_000),  # 2,000; minute 1 is idle
)
"""Four minutes of 20 calls: 65,000 weighted tokens, 3,250 a call; 23,000 uncached, 35,000 cached, 14,000 output."""


def blocks_text(blocks):
    return " ".join(map(str, blocks))


# Sizes


@pytest.mark.parametrize(
    ("percentile", "weighted", "ptu"),
    [
        ("max", 40_000, 40),
        ("p75", 23_000, 25),  # rank 3 of 0, 2,000, 23,000, 40,000
        ("p75.1", 40_000, 40),  # rank 4
        ("p50", 2_000, 10),  # rank 2; the minimum
    ],
)
def test_the_percentile_of_the_weighted_minutes_is_sized_idle_ones_included(percentile, weighted, ptu):
    result = sized(measured(CHANGING, percentile))
    assert result.deployments[0].weighted_tpm == weighted
    assert result.workloads[0].weighted_tpm == weighted
    assert bought(result)["global"] == result.sizes["global"].ptu == ptu


def test_the_percentile_is_of_the_total_not_of_each_class():
    # each minute is 10,000: one of input, the other of output; the classes' own maxima would add up to 20,000
    profile = log(minute(0, 1, uncached=10_000), minute(1, 1, output=3_333, uncached=1))
    assert sized(measured(profile)).deployments[0].weighted_tpm == 10_000


def test_the_mean_call_and_as_many_of_it_as_weigh_the_percentile_are_shown():
    (workload,) = sized(measured(CHANGING, "p75")).workloads
    w = workload.workload
    assert (w.input_tokens, w.output_tokens, w.cache_ratio, w.cache_write_ratio) == (2900, 700, F(35, 58), 0)
    assert w.requests_per_minute == F(23_000, 3_250)
    assert [(t.token_class.value, t.weighted_tpm) for t in workload.terms] == [
        ("input", F(23_000, 3_250) * 1150),
        ("cached_input", 0),
        ("output", F(23_000, 3_250) * 2100),
    ]
    assert sum(term.weighted_tpm for term in workload.terms) == 23_000


def test_a_mean_call_may_have_a_fraction_of_a_token_everywhere():
    profile = log(minute(0, 3, uncached=1000, cached=1000, written=500, output=100))
    result = compared(measured(profile, name="third"))
    entry = sized(measured(profile)).to_dict()["workloads"][0]
    assert (entry["input_tokens"], entry["output_tokens"]) == (pytest.approx(2500 / 3), pytest.approx(100 / 3))
    assert entry["cache_ratio"] == 0.4 and entry["cache_write_ratio"] == 0.2
    assert entry["measured"] == {
        "percentile": "max",
        "start": None,
        "minutes": 1,
        "requests": 3,
        "throttled_requests": 0,
        "refused_requests": 0,
    }
    rows = sized(measured(profile)).rows()
    assert dict(zip(ROW_COLUMNS, rows[0].values(), strict=True))["input_tokens"] == pytest.approx(2500 / 3)
    text = blocks_text(size_blocks(sized(measured(profile)), verbose=True))
    assert "at the busiest of 1 minutes 3 requests/min of the mean call · 833.3 tokens in" in text
    assert "33.3 out" in text
    assert "833.3" in blocks_text(size_blocks(sized([measured(profile), calls(deployment="other")])))
    assert blocks_text(cost_blocks(result, verbose=True))


def test_the_day_and_minute_of_a_log_are_shown():
    # 28,336,717 minutes after 1970 is 2023-11-17 00:37 UTC (19,678 days and 397 minutes)
    profile = log(minute(0, 1, uncached=1000), start=19_678 * 1440 + 37)
    assert sized(measured(profile)).to_dict()["workloads"][0]["measured"]["start"] == "2023-11-17T00:37Z"


def test_counts_in_parts_are_whole_again():
    # 30 calls of 1,000 tokens spread over two minutes, in parts of 1/2
    profile = log(minute(0, 30, uncached=30_000), minute(1, 30, uncached=30_000), scale=2)
    (workload,) = sized(measured(profile)).workloads
    assert (workload.weighted_tpm, workload.workload.requests_per_minute) == (15_000, 15)
    assert workload.workload.input_tokens == 1000


def test_throttled_calls_of_unknown_size_count_as_the_mean_call():
    # known: 4 calls, 6,000 + 3 x 2,000 = 12,000, 3,000 each; 5 unknown ones in minute 1 are 15,000
    profile = log(minute(0, 4, uncached=6_000, output=2_000), minute(1, unsized=5))
    result = sized(measured(profile, name="chat"))
    assert result.deployments[0].weighted_tpm == 15_000
    assert result.workloads[0].workload.requests_per_minute == 5
    assert note_messages(result, "throttled_counted") == [
        "chat: 5 throttled calls (429) of unknown size are in the demand, each as the mean call."
    ]
    # 9 calls in 2 minutes: 1,500 uncached at $10 and 500 output at $40 are $0.035 each
    assert costed(measured(profile)).payg_monthly_usd == 9 * MINUTES // 2 * F("0.035")


def test_a_percentile_without_calls_is_refused_not_sized_as_nothing():
    profile = log(minute(9, 1, uncached=1000))  # one minute of ten
    with pytest.raises(BadInput) as caught:
        sized(measured(profile, "p90"))
    (problem,) = caught.value.problems
    assert (problem.field, problem.found) == ("profile.percentile", "p90")
    assert problem.expected == "a percentile with calls: 1 of the 10 minutes (10.00%) have some; max has"
    assert bought(sized(measured(profile, "p90.1")))["global"] == 10


def test_calls_that_weigh_nothing_need_the_minimum():
    profile = log(minute(0, 3, cached=900), minute(1, 1, cached=100))
    result = sized(measured(profile))
    assert (bought(result)["global"], result.workloads[0].weighted_tpm) == (10, 0)
    assert result.sizes["global"].max_requests_per_minute is None
    assert result.workloads[0].workload.requests_per_minute == 3
    assert sized(measured(profile, "p50")).workloads[0].workload.requests_per_minute == 1
    assert costed(measured(profile)).peak_ptu == 10


def test_only_calls_of_unknown_size_are_no_demand_that_can_be_weighed():
    with pytest.raises(BadInput, match="minutes with calls whose tokens are known, got no call of known size"):
        LoadProfile.from_demand(log(minute(0, unsized=5)))


def test_a_percentile_that_is_none_is_refused():
    with pytest.raises(BadInput, match=r"a percentile of 1 to 100, such as p99 or p99\.9, or max, got often"):
        LoadProfile.from_demand(CHANGING, "often")
    assert LoadProfile.from_demand(CHANGING).percentile.name == "p99"


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("requests_per_minute", 5),
        ("input_tokens", 1000),
        ("output_tokens", "0.5"),
        ("cache_ratio", "40%"),
        ("cached_input_tokens", 10),
        ("cache_write_ratio", "10%"),
        ("image_input_tokens", 3),
    ],
)
def test_what_follows_from_the_minutes_is_not_given_beside_them(field, value):
    with pytest.raises(BadInput) as caught:
        measured(CHANGING, **{field: value})
    (problem,) = caught.value.problems
    assert problem.field == field and "follows from the minutes of the log" in problem.expected


def test_an_average_is_not_given_beside_minutes():
    with pytest.raises(BadInput, match="either an average or a profile"):
        measured(CHANGING, average_requests_per_minute=1)


def test_a_measured_workload_can_be_replaced_like_any_other():
    workload = replace(measured(CHANGING), name="chat")
    assert (workload.name, workload.input_tokens, workload.profile.demand) == ("chat", 2900, CHANGING)
    result = sized(workload)
    assert sized(replace(workload, max_tokens=5)).deployments == result.deployments


def test_a_profile_is_of_one_kind():
    with pytest.raises(ValueError, match="either levels, hourly, minutes or demand"):
        LoadProfile(minutes=(F(1),), demand=CHANGING, percentile=LoadProfile.from_demand(CHANGING).percentile)
    with pytest.raises(ValueError, match="demand has a percentile"):
        LoadProfile(demand=CHANGING)
    with pytest.raises(ValueError, match="demand has a percentile"):
        LoadProfile(minutes=(F(1),), percentile=LoadProfile.from_demand(CHANGING).percentile)


def test_headroom_is_added_to_the_percentile():
    result = sized(measured(CHANGING, "p75"), headroom="20%")  # 23 x 1.2 = 27.6
    assert bought(result)["global"] == 30


def test_an_earlier_rate_has_percentiles_of_its_own():
    from ptucalc.catalog import EarlierRate

    # then output weighed 0: minutes of 20,000, 0, 1,000 and 2,000, at 500 a PTU: 40 PTU then as now
    then = EarlierRate("2029", 500, weights(output=0), {}, None, "table")
    result = sized(measured(CHANGING), a_catalog(a_model(earlier=(then,))))
    (message,) = note_messages(result, "rate_changed")
    assert "Global 40 PTU today, 40 then" in message
    # at p75 23 PTU today, then the third of 0, 1,000, 2,000 and 20,000: 4 PTU, the minimum is 10
    result = sized(measured(CHANGING, "p75"), a_catalog(a_model(earlier=(then,))))
    assert "Global 25 PTU today, 10 then" in note_messages(result, "rate_changed")[0]


# Bands: prompts that PTU refuse, and long context

LIMITED = log(
    minute(0, 10, uncached=10_000),
    minute(1, 1, uncached=6_000, output=100, band=1),
    thresholds=(5_000,),
)
SHORT = a_catalog(a_model(prompt_limit_tokens=5_000))


def test_prompts_over_the_limit_are_in_no_size_and_are_counted():
    result = sized(measured(LIMITED, name="chat"), SHORT)
    (workload,) = result.workloads
    assert (workload.weighted_tpm, workload.workload.input_tokens) == (10_000, 1000)
    assert workload.to_dict()["measured"]["refused_requests"] == 1
    assert note_messages(result, "over_prompt_limit") == [
        "chat: 1 calls (9.1%) have prompts over the 5,000 tokens that Alder takes on PTU (HTTP 400, or they spill "
        "over): they are not in these sizes."
    ]
    assert note_messages(result, "prompt_limit") == []


def test_prompts_over_the_limit_are_billed_per_token_in_every_way_to_buy():
    # a month: 10,000 tokens at $10 / 2 minutes = $2,190 of what PTU serve; (6,000 x 10 + 100 x 40) / 2 = $1,401.60 beside
    cost = costed(measured(LIMITED), catalog=SHORT)
    assert cost.payg_monthly_usd == F("3591.60")
    year = cost.option(YEAR)
    assert (year.ptu, year.fixed_monthly_usd, year.spillover_monthly_usd) == (10, 2000, F("1401.60"))
    mix = cost.hybrid[YEAR]
    assert (mix.ptu, mix.monthly_usd, mix.curve[-1][1]) == (10, F("3401.60"), F("3401.60"))
    assert mix.curve[0] == (0, F("3591.60"))
    assert mix.spilled_tokens_per_month[TokenClass.INPUT] == 6_000 * MINUTES / 2
    assert cost.tokens_per_month[TokenClass.INPUT] == 16_000 * MINUTES / 2
    assert cost.requests_per_month == 11 * MINUTES / 2
    assert cost.ptu_month_worth_usd == 438  # of what PTU can serve: 1,000 x 43,800 x $10 / 1M
    assert sum(term.monthly_usd for term in cost.payg_terms) == F("3591.60")
    assert cost.break_even[-1].utilization == F(200, 438)
    notes = messages(compared(measured(LIMITED, name="chat"), catalog=SHORT), "refused_are_billed")
    assert notes == [
        "chat: calls with prompts that PTU refuse are billed pay-as-you-go in every way to buy, as spillover."
    ]


def test_more_calls_are_more_refused_ones_too():
    cost = costed(measured(LIMITED), catalog=SHORT)
    more = next(each for each in cost.sensitivity if each.change == "requests +20%")
    assert more.payg_monthly_usd == F("3591.60") * F(6, 5)
    # 12 PTU are 15: $3,000 and 1.2 x $1,401.60 beside is more than 10 PTU with what spills:
    # minute 0 has 12,000 over 10,000: a sixth of $2,628 is $438
    assert more.cheapest[YEAR] == (10, F("2000") + 438 + F("1401.60") * F(6, 5))


def test_a_price_that_is_not_known_for_refused_calls_leaves_full_ptu_unknown():
    book = a_book(models={"alder": {GLOBAL: scope([row(input=10)])}})  # no price for output
    cost = costed(measured(LIMITED), catalog=SHORT, book=book)
    assert (cost.payg_monthly_usd, cost.option(YEAR).monthly_usd) == (None, None)
    assert "output" in cost.option(YEAR).reason
    only = costed(measured(log(minute(0, 10, uncached=10_000), thresholds=(5_000,))), catalog=SHORT, book=book)
    assert only.option(YEAR).monthly_usd == 2000


def test_all_prompts_over_the_limit_are_nothing_to_size():
    profile = log(minute(0, 2, uncached=20_000, band=1), thresholds=(5_000,))
    with pytest.raises(
        BadInput, match="calls of known size that Alder serves on PTU, got 2 calls: all prompts are over"
    ):
        sized(measured(profile), SHORT)


@pytest.mark.parametrize("thresholds", [(), (4_000,), (6_000,), (4_000, 6_000)])
def test_minutes_that_do_not_know_the_models_limit_are_refused(thresholds):
    band = sum(each < 5_000 for each in thresholds)
    profile = log(minute(0, 1, uncached=4_500, band=band), thresholds=thresholds)
    with pytest.raises(BadInput, match="prompts over 5,000 tokens apart, for Alder: run ptucalc logs again"):
        sized(measured(profile), SHORT)


def test_a_limit_that_no_prompt_is_near_need_not_be_known():
    profile = log(minute(0, 10, uncached=10_000), thresholds=(4_000,))  # none over 4,000
    assert bought(sized(measured(profile), SHORT))["global"] == 10


LONG = a_catalog(a_model(long_context=LongContext(5_000, "a shop", weights(input=2, output=6))))
MIXED_LENGTHS = log(
    minute(0, 4, uncached=4_000, output=1_000),  # 4,000 + 3,000 = 7,000
    minute(1, 1, uncached=6_000, output=500, band=1),  # 12,000 + 3,000 = 15,000
    thresholds=(5_000,),
)


def test_long_calls_weigh_at_the_long_set():
    result = sized(measured(MIXED_LENGTHS, name="chat"), LONG)
    (workload,) = result.workloads
    assert workload.weighted_tpm == 15_000
    # on average (4,000 + 12,000) / 10,000 per input token and (3,000 + 3,000) / 1,500 per output token
    assert (workload.weights.input, workload.weights.output) == (F(16, 10), 4)
    assert sum(term.weighted_tpm for term in workload.terms) == 15_000
    assert len(note_messages(result, "long_context")) == 1
    assert note_messages(result, "over_prompt_limit") == []


def test_a_log_without_long_calls_has_no_note_of_them():
    profile = log(minute(0, 4, uncached=4_000), thresholds=(5_000,))
    assert note_messages(sized(measured(profile), LONG), "long_context") == []


def test_long_calls_are_billed_at_long_prices():
    book = a_book(models={"alder": {GLOBAL: scope([row(input=10, output=40), row(long=True, input=20, output=60)])}})
    cost = costed(measured(MIXED_LENGTHS), catalog=LONG, book=book)
    # (4,000 x 10 + 1,000 x 40 + 6,000 x 20 + 500 x 60) / 1M = $0.23 in 2 minutes
    assert cost.payg_monthly_usd == F("0.23") * MINUTES / 2
    # at 10 PTU a third of minute 1 spills: (6,000 x 20 + 500 x 60) / 1M / 3 = $0.05 in 2 minutes
    assert dict(cost.hybrid[YEAR].curve)[10] == 2000 + F("0.05") * MINUTES / 2


def test_thresholds_of_other_models_change_nothing():
    apart = log(
        minute(0, 4, uncached=4_000, output=1_000),
        minute(1, 1, uncached=6_000, output=500, band=1),
        thresholds=(5_500,),
    )
    together = log(minute(0, 4, uncached=4_000, output=1_000), minute(1, 1, uncached=6_000, output=500))
    assert sized(measured(apart)).deployments == sized(measured(together)).deployments
    assert compared(measured(apart)).deployments == compared(measured(together)).deployments


def test_tokens_of_a_class_without_a_weight_are_refused():
    images = a_catalog(a_model(weights=weights(output=None, image_output=3)))
    with pytest.raises(BadInput, match="the output of this model is images"):
        sized(measured(CHANGING), images)


# Costs by hand


def test_costs_follow_every_minutes_own_mix():
    cost = costed(measured(CHANGING))
    # a month is 10,950 times the four minutes: uncached $2,518.50, cached $766.50, output $6,132
    assert cost.payg_monthly_usd == 9417
    assert [(t.token_class.value, t.monthly_usd) for t in cost.payg_terms] == [
        ("input", F("2518.50")),
        ("cached_input", F("766.50")),
        ("output", 6132),
    ]
    assert (cost.requests_per_month, cost.mean_weighted_tpm) == (20 * 10_950, 65_000 / 4)
    assert (cost.peak_ptu, cost.option(YEAR).monthly_usd) == (40, 8000)
    # 10,000 served of 23,000 and of 40,000: 13/23 of $0.25 and 3/4 of $0.53 spill, x 10,950 = $5,899.91; 10 PTU $2,000
    curve = dict(cost.hybrid[YEAR].curve)
    assert (curve[0], curve[10]) == (9417, F("7899.91"))
    assert (curve[15], curve[20], curve[25], curve[30]) == (F("7579.36"), F("7258.82"), F("7176.31"), F("7450.88"))
    mix = cost.hybrid[YEAR]
    assert (mix.ptu, mix.monthly_usd) == (25, F("7176.31"))
    # at 25 PTU 15/40 of minute 2 spill, nothing cached: 375 uncached, 4,875 output
    assert mix.spilled_tokens_per_month == {
        TokenClass.INPUT: 375 * 10_950,
        TokenClass.CACHED_INPUT: 0,
        TokenClass.OUTPUT: 4_875 * 10_950,
    }
    assert mix.utilization == F(23_000 + 25_000 + 2_000, 4 * 25_000)


def test_more_cached_tokens_are_taken_minute_by_minute_from_what_there_is():
    cost = costed(measured(CHANGING))
    found = {each.change: each for each in cost.sensitivity}
    # +20%: 1,000 more of minute 0, but in minute 3 only 2,000 uncached are left, not 6,000: 3,000 x $8 less
    assert found["cached +20%"].payg_monthly_usd == 9417 - F(3_000 * 8, 10**6) * 10_950
    # then the minutes weigh 22,000, 40,000 and 0
    assert found["cached +20%"].peak_ptu == 40
    # -20%: 1,000 and 6,000 more uncached: $8 more for each of 7,000
    assert found["cached -20%"].payg_monthly_usd == 9417 + F(7_000 * 8, 10**6) * 10_950
    assert found["output +20%"].payg_monthly_usd == 9417 + F("1226.40")
    assert found["output +20%"].peak_ptu == 50  # 1,000 + 3 x 15,600 = 47,800


def test_full_ptu_cover_the_busiest_minute_though_sizes_are_at_a_percentile():
    result = compared(measured(CHANGING, "p75"), deployment_types=(GLOBAL,))
    (cost,) = result.deployments
    (at_max,) = compared(measured(CHANGING, "max"), deployment_types=(GLOBAL,)).deployments
    assert cost == at_max
    assert cost.peak_ptu == 40
    assert messages(result, "full_ptu_is_maximum") == [
        "Alder: full PTU here cover the busiest minute of the log (40 PTU Global rather than 25 at the percentile); what "
        "smaller sizes cost with their spillover is on the curve of the mix."
    ]
    assert messages(compared(measured(CHANGING)), "full_ptu_is_maximum") == []


def test_how_long_the_log_is_that_stands_for_a_month_is_said():
    week = log(minute(0, 1, uncached=1000), length=7 * 1440)
    (said,) = messages(compared(measured(week, name="chat")), "log_stands_for_month")
    assert said == "chat: the minutes of the log (7 days) stand for a month of 730 hours."
    (said,) = messages(compared(measured(CHANGING, name="chat")), "log_stands_for_month")
    assert said.startswith("chat: the minutes of the log (4 minutes) stand for a month of 730 hours; under a week")
    assert messages(compared(calls(5)), "log_stands_for_month") == []


@pytest.mark.parametrize(
    ("percentile", "said"),
    [
        ("max", "chat: sized for the busiest of 4 minutes of a log."),
        ("p99", "that is the busiest minute, as of so few minutes it must be."),
        ("p75", "1 minute (25.0%) have more tokens, the busiest 1.74 times as much"),
    ],
)
def test_what_the_percentile_leaves_out_is_said(percentile, said):
    (message,) = note_messages(sized(measured(CHANGING, percentile, name="chat")), "measured")
    assert said in message


def test_a_percentile_that_others_reach_too_is_not_blamed_on_few_minutes():
    profile = log(*(minute(at, 1, uncached=1000) for at in range(4)))
    (message,) = note_messages(sized(measured(profile, "p50")), "measured")
    assert "that is the busiest minute, which others reach too" in message


# Several workloads


def one_each(*weighted, start=None):
    """A log of so many weighted tokens a minute, one call each; no call where there are none."""
    rows = [minute(at, 1, uncached=tokens) for at, tokens in enumerate(weighted) if tokens]
    return log(*rows, length=len(weighted), start=start)


def test_logs_of_the_same_time_are_added_minute_by_minute():
    day = [measured(one_each(30_000, 10_000, 5_000), name="a"), measured(one_each(2_000, 20_000, 5_000), name="b")]
    result = sized(day)
    assert result.deployments[0].weighted_tpm == 32_000  # 32,000, 30,000, 10,000; the peaks add up to 50,000
    assert bought(result)["global"] == 35
    assert "added minute by minute they need 36.0% fewer" in note_messages(result, "peaks_do_not_coincide")[0]
    # 6 calls of 72,000 weighted tokens: 12,000 each
    assert result.deployments[0].requests_per_minute == F(32_000, 12_000)
    (cost,) = compared(day, deployment_types=(GLOBAL,)).deployments
    assert (cost.peak_weighted_tpm, cost.mean_weighted_tpm, cost.requests_per_month) == (
        32_000,
        24_000,
        6 * MINUTES / 3,
    )
    # a capacity of 31,000 sheds 1/32 of the first minute's 32,000 tokens: 1,000 x $10 / 1M / 3 minutes
    load = DeploymentLoad([Stream.of(each) for each in sized(day).workloads])
    assert load.spilled_weighted.over(31_000) == F(1_000, 3)


def test_the_percentile_is_taken_of_the_sum():
    # p50 of each is 10,000 (rank 2 of 0, 10,000, 20,000, 20,000); of the sum 20,000 (30,000, 30,000, 20,000, 20,000)
    a, b = one_each(0, 10_000, 20_000, 20_000), one_each(30_000, 20_000, 0, 0)
    result = sized([measured(a, "p50", name="a"), measured(b, "p75", name="b")])
    # the highest of both percentiles counts: rank 3 of 20,000, 20,000, 30,000, 30,000
    assert result.deployments[0].weighted_tpm == 30_000
    assert note_messages(result, "percentiles_differ") == [
        "a, b: they ask for p50 and p75 of their minutes; added up, the highest counts."
    ]
    same = sized([measured(a, "p75", name="a"), measured(b, "p75", name="b")])
    assert same.deployments[0].weighted_tpm == 30_000 and note_messages(same, "percentiles_differ") == []


def test_percentiles_of_several_can_add_up_to_less_than_the_percentile_of_the_sum():
    # p75 of each is 10,000; of the sum (60,000, 60,000, 20,000, 20,000) it is 60,000
    a, b = one_each(50_000, 10_000, 10_000, 10_000), one_each(10_000, 50_000, 10_000, 10_000)
    result = sized([measured(a, "p75"), measured(b, "p75")])
    assert result.deployments[0].weighted_tpm == 60_000
    assert (
        "200.0% more weighted tokens per minute than their percentiles"
        in (note_messages(result, "percentiles_do_not_add")[0])
    )
    assert note_messages(result, "peaks_do_not_coincide") == []


def test_logs_are_laid_side_by_side_by_the_calendar():
    # b begins one minute after a and ends with it: minutes 0..19 and 1..19
    a = one_each(*([1_000] * 18), 30_000, 40_000, start=100)
    b = one_each(*([1_000] * 18), 20_000, start=101)  # its last is minute 119, as a's
    result = sized([measured(a, name="a"), measured(b, name="b")])
    assert result.deployments[0].weighted_tpm == 60_000
    assert note_messages(result, "windows_differ") == [
        "a, b: their logs do not begin and end together; where one has no minute it is taken to be idle."
    ]
    cost = compared([measured(a), measured(b)], deployment_types=(GLOBAL,)).deployments[0]
    assert cost.peak_weighted_tpm == 60_000
    assert cost.mean_weighted_tpm == F(18_000 + 70_000 + 18_000 + 20_000, 20)


def test_the_first_log_may_begin_later():
    a = one_each(*([1_000] * 18), 20_000, start=101)
    b = one_each(*([1_000] * 18), 30_000, 40_000, start=100)
    assert sized([measured(a), measured(b)]).deployments[0].weighted_tpm == 60_000


@pytest.mark.parametrize(
    ("start", "length", "together"),
    [
        (100, 20, True),
        (102, 18, True),
        (103, 17, False),
        (102, 20, False),
        (120, 20, False),
        (101, 19, True),
        (None, 20, False),
    ],
)
def test_logs_of_other_times_are_not_laid_side_by_side(start, length, together):
    # 9 of 10 minutes of the whole must be common: 18 of 20 are enough, 17 of 20 and 18 of 22 are not
    a = one_each(10_000, *([1_000] * 19), start=100)
    b = one_each(*([1_000] * (length - 1)), 10_000, start=start)
    result = sized([measured(a, name="a"), measured(b, name="b")])
    assert result.deployments[0].weighted_tpm == (11_000 if together else 20_000)
    assert bool(note_messages(result, "logs_apart")) is not together
    cost = compared([measured(a), measured(b)], deployment_types=(GLOBAL,)).deployments[0]
    assert cost.peak_weighted_tpm == result.deployments[0].weighted_tpm


def test_relative_clocks_are_laid_side_by_side_where_they_are_equally_long():
    a, b = one_each(10_000, 1_000), one_each(1_000, 10_000)
    assert sized([measured(a), measured(b)]).deployments[0].weighted_tpm == 11_000
    longer = one_each(1_000, 10_000, 1_000)
    assert sized([measured(a), measured(longer)]).deployments[0].weighted_tpm == 20_000


def test_a_steady_workload_runs_beside_every_minute():
    both = [measured(one_each(30_000, 10_000), name="a"), calls(5, name="b")]
    result = sized(both)
    assert result.deployments[0].weighted_tpm == 35_000
    assert result.deployments[0].requests_per_minute == F(30_000, 20_000) + 5
    assert note_messages(result, "peaks_added")[0].endswith("Logs of the same time would show whether they do.")
    (cost,) = compared(both, deployment_types=(GLOBAL,)).deployments
    assert (cost.peak_weighted_tpm, cost.mean_weighted_tpm) == (35_000, 25_000)
    assert cost.requests_per_month == (1 + 5) * MINUTES
    # over 20 PTU: 15/35 of minute 0 spill, of 35,000 tokens at $10
    assert dict(cost.hybrid[YEAR].curve)[20] == 4000 + F(15_000 * 10, 10**6) * MINUTES / 2


def test_an_hourly_workload_is_busiest_when_the_log_is():
    hourly = calls(None, profile=LoadProfile.from_hourly([20] * 6 + [2] * 18), name="b")  # a quarter of the time 20
    both = [measured(one_each(30_000, 10_000), name="a"), hourly]
    assert sized(both).deployments[0].weighted_tpm == 50_000
    load = DeploymentLoad([Stream.of(each) for each in sized(both).workloads])
    # a quarter at 30 + 20, a quarter at 30 + 2, a half at 10 + 2
    assert load.spilled_weighted.over(40_000) == F(10_000, 4)
    assert load.spilled_weighted.over(11_000) == F(39_000, 4) + F(21_000, 4) + F(1_000, 2)
    assert note_messages(sized(both), "logs_apart")


def test_average_only_beside_a_log_shows_no_mix():
    both = [measured(one_each(30_000, 10_000)), calls(5, average_requests_per_minute=1)]
    (cost,) = compared(both, deployment_types=(GLOBAL,)).deployments
    assert cost.hybrid[YEAR] is None
    assert (cost.peak_weighted_tpm, cost.mean_weighted_tpm) == (35_000, 21_000)


def test_the_same_log_twice_is_twice_the_demand():
    one = measured(CHANGING, name="a")
    result = sized([one, replace(one, name="b")])
    assert result.deployments[0].weighted_tpm == 80_000
    (cost,) = compared([one, replace(one, name="b")], deployment_types=(GLOBAL,)).deployments
    assert cost.payg_monthly_usd == 2 * 9417


# Against the same load given otherwise


@st.composite
def like_calls(draw):
    """The calls of each minute, all alike, and that call: input, cached, written, output tokens."""
    counts = draw(st.lists(st.integers(0, 40), min_size=1, max_size=12).filter(any))
    plain, cached, written = draw(st.integers(0, 900)), draw(st.integers(0, 900)), draw(st.integers(0, 300))
    output = draw(st.integers(0, 300))
    assume(plain + cached + written)
    return counts, (plain, cached, written, output)


BOOK = a_book()
CACHING = a_catalog(a_model(weights=weights(cached_input="1/10", cache_write="5/4", output=5)))


@few
@given(like_calls(), st.sampled_from(["0", "15%"]))
def test_like_calls_come_to_what_a_plain_workload_with_their_rates_comes_to(alike, headroom):
    counts, (plain, cached, written, output) = alike
    whole = plain + cached + written
    rows = [minute(at, n, n * plain, n * cached, n * written, n * output) for at, n in enumerate(counts) if n]
    one = measured(log(*rows, length=len(counts)))
    other = Workload(
        model="Alder",
        input_tokens=whole,
        output_tokens=output,
        cache_ratio=F(cached, whole),
        cache_write_ratio=F(written, whole),
        profile=LoadProfile.from_minutes(counts),
    )
    first, second = sized(one, CACHING, headroom=headroom), sized(other, CACHING, headroom=headroom)
    entry = first.workloads[0].to_dict()
    assert entry.pop("measured")
    assert entry == second.workloads[0].to_dict()
    assert first.workloads[0].weighted == second.workloads[0].weighted
    assert [each._replace(busiest=None) for each in first.deployments] == list(second.deployments)
    costs, others = (compared(each, catalog=CACHING, headroom=headroom) for each in (one, other))
    assert costs.deployments == others.deployments
    assert costs.reservations == others.reservations


@st.composite
def logs(draw, *, start=None, length=None):
    """Minutes of any mix, some of them idle, with throttled and long calls; thresholds at 5,000."""
    length = length or draw(st.integers(1, 8))
    rows = []
    for at in range(length):
        for band in (0, 1):
            if draw(st.booleans()):
                n = draw(st.integers(1, 20))
                tokens = draw(st.tuples(*(st.integers(0, 1600 * n) for _ in range(4))))
                tokens = (tokens[0] + band * n * 5_001, *tokens[1:])  # a prompt is in its band
                unsized = draw(st.integers(0, 3)) if band == 0 else 0
                rows.append(MinuteSums(at, band, n, unsized, *tokens))
    assume(any(row.uncached or row.output for row in rows if row.band == 0))
    scale = draw(st.sampled_from([1, 5]))
    return DemandProfile(start, length, (5_000,), tuple(rows), scale)


REFUSING = a_catalog(
    a_model(weights=weights(cached_input="1/10"), prompt_limit_tokens=5_000, tpm_per_ptu=500),
)
LENGTHY = a_catalog(
    a_model(
        weights=weights(cached_input="1/10"),
        long_context=LongContext(5_000, "a shop", weights(input=2, cached_input="1/5", output=6)),
        tpm_per_ptu=500,
    ),
)


def amounts_of(profile, catalog):
    """Naively: for each minute weighted tokens, tokens by class that PTU serve; and those by class that they refuse."""
    model = catalog.models[0]
    refuses = model.prompt_limit_tokens is not None
    served = [row for row in profile.rows if not (refuses and row.band)]
    known = sum(row.requests for row in served)
    found = [[F(0)] * 5 for _ in range(profile.length)]
    mean = [F(0)] * 5
    for r in served:
        used = model.long_context.weights if r.band and model.long_context else model.weights
        tokens = [F(count, profile.scale) for count in r.tokens]
        each = [used.of(token_class) for token_class in CLASSES[:4]]
        values = [sum(map(F.__mul__, tokens, each)), *tokens]
        found[r.minute] = [a + b for a, b in zip(found[r.minute], values, strict=True)]
        mean = [a + b * profile.scale / known for a, b in zip(mean, values, strict=True)]
    for r in served:
        share = F(r.unsized, profile.scale)
        found[r.minute] = [a + share * b for a, b in zip(found[r.minute], mean, strict=True)]
    refused = [sum((F(r.tokens[c], profile.scale) for r in profile.rows if refuses and r.band), F(0)) for c in range(4)]
    return found, refused


@few
@given(logs(), st.sampled_from([REFUSING, LENGTHY]), st.integers(0, 60))
def test_what_is_served_and_what_spills_are_the_demand_class_by_class(profile, catalog, ptu):
    minutes, refused = amounts_of(profile, catalog)
    assume(max(each[0] for each in minutes))
    result = sized(measured(profile), catalog)
    load = DeploymentLoad([Stream.of(each) for each in result.workloads])
    capacity, n = ptu * 500, profile.length
    assert load.mean_weighted == sum(each[0] for each in minutes) / n
    for index, token_class in enumerate(CLASSES[:4], start=1):
        whole = sum(each[index] for each in minutes) + refused[index - 1]
        spilled = refused[index - 1] + sum(
            (each[index] * (1 - F(capacity) / each[0]) for each in minutes if each[0] > capacity), F(0)
        )
        if not capacity:
            spilled = whole
        found = load.spilled_tokens[token_class].over(capacity) if token_class in load.spilled_tokens else 0
        assert found * n == spilled
        assert load.tokens_per_month.get(token_class, 0) * n == whole * MINUTES


@few
@given(logs(), st.sampled_from([REFUSING, LENGTHY]), st.sampled_from(["p50", "p90", "max"]))
def test_sizes_are_the_nearest_rank_of_the_minutes(profile, catalog, percentile):
    minutes, _ = amounts_of(profile, catalog)
    ranked = sorted(each[0] for each in minutes)
    share = {"p50": F(1, 2), "p90": F(9, 10), "max": F(1)}[percentile]
    rank = next(k for k in range(1, len(ranked) + 1) if F(k, len(ranked)) >= share)
    expected = ranked[rank - 1]
    assume(expected)
    result = sized(measured(profile, percentile), catalog)
    assert result.deployments[0].weighted_tpm == result.workloads[0].weighted_tpm == expected
    terms = result.workloads[0].terms
    assert sum(term.weighted_tpm for term in terms) == expected
    assert result.deployments[0].at_maximum.weighted_tpm == ranked[-1]


@few
@given(logs(), st.sampled_from([REFUSING, LENGTHY]))
def test_a_mix_is_never_dearer_than_either_end(profile, catalog):
    minutes, _ = amounts_of(profile, catalog)
    assume(max(each[0] for each in minutes))
    book = a_book(
        models={
            "alder": {
                GLOBAL: scope(
                    [
                        row(input=10, cached_input=2, cache_write=12, output=40),
                        row(long=True, input=20, cached_input=4, cache_write=24, output=60),
                    ]
                )
            }
        }
    )
    cost = costed(measured(profile), catalog=catalog, book=book)
    for term in PtuTerm:
        mix, full = cost.hybrid[term], cost.option(term)
        assert mix.monthly_usd <= cost.payg_monthly_usd and mix.monthly_usd <= full.monthly_usd
        assert mix.curve[0][1] == cost.payg_monthly_usd
        assert mix.curve[-1][0] == cost.peak_ptu and mix.curve[-1][1] == full.monthly_usd
        steps = [one - other for (_, one), (_, other) in pairwise(mix.curve[1:])]
        assert all(float(one) >= float(other) - 0.05 for one, other in pairwise(steps))  # convex, but for cents


SEVERAL = st.lists(
    st.one_of(
        logs(length=4).map(measured),
        logs(length=4, start=1000).map(measured),
        logs(length=4, start=2000).map(measured),
        st.integers(1, 9).map(calls),
        st.integers(1, 9).map(lambda peak: calls(peak, average_requests_per_minute=1)),
        st.lists(st.integers(0, 9), min_size=24, max_size=24)
        .filter(any)
        .map(lambda rates: calls(None, profile=LoadProfile.from_hourly(rates))),
        st.integers(1, 9).map(lambda n: calls(None, profile=LoadProfile.from_levels([("1/3", n), ("2/3", 1)]))),
    ),
    min_size=1,
    max_size=4,
)


@few
@given(SEVERAL)
def test_the_busiest_minute_over_the_time_is_the_one_that_full_ptu_are_for(listed):
    result = sized(listed, LENGTHY)
    load = DeploymentLoad([Stream.of(each) for each in result.workloads])
    assert load.peak_timeline.peak(load.weights) == result.deployments[0].at_maximum.weighted_tpm
    alone = [DeploymentLoad([Stream.of(each)]) for each in result.workloads]
    assert load.mean_weighted == sum(each.mean_weighted for each in alone)
    assert load.requests_per_month == sum(each.requests_per_month for each in alone)


# Corners


def test_throttled_calls_alone_in_a_band_need_no_limit_told_apart():
    profile = log(minute(0, unsized=1), minute(1, 1, uncached=7_000, band=1), thresholds=(6_000,))
    # the long call is 14,000; so is the throttled one
    result = sized(measured(profile), LONG)
    assert result.deployments[0].weighted_tpm == 14_000
    assert costed(measured(log(minute(0, 4, uncached=400), minute(1, unsized=5)))).requests_per_month == 9 * MINUTES / 2


def test_refused_calls_are_in_what_ifs_without_a_mix_too():
    both = [measured(LIMITED), calls(5, average_requests_per_minute=5)]
    (cost,) = compared(both, catalog=SHORT, deployment_types=(GLOBAL,)).deployments
    # 15 PTU of $200 and $1,401.60 beside; pay-as-you-go $3,591.60 and 5 x $438
    more = next(each for each in cost.sensitivity if each.change == "PTU prices -20%")
    assert cost.hybrid[YEAR] is None and cost.payg_monthly_usd == F("5781.60")
    assert more.cheapest[YEAR] == (15, F("2400") + F("1401.60"))


@pytest.mark.parametrize("percentile", ["p50", "p75"])
def test_sized_for_the_busiest_minute_a_deployment_is_the_one_of_the_maximum(percentile):
    (deployment,) = sized(measured(CHANGING, percentile)).deployments
    (maximum,) = sized(measured(CHANGING, "max")).deployments
    assert deployment.at_maximum.sizes == maximum.sizes
    assert sized(calls(5)).deployments[0].at_maximum.busiest is None


def test_long_calls_that_ptu_refuse_are_no_long_context_of_theirs():
    both = a_catalog(
        a_model(prompt_limit_tokens=5_000, long_context=LongContext(5_000, "a shop", weights(input=2, output=6)))
    )
    result = sized(measured(LIMITED), both)
    assert note_messages(result, "long_context") == [] and note_messages(result, "over_prompt_limit")
