"""The load of a deployment over the time, and how much of it exceeds a capacity."""

from fractions import Fraction

import pytest

from ptucalc import load
from ptucalc.load import Overflow, Timeline, average_rate, timeline_of
from ptucalc.workload import LoadProfile

from .invented import calls

F = Fraction
ONE = [F(1)]


def levels(*pairs):
    return calls(None, profile=LoadProfile.from_levels(pairs))


def hourly(*rates):
    """A day that repeats these rates."""
    return calls(None, profile=LoadProfile.from_hourly([*rates] * (24 // len(rates))))


def minutes(*rates):
    return calls(None, profile=LoadProfile.from_minutes(rates))


def stretches(timeline):
    """{rates: share of the time}."""
    found = {}
    for share, rates in zip(timeline.shares, timeline.rates, strict=True):
        key = tuple(F(rate, timeline.scale) for rate in rates)
        found[key] = found.get(key, 0) + F(share, timeline.whole)
    return found


def spilled(parts, capacity):
    """Naively: of (share, weighted, amount) what exceeds the capacity; all of it where there is none."""
    return sum((share * amount * (1 - F(capacity) / w) for share, w, amount in parts if w > capacity), F(0))


# Timelines


def test_a_rate_without_a_profile_holds_all_the_time():
    assert stretches(timeline_of([calls("9.6")], ONE)) == {(F("9.6"),): 1}


def test_levels_hold_for_their_shares():
    assert stretches(timeline_of([levels(("1/3", 1000), ("2/3", 60))], ONE)) == {(1000,): F(1, 3), (60,): F(2, 3)}


def test_levels_that_last_no_time_are_not_there():
    timeline = timeline_of([levels((0, 500), ("0.5", 2), ("0.5", 4))], ONE)
    assert stretches(timeline) == {(4,): F(1, 2), (2,): F(1, 2)}
    assert timeline.peak(ONE) == 4


def test_hours_are_equally_long_and_like_ones_are_put_together():
    timeline = timeline_of([hourly(30, 6, 6)], ONE)
    assert stretches(timeline) == {(30,): F(1, 3), (6,): F(2, 3)}
    assert len(timeline.shares) == 2


def test_hourly_profiles_meet_in_the_same_hour():
    assert stretches(timeline_of([hourly(30, 6), hourly(4, 20)], ONE * 2)) == {(30, 4): F(1, 2), (6, 20): F(1, 2)}


def test_a_day_meets_a_week_on_each_of_its_days():
    # busy only on Tuesday from 01:00 (hour 25); the day has 5 in its hour 1
    week = calls(None, profile=LoadProfile.from_hourly([40 if hour == 25 else 0 for hour in range(168)]))
    day = calls(None, profile=LoadProfile.from_hourly([5 if hour == 1 else 0 for hour in range(24)]))
    expected = {(40, 5): F(1, 168), (0, 5): F(6, 168), (0, 0): F(161, 168)}
    assert stretches(timeline_of([week, day], ONE * 2)) == expected


def test_minutes_stand_for_the_month_however_many_there_are():
    assert stretches(timeline_of([minutes(1, 2, 2)], ONE)) == {(1,): F(1, 3), (2,): F(2, 3)}


def test_a_steady_workload_is_there_in_every_stretch():
    assert stretches(timeline_of([calls(7), hourly(30, 6)], ONE * 2)) == {(7, 30): F(1, 2), (7, 6): F(1, 2)}


def test_levels_are_busiest_when_the_rest_is():
    # the even hours are the busy ones: 30; the levels' 9 for a quarter of the time falls into them
    timeline = timeline_of([hourly(30, 6), levels(("1/4", 9), ("3/4", 1))], ONE * 2)
    assert stretches(timeline) == {(30, 9): F(1, 4), (30, 1): F(1, 4), (6, 1): F(1, 2)}


def test_the_busiest_time_is_that_of_the_weighted_tokens_not_of_the_calls():
    few_heavy, many_light = hourly(0, 5), hourly(20, 0)
    timeline = timeline_of([many_light, few_heavy, levels(("1/2", 9), ("1/2", 1))], [F(1), F(10), F(1)])
    assert stretches(timeline) == {(0, 5, 9): F(1, 2), (20, 0, 1): F(1, 2)}


def test_several_levels_are_all_busiest_together():
    timeline = timeline_of([levels(("1/2", 4), ("1/2", 2)), levels(("1/3", 1), ("2/3", 8))], ONE * 2)
    # 8 for two thirds and then 1; 4 for a half and then 2
    assert stretches(timeline) == {(4, 8): F(1, 2), (2, 8): F(1, 6), (2, 1): F(1, 3)}


def test_the_first_axis_counts_and_another_one_is_laid_along_it_as_if_the_peaks_coincide():
    timeline = timeline_of([hourly(6, 30), minutes(5, 1, 1, 1)], ONE * 2)
    assert stretches(timeline) == {(30, 5): F(1, 4), (30, 1): F(1, 4), (6, 1): F(1, 2)}


def test_minutes_are_never_taken_for_hours_whatever_their_number():
    # busy in hour 0 of each day, and in minute 1 of 168: nobody knows which hour that was, so the peaks may coincide
    week = calls(None, profile=LoadProfile.from_hourly([100 if hour % 24 == 0 else 0 for hour in range(168)]))
    for count in (167, 168, 169):
        timeline = timeline_of([week, minutes(0, 100, *[0] * (count - 2))], ONE * 2)
        assert timeline.peak(ONE * 2) == 200


def test_an_average_runs_all_the_time_and_its_peak_where_asked_for():
    workload = calls(10, average_requests_per_minute=4)
    assert stretches(timeline_of([workload], ONE)) == {(4,): 1}
    assert stretches(timeline_of([workload], ONE, at_peak=True)) == {(10,): 1}


@pytest.mark.parametrize(
    ("workload", "rate"),
    [
        (calls("9.6"), F("9.6")),
        (calls(10, average_requests_per_minute=4), 4),
        (calls(10, average_requests_per_minute=4, hours_per_month=365), 2),  # 4 x 365 / 730
        (calls(10, average_requests_per_minute=4, hours_per_month=730), 4),
        (levels(("1/3", 1000), ("2/3", 60)), F(1120, 3)),  # 1,000 / 3 + 120 / 3
        (hourly(30, 6), 18),
        (minutes(1, 2, 2), F(5, 3)),
    ],
)
def test_the_average_rate_follows_from_what_is_known(workload, rate):
    assert average_rate(workload) == rate
    assert timeline_of([workload], ONE).mean(ONE) == rate


def test_sums_over_the_time_are_taken_per_call_of_each_workload():
    timeline = Timeline((1, 3), ((20, 5), (40, 0)), 10)  # a quarter 2 and 0.5 calls, three quarters 4 and 0
    assert timeline.whole == 4
    assert timeline.mean([F(3), F(1, 2)]) == F(1, 4) * (2 * 3 + F(1, 4)) + F(3, 4) * 12
    assert timeline.peak([F(3), F(1, 2)]) == 12
    assert timeline.peak([F(0), F(1)]) == F(1, 2)
    totals, common = timeline.totals([F(3), F(1, 2)])
    assert [F(total, common) for total in totals] == [F(25, 4), 12]


# Overflow


def test_what_exceeds_a_capacity_spills_in_proportion():
    # half the time 8 calls of 1,000 weighted tokens, half 2; $3 a call. Over 4,000: half of the 8 calls, half the time
    overflow = Overflow(Timeline((1, 1), ((8,), (2,)), 1), [F(1000)], [F(3)])
    assert overflow.over(4000) == F(1, 2) * 8 * 3 * (1 - F(4000, 8000)) == 6
    assert overflow.over(1000) == F(1, 2) * (8 * 3 * F(7, 8) + 2 * 3 * F(1, 2))
    assert F(overflow.top(4000), overflow.denominator) == overflow.over(4000)


def test_without_a_capacity_everything_spills():
    overflow = Overflow(Timeline((1, 1), ((8,), (2,)), 1), [F(1000)], [F(3)])
    assert overflow.over(0) == 15


@pytest.mark.parametrize(("capacity", "over"), [(7999, F(1, 8000)), (8000, 0), (8001, 0)])
def test_a_capacity_exactly_at_a_level_holds_it(capacity, over):
    assert Overflow(Timeline((1,), ((8,),), 1), [F(1000)], [F(1)]).over(capacity) == 8 * over


def test_every_workload_spills_the_same_share():
    # 5 calls of 1,000 and 1 of 5,000: 10,000; over 7,500 a quarter of each
    timeline = Timeline((1,), ((5, 1),), 1)
    weights = [F(1000), F(5000)]
    assert Overflow(timeline, weights, [F(1), F(0)]).over(7500) == F(5, 4)
    assert Overflow(timeline, weights, [F(0), F(1)]).over(7500) == F(1, 4)
    assert Overflow(timeline, weights, weights).over(7500) == 2500


def test_calls_that_weigh_nothing_never_exceed_a_capacity():
    overflow = Overflow(Timeline((1, 1), ((8,), (2,)), 1), [F(0)], [F(3)])
    assert overflow.over(1) == overflow.over(1000) == 0


def test_without_a_capacity_calls_that_weigh_nothing_spill_too():
    assert Overflow(Timeline((1, 1), ((8,), (2,)), 1), [F(0)], [F(3)]).over(0) == 15


MIXED = Timeline((1, 1, 2, 3), ((7, 0), (5, 3), (1, 9), (2, 2)), 10)
WEIGHTS, AMOUNTS = [F(13), F(17, 3)], [F(1, 7), F(5)]
PARTS = [
    (F(share, 7), sum(map(F.__mul__, WEIGHTS, rates)) / 10, sum(map(F.__mul__, AMOUNTS, rates)) / 10)
    for share, rates in zip(MIXED.shares, (tuple(map(F, each)) for each in MIXED.rates), strict=True)
]


@pytest.mark.parametrize("capacity", range(11))
def test_a_changing_mix_is_summed_exactly(capacity):
    assert Overflow(MIXED, WEIGHTS, AMOUNTS).over(capacity) == spilled(PARTS, capacity)


def longest(timeline, weights, amounts):
    """Bits of the denominator that the amounts per weighted token have in common."""
    return Overflow(timeline, weights, amounts)._fine.bit_length()


def test_up_to_so_many_bits_the_sum_is_exact_and_beyond_it_is_cut_off_imperceptibly(monkeypatch):
    bits = longest(MIXED, WEIGHTS, AMOUNTS)
    assert 1 < bits < 200
    monkeypatch.setattr(load, "EXACT_BITS", bits)
    for capacity in range(11):
        assert Overflow(MIXED, WEIGHTS, AMOUNTS).over(capacity) == spilled(PARTS, capacity)
    monkeypatch.setattr(load, "EXACT_BITS", bits - 1)
    cut = [Overflow(MIXED, WEIGHTS, AMOUNTS).over(capacity) for capacity in range(11)]
    naive = [spilled(PARTS, capacity) for capacity in range(11)]
    assert Overflow(MIXED, WEIGHTS, AMOUNTS)._fine == load.FINE
    assert all(0 <= one - other < F(1, 10**60) for one, other in zip(cut, naive, strict=True))
    assert cut != naive  # else this would not have been the other way
    assert cut[0] == naive[0]


def test_a_month_of_minutes_with_a_changing_mix_is_summed_to_the_sixtieth_digit():
    month = range(43_800)
    one = [(minute * 7919) % 601 for minute in month]
    other = [(minute * 104_729) % 499 for minute in month]
    workloads = [minutes(*one), minutes(*other)]
    weights, amounts = [F(1300), F(2701)], [F(1, 900), F(1, 333)]
    timeline = timeline_of(workloads, weights)
    overflow = Overflow(timeline, weights, amounts)
    assert overflow._fine == load.FINE  # no exact common denominator is short enough
    assert timeline.whole == 43_800
    loads = [(1300 * a + 2701 * b, F(a, 900) + F(b, 333)) for a, b in zip(one, other, strict=True)]
    for capacity in (0, 1_000_000):
        # sum by denominator first: a naive sum of so many fractions would take minutes
        whole = sum(amount for w, amount in loads if w > capacity)
        within = sum(int(amount * 299_700) * 10**90 // w for w, amount in loads if w > capacity)
        expected = (whole - F(capacity * within, 299_700 * 10**90)) / 43_800
        assert abs(overflow.over(capacity) - expected) < F(1, 10**60)
    assert overflow.over(max(w for w, _ in loads)) == 0
