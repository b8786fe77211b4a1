"""The minutes of a run: its worst day, and how often an alert on utilization would have gone off."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from fractions import Fraction
from typing import NamedTuple

from ptucalc.simulated_runs import MinuteSeries

__all__ = ["ALERT_MINUTES", "ALERT_OVER", "Alert", "WorstDay", "alert_of", "worst_day"]

MINUTES_PER_DAY = 1440
EPOCH = date(1970, 1, 1)

ALERT_MINUTES = 5
"""Minutes of a window that alerts are looked at over."""

ALERT_OVER = Fraction(85, 100)
"""Mean utilization of such a window from which on an alert goes off; our own rule of thumb: over it little is left."""


@dataclass(frozen=True)
class WorstDay:
    """The UTC day (of a relative clock: the day since its start) with most throttled minutes; of several the one with most
    429s, then the one with the busiest minute, then the first.

    `start` is the clock minute of the first value; values are those of the day's minutes that the run has.
    """

    label: str
    day: date | None
    start: int
    utilization: Sequence[Fraction] = field(repr=False)
    responses_429: Sequence[int] = field(repr=False)

    @property
    def throttled_minutes(self) -> int:
        """Minutes with at least one 429."""
        return sum(1 for count in self.responses_429 if count)


class Alert(NamedTuple):
    """Clock-aligned windows of so many minutes, and how many of them have a mean utilization over a share."""

    minutes: int
    over: Fraction
    windows: int
    windows_over: int

    @property
    def share(self) -> Fraction:
        """The share of the windows that are over."""
        return Fraction(self.windows_over, self.windows)


def worst_day(series: MinuteSeries, *, relative_clock: bool) -> WorstDay:
    """The day that a picture of the run shows."""
    levels, refused = series.levels, series.responses_429
    found: tuple[tuple[int, int, int], int, int, int] | None = None
    for number, first, after in _stretches(series.first_minute, len(levels), MINUTES_PER_DAY):
        counts = refused[first:after]
        rank = (sum(1 for count in counts if count), sum(counts), max(levels[first:after]))
        if found is None or rank > found[0]:
            found = (rank, number, first, after)
    assert found is not None  # a run has a call, and so a minute
    _, number, first, after = found
    day = None if relative_clock else EPOCH + timedelta(days=number)
    return WorstDay(
        label=f"day {number + 1}" if day is None else day.isoformat(),
        day=day,
        start=series.first_minute + first,
        utilization=tuple(Fraction(level, series.scale) for level in levels[first:after]),
        responses_429=tuple(refused[first:after]),
    )


def alert_of(series: MinuteSeries, *, minutes: int = ALERT_MINUTES, over: Fraction = ALERT_OVER) -> Alert:
    """How often the mean utilization of a clock-aligned window is over a share.

    A window at either end counts with the minutes that it has.
    """
    windows = windows_over = 0
    for _, first, after in _stretches(series.first_minute, len(series.levels), minutes):
        windows += 1
        total = sum(series.levels[first:after])
        windows_over += total * over.denominator > over.numerator * series.scale * (after - first)
    return Alert(minutes, over, windows, windows_over)


def _stretches(clock: int, length: int, each: int) -> list[tuple[int, int, int]]:
    """Stretches of so many minutes on the clock: number, first place, place after the last."""
    found = []
    at = 0
    while at < length:
        number = (clock + at) // each
        after = min(length, (number + 1) * each - clock)
        found.append((number, at, after))
        at = after
    return found
