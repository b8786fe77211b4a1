"""Synthetic calls: as many as the workload says, when its profile says, the same for the same seed."""

from __future__ import annotations

import time
from fractions import Fraction
from hashlib import shake_128
from itertools import islice, pairwise
from math import exp
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ptucalc.arrivals import (
    ArrivalKind,
    Arrivals,
    _exponential,
    _spread,
    draws,
    parse_duration,
    shortest_duration_us,
    synthetic_trace,
)
from ptucalc.call_trace import CallTrace
from ptucalc.errors import BadInput
from ptucalc.workload import LoadProfile, Workload

from .invented import calls

F = Fraction
SECOND = 1_000_000
MINUTE = 60 * SECOND
HOUR = 60 * MINUTE
UNIFORM, POISSON, BURSTY = ArrivalKind


def trace(*workloads: Workload, duration: int = HOUR, kind: ArrivalKind = UNIFORM, **more: Any) -> CallTrace:
    return synthetic_trace(workloads, duration_us=duration, arrivals=Arrivals(kind=kind, **more))


def seconds(found: CallTrace) -> list[Fraction]:
    return [F(at, SECOND) for at in found.arrival_us]


def per(found: CallTrace, length: int, count: int) -> list[int]:
    """How many calls arrive in each stretch of this length."""
    numbers = [0] * count
    for at in found.arrival_us:
        numbers[at // length] += 1
    return numbers


def hourly(*rates: Any) -> LoadProfile:
    return LoadProfile.from_hourly([*rates] * (24 // len(rates)))


# Evenly spaced calls


def test_uniform_calls_are_evenly_spaced_from_half_a_gap_on() -> None:
    found = trace(calls(20), duration=MINUTE)  # one each 3 s
    assert seconds(found) == [F(3, 2) + 3 * index for index in range(20)]
    assert found.relative_clock


def test_gaps_that_are_no_whole_microseconds_do_not_drift() -> None:
    found = trace(calls(7), duration=24 * HOUR)  # 60 / 7 s
    assert len(found) == 7 * 60 * 24
    assert list(found.arrival_us) == [(2 * index + 1) * MINUTE // 14 for index in range(7 * 60 * 24)]


@pytest.mark.parametrize(
    ("rate", "duration", "count"),
    [
        ("9.6", HOUR, 576),
        ("0.5", MINUTE, 0),
        ("0.5", MINUTE + 1, 1),
        (1, MINUTE, 1),
        ("1.5", MINUTE, 1),
        ("1.6", MINUTE, 2),
    ],
)
def test_uniform_calls_are_the_expected_ones_to_the_nearest(rate: Any, duration: int, count: int) -> None:
    assert len(trace(calls(rate), duration=duration)) == count


def test_several_uniform_workloads_start_apart() -> None:
    one, two = calls(2, input_tokens=1), calls(2, input_tokens=2)
    found = trace(one, two, duration=MINUTE)  # gaps of 30 s: a quarter and three quarters into each
    assert list(zip(seconds(found), found.uncached, strict=True)) == [(7.5, 1), (22.5, 2), (37.5, 1), (52.5, 2)]
    halves = trace(*[calls("0.5")] * 2, duration=MINUTE)
    assert len(halves) == 1  # together one call, not none or two


def test_calls_at_the_same_time_keep_the_order_of_the_workloads() -> None:
    first = calls(input_tokens=1, profile=LoadProfile.from_minutes([2, 0]), rate=None)
    other = calls(input_tokens=2, profile=LoadProfile.from_minutes([2, 0]), rate=None)
    many = trace(first, other, duration=2 * MINUTE, kind=BURSTY, calls_per_burst=3, burst_seconds=F(0))
    groups: dict[int, list[int]] = {}
    for at, tokens in zip(many.arrival_us, many.uncached, strict=True):
        groups.setdefault(at, []).append(tokens)
    assert all(each == sorted(each) for each in groups.values())
    merged = CallTrace.sorted_columns  # the sort that the trace is made with is stable
    assert list(merged([5, 5, 1], uncached=[1, 2, 3], cached=[0] * 3, written=[0] * 3, output=[0] * 3).uncached) == [
        3,
        1,
        2,
    ]


# Profiles


def test_uniform_calls_follow_an_hourly_profile_exactly() -> None:
    found = trace(calls(None, profile=hourly(4, 0, 1)), duration=24 * HOUR)
    assert per(found, HOUR, 24) == [240, 0, 60] * 8
    odd = trace(calls(None, profile=hourly(F(1, 2), F(1, 3))), duration=24 * HOUR)
    assert per(odd, HOUR, 24) == [30, 20] * 12
    again = trace(calls(None, profile=hourly(4, 0, 1)), duration=51 * HOUR)
    assert per(again, HOUR, 51) == [240, 0, 60] * 17


def test_a_week_begins_on_monday_and_is_gone_through() -> None:
    week = LoadProfile.from_hourly([1 if hour == 30 else 0 for hour in range(168)])
    assert per(trace(calls(None, profile=week), duration=168 * HOUR), HOUR, 168) == [0] * 30 + [60] + [0] * 137


def test_minutes_are_gone_through_one_by_one() -> None:
    found = trace(calls(None, profile=LoadProfile.from_minutes([3, 0, 5])), duration=6 * MINUTE)
    assert per(found, MINUTE, 6) == [3, 0, 5, 3, 0, 5]


def test_a_part_of_a_profile_at_the_end_counts_for_its_time() -> None:
    found = trace(calls(None, profile=LoadProfile.from_minutes([2, 40])), duration=3 * MINUTE + 30 * SECOND)
    assert per(found, MINUTE, 4) == [2, 40, 2, 20]


def test_levels_follow_one_another_for_their_shares() -> None:
    levels = LoadProfile.from_levels([("1/3", 60), ("0", 500), ("1/6", 0), ("1/2", 6)])
    found = trace(calls(None, profile=levels), duration=HOUR)
    assert per(found, 10 * MINUTE, 6) == [600, 600, 0, 60, 60, 60]
    twice = trace(calls(None, profile=levels), duration=2 * HOUR)
    assert per(twice, 20 * MINUTE, 6) == [1200, 1200, 0, 120, 120, 120]


def test_an_uneven_profile_rounds_along_its_calls_and_not_in_each_hour() -> None:
    found = trace(calls(None, profile=LoadProfile.from_minutes(["0.25"] * 8)), duration=8 * MINUTE)
    assert len(found) == 2
    assert per(found, MINUTE, 8) == [0, 0, 1, 0, 0, 0, 1, 0]  # at 2 and 6 minutes


def test_random_calls_follow_the_profile_hour_by_hour() -> None:
    rates = [100 + 50 * (hour % 5) for hour in range(24)]
    profile = LoadProfile.from_hourly([*rates[:23], 0])
    for kind, spread in ((POISSON, 5), (BURSTY, 16)):  # bursts of 10 vary about 10 ** 0.5 times as much
        numbers = per(trace(calls(None, profile=profile), duration=24 * HOUR, kind=kind, seed=3), HOUR, 24)
        for rate, number in zip(rates[:23], numbers, strict=False):
            assert abs(number - 60 * rate) < spread * (60 * rate) ** 0.5
        assert numbers[23] <= (0 if kind is POISSON else 10)  # a burst may reach into the hour


def test_a_time_too_short_for_the_profile_is_refused() -> None:
    workload = calls(None, profile=hourly(4, 0, 1))
    assert shortest_duration_us([workload, calls(1)]) == 24 * HOUR
    with pytest.raises(BadInput) as caught:
        trace(workload, duration=HOUR)
    assert str(caught.value) == (
        "duration: expected at least 1d: a shorter time would leave out a part of the profile, got 1h"
    )
    assert shortest_duration_us([calls(1), calls(None, profile=LoadProfile.from_levels([(1, 5)]))]) == 0
    assert shortest_duration_us([calls(None, profile=LoadProfile.from_minutes([1, 2, 3]))]) == 3 * MINUTE
    assert len(trace(calls(None, profile=LoadProfile.from_minutes([1, 2, 3])), duration=3 * MINUTE)) == 6


def test_a_workload_without_a_profile_runs_at_its_peak() -> None:
    assert len(trace(calls(10, average_requests_per_minute=2))) == 600


# Random numbers


def test_the_random_numbers_are_those_of_the_seed_and_never_others() -> None:
    # SHAKE-128 is a standard: these hold on every machine and version
    found = list(islice(draws(7, 0), 5000))
    first, second = (shake_128(f"ptucalc arrivals 1/7/0/{block}".encode()).digest(8 * 4096) for block in (0, 1))
    assert found[0] == int.from_bytes(first[:8], "little") and found[4095] == int.from_bytes(first[-8:], "little")
    assert found[4096] == int.from_bytes(second[:8], "little")
    assert next(draws(7, 1)) != found[0] != next(draws(8, 0))


def test_exponential_values_follow_from_comparingdraws() -> None:
    unit = 1 << 64
    # 5 < 9: a run of one. 8 > 3, then 4: a run of two, so 1 more; 7 > 6 > 2, then 3: a run of three
    assert list(islice(_exponential(iter([5, 9, 8, 3, 4, 7, 6, 2, 3])), 2)) == [5, unit + 7]


def test_exponential_values_have_the_exponential_distribution() -> None:
    values = [value / 2**64 for value in islice(_exponential(draws(1, 0)), 40_000)]
    assert abs(sum(values) / 40_000 - 1) < 4 / 200  # the mean is 1, its error 1 / sqrt(40,000)
    assert abs(sum(value**2 for value in values) / 40_000 - 2) < 4 * 20**0.5 / 200
    for limit in (0.1, 0.5, 1, 2, 4):
        below = sum(value < limit for value in values) / 40_000
        assert abs(below - (1 - exp(-limit))) < 4 * 0.5 / 200


def test_poisson_counts_have_a_variance_like_their_mean() -> None:
    numbers = per(trace(calls(30), duration=2000 * MINUTE, kind=POISSON, seed=5), MINUTE, 2000)
    mean = sum(numbers) / 2000
    variance = sum((number - mean) ** 2 for number in numbers) / 1999
    assert abs(mean - 30) < 4 * (30 / 2000) ** 0.5
    assert abs(variance / 30 - 1) < 4 * (2 / 2000) ** 0.5
    gaps = [after - before for before, after in pairwise(numbers)]
    assert abs(sum(gap * other for gap, other in pairwise(gaps)) / 1998 / 30 + 1) < 0.25  # minutes are independent


def test_the_same_seed_gives_the_same_calls_and_another_seed_others() -> None:
    for kind in (POISSON, BURSTY):
        one = trace(calls(50), kind=kind, seed=11)
        assert list(one.arrival_us) == list(trace(calls(50), kind=kind, seed=11).arrival_us)
        assert list(one.arrival_us) != list(trace(calls(50), kind=kind, seed=12).arrival_us)
        assert list(one.arrival_us) != list(trace(calls(50), kind=kind).arrival_us)


def test_a_trace_of_a_seed_stays_what_it_was() -> None:
    """Worked out once more here from the standard's draws, with fractions, in another way."""
    raw = shake_128(b"ptucalc arrivals 1/42/0/0").digest(8 * 4096)
    draws = iter([F(int.from_bytes(raw[at : at + 8], "little"), 2**64) for at in range(0, len(raw), 8)])

    def gap(rejected: int = 0) -> Fraction:
        run = [next(draws)]
        while True:
            following = next(draws)
            if following >= run[-1]:
                return rejected + run[0] if len(run) % 2 else gap(rejected + 1)
            run.append(following)

    at, expected = F(0), []
    for _ in range(200):
        at += gap() * 3 * SECOND  # 20 a minute
        expected.append(at.numerator // at.denominator)
    assert list(trace(calls(20), kind=POISSON, seed=42).arrival_us)[:200] == expected


def test_a_workload_keeps_its_calls_when_another_comes_beside_it() -> None:
    alone = trace(calls(30, input_tokens=1), kind=POISSON, seed=2)
    both = trace(calls(30, input_tokens=1), calls(90, input_tokens=2), kind=POISSON, seed=2)
    assert [at for at, tokens in zip(both.arrival_us, both.uncached, strict=True) if tokens == 1] == list(
        alone.arrival_us
    )
    twins = trace(calls(30, input_tokens=1), calls(30, input_tokens=2), kind=POISSON, seed=2)
    assert len(set(twins.arrival_us)) == len(twins)  # and yet they are not the same calls


# Bursts


def test_a_burst_is_so_many_calls_spread_evenly_over_so_long() -> None:
    found = trace(calls(1), duration=1000 * MINUTE, kind=BURSTY, calls_per_burst=4, burst_seconds=F(2), seed=1)
    gaps = [after - before for before, after in pairwise(found.arrival_us)]
    assert len(found) % 4 == 0
    assert sum(gap == SECOND // 2 for gap in gaps) >= len(found) * 3 // 4 * 9 // 10  # but where bursts overlap
    assert abs(len(found) - 1000) < 5 * (4 * 1000) ** 0.5


def test_bursts_of_no_length_come_at_once() -> None:
    found = trace(calls(1), duration=600 * MINUTE, kind=BURSTY, calls_per_burst=5, burst_seconds=F(0), seed=1)
    assert sorted({list(found.arrival_us).count(at) for at in set(found.arrival_us)}) == [5]


def test_bursts_of_one_call_are_random_calls() -> None:
    one = trace(calls(20), kind=BURSTY, calls_per_burst=1, seed=9)
    assert list(one.arrival_us) == list(trace(calls(20), kind=POISSON, seed=9).arrival_us)


def test_no_call_of_a_burst_is_lost_at_the_end() -> None:
    for seed in range(20):
        found = trace(calls(20), duration=MINUTE, kind=BURSTY, calls_per_burst=7, burst_seconds=F(100), seed=seed)
        assert len(found) % 7 == 0
        assert all(0 <= at < MINUTE for at in found.arrival_us)


def test_a_burst_of_nothing_is_refused() -> None:
    with pytest.raises(BadInput) as caught:
        Arrivals(kind=BURSTY, calls_per_burst=0, burst_seconds=F(-1))
    assert str(caught.value).splitlines() == [
        "calls_per_burst: expected a whole number, 1 or more, got 0",
        "burst_seconds: expected a number of seconds, 0 or more, got -1",
    ]


# Tokens


def test_whole_tokens_are_the_same_in_every_call() -> None:
    found = trace(calls(2, input_tokens=1000, output_tokens=30, cache_ratio="0.4", cache_write_ratio="0.1"))
    assert set(zip(found.uncached, found.cached, found.written, found.output, strict=True)) == {(500, 400, 100, 30)}
    assert found.max_tokens is None and found.duration_us is None


def test_a_fraction_of_a_token_is_spread_over_the_calls() -> None:
    half = calls(20, input_tokens=0).with_call({"output_tokens": F("10.5")}, F(20))
    found = trace(half, duration=MINUTE)
    assert sum(found.output) == 210 and set(found.output) == {10, 11}
    assert [sum(found.output[:count]) for count in (1, 2, 3, 4)] == [11, 21, 32, 42]  # halves rounded up


def test_a_cache_ratio_splits_every_prompt_without_changing_its_length() -> None:
    found = trace(calls(30, input_tokens=1000, cache_ratio=F(1, 3), cache_write_ratio=F(1, 7)), duration=HOUR)
    assert len(found) == 1800
    prompts = {u + c + w for u, c, w in zip(found.uncached, found.cached, found.written, strict=True)}
    assert prompts == {1000}
    assert abs(sum(found.cached) - 600_000) <= 1
    assert abs(sum(found.written) - F(1_800_000, 7)) <= 1
    assert set(found.cached) == {333, 334} and set(found.written) == {142, 143}


MEANS = st.lists(st.fractions(0, 50, max_denominator=40), min_size=1, max_size=3)


@st.composite
def whole_together(draw: Any) -> list[Fraction]:
    """Three means that add up to whole tokens."""
    one, two = (draw(st.fractions(0, 20, max_denominator=60)) for _ in range(2))
    return [one, two, draw(st.integers(41, 60)) - one - two]


@given(means=MEANS | whole_together(), count=st.integers(0, 300))
def test_sums_stay_within_one_token_of_the_means_all_along(means: list[Fraction], count: int) -> None:
    columns = _spread(means, count)
    assert [len(column) for column in columns] == [count] * len(means)
    together, so_far = sum(means, F(0)), [0] * len(means)
    for index, row in enumerate(zip(*columns, strict=True), start=1):
        so_far = [total + value for total, value in zip(so_far, row, strict=True)]
        assert all(value in (mean // 1, mean // 1 + 1) for value, mean in zip(row, means, strict=True))
        assert all(abs(total - index * mean) < 1 for total, mean in zip(so_far, means, strict=True))
        assert sum(row) == together or together.denominator > 1


def test_max_tokens_are_those_of_each_workload() -> None:
    found = trace(calls(1, input_tokens=1, max_tokens=500), calls(1, input_tokens=2), duration=2 * MINUTE)
    assert list(found.max_tokens) == [500, -1, 500, -1]
    assert list(trace(calls(1, max_tokens=0), duration=MINUTE).max_tokens) == [0]


def test_images_are_refused_because_a_trace_does_not_know_them() -> None:
    with pytest.raises(BadInput) as caught:
        trace(calls(1, image_output_tokens=5, name="pictures"))
    assert str(caught.value) == "image_input_tokens: expected a workload without images, got pictures"


def test_no_workload_no_time_and_too_many_calls_are_refused() -> None:
    with pytest.raises(BadInput) as caught:
        trace(duration=0)
    assert [problem.field for problem in caught.value.problems] == ["duration", "workloads"]
    with pytest.raises(BadInput) as caught:
        trace(calls(1_000_000), duration=HOUR)
    assert str(caught.value) == "duration: expected at most 50,000,000 calls, got 60,000,000 calls"


# Durations


@pytest.mark.parametrize(
    ("text", "expected"),
    [("90s", 90), ("15m", 900), ("15 min", 900), ("1h", 3600), ("24H", 86400), (" 7d ", 604800), ("0001d", 86400)],
)
def test_a_duration_is_a_number_and_a_unit(text: str, expected: int) -> None:
    assert parse_duration(text) == expected * SECOND


@pytest.mark.parametrize("text", ["", "h", "7", "0h", "-1h", "1.5h", "1w", "1h30m", "1e3s", "٣h", "9999999999s", "h1"])
def test_what_is_no_duration_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="a duration such as 90s, 15m, 24h or 7d"):
        parse_duration(text)


# Speed


@pytest.mark.parametrize("kind", ArrivalKind)
def test_a_million_calls_are_made_in_seconds(kind: ArrivalKind) -> None:
    before = time.process_time()
    found = trace(calls(1000, input_tokens=1001, cache_ratio=F(1, 3)), duration=1000 * MINUTE, kind=kind)
    assert time.process_time() - before < 15  # about 2 s
    assert abs(len(found) - 1_000_000) < 20_000
