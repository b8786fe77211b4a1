"""How the report of a simulation words its shares, waits, times and sizes."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from fractions import Fraction

from ptucalc.catalog import Unknown
from ptucalc.report.blocks import amount_text, percent_text
from ptucalc.report.log_words import MONTHS

__all__ = ["clock_text", "count_text", "day_text", "listed", "ptu_or_none", "seconds_text", "share_text", "wait_text"]

WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
MINUTES_PER_HOUR = 60


def share_text(share: Fraction) -> str:
    """A share of requests: 4.8%, 0.02%, and never 100% where it is not all.

    >>> share_text(Fraction(48, 1000)), share_text(Fraction(1, 5000)), share_text(Fraction(9999, 10000))
    ('4.8%', '0.02%', '99.9%')
    """
    if 99 < share * 100 < 100:
        return percent_text(share)
    return f"{amount_text(share * 100, 1)}%"


def wait_text(milliseconds: Fraction | int) -> str:
    """A wait: 12 ms, 1.4 s, 37 s.

    >>> wait_text(12), wait_text(1400), wait_text(37_250), wait_text(0)
    ('12 ms', '1.4 s', '37 s', '0')
    """
    if not milliseconds:
        return "0"
    if milliseconds < 1000:
        return f"{amount_text(milliseconds, 0)} ms"
    return seconds_text(Fraction(milliseconds) / 1000)


def seconds_text(seconds: Fraction) -> str:
    """Seconds: 0.5 s, 60 s."""
    return f"{amount_text(seconds, 0 if seconds >= 10 else 2)} s"


def count_text(count: int, one: str) -> str:
    """1 request, 2 requests."""
    return f"{count:,} {one}{'' if count == 1 else 's'}"


def clock_text(minute_of_day: int, *, relative: bool) -> str:
    """A minute of a day: 09:30, or 9 h 30 after the start of the clock."""
    hours, minutes = divmod(minute_of_day, MINUTES_PER_HOUR)
    if relative:
        return f"{hours}:{minutes:02d} h"
    return f"{hours:02d}:{minutes:02d}"


def day_text(day: date | None, label: str) -> str:
    """A day: Tuesday 17 November 2026 (UTC), or the day of a relative clock."""
    if day is None:
        return label.capitalize()
    return f"{WEEKDAYS[day.weekday()]} {day.day} {MONTHS[day.month - 1]} {day.year} (UTC)"


def listed(sizes: Sequence[int], most: int = 6) -> str:
    """Some sizes, and how many more there are."""
    more = f" and {len(sizes) - most:,} more" if len(sizes) > most else ""
    return ", ".join(f"{size:,}" for size in sizes[:most]) + more


def ptu_or_none(ptu: int | Unknown) -> str:
    """A size, or a dash."""
    return "—" if isinstance(ptu, Unknown) else f"{ptu:,}"
