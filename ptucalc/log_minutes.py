"""The weighted tokens of every minute of a log: percentiles, minutes over a size, the hours of the week, the busiest day.

Percentiles are nearest ranks over all minutes, idle ones included; they are taken of the weighted total, never of each
column and then added.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from fractions import Fraction
from functools import cached_property
from math import lcm
from typing import NamedTuple

from ptucalc import exact
from ptucalc.rounding import nearest_rank

__all__ = ["MAXIMUM", "PERCENTILES", "BusiestDay", "Percentile", "WeightedMinutes", "parse_percentile"]

MINUTES_PER_HOUR = 60
MINUTES_PER_DAY = 1440
MINUTES_PER_QUARTER_HOUR = 15
HOURS_PER_WEEK = 168
HOURS_FROM_MONDAY_TO_1970 = 72
"""1970-01-01, where minutes are counted from, was a Thursday."""

EPOCH = date(1970, 1, 1)


class Percentile(NamedTuple):
    """A share of the minutes, as the nearest rank: so many of them are at most as high as the value.

    `name` is how it is written ("p99.9", "max"), `share` is 0 to 1.
    """

    name: str
    share: Fraction

    @property
    def key(self) -> str:
        """The name as a key of JSON data: p99_9."""
        return self.name.replace(".", "_")


MAXIMUM = Percentile("max", Fraction(1))

PERCENTILES = (
    Percentile("p50", Fraction(50, 100)),
    Percentile("p90", Fraction(90, 100)),
    Percentile("p95", Fraction(95, 100)),
    Percentile("p99", Fraction(99, 100)),
    Percentile("p99.9", Fraction(999, 1000)),
    MAXIMUM,
)
"""The percentiles that are always shown."""


def parse_percentile(text: str) -> Percentile:
    """A percentile from p97.5, 97.5 or max. Raises ValueError with what was expected.

    >>> parse_percentile("97.50"), parse_percentile("P100").name
    (Percentile(name='p97.5', share=Fraction(39, 40)), 'max')
    """
    expected = "a percentile of 1 to 100, such as p99 or p99.9, or max"
    plain = text.strip().casefold()
    if plain == MAXIMUM.name:
        return MAXIMUM
    try:
        number = exact.amount(plain.removeprefix("p"))
    except ValueError:
        raise ValueError(expected) from None
    if not 1 <= number <= 100:
        of_hundred = number * 100
        hint = f" (p{_decimal(of_hundred)}?)" if 0 < number < 1 and of_hundred >= 1 else ""
        raise ValueError(expected + hint)
    return MAXIMUM if number == 100 else Percentile(f"p{_decimal(number)}", number / 100)


def _decimal(number: Fraction) -> str:
    """The shortest decimal of a number that was read from one."""
    places = 0
    while number * 10**places % 1:
        places += 1
    digits = str(int(number * 10**places)).rjust(places + 1, "0")
    return f"{digits[:-places]}.{digits[-places:]}" if places else digits


class BusiestDay(NamedTuple):
    """The day with the highest minute (the first of equally high ones), in quarter-hours.

    `day` is a UTC calendar day, or None where the clock is relative: then days are counted from the start of the log.
    `quarter_hours` are 96 peaks in raw PTU, None where the log has no minute of that quarter-hour.
    """

    label: str
    day: date | None
    peak_ptu: Fraction
    quarter_hours: tuple[Fraction | None, ...]


@dataclass(frozen=True)
class WeightedMinutes:
    """Weighted tokens of successive minutes, idle ones as 0, in parts of 1/`unit`.

    `start` is the first minute, counted from 1970-01-01 00:00 UTC; None where the log's clock is relative.
    """

    start: int | None
    tops: Sequence[int]
    unit: int

    @classmethod
    def added(cls, several: Sequence[WeightedMinutes]) -> WeightedMinutes:
        """Minute by minute. Raises ValueError where they are not of the same minutes."""
        if len({(each.start, len(each.tops)) for each in several}) != 1:
            raise ValueError("minutes add up where they begin together and are equally many")
        if len(several) == 1:
            return several[0]
        unit = lcm(*(each.unit for each in several))
        totals = [0] * len(several[0].tops)
        for each in several:
            by = unit // each.unit
            totals = [total + top * by for total, top in zip(totals, each.tops, strict=True)]
        return cls(several[0].start, totals, unit)

    def divided(self, by: int) -> WeightedMinutes:
        """The same minutes in units of so many weighted tokens: divided by TPM per PTU they are raw PTU."""
        return WeightedMinutes(self.start, self.tops, self.unit * by)

    @cached_property
    def _ranked(self) -> list[int]:
        return sorted(self.tops)

    @property
    def mean(self) -> Fraction:
        """The average per minute, idle minutes included."""
        return Fraction(sum(self.tops), self.unit * len(self.tops))

    @property
    def maximum(self) -> Fraction:
        """The highest minute."""
        return Fraction(max(self.tops), self.unit)

    def at(self, percentile: Percentile) -> Fraction:
        """The nearest rank of the minutes."""
        return Fraction(nearest_rank(self._ranked, percentile.share), self.unit)

    def over(self, limit: int) -> int:
        """How many minutes are higher than a limit in weighted tokens per minute."""
        return len(self.tops) - bisect_right(self._ranked, limit * self.unit)

    def hour_of_week(self) -> tuple[Fraction | None, ...] | None:
        """The highest minute of each of the 168 hours of a week, Monday 00:00 UTC first.

        None for an hour that never occurred, and for all of a log whose clock is relative.
        """
        if self.start is None:
            return None
        peaks: list[int | None] = [None] * HOURS_PER_WEEK
        for hour, peak in self._peaks(self.start, MINUTES_PER_HOUR):
            at = (hour + HOURS_FROM_MONDAY_TO_1970) % HOURS_PER_WEEK
            peaks[at] = max(peak, peaks[at] or 0)
        return tuple(None if peak is None else Fraction(peak, self.unit) for peak in peaks)

    def busiest_day(self) -> BusiestDay:
        """The day of the highest minute, quarter-hour by quarter-hour."""
        clock = self.start or 0
        highest = max(self.tops)
        number = (clock + self.tops.index(highest)) // MINUTES_PER_DAY
        first = number * MINUTES_PER_DAY
        inside = self.tops[max(0, first - clock) : first + MINUTES_PER_DAY - clock]
        begins = max(first, clock)
        day = WeightedMinutes(begins, inside, self.unit)
        quarters: list[Fraction | None] = [None] * (MINUTES_PER_DAY // MINUTES_PER_QUARTER_HOUR)
        for quarter, peak in day._peaks(begins, MINUTES_PER_QUARTER_HOUR):
            quarters[quarter - first // MINUTES_PER_QUARTER_HOUR] = Fraction(peak, self.unit)
        on = None if self.start is None else EPOCH + timedelta(days=number)
        label = f"day {number + 1}" if on is None else on.isoformat()
        return BusiestDay(label, on, Fraction(highest, self.unit), tuple(quarters))

    def _peaks(self, clock: int, length: int) -> list[tuple[int, int]]:
        """The highest minute of every stretch of `length` minutes on the clock, by the stretch's number."""
        found = []
        at = 0
        while at < len(self.tops):
            number = (clock + at) // length
            end = min(len(self.tops), (number + 1) * length - clock)
            found.append((number, max(self.tops[at:end])))
            at = end
        return found
