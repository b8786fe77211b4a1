"""What a report needs beside sizes and costs: the working, the rate sheet, hours of the week, minutes of a simulation."""

from __future__ import annotations

from fractions import Fraction

from ptucalc.bucket_engine import PlainEngine
from ptucalc.call_groups import CallGroup
from ptucalc.call_trace import Call, CallTrace
from ptucalc.catalog import LongContext, Unknown
from ptucalc.rate_sheet import MOST_REGIONS, rate_sheet, sources_used
from ptucalc.report_times import MOST_TIMELINES, MOST_VALUES, hours_of_profiles, minute_timelines
from ptucalc.simulation_analysis import Asked, Facts, analyse_calls
from ptucalc.sizing_working import pooled_data, working_data
from ptucalc.spill_mix import Clock, Money
from ptucalc.workload import LoadProfile

from .invented import DATA_ZONE, GLOBAL, REGIONAL, TODAY, a_catalog, a_model, calls, only, sized, weights
from .priced import HERE, HOURLY, THERE, YEAR, a_book
from .test_standard_spill import TIERS

F = Fraction
SECOND, MINUTE = 1_000_000, 60_000_000


# The working


def test_the_working_is_the_sum_a_reader_would_do():
    plan = sized(calls(rate=F(1, 3), input_tokens=1000, output_tokens=100, cache_ratio="40%"), headroom="10%")
    (found,) = working_data(plan)
    assert [
        (t["token_class"], t["tokens"], t["tokens_exact"], t["weight_exact"]) for t in found["tokens_per_call"]
    ] == [
        ("input", 600, "600", "1"),
        ("cached_input", 400, "400", "0"),
        ("output", 100, "100", "3"),
    ]
    # 600 + 0 + 300 = 900; a third of it a minute is 300; of 1,000 per PTU 0.3; with headroom 0.33
    assert (found["weight_per_call"], found["weighted_tpm_exact"], found["tpm_per_ptu"]) == (900, "300", 1000)
    assert (found["requests_per_minute_exact"], found["headroom_exact"]) == ("1/3", "1/10")
    assert found["average_requests_per_minute_exact"] == "1/3"
    assert found["sizes"][0] == {
        "deployment_type": "global",
        "raw_ptu_exact": "3/10",
        "need_ptu_exact": "33/100",
        "minimum": 10,
        "increment": 5,
        "ptu": 10,
    }
    assert not found["measured"] and not found["long_context"]


def test_the_working_says_which_weights_a_long_call_has():
    long = a_model(long_context=LongContext(5000, "table", weights(input=2, output=6)))
    catalog = a_catalog(long)
    listed = [calls(input_tokens=5000, name="short"), calls(input_tokens=5001, name="long", output_tokens=1)]
    short, other = working_data(sized(listed, catalog))
    assert (short["long_context"], short["tokens_per_call"][0]["weight"]) == (False, 1)
    assert (other["long_context"], [t["weight"] for t in other["tokens_per_call"]]) == (True, [2, 6])


def test_an_average_is_over_the_whole_month():
    (found,) = working_data(sized(calls(rate=60, average_requests_per_minute=30, hours_per_month=73)))
    assert found["average_requests_per_minute"] == 3


def test_pooled_peaks_that_do_not_coincide_are_less_than_their_sum():
    day, night = [10] * 12 + [0] * 12, [0] * 12 + [8] * 12
    listed = [
        calls(rate=None, name="day", profile=LoadProfile.from_hourly(day)),
        calls(rate=None, name="night", profile=LoadProfile.from_hourly(night)),
    ]
    (found,) = pooled_data(sized(listed))
    assert (found["weighted_tpm_exact"], found["added_peaks_weighted_tpm_exact"]) == ("10000", "18000")
    assert found["workloads"] == ["day", "night"] and found["sizes"][0]["need_ptu_exact"] == "10"


# Rates


