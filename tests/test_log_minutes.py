"""Weighted minutes: percentiles, minutes over a size, hours of the week, the busiest day."""

from datetime import date
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ptucalc.log_minutes import MAXIMUM, PERCENTILES, Percentile, WeightedMinutes, parse_percentile
from ptucalc.rounding import nearest_rank

from .invented_logs import MONDAY

F = Fraction
tops = st.lists(st.integers(0, 10**6), min_size=1, max_size=300)


def minutes(*values, start=MONDAY, unit=1):
    return WeightedMinutes(start, list(values), unit)


def at(found, text):
    return found.at(parse_percentile(text))


# Percentiles


@pytest.mark.parametrize(
    ("text", "name", "share"),
    [
        ("p99", "p99", F(99, 100)),
        ("99", "p99", F(99, 100)),
        (" P99.90 ", "p99.9", F(999, 1000)),
        ("97.5", "p97.5", F(975, 1000)),
        ("p1", "p1", F(1, 100)),
        ("p99.05", "p99.05", F(9905, 10000)),
        ("100", "max", F(1)),
        ("MAX", "max", F(1)),
    ],
)
def test_a_percentile_is_read_in_every_spelling(text, name, share):
    assert parse_percentile(text) == Percentile(name, share)


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        ("0.99", " (p99?)"),
        ("p0.999", " (p99.9?)"),
        ("0.001", ""),
        ("0", ""),
        ("100.1", ""),
        ("-5", ""),
        ("p", ""),
        ("pp99", ""),
        ("median", ""),
        ("99%", ""),
        ("", ""),
    ],
)
def test_what_is_no_percentile_is_refused_with_what_would_be(text, hint):
    with pytest.raises(ValueError, match="percentile") as error:
        parse_percentile(text)
    assert str(error.value) == "a percentile of 1 to 100, such as p99 or p99.9, or max" + hint


def test_a_percentile_is_the_nearest_rank_and_idle_minutes_count():
    hundred = minutes(*range(100))  # 0 to 99: the value at rank r is r - 1
    assert [at(hundred, each) for each in ("p1", "p50", "p90", "p99", "p99.9", "max")] == [0, 49, 89, 98, 99, 99]
    assert at(minutes(0, 0, 0, 8), "p75") == 0
    assert at(minutes(0, 0, 0, 8), "p75.1") == 8


def test_the_p99_of_under_100_minutes_is_the_maximum_and_of_100_it_is_not():
    assert at(minutes(*range(99)), "p99") == 98
    assert at(minutes(*range(100)), "p99") == 98


@given(tops, st.integers(1, 7))
def test_percentiles_ascend_and_the_last_is_the_maximum(values, unit):
    found = minutes(*values, unit=unit)
    each = [found.at(percentile) for percentile in PERCENTILES]
    assert each == sorted(each)
    assert found.at(MAXIMUM) == found.maximum == F(max(values), unit)


@given(tops, st.integers(1, 1000))
def test_at_least_the_share_is_not_over_a_percentile_and_less_is_under_it(values, per_mille):
    share = F(per_mille, 1000)
    value = minutes(*values).at(Percentile("p", share))
    assert sum(each <= value for each in values) >= share * len(values)
    assert sum(each < value for each in values) < share * len(values)


def test_the_mean_counts_idle_minutes():
    assert minutes(0, 0, 9, unit=2).mean == F(3, 2)


def test_minutes_that_equal_a_limit_are_not_over_it():
    found = minutes(10, 20, 20, 21, unit=2)  # 5, 10, 10, 10.5
    assert [found.over(limit) for limit in (4, 5, 9, 10, 11)] == [4, 3, 3, 1, 0]


# Sums


def test_minutes_of_different_units_add_up_exactly():
    added = WeightedMinutes.added([minutes(1, 2, unit=2), minutes(1, 1, unit=3)])
    assert [F(top, added.unit) for top in added.tops] == [F(5, 6), F(4, 3)]
    assert added.start == MONDAY


@pytest.mark.parametrize("other", [minutes(1, 2, 3), minutes(1, 2, start=None), minutes(1, 2, start=MONDAY + 1)])
def test_minutes_of_another_time_do_not_add_up(other):
    with pytest.raises(ValueError, match="begin together"):
        WeightedMinutes.added([minutes(1, 2), other])


