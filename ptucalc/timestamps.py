"""Time stamps of logs as text to exact microseconds: which layout a column has, what a stamp in it means.

A column has one layout, told from samples; a stamp is floored to the microsecond, in integers from its text. The
calendar is the proleptic Gregorian one with days of 86,400 seconds, as every log's is.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from fractions import Fraction
from typing import Literal

from ptucalc.errors import BadInput, Problem
from ptucalc.time_zones import DAY, EARLIEST, EPOCH_ORDINAL, LATEST, OFFSET, SECOND, wall_offset_us, zone_of

__all__ = ["UNITS", "TimeLayout", "layout_of", "parse_us"]

TICKS_TO_EPOCH = (EPOCH_ORDINAL - 1) * DAY
"""Microseconds from 0001-01-01, where .NET ticks begin, to 1970-01-01."""

UNITS = {
    "s": Fraction(SECOND),
    "ms": Fraction(1000),
    "us": Fraction(1),
    "ns": Fraction(1, 1000),
    "ticks": Fraction(1, 10),
}
"""Microseconds of one unit of a number."""

MAGNITUDES = (
    (0, 10**9, "s_relative"),
    (10**9, 10**11, "s"),
    (10**12, 10**14, "ms"),
    (10**15, 10**17, "us"),
    (6 * 10**17, 7 * 10**17, "ticks"),
    (10**18, 3 * 10**18, "ns"),
)
"""What a number means where the format does not say: from, below, unit. The ranges do not touch at every end."""

_NUMBER = re.compile(r"[+-]?(\d{1,30}(\.\d{0,30})?|\.\d{1,30})([eE][+-]?\d{1,2})?", re.ASCII)
_ISO = re.compile(
    r"(?P<year>\d{4})-(?P<month>\d\d)-(?P<day>\d\d)[Tt ](?P<hour>\d\d):(?P<minute>\d\d)"
    r"(:(?P<second>\d\d)(\.(?P<fraction>\d{1,9}))?)?"
    r" ?(?P<zone>[Zz]|UTC|[+-]\d\d(:?\d\d)?)?",
    re.ASCII,
)
_SLASHED = re.compile(
    r"(?P<first>\d{1,2})/(?P<second_field>\d{1,2})/(?P<year>\d{4}),?[ \u00a0\u202f](?P<hour>\d{1,2}):(?P<minute>\d\d)"
    r"(:(?P<second>\d\d)(\.(?P<fraction>\d{1,9}))?)?"
    r"([ \u00a0\u202f](?P<half>[AaPp][Mm]))?",
    re.ASCII,
)
_EXAMPLES = {
    "iso": "an ISO 8601 date and time, such as 2026-11-02T10:00:00.125Z",
    "us_text": "month/day/year and a time, such as 11/2/2026, 10:00:00.125 AM",
    "day_first_text": "day/month/year and a time, such as 2/11/2026, 10:00:00.125 AM",
}


@dataclass(frozen=True)
class TimeLayout:
    """How the stamps of one column are written.

    `unit` (a key of `UNITS`) and `relative` are about numbers: counted from 1970 (ticks: from the year 1) or, relative,
    from the start of the trace. `by_magnitude` says that the unit was told from the size of the numbers. `zone` is the
    time zone of stamps that carry none: a name such as Europe/Berlin, or an offset such as +02:00; `naive` says that
    there are such stamps among the samples.
    """

    kind: Literal["iso", "us_text", "day_first_text", "number"]
    unit: str = ""
    relative: bool = False
    by_magnitude: bool = False
    zone: str = "UTC"
    naive: bool = False

    def __post_init__(self) -> None:
        if (self.unit in UNITS) != (self.kind == "number") or (self.relative and self.kind != "number"):
            raise ValueError("numbers have a unit, text has none")

    @property
    def bounds_us(self) -> tuple[int, int]:
        """From which microsecond on, and below which, a stamp of this column can be.

        Where the unit was told from magnitude, its range: a 0 or a stamp in another unit further down is not believed.
        """
        if self.by_magnitude:
            name = f"{self.unit}_relative" if self.relative else self.unit
            low, high = next((low, high) for low, high, unit in MAGNITUDES if unit == name)
            return _scaled(Fraction(low), self), _scaled(Fraction(high), self)
        return (-(10**9) * SECOND, 10**9 * SECOND) if self.relative else (EARLIEST, LATEST)

    @property
    def expected(self) -> str:
        """What a stamp of this column should look like, for messages."""
        if self.kind != "number":
            return _EXAMPLES[self.kind]
        since = "the start" if self.relative else "0001-01-01" if self.unit == "ticks" else "1970-01-01"
        return f"a number of {_UNIT_NAMES[self.unit]} since {since}"


_UNIT_NAMES = {"s": "seconds", "ms": "milliseconds", "us": "microseconds", "ns": "nanoseconds", "ticks": "100-ns ticks"}


def layout_of(
    samples: Sequence[str],
    *,
    unit: str | None = None,
    tagged: Literal["UTC", "local", ""] = "",
    date_order: Literal["mdy", "dmy"] | None = None,
    zone: str | None = None,
) -> TimeLayout:
    """The layout that all samples of a column share. Blank samples, and ones that are no stamp at all, do not count.

    `unit` is what the format says about numbers: a key of `UNITS`, with _relative for a clock that starts at the trace;
    without it their magnitude decides. `tagged` is the heading's tag, [UTC] or [Local Time]. Dates with slashes are
    read in `date_order` if given; under a [UTC] tag month first (the portal writes them so for every locale); otherwise
    a field over 12 decides. `zone` is that of stamps without one, UTC unless given; a [UTC] tag overrules it.

    Raises BadInput (field `timestamp`) for a column without a stamp, two layouts in one column, dates that could be
    either order, numbers that mean nothing, a zone that does not exist.
    """
    naive_zone = "UTC" if tagged == "UTC" or zone is None else zone
    zone_of(naive_zone)
    texts = [text for sample in samples if (text := sample.strip())]
    found: dict[str, str] = {}
    for text in texts:
        if name := _layout_name(text, unit):
            found.setdefault(name, text)
    if not found:
        raise _bad(
            texts[0] if texts else "",
            "a time stamp: ISO 8601, month/day/year and a time, or a number since 1970 or the start",
        )
    if len(found) > 1:
        (_, first), (_, second), *_ = found.items()
        raise _bad(second, f"one layout in the whole column: another stamp is {first}")
    (name,) = found
    if name == "iso":
        naive = any(match["zone"] is None for match in map(_ISO.fullmatch, texts) if match)
        return TimeLayout("iso", zone=naive_zone, naive=naive and tagged != "UTC")
    if name == "slashed":
        kind = _order(texts, tagged, date_order)
        return TimeLayout(kind, zone=naive_zone, naive=tagged != "UTC")
    if name == "number":
        raise _bad(found[name], "a number whose size tells its unit: seconds from the start, or s, ms, us, ns of Unix")
    return TimeLayout("number", name.removesuffix("_relative"), name.endswith("_relative"), by_magnitude=unit is None)


def _bad(found: str, expected: str) -> BadInput:
    return BadInput([Problem("timestamp", found, expected)])


def _layout_name(sample: str, unit: str | None) -> str:
    """iso, slashed, a unit (number: a number of no known unit), or "" for what is no stamp."""
    if _ISO.fullmatch(sample):
        return "iso"
    if _SLASHED.fullmatch(sample):
        return "slashed"
    if not _NUMBER.fullmatch(sample):
        return ""
    if unit is not None:
        if unit.removesuffix("_relative") not in UNITS or unit == "ticks_relative":
            raise ValueError(f"no unit of time: {unit}")
        return unit
    value = Fraction(sample)
    return next((name for low, high, name in MAGNITUDES if low <= value < high), "number")


def _order(
    samples: Sequence[str], tagged: str, date_order: Literal["mdy", "dmy"] | None
) -> Literal["us_text", "day_first_text"]:
    dates = [
        (match["first"], match["second_field"], sample) for sample in samples if (match := _SLASHED.fullmatch(sample))
    ]
    day_first = next((sample for first, _, sample in dates if int(first) > 12), None)
    month_first = next((sample for _, second, sample in dates if int(second) > 12), None)
    order = date_order or ("mdy" if tagged == "UTC" else None)
    if day_first and month_first:
        raise _bad(month_first, f"one order of day and month in the whole column: another stamp is {day_first}")
    if order == "mdy" and day_first:
        why = "--date-order mdy" if date_order else "the tag [UTC] in the heading"
        raise _bad(day_first, f"month/day/year, as {why} says; if the day is first, give --date-order dmy")
    if order == "dmy" and month_first:
        raise _bad(
            month_first, "day/month/year, as --date-order dmy says; if the month is first, give --date-order mdy"
        )
    if order is None and not day_first and not month_first:
        raise _bad(dates[0][2], "a date whose order is known: give --date-order mdy (month first) or dmy (day first)")
    return "day_first_text" if order == "dmy" or day_first else "us_text"


def parse_us(text: str, layout: TimeLayout) -> int:
    """Microseconds since 1970-01-01 UTC, or since the start for a relative clock; floored, exact.

    A leap second (23:59:60 UTC, whatever its fraction) is the first microsecond of the next second, so order is kept.
    A stamp without a zone is in `layout.zone`: in an hour that clocks repeat it is taken the first time round; an hour
    that clocks skip is refused, because no clock of that zone ever showed it.

    Raises ValueError whose message is what was expected. 24:00:00, a comma before the fraction, a date without a time
    are refused.

    >>> parse_us("1970-01-01T02:00:00.1234567+01:00", TimeLayout("iso"))
    3600123456
    """
    text = text.strip()
    if layout.kind == "number":
        if not _NUMBER.fullmatch(text):
            raise ValueError(layout.expected)
        value = _scaled(Fraction(text), layout)
        low, high = layout.bounds_us
        if not low <= value < high:
            raise ValueError(f"{layout.expected}, of a size as in the other rows")
        return value
    match = (_ISO if layout.kind == "iso" else _SLASHED).fullmatch(text)
    if match is None:
        raise ValueError(layout.expected)
    return _instant(match.groupdict(), layout)


def _scaled(value: Fraction, layout: TimeLayout) -> int:
    us = value * UNITS[layout.unit]
    return us.numerator // us.denominator - (TICKS_TO_EPOCH if layout.unit == "ticks" else 0)


def _instant(part: dict[str, str | None], layout: TimeLayout) -> int:
    year, hour, minute = int(part["year"] or 0), int(part["hour"] or 0), int(part["minute"] or 0)
    second = int(part["second"] or 0)
    month, day = int(part.get("month") or part.get("first") or 0), int(part.get("day") or part.get("second_field") or 0)
    if layout.kind == "day_first_text":
        month, day = day, month
    if half := (part.get("half") or "").upper():
        if not 1 <= hour <= 12:
            raise ValueError(f"{layout.expected}; 12-hour clocks show 1 to 12")
        hour = hour % 12 + (12 if half == "PM" else 0)
    leap = second == 60
    try:
        wall = datetime(year, month, day, hour, minute, 59 if leap else second)  # noqa: DTZ001 - its zone comes next
    except ValueError:
        raise ValueError(f"{layout.expected}; there is no such date or time") from None
    seconds = _naive_seconds(wall)
    us = seconds * SECOND - _offset_us(part.get("zone"), wall, layout)
    if leap:
        if (us + SECOND) % DAY:
            raise ValueError(f"{layout.expected}; leap seconds are at 23:59:60 UTC only")
        return us + SECOND
    return us + int((part["fraction"] or "").ljust(6, "0")[:6])


def _naive_seconds(wall: datetime) -> int:
    days = wall.toordinal() - EPOCH_ORDINAL
    return days * 86_400 + wall.hour * 3600 + wall.minute * 60 + wall.second


def _offset_us(written: str | None, wall: datetime, layout: TimeLayout) -> int:
    """Microseconds that the stamp's clock is ahead of UTC: as written, or as its column's zone has it."""
    if written is not None:
        match = OFFSET.fullmatch(written)
        if match is None:
            return 0
        hours, minutes = int(match["hours"]), int(match["minutes"] or 0)
        if hours > 23 or minutes > 59:
            raise ValueError(f"{layout.expected}; there is no offset {written}")
        return (hours * 60 + minutes) * 60 * SECOND * (-1 if match["sign"] == "-" else 1)
    if layout.zone == "UTC":
        return 0
    offset = wall_offset_us(wall, zone_of(layout.zone))
    if offset is None:
        raise ValueError(f"{layout.expected}; clocks in {layout.zone} skipped that hour")
    return offset
