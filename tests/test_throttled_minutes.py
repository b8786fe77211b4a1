"""The worst day of a run, and windows over an alert's threshold; levels are parts of 100, so 85 is 85 %."""

from datetime import date
from fractions import Fraction

from ptucalc.simulated_runs import MinuteSeries
from ptucalc.throttled_minutes import alert_of, worst_day

F = Fraction
DAY = 1440
TUESDAY = (date(2026, 11, 17) - date(1970, 1, 1)).days * DAY


def series(first, levels, refused=None):
    return MinuteSeries(first, levels, 100, refused or [0] * len(levels))


def test_the_day_with_most_throttled_minutes_wins():
    refused = [9, 0, 1, 1]
    found = worst_day(series(TUESDAY - 2, [10, 20, 30, 40], refused), relative_clock=False)
    assert (found.day, found.label) == (date(2026, 11, 17), "2026-11-17")
    assert (found.start, found.utilization, found.responses_429) == (TUESDAY, (F(3, 10), F(2, 5)), (1, 1))
    assert found.throttled_minutes == 2


def test_of_as_many_throttled_minutes_most_429s_win_and_then_the_busiest_minute_and_then_the_first_day():
    assert worst_day(series(TUESDAY - 1, [90, 10], [2, 3]), relative_clock=False).day == date(2026, 11, 17)
    assert worst_day(series(TUESDAY - 1, [90, 10], [2, 2]), relative_clock=False).day == date(2026, 11, 16)
    assert worst_day(series(TUESDAY - 1, [10, 90]), relative_clock=False).day == date(2026, 11, 17)
    assert worst_day(series(TUESDAY - 1, [50, 50]), relative_clock=False).day == date(2026, 11, 16)


def test_a_relative_clock_has_days_from_its_start():
    found = worst_day(series(DAY + 5, [1]), relative_clock=True)
    assert (found.label, found.day, found.start) == ("day 2", None, DAY + 5)


def test_an_alert_counts_windows_of_the_clock_whose_mean_is_over_it():
    levels = [100, 70, 85, 85, 85, 100, 70, 85, 85, 86]  # 85 % is not over 85 %
    found = alert_of(series(10, levels))
    assert (found.minutes, found.over, found.windows, found.windows_over) == (5, F(85, 100), 2, 1)
    assert found.share == F(1, 2)


def test_windows_at_the_ends_count_with_the_minutes_they_have():
    found = alert_of(series(13, [90, 80, 0, 0, 0, 0, 0, 86]))  # two minutes, five, one
    assert (found.windows, found.windows_over) == (3, 1)
