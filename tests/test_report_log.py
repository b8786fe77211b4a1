"""How the demand of a log is shown. The results are made by hand: 1 PTU of an invented model serves 1,000 weighted TPM.

Alder's calls are 1,000 tokens in (a quarter cached, which weighs 0) and 100 out (weight 3): 750 + 300 = 1,050 weighted
tokens. Its p99 minute of 412.5 calls weighs 433,125: 433.125 PTU, so 435 (Global and Data zone go by 5) or 440 (Regional
by 40).
"""

from __future__ import annotations

import io
from dataclasses import replace
from datetime import date
from fractions import Fraction

import pytest

from ptucalc.catalog import DeploymentType, Unknown
from ptucalc.demand_profile import DemandProfile, MeanCall, MinuteSums
from ptucalc.log_minutes import MAXIMUM, PERCENTILES, BusiestDay
from ptucalc.log_result import (
    LogDemand,
    LogEntry,
    MinutesOver,
    ModelSharing,
    PerMinute,
    QuotaSharing,
    SharedSize,
    Sharing,
    WeighedCalls,
    WeightedTpm,
)
from ptucalc.report.blocks import Headline, HeatMap, Remark, Strip, Table
from ptucalc.report.console import show
from ptucalc.report.log_blocks import log_blocks
from ptucalc.report.markdown import markdown
from ptucalc.request_log import LogSource, Stream, WindowMaxima
from ptucalc.results import Note, Size

from .invented import DATA_ZONE, GLOBAL, REGIONAL, a_model, weights

F = Fraction
NAMES = ("p50", "p90", "p95", "p99", "p99.9", "max")
P99 = PERCENTILES[3]
DAY_US = 86_400 * 1_000_000
HOUR_US = 3_600 * 1_000_000
MONDAY = (date(2026, 11, 9) - date(1970, 1, 1)).days * DAY_US
"""Monday 9 November 2026 00:00 UTC, in microseconds."""

ALDER = a_model()
CALLS = (F(120), F(300), F(360), F(825, 2), F(500), F(610))
"""Calls in the median minute, the p90 minute ... the busiest."""

OVER = {130: 3600, 315: 1000, 320: 960, 380: 500, 400: 300, 435: 90, 440: 72, 525: 10, 560: 4, 645: 0, 680: 0}
"""How many of the 10,080 minutes exceed each size that is asked for."""


def at(*values: Fraction | int) -> dict[str, Fraction]:
    return dict(zip(NAMES, map(F, values), strict=True))


def a_size(kind: DeploymentType, ptu: int | None, tpm: Fraction, *, headroom: str = "0", **given) -> Size:
    offer = next(offer for offer in ALDER.offers if offer.deployment_type is kind)
    plain = {"available": True, "reason": "", "latency_target_tps": 20, "rate": (1, 1)}
    top = F(headroom).as_integer_ratio()
    return Size(
        **{"offer": offer, "tpm_per_ptu": 1000, "ptu": ptu, "weighted": tpm.as_integer_ratio(), "headroom": top}
        | plain
        | given
    )


def hours_of_week() -> tuple[Fraction | None, ...]:
    """Working days rise to 640.5 at noon on Tuesday; Sunday is idle; Monday starts at 03:00."""
    week = []
    for day in range(7):
        for hour in range(24):
            busy = 0 if day == 6 else 100 + 40 * max(0, 12 - abs(hour - 12)) - (200 if day == 5 else 0)
            week.append(F(max(0, busy)))
    week[0:3] = [None, None, None]
    week[24 + 12] = F(1281, 2)
    return tuple(week)


def busiest() -> BusiestDay:
    """A quarter-hour rises by 10 PTU until 640 at 12:00, then falls to 10."""
    quarters = [F(160 + 10 * q if q <= 48 else 640 - 13 * (q - 48)) for q in range(96)]
    quarters[0:4] = [None] * 4
    quarters[4:8] = [F(0)] * 4
    quarters[48] = F(1281, 2)
    return BusiestDay("2026-11-10", date(2026, 11, 10), F(1281, 2), tuple(quarters))