@given(st.lists(st.lists(st.integers(0, 1000), min_size=5, max_size=5), min_size=1, max_size=5))
def test_the_peak_of_a_sum_is_never_over_the_sum_of_the_peaks(each):
    several = [minutes(*values) for values in each]
    assert WeightedMinutes.added(several).maximum <= sum(one.maximum for one in several)


# The calendar


def test_each_hour_of_the_week_shows_its_highest_minute_and_hours_outside_the_log_nothing():
    values = [0] * 121
    values[0], values[59], values[60], values[120] = 3, 5, 7, 9
    hours = minutes(*values).hour_of_week()
    assert hours[:4] == (5, 7, 9, None)
    assert set(hours[3:]) == {None}
    assert len(hours) == 168


def test_the_week_begins_on_monday():
    sunday_night = minutes(4, start=MONDAY - 1).hour_of_week()
    assert [hour for hour, peak in enumerate(sunday_night) if peak is not None] == [167]
    thursday = minutes(4, start=0).hour_of_week()  # 1970-01-01
    assert [hour for hour, peak in enumerate(thursday) if peak is not None] == [72]


def test_two_weeks_show_the_higher_of_both_and_an_idle_hour_shows_0():
    week = 7 * 24 * 60
    values = [0] * (week + 60)
    values[30], values[week + 30] = 8, 6
    hours = minutes(*values).hour_of_week()
    assert hours[0] == 8
    assert hours[1] == 0
    assert None not in hours


def test_an_hour_that_begins_in_the_middle_is_that_hour():
    hours = minutes(5, *[0] * 29, 6, start=MONDAY + 30).hour_of_week()
    assert hours[:3] == (5, 6, None)


def test_a_relative_clock_knows_no_week():
    assert minutes(1, start=None).hour_of_week() is None


def test_the_busiest_day_is_that_of_the_highest_minute_in_quarter_hours():
    values = [1] * 3000  # from Monday 12:00
    values[720 + 100] = 9  # Tuesday 01:40
    day = minutes(*values, start=MONDAY + 720, unit=2).busiest_day()
    assert (day.label, day.day, day.peak_ptu) == ("1970-01-06", date(1970, 1, 6), F(9, 2))
    assert len(day.quarter_hours) == 96
    assert day.quarter_hours[6] == F(9, 2)
    assert set(day.quarter_hours[:6] + day.quarter_hours[7:]) == {F(1, 2)}


def test_quarter_hours_outside_the_log_are_not_shown_as_0():
    day = minutes(7, 0, start=MONDAY + 16).busiest_day()  # 00:16 and 00:17
    assert day.quarter_hours[:3] == (None, 7, None)
    assert set(day.quarter_hours[3:]) == {None}


def test_of_equally_high_days_the_first_is_shown():
    assert minutes(5, *[0] * 1439, 5).busiest_day().day == date(1970, 1, 5)


def test_days_of_a_relative_clock_count_from_the_start_of_the_log():
    values = [0] * 3000
    values[1440] = 4
    day = minutes(*values, start=None).busiest_day()
    assert (day.label, day.day) == ("day 2", None)
    assert day.quarter_hours[0] == 4
    last = minutes(*[0] * 2880, 3, start=None).busiest_day()
    assert (last.label, last.quarter_hours[:2]) == ("day 3", (3, None))


@pytest.mark.parametrize(
    ("count", "share", "rank"),
    [(4, F(0), 1), (4, F(1, 4), 1), (4, F(26, 100), 2), (4, F(1), 4), (1, F(1, 2), 1), (1000, F(999, 1000), 999)],
)
def test_the_nearest_rank_is_the_share_of_the_count_rounded_up(count, share, rank):
    assert nearest_rank(range(1, count + 1), share) == rank


@pytest.mark.parametrize(("values", "share"), [([], F(1, 2)), ([1], F(-1, 2)), ([1], F(3, 2))])
def test_a_rank_of_nothing_or_beyond_the_values_is_a_programmers_mistake(values, share):
    with pytest.raises(ValueError, match="a share of 0 to 1"):
        nearest_rank(values, share)
