"""Time zones: from a clock on the wall to UTC, for one stamp and for a whole column."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta, timezone, tzinfo
from functools import lru_cache
from typing import NamedTuple
from zoneinfo import ZoneInfo

from ptucalc.errors import BadInput, Problem

__all__ = [
    "DAY",
    "EARLIEST",
    "EPOCH_ORDINAL",
    "LATEST",
    "OFFSET",
    "SECOND",
    "ZoneSpan",
    "wall_offset_us",
    "zone_of",
    "zone_spans",
]

SECOND = 1_000_000
DAY = 86_400 * SECOND
"""Both in microseconds, as all times here."""

EPOCH_ORDINAL = date(1970, 1, 1).toordinal()
"""The number of 1970-01-01, counting 0001-01-01 as day 1."""

EARLIEST = (1 - EPOCH_ORDINAL) * DAY
LATEST = (date.max.toordinal() + 1 - EPOCH_ORDINAL) * DAY
"""The years 1 to 9999: from the one, below the other."""

OFFSET = re.compile(r"(?P<sign>[+-])(?P<hours>\d\d):?(?P<minutes>\d\d)?", re.ASCII)
"""An offset from UTC as ISO 8601 writes it: +02, +0200, +02:00."""


@lru_cache(maxsize=64)
def zone_of(name: str) -> tzinfo:
    """The time zone of a name such as Europe/Berlin, or of an offset such as +02:00.

    Raises BadInput (field `time_zone`) where there is none.
    """
    if name == "UTC":
        return UTC
    if (match := OFFSET.fullmatch(name)) and int(match["hours"]) < 24 and int(match["minutes"] or 0) < 60:
        offset = timedelta(hours=int(match["hours"]), minutes=int(match["minutes"] or 0))
        return timezone(-offset if match["sign"] == "-" else offset)
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError):  # a folder of zones, such as Europe, is an OSError
        problem = Problem("time_zone", name, "a time zone such as UTC, Europe/Berlin or +02:00")
        raise BadInput([problem]) from None


def wall_offset_us(wall: datetime, zone: tzinfo) -> int | None:
    """Microseconds that the zone's clocks are ahead of UTC when they show this (naive) time; None where they skip it.

    Time that they show twice is taken the first time.
    """
    first, second = (_microseconds(wall.replace(tzinfo=zone, fold=fold).utcoffset()) for fold in (0, 1))
    return None if first < second else first


def _microseconds(delta: timedelta | None) -> int:
    return delta // timedelta(microseconds=1) if delta is not None else 0


class ZoneSpan(NamedTuple):
    """A stretch of wall-clock time in a zone: from `start` (microseconds, as if it were UTC) to the next one's start.

    UTC = wall clock - `offset_us`, which is None for time that the clocks skip. `repeated` time is shown twice; its
    offset is that of the first time.
    """

    start: int
    offset_us: int | None
    repeated: bool = False


def zone_spans(first_us: int, last_us: int, zone: str) -> tuple[ZoneSpan, ...]:
    """The stretches of equal offset between two wall-clock times in a zone (both included), exact, as `wall_offset_us` has it.

    For converting a whole column at once: two or three stretches for each change of the clocks. The first starts at
    `first_us`. Two changes within a day would be missed; no zone has had any since 1970.
    """
    if not EARLIEST <= first_us <= last_us < LATEST:
        raise ValueError("from one wall-clock time to a later one, in the years 1 to 9999")
    at = zone_of(zone)
    if isinstance(at, timezone):  # it never changes
        return (ZoneSpan(first_us, _offset_at(0, at)),)
    low, high = max(first_us - 2 * DAY, EARLIEST + 2 * DAY), min(last_us + 2 * DAY, LATEST - 2 * DAY)
    before = _offset_at(low // SECOND, at)
    spans = [ZoneSpan(first_us, before)]
    start = low // SECOND
    while start < high // SECOND:
        end = start + 86_400
        after = _offset_at(end, at)
        if after != before:
            change = _change(start, end, at, before) * SECOND
            spans.append(ZoneSpan(change + min(before, after), None if after > before else before, after < before))
            spans.append(ZoneSpan(change + max(before, after), after))
            before = after
        start = end
    return _within(spans, first_us, last_us)


def _within(spans: Sequence[ZoneSpan], first_us: int, last_us: int) -> tuple[ZoneSpan, ...]:
    past = [span for span in spans if span.start <= first_us]
    return (past[-1]._replace(start=first_us), *(span for span in spans if first_us < span.start <= last_us))


def _offset_at(seconds: int, zone: tzinfo) -> int:
    """Microseconds that the zone is ahead of UTC at this many seconds since 1970."""
    utc = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=seconds)
    return _microseconds(utc.astimezone(zone).utcoffset())


def _change(start: int, end: int, zone: tzinfo, before: int) -> int:
    """The first second after `start`, up to `end`, at which the offset is no longer what it was."""
    while end - start > 1:
        middle = (start + end) // 2
        if _offset_at(middle, zone) == before:
            start = middle
        else:
            end = middle
    return end