def test_a_rate_sheet_has_every_model_with_published_numbers_on_every_type():
    alder, birch = a_model(), a_model("Birch", tpm_per_ptu=Unknown("not published"))
    found = list(rate_sheet(a_catalog(only(alder, GLOBAL), birch), a_book(), regions=[HERE]))
    assert [(row["model"], row["deployment_type"], row["offered"]) for row in found] == [
        ("Alder", "global", True),
        ("Alder", "data-zone", False),
        ("Alder", "regional", False),
    ]
    first = found[0]
    assert (first["tpm_per_ptu"], first["minimum"], first["increment"], first["reason"]) == (1000, 10, 5, None)
    assert first["weights"] == {"input": 1, "cached_input": 0, "cache_write": 1, "output": 3}
    assert first["usd_per_1m"] == {"input": 10, "cached_input": 2, "cache_write": 12, "output": 40}
    assert first["usd_per_ptu_month"] == {"hourly": 365, "1-month": 300, "1-year": 200}
    assert first["long_context"] is None and first["prompt_limit_tokens"] is None
    assert "not offered as Data zone" in found[1]["reason"] and found[1]["minimum"] is None


def test_a_rate_or_price_that_is_not_published_is_null():
    vague = a_model(weights=weights(cached_input=Unknown("not published"), cache_write=None))
    kinds = (REGIONAL,)
    (found,) = rate_sheet(a_catalog(vague), a_book(), regions=[THERE], deployment_types=kinds, terms=(HOURLY, YEAR))
    assert found["weights"] == {"input": 1, "cached_input": None, "output": 3}
    assert found["usd_per_1m"] is None and found["usd_per_ptu_month"] == {"hourly": None, "1-year": None}


def test_long_context_has_its_own_weights_and_prices_as_far_as_they_are_known():
    long = a_model(long_context=LongContext(5000, "table", weights(input=2)), prompt_limit_tokens=9000)
    (found,) = rate_sheet(a_catalog(long), a_book(), regions=[HERE], deployment_types=(GLOBAL,))
    assert found["long_context"]["over_input_tokens"] == 5000 and found["prompt_limit_tokens"] == 9000
    assert found["long_context"]["weights"]["input"] == 2 and found["long_context"]["usd_per_1m"] is None


def test_each_region_is_priced_once_and_only_so_many_are():
    def regions(*asked):
        sheet = rate_sheet(a_catalog(), a_book(), regions=asked, deployment_types=(GLOBAL,))
        return [row["price_region"] for row in sheet]

    assert regions(THERE, HERE, THERE) == [THERE, HERE]
    assert len(regions(*(f"land-{n}" for n in range(MOST_REGIONS + 3)))) == MOST_REGIONS
    assert regions() == [HERE]


def test_a_discount_lowers_the_sheets_ptu_prices_only():
    kinds = (GLOBAL,)
    (found,) = rate_sheet(a_catalog(), a_book(), regions=[HERE], deployment_types=kinds, price_factor=F(9, 10))
    assert found["usd_per_ptu_month"]["1-year"] == 180 and found["usd_per_1m"]["input"] == 10


def test_the_sources_are_those_of_the_models_and_of_the_prices():
    catalog, book = a_catalog(), a_book()
    found = list(sources_used([a_model(), a_model("Birch")], catalog, [book.sources["list"]]))
    assert [(each["kind"], each["name"], each["checked"]) for each in found] == [
        ("rates", "table", "2030-02-01"),
        ("prices", "list", "2030-02-03"),
    ]
    assert found[0]["where"] == "a shelf" and found[0]["published"] == "2030"


# Hours


def test_the_hours_of_profiles_add_up_and_a_steady_workload_adds_to_each():
    day = [5] * 8 + [10] * 16
    listed = [calls(rate=None, name="day", profile=LoadProfile.from_hourly(day)), calls(rate=2, name="steady")]
    (found,) = hours_of_profiles(sized(listed))
    assert found["basis"] == "profile" and len(found["ptu"]) == 168
    assert found["ptu"][:9] == [7] * 8 + [12] and found["ptu"][24:32] == [7] * 8


def test_a_week_keeps_its_own_hours():
    week = [1] * 167 + [9]
    (found,) = hours_of_profiles(sized(calls(rate=None, profile=LoadProfile.from_hourly(week))))
    assert found["ptu"] == week