def a_profile(**given) -> DemandProfile:
    return DemandProfile(**{"start": MONDAY // 60_000_000, "length": 10_080, "thresholds": (), "rows": (), **given})


def an_entry(name: str = "chat-prod", **given) -> LogEntry:
    tpm = {name: calls * 1050 for name, calls in zip(NAMES, CALLS, strict=True)}
    ptu = {
        GLOBAL: (130, 315, 380, 435, 525, 645),
        DATA_ZONE: (130, 315, 380, 435, 525, 645),
        REGIONAL: (160, 320, 400, 440, 560, 680),
    }
    sizes_at = {
        each: {kind.value: a_size(kind, ptu[kind][index], tpm[each]) for kind in ptu}
        for index, each in enumerate(NAMES)
    }
    minutes_over = {
        kind.value: tuple(
            MinutesOver(p, OVER.get(p, 3000), F(OVER.get(p, 3000), 10_080)) for p in sorted(set(ptu[kind]))
        )
        for kind in ptu
    }
    profile = a_profile()
    plain = {
        "name": name,
        "deployments": (name,),
        "model": ALDER,
        "model_name": "alder",
        "model_version": "2030-01-01",
        "region": None,
        "reason": None,
        "near": (),
        "requests": F(3_224_108),
        "throttled_requests": F(0),
        "unservable_requests": F(0),
        "unservable_input_tokens": F(0),
        "unservable_output_tokens": F(0),
        "minutes": 10_080,
        "mean_rpm": F(3_224_108, 10_080),
        "peak_rpm": F(610),
        "mean_call": MeanCall(F(750), F(250), F(0), F(100)),
        "weight_per_call": F(1050),
        "weighted_tpm": WeightedTpm(F(335_844), tpm, WindowMaxima(F(660_000), F(910_000), F(1_500_000))),
        "percentile": P99,
        "sizes_at": sizes_at,
        "minutes_over": minutes_over,
        "hour_of_week_ptu": hours_of_week(),
        "busiest_day": busiest(),
        "per_minute": (
            PerMinute("requests", at(*CALLS)),
            PerMinute("uncached_input_tokens", at(*(c * 750 for c in CALLS))),
            PerMinute("output_tokens", at(*(c * 100 for c in CALLS))),
            PerMinute("raw_ptu", at(*(c * F(105, 100) for c in CALLS))),
        ),
        "notes": (),
        "parts": (WeighedCalls(name, (Stream(name, "alder"),), profile, {0: weights()}),),
    }
    return LogEntry(**{**plain, **given})


def unknown(name: str = "old-bot", **given) -> LogEntry:
    """A deployment whose model the catalog does not have."""
    reason = "got elm, expected a known model: Alder?"
    return an_entry(
        name,
        **{
            "model": None,
            "model_name": "elm",
            "model_version": None,
            "reason": Unknown(reason),
            "requests": F(1200),
            "weighted_tpm": None,
            "weight_per_call": None,
            "sizes_at": {},
            "minutes_over": {},
            "hour_of_week_ptu": Unknown(reason),
            "busiest_day": None,
            "per_minute": an_entry().per_minute[:3],
            "parts": (),
            **given,
        },
    )


def a_source(**given) -> LogSource:
    plain = {
        "formats": ("OpenAI usage",),
        "files": ("week46.jsonl",),
        "rows": 3_224_122,
        "rows_used": 3_224_108,
        "skipped": {"no token counts": 10, "repeats an id": 4},
        "columns": {
            "time": "created",
            "input_tokens": "usage.prompt_tokens",
            "output_tokens": "usage.completion_tokens",
        },
        "grain": "request",
        "bucket_seconds": None,
        "first": MONDAY + 3 * HOUR_US,
        "last": MONDAY + 7 * DAY_US - 1,
        "relative_clock": False,
        "time_zone": "UTC",
        "cached_known": True,
        "step_us": 1,
        "ids": "no two rows have the same id",
    }
    return LogSource(**{**plain, **given})


def a_result(*entries: LogEntry, **given) -> LogDemand:
    plain = {
        "version": "0",
        "catalog_as_of": date(2030, 3, 1),
        "catalog_editions": ("invented-1",),
        "oldest_check": date(2030, 2, 1),
        "source": a_source(),
        "by": "deployment",
        "percentile": P99,
        "headroom": F(0),
        "entries": entries or (an_entry(),),
        "sharing": Sharing(),
        "notes": (Note("cached_unknown", "a remark on the log."),),
        "problems": (),
    }
    return LogDemand(**{**plain, **given})


MANY = (an_entry("chat-prod"), unknown(), an_entry("search", requests=F(5)), an_entry("batch", requests=F(3_300_000)))
SHARED = Sharing(
    (
        ModelSharing(
            "Alder",
            ("chat-prod", "search", "batch"),
            F(1_299_375),
            F(1_100_000),
            (SharedSize(GLOBAL, 1305, 1100), SharedSize(DATA_ZONE, 1305, 1305), SharedSize(REGIONAL, 1320, 1360)),
        ),
    ),
    QuotaSharing(("chat-prod", "search", "batch"), F(3843, 2), F(1500)),
)
RELATIVE = a_source(first=0, last=2 * DAY_US + 5 * HOUR_US, relative_clock=True, time_zone="")


def relative() -> LogDemand:
    why = Unknown("times count from the start of the log")
    day = BusiestDay("day 3", None, F(640), busiest().quarter_hours)
    return a_result(an_entry(hour_of_week_ptu=why, busiest_day=day), source=RELATIVE)


def blocks(result: LogDemand, kind: type, **view) -> list:
    return [block for block in log_blocks(result, **view) if isinstance(block, kind)]


def shown(result: LogDemand, *, width: int | None = None, **view) -> str:
    stream = io.StringIO()
    show(log_blocks(result, **view), stream, width=width)
    return stream.getvalue()


def grid(result: LogDemand, first: str, **view) -> list[list[str]]:
    """The texts of the only table whose first column has this title; the titles first."""
    (table,) = [t for t in blocks(result, Table, **view) if t.columns[0].title == first]
    return [[column.title for column in table.columns], *([cell.text for cell in row] for row in table.rows)]


def remarks(result: LogDemand, label: str, **view) -> list[str]:
    return [block.text for block in blocks(result, Remark, **view) if block.label == label]


def headlines(result: LogDemand, **view) -> list[str]:
    return [f"{what} | {more}" for what, more in blocks(result, Headline, **view)]


GOLDEN = {
    "logs-one": lambda: a_result(),
    "logs-many": lambda: a_result(*MANY, sharing=SHARED),
    "logs-unknown": lambda: a_result(unknown()),
    "logs-relative": relative,
}


@pytest.mark.parametrize("name", GOLDEN)
def test_the_report_in_a_pipe(golden, name):
    golden(f"{name}.txt", shown(GOLDEN[name]()))


@pytest.mark.parametrize("name", ["logs-one", "logs-many"])
def test_the_report_in_markdown(golden, name):
    golden(f"{name}.md", markdown(log_blocks(GOLDEN[name]())))


# The headline


@pytest.mark.parametrize(
    ("first", "last", "words"),
    [
        (MONDAY, MONDAY + 7 * DAY_US - 1, "9–15 November 2026 UTC"),
        (MONDAY + 9 * HOUR_US, MONDAY + 10 * HOUR_US + 61_000_000, "9 November 2026, 09:00–10:01 UTC"),
        (MONDAY + 9 * HOUR_US, MONDAY + 9 * HOUR_US + 59_999_999, "9 November 2026, 09:00 UTC"),
        (MONDAY - 12 * DAY_US, MONDAY, "28 October – 9 November 2026 UTC"),
        (MONDAY, MONDAY + 53 * DAY_US, "9 November 2026 – 1 January 2027 UTC"),
        (MONDAY, MONDAY + 365 * DAY_US, "9 November 2026 – 9 November 2027 UTC"),
        (-1, 0, "31 December 1969 – 1 January 1970 UTC"),
    ],
)
def test_the_window_is_said_in_as_few_words_as_it_needs(first, last, words):
    result = a_result(source=a_source(first=first, last=last, skipped={}))
    assert headlines(result)[0] == f"3,224,108 requests | {words}"


@pytest.mark.parametrize(
    ("length", "words"),
    [
        (0, "0 s"),
        (59_999_999, "59 s"),
        (60_000_000, "1 min"),
        (HOUR_US + 5_000_000, "1 h"),
        (HOUR_US + 65_000_000, "1 h 1 min"),
        (DAY_US + HOUR_US, "1 day 1 h"),
        (1001 * DAY_US, "1,001 days"),
    ],
)
def test_a_relative_clock_says_how_long_and_not_when(length, words):
    result = a_result(source=replace(RELATIVE, first=7, last=7 + length, skipped={"not read": 1}))
    assert headlines(result)[0] == f"3,224,108 requests | {words} on a relative clock · 1 row skipped"


def test_a_log_without_call_counts_does_not_say_0_requests():
    entry = an_entry(requests=F(0), mean_rpm=F(0), mean_call=None)
    result = a_result(entry, entry)
    assert headlines(result)[0].startswith("3,224,108 rows | ")
    assert grid(result, "Deployment")[1][2] == "—"
    assert remarks(result, "Mean")[0] == "335,844 weighted tokens a minute, idle minutes included."
    assert headlines(result)[1] == "chat-prod: Alder 2030-01-01 | "


def test_one_request_is_no_plural():
    assert headlines(a_result(an_entry(requests=F(1))))[0].startswith("1 request | ")
    assert remarks(a_result(an_entry(mean_rpm=F(1))), "Mean")[0].startswith("1 request and ")


# How the log was understood


def test_buckets_relative_times_and_unknown_cached_tokens_are_said():
    source = replace(RELATIVE, grain="bucket", bucket_seconds=60, cached_known=False, skipped={}, ids="", rows=1)
    (text,) = remarks(a_result(source=source), "Read")
    assert text == (
        "OpenAI usage (week46.jsonl): 1 row, 3,224,108 used; none dropped; a row is a bucket of 60 s; columns time = "
        "created, input_tokens = usage.prompt_tokens, output_tokens = usage.completion_tokens; from 0 s to 2 days 5 h; "
        "times count from the start; cached tokens not known: all input counts as uncached."
    )


def test_of_many_files_six_are_named():
    (text,) = remarks(a_result(source=a_source(files=tuple(f"{n}.csv" for n in range(1008)))), "Read")
    assert "(0.csv, 1.csv, 2.csv, 3.csv, 4.csv, 5.csv and 1,002 more)" in text


# One deployment


def test_the_ptu_row_stands_out_and_follows_weighted_tpm():
    (table, *_) = blocks(a_result(), Table)
    assert [row[0].text for row in table.rows][-2:] == ["weighted TPM", "PTU needed"]
    assert {cell.style for cell in table.rows[-1]} == {"bold"}


def test_with_headroom_the_row_says_that_it_is_without():
    sizes = {GLOBAL.value: a_size(GLOBAL, 545, F(433_125), headroom="0.25")}
    result = a_result(an_entry(sizes_at={"p99": sizes}), headroom=F(1, 4))
    assert grid(result, "per minute")[-1][0] == "PTU, no headroom"
    assert remarks(result, "How") == [
        "weighted tokens = uncached in + 3 × out; the p99 of 10,080 minutes, 433,125 ÷ 1,000 per PTU = 433.1; "
        "× 1.25 headroom = 541.4 PTU."
    ]
    assert grid(result, "Sized at p99")[1] == ["Global", "541.4", "545 PTU", "10, then by 5", "—"]


def test_input_is_not_called_uncached_where_the_log_does_not_say():
    assert grid(a_result(source=a_source(cached_known=False)), "per minute")[2][0] == "tokens in"
    assert grid(a_result(), "per minute")[2][0] == "tokens in, uncached"


@pytest.mark.parametrize(
    ("largest", "texts"),
    [
        (99_999, ["0", "1.5", "99,999"]),
        (100_000, ["0", "0.002 k", "100 k"]),
        (99_999_999, ["0", "0.002 k", "100,000 k"]),
        (100_000_000, ["0", "0.000002 M", "100 M"]),
    ],
)
def test_a_row_of_many_tokens_is_in_thousands_or_millions(largest, texts):
    line = PerMinute("output_tokens", {"p50": F(0), "p99": F(3, 2), "max": F(largest)})
    entry = an_entry(per_minute=(line,), weighted_tpm=None, reason=Unknown("no weight"))
    assert grid(a_result(entry), "per minute")[1] == ["tokens out", *texts]


def test_a_size_that_is_not_sold_or_not_sure_says_why():
    p99 = an_entry().weighted_tpm.at["p99"]
    sizes = {
        "global": a_size(GLOBAL, None, p99, available=False, reason="not offered anywhere"),
        "data-zone": a_size(DATA_ZONE, 435, p99, available=None, reason="not in the tables read"),
    }
    result = a_result(an_entry(sizes_at={"p99": sizes}))
    assert [row[:3] for row in grid(result, "Sized at p99")[1:]] == [
        ["Global", "433.1", "—"],
        ["Data zone ?", "433.1", "435 PTU"],
    ]
    assert grid(result, "Sized at p99")[1][4] == "—"
    assert [row[1] for row in grid(result, "PTU to buy for")[1:]] == ["—", "—", "435 ?", "0.9%"]
    assert remarks(result, "Not sold") == ["Global: not offered anywhere."]
    assert remarks(result, "Unsure") == ["Data zone: not in the tables read."]
    (strip,) = blocks(result, Strip)
    assert (strip.threshold, strip.over) == (435, "over 435 PTU")


def test_without_a_size_the_strip_has_no_threshold():
    sizes = {"global": a_size(GLOBAL, None, F(1), available=False, reason="not offered")}
    (strip,) = blocks(a_result(an_entry(sizes_at={"p99": sizes})), Strip)
    assert (strip.threshold, strip.over) == (None, "")


def test_the_percentile_asked_for_is_the_bold_one_and_never_left_out():
    result = a_result(an_entry(percentile=PERCENTILES[1]), percentile=PERCENTILES[1])
    (table,) = [t for t in blocks(result, Table) if t.columns[0].title == "PTU to buy for"]
    assert [(c.title, c.optional) for c in table.columns[1:]] == [
        ("median", False),
        ("p90", False),
        ("p95", True),
        ("p99", True),
        ("p99.9", True),
        ("max", False),
    ]
    assert [cell.style for cell in table.rows[0]] == ["", "", "bold", "", "", "", ""]
    assert grid(result, "Sized at p90")[1][2] == "315 PTU"


def test_the_median_and_the_maximum_are_called_so():
    half = a_result(an_entry(percentile=PERCENTILES[0]), percentile=PERCENTILES[0])
    most = a_result(an_entry(percentile=MAXIMUM), percentile=MAXIMUM)
    assert grid(half, "Sized at median")[1][2] == "130 PTU"
    assert grid(most, "Sized at max")[1][2:] == ["645 PTU", "10, then by 5", "none"]
    assert "the highest of 10,080 minutes, 640,500 ÷" in remarks(most, "How")[0]


def test_bursts_that_a_log_cannot_show_say_why():
    def bursts(*windows: Fraction | None) -> list[str]:
        tpm = an_entry().weighted_tpm._replace(windows=WindowMaxima(*windows, "rows are minutes"))
        return remarks(a_result(an_entry(weighted_tpm=tpm)), "Bursts")

    assert bursts(None, None, None) == ["Not known: rows are minutes."]
    assert bursts(F(10), F(20), None) == [
        "busiest 60 s: 10 · 10 s: 20 weighted tokens, scaled to a minute. Not known for 1 s: rows are minutes."
    ]


def test_weights_of_long_prompts_are_told_apart_where_they_differ():
    profile = a_profile(thresholds=(500, 2000), rows=(MinuteSums(0, 0, 1, 0, 1, 0, 0, 0),))
    bands = {0: weights(), 1: weights(), 2: weights(input=2, cached_input="0.5", output=F(15, 2))}
    part = WeighedCalls("chat-prod", (Stream("chat-prod", "alder"),), profile, bands)
    (text,) = remarks(a_result(an_entry(parts=(part,))), "How")
    assert text.startswith(
        "weighted tokens = uncached in + 3 × out, with over 2,000 tokens in 2 × uncached in + 0.5 × cached in + 7.5 × out; "
    )


def test_parts_that_are_weighed_differently_show_no_formula():
    parts = tuple(WeighedCalls(n, (), a_profile(), {0: weights(output=o)}) for n, o in (("a", 3), ("b", 4)))
    (text,) = remarks(a_result(an_entry(parts=parts)), "How")
    assert text.startswith("the p99 of 10,080 minutes, 433,125")


def test_a_heat_map_starts_on_monday_and_its_highest_day_stands_out():
    (heat,) = blocks(a_result(), HeatMap)
    assert [(row.label, row.remark, row.strong) for row in heat.rows] == [
        ("Mon", "580 at 12:00", False),
        ("Tue", "641 at 12:00", True),
        ("Wed", "580 at 12:00", False),
        ("Thu", "580 at 12:00", False),
        ("Fri", "580 at 12:00", False),
        ("Sat", "380 at 12:00", False),
        ("Sun", "idle", False),
    ]
    assert list(heat.rows[0].values[:4]) == [None, None, None, F(220)]


def test_of_equal_days_the_first_stands_out_and_a_day_without_data_is_left_out():
    hours = (F(5),) * 48 + (None,) * 120
    (heat,) = blocks(a_result(an_entry(hour_of_week_ptu=hours)), HeatMap)
    assert [(row.label, row.remark, row.strong) for row in heat.rows] == [
        ("Mon", "5 at 00:00", True),
        ("Tue", "5 at 00:00", False),
    ]


def test_a_single_day_has_a_strip_and_no_heat_map():
    result = a_result(an_entry(hour_of_week_ptu=(F(5),) * 24 + (None,) * 144))
    assert not blocks(result, HeatMap)
    assert len(blocks(result, Strip)) == 1


@pytest.mark.parametrize(
    ("length", "caption"), [(7 * DAY_US, "busiest day"), (7 * DAY_US + 1, "busiest day, 10 November")]
)
def test_the_date_of_the_busiest_day_is_said_where_its_weekday_comes_twice(length, caption):
    (strip,) = blocks(a_result(source=a_source(last=a_source().first + length)), Strip)
    assert (strip.label, strip.caption) == ("Tue", caption)


def test_a_relative_clock_has_no_word_of_a_calendar():
    text = shown(relative())
    for word in ("Mon", "Tue", "November", "UTC", "00:00"):
        assert word not in text
    assert remarks(relative(), "Hours") == ["no hours of the week: times count from the start of the log."]
    (strip,) = blocks(relative(), Strip)
    assert (strip.label, strip.first, strip.last) == ("day 3", "0 h", "24 h")


def test_what_has_no_minutes_to_show_has_no_table():
    result = a_result(unknown(per_minute=()))
    assert blocks(result, Table) == []
    assert len(remarks(result, "Not sized")) == 1


# Several


def test_up_to_three_are_all_in_full_of_four_the_one_that_needs_most():
    small = an_entry("small", requests=F(10**9), sizes_at={"p99": {"global": a_size(GLOBAL, 10, F(1000))}})
    three = a_result(small, an_entry("big"), unknown())
    assert [line.split(" | ")[0] for line in headlines(three)[1:]] == [
        "small: Alder 2030-01-01",
        "big: Alder 2030-01-01",
        "old-bot: elm",
    ]
    four = a_result(small, an_entry("big"), unknown(), small)
    assert [line.split(" | ")[0] for line in headlines(four)[1:]] == ["big: Alder 2030-01-01"]
    assert remarks(four, "More") == ["big is the biggest of 4; -v shows all of them in full."]
    assert len(headlines(four, verbose=True)) == 5
    assert remarks(four, "More", verbose=True) == remarks(three, "More") == []


def test_of_deployments_without_a_size_the_one_with_most_requests_is_in_full():
    result = a_result(*(unknown(name, requests=F(count)) for name, count in (("a", 1), ("b", 9), ("c", 9), ("d", 2))))
    assert headlines(result)[1].startswith("b: elm | ")


def test_by_model_the_summary_has_no_second_column_of_models():
    result = a_result(an_entry("Alder"), an_entry("Birch"), by="model")
    assert grid(result, "Model")[0][:3] == ["Model", "Requests", "TPM mean"]
    assert headlines(a_result(an_entry("alder", model_version=None), by="model"))[1].startswith("Alder | ")


def test_at_the_maximum_the_summary_shows_it_once():
    entries = [an_entry(name, percentile=MAXIMUM) for name in "ab"]
    titles = grid(a_result(*entries, percentile=MAXIMUM), "Deployment")[0]
    assert titles[3:] == ["TPM mean", "TPM max", "Global", "Data zone", "Regional"]


def test_of_many_that_are_not_sized_six_are_named():
    result = a_result(*(unknown(f"bot-{n}", requests=F(10)) for n in range(9)))
    assert len(remarks(result, "Not sized")) == 6
    assert remarks(result, "") == ["and 3 more with 30 requests (-v names them)."]
    assert len(remarks(result, "Not sized", verbose=True)) == 9


def test_what_is_not_sized_says_what_to_do():
    assert remarks(a_result(unknown(requests=F(1))), "Not sized") == [
        "old-bot, 1 request: got elm, expected a known model: Alder?"
    ]
    ways = "-m MODEL sizes all calls as that model, --map-model DEPLOYMENT=MODEL those of one deployment."
    assert remarks(a_result(unknown()), "To do") == [ways]
    assert remarks(a_result(unknown("all calls", deployments=("",))), "To do") == [
        "-m MODEL sizes all calls as that model."
    ]
    assert remarks(a_result(unknown(model=ALDER)), "To do") == []


def test_what_is_said_elsewhere_is_no_note_as_well():
    notes = tuple(Note(code, code) for code in ("not_sized", "skipped_rows", "gaps"))
    assert remarks(a_result(notes=notes), "Note") == ["gaps"]


def test_what_is_not_sized_is_said_even_where_it_is_quiet():
    quiet = list(log_blocks(a_result(*MANY, sharing=SHARED), quiet=True))
    assert {block.label for block in quiet if isinstance(block, Remark)} == {"Not sized", "To do"}
    assert not [block for block in quiet if isinstance(block, HeatMap | Strip)]


def test_sharing_says_what_is_saved_or_lost():
    result = a_result(*MANY, sharing=SHARED)
    assert remarks(result, "Pool") == [
        "chat-prod, search, batch on one Alder deployment at p99: Global 1,100 instead of 1,305 PTU (saves 205); "
        "Data zone 1,305 instead of 1,305 PTU (saves nothing); Regional 1,360 instead of 1,320 PTU (40 more)."
    ]
    assert remarks(result, "Quota") == [
        "the peaks of chat-prod, search, batch add up to 1,921.5 PTU, but at no minute are more than 1,500 needed (before "
        "headroom and rounding): one quota for all saves 421.5."
    ]


def test_peaks_that_coincide_and_sizes_that_are_not_known_save_nothing():
    unknown_size = ModelSharing("Alder", ("a", "b"), F(2), F(2), (SharedSize(GLOBAL, None, 10),))
    result = a_result(sharing=Sharing((unknown_size,), QuotaSharing(("a", "b"), F(7), F(7))))
    assert remarks(result, "Pool") == ["a, b on one Alder deployment at p99: no size known."]
    assert remarks(result, "Quota") == [
        "the peaks of a, b add up to 7 PTU, all in one minute: one quota for all saves nothing."
    ]


def test_notes_about_what_is_not_in_full_are_counted():
    notes = (
        Note("gaps", "about the log."),
        Note("throttled_imputed", "about batch.", "batch"),
        *(Note("throttled_imputed", f"about {name}.", name) for name in ("search", "chat-prod")),
        Note("few_minutes", "about search.", "search"),
    )
    big = an_entry("batch", sizes_at={"p99": {"global": a_size(GLOBAL, 500, F(500_000))}})
    result = a_result(*MANY[:3], big, notes=notes)
    assert remarks(result, "Note") == [
        "about the log.",
        "about batch.",
        "3 more notes on the other deployments: -v.",
    ]
    assert len(remarks(result, "Note", verbose=True)) == 5


# Names and texts from the log


EVIL = "a|b\n\x1b[31m\u202e`*_<b>" + "x" * 500


def evil() -> LogDemand:
    entry = replace(an_entry(EVIL), model=None, model_name=EVIL, reason=Unknown(EVIL), weighted_tpm=None, sizes_at={})
    windows = WindowMaxima(None, None, None, EVIL)
    other = an_entry(
        EVIL + "2", hour_of_week_ptu=Unknown(EVIL), weighted_tpm=an_entry().weighted_tpm._replace(windows=windows)
    )
    pool = ModelSharing("Alder", (EVIL, EVIL), F(2), F(2), ())
    columns = {"time": EVIL, "input_tokens": EVIL}
    source = a_source(formats=(EVIL,), files=(EVIL,), skipped={EVIL: 3}, columns=columns, time_zone=EVIL, ids=EVIL)
    quota = QuotaSharing((EVIL, EVIL), F(2), F(1))
    return a_result(entry, other, source=source, sharing=Sharing((pool,), quota), notes=(Note("x", EVIL),))


def test_nothing_from_a_log_steers_a_terminal_or_breaks_a_line():
    for text in (shown(evil(), verbose=True), shown(evil(), width=80, verbose=True)):
        assert not [c for c in text if c != "\n" and not c.isprintable()]
    for block in log_blocks(evil(), verbose=True):
        cells = [cell.text for row in block.rows for cell in row] if isinstance(block, Table) else []
        assert not [text for text in cells if "\n" in text]


def test_names_do_not_break_a_markdown_table_or_start_markup():
    text = markdown(log_blocks(evil(), verbose=True))
    assert "<b>" not in text.replace("\\<b\\>", "")
    rows = [line for line in text.splitlines() if line.startswith("| a\\|b")]
    assert rows
    assert all(len([1 for i, c in enumerate(row) if c == "|" and row[i - 1] != "\\"]) == 10 for row in rows)


def test_a_very_long_name_is_shortened_a_long_one_is_not():
    long = "d" * 120
    assert f"{long}: Alder" in shown(a_result(an_entry(long)))
    assert f"{'d' * 117}...: Alder" in shown(a_result(an_entry(long + "d")))


# Terminals


@pytest.mark.parametrize("width", [200, 100, 80, 72, 60])
@pytest.mark.parametrize("name", GOLDEN)
def test_no_line_is_longer_than_the_terminal(name, width):
    lines = shown(GOLDEN[name](), width=width).splitlines()
    assert max(map(len, lines)) <= width


@pytest.mark.parametrize("width", [80, 60])
def test_sizes_are_never_left_out_on_a_narrow_terminal(width):
    text = shown(a_result(*MANY), width=width)
    for number in ("435 PTU", "440 PTU", "433.1", "90 of 10,080 (0.9%)", "640.5"):
        assert number in text
    row = next(line for line in text.splitlines() if line.strip().startswith("search"))
    assert row.split()[-3:] == ["435", "435", "440"]


def test_in_a_pipe_the_report_of_one_deployment_is_80_columns_wide_but_for_prose():
    for block in log_blocks(a_result()):
        if not isinstance(block, Remark):
            stream = io.StringIO()
            show([block], stream)
            assert max(map(len, stream.getvalue().splitlines())) <= 80