def test_loads_that_do_not_say_when_have_no_hours():
    levels = LoadProfile.from_levels([("1/2", 12), ("1/2", 2)])
    hourly = LoadProfile.from_hourly([3] * 24)
    assert not list(hours_of_profiles(sized(calls(rate=None, profile=levels))))
    assert not list(hours_of_profiles(sized(calls(rate=12))))
    both = [calls(rate=None, name="a", profile=hourly), calls(rate=None, name="b", profile=levels)]
    assert not list(hours_of_profiles(sized(both)))
    average = [calls(rate=None, name="a", profile=hourly), calls(rate=12, name="b", average_requests_per_minute=2)]
    assert not list(hours_of_profiles(sized(average)))


# Minutes


def simulated(trace: CallTrace, *ptu: int, name: str = "chat"):
    facts = Facts(
        catalog=a_catalog(),
        money=Money(a_book(), F(0), (HOURLY,)),
        limits=TIERS,
        engine_for=lambda *_: PlainEngine(),
        version="0",
        today=TODAY,
    )
    model = a_model()
    group = CallGroup(name, (name,), model, model.name, None, None, DATA_ZONE, trace)
    clock = Clock(trace.first_minute, trace.minutes, trace.minutes * MINUTE)
    asked = Asked(ptu=ptu, advise=False)
    return analyse_calls([group], asked, facts, source=None, synthetic=None, by="deployment", clock=clock).deployments


def test_a_timeline_has_a_value_for_each_minute_and_marks_the_429s():
    # 10 PTU drain 10,000 a minute and hold as much: 10 calls of 2,000 at once fill it after 5 (each is admitted below full)
    trace = CallTrace.of([Call(0, uncached=2000, output=0)] * 10 + [Call(2 * MINUTE, uncached=100, output=0)])
    (found,) = minute_timelines(simulated(trace, 10))
    assert {
        key: found[key] for key in ("deployment", "deployment_type", "ptu", "chosen", "minutes", "step_minutes")
    } == {
        "deployment": "chat",
        "deployment_type": "data-zone",
        "ptu": 10,
        "chosen": True,
        "minutes": 3,
        "step_minutes": 1,
    }
    assert found["responses_429"] == [5, 0, 0]
    # the level falls from 10,000 to 0 within the first minute: half full on average; 100 in the third: 0.1 x 0.6 s / 60 s / 2
    assert found["utilization"] == [0.5, 0, 0]
    assert found["start"] == "1970-01-01T00:00Z"


def test_of_many_minutes_a_value_is_the_highest_and_the_429s_are_added():
    late = MOST_VALUES * MINUTE  # one minute too many: two by two
    trace = CallTrace.of([Call(MINUTE, uncached=2000, output=0)] * 10 + [Call(late, uncached=100, output=0)])
    (found,) = minute_timelines(simulated(trace, 10))
    assert (found["minutes"], found["step_minutes"]) == (MOST_VALUES, 1)
    trace = CallTrace.of([Call(MINUTE, uncached=2000, output=0)] * 10 + [Call(late + MINUTE, uncached=100, output=0)])
    trace = CallTrace.of([Call(0, uncached=10, output=0), *trace_calls(trace)])
    (found,) = minute_timelines(simulated(trace, 10))
    assert (found["minutes"], found["step_minutes"]) == (MOST_VALUES + 2, 2)
    assert len(found["utilization"]) == len(found["responses_429"]) == MOST_VALUES // 2 + 1
    assert found["utilization"][0] == 0.5 and found["responses_429"][:2] == [5, 0]


def trace_calls(trace: CallTrace):
    return [
        Call(int(at), uncached=int(tokens), output=0)
        for at, tokens in zip(trace.arrival_us, trace.uncached, strict=True)
    ]


def test_the_chosen_runs_come_first_and_only_so_many_runs_have_a_timeline():
    trace = CallTrace.of([Call(0, uncached=2000, output=0)] * 3)
    one, other = simulated(trace, 10, 15, 20), simulated(trace, 10, 15, 20, 25, 30, name="other")
    found = list(minute_timelines((*one, *other)))
    assert len(found) == MOST_TIMELINES
    assert [(each["deployment"], each["chosen"]) for each in found[:3]] == [
        ("chat", True),
        ("other", True),
        ("chat", False),
    ]
