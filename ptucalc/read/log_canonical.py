"""What readers of logs hand on: records with canonical fields; and values as text, taken out of them exactly."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from decimal import Decimal
from fractions import Fraction
from itertools import pairwise
from typing import Any, Literal, NamedTuple

from ptucalc.errors import Problem
from ptucalc.log_formats import FormatBook, LogFormat, Place
from ptucalc.log_records import LINE, Shape
from ptucalc.request_log import Finding

__all__ = [
    "COARSEST_SECONDS",
    "Canonical",
    "coarse",
    "format_of",
    "missing",
    "number",
    "seconds_of",
    "step_seconds",
    "value_at",
    "whole",
]

COARSEST_SECONDS = 300
"""Longer bins hide the minutes that decide a size."""

_NUMBER = re.compile(r"[+-]?(\d{1,3}(,\d{3})+|\d{1,20})(\.\d{0,20})?([eE][+-]?\d{1,2})?", re.ASCII)
_INTERVAL = re.compile(r"P(?:(\d{1,3})D)?(?:T(?:(\d{1,3})H)?(?:(\d{1,4})M)?(?:(\d{1,6})S)?)?", re.ASCII)
_TIME_OF_DAY = re.compile(r"(?<!\d)(\d{1,2}):(\d\d)(?::(\d\d))?(?:\.\d+)?[\s\u00a0\u202f]*([AaPp][Mm])?", re.ASCII)
_DAY = 24 * 60 * 60


class Canonical(NamedTuple):
    """Records of one file with canonical fields: numbers as int or exact text, time stamps as found.

    `kind` says what a record is. `time_tag` is what the time's heading says of its zone. A field that a record does not
    have, nobody knows.
    """

    records: list[dict[str, Any]]
    format: LogFormat
    kind: Literal["requests", "buckets"]
    findings: tuple[Finding, ...] = ()
    bucket_seconds: int | None = None
    time_tag: str = ""


def format_of(
    book: FormatBook, reader: str, records: Sequence[Mapping[str, Any]], headings: Sequence[str] | None = None
) -> LogFormat:
    """The format of these records among those of a reader: the one that they match, else its first."""
    matched = book.matching(Shape.of(records, headings=headings, parse_json=book.parse_json))
    if matched is not None and matched.reader == reader:
        return matched
    return next(each for each in book.formats if each.reader == reader)


def missing(value: Any) -> bool:
    """Whether a value says nothing: empty, n/a, null, -, None. It is never 0.

    >>> [missing(value) for value in ("", " N/A ", "-", None, "0", 0)]
    [True, True, True, True, False, False]
    """
    return value is None or (
        isinstance(value, str) and value.strip().casefold() in ("", "n/a", "null", "-", "none", "nan")
    )


def number(value: Any) -> Fraction | None:
    """An exact number, None where it is missing. Raises ValueError where it is none.

    >>> number("24,000"), number(24000.0), number("0.8%"), number("n/a")
    (Fraction(24000, 1), Fraction(24000, 1), Fraction(4, 5), None)
    """
    if missing(value):
        return None
    if isinstance(value, bool) or not isinstance(value, int | float | Decimal | str):
        raise ValueError("a number")
    text = str(value).strip().removesuffix("%").strip()
    if not _NUMBER.fullmatch(text):
        raise ValueError("a number")
    return Fraction(text.replace(",", ""))


def whole(value: Any) -> int | None:
    """A whole number, 0 or more; None where it is missing. Raises ValueError where it is none."""
    found = number(value)
    if found is None:
        return None
    if found.denominator != 1 or found < 0:
        raise ValueError("a whole number, 0 or more")
    return found.numerator


def value_at(record: Mapping[str, Any], places: Iterable[Place], parse_json: Callable[[str], Any]) -> Any:
    """The first value at these places of a record that is not missing; None where there is none."""
    for place in places:
        value: Any = record if place.column == LINE and place.steps else record.get(place.column)
        for step in place.steps:
            if isinstance(value, str):
                value = parse_json(value)
            for key in step:
                value = _child(value, key)
        if not missing(value):
            return value
    return None


def _child(value: Any, key: str) -> Any:
    if isinstance(value, Mapping):
        return value.get(key)
    if isinstance(value, list) and key.isdecimal() and int(key) < len(value):
        return value[int(key)]
    return None


def seconds_of(interval: Any) -> int | None:
    """Seconds of an ISO 8601 interval such as PT1M; None where it is none.

    >>> seconds_of("PT1M"), seconds_of("P1D"), seconds_of("FULL")
    (60, 86400, None)
    """
    found = _INTERVAL.fullmatch(interval.strip().upper()) if isinstance(interval, str) else None
    if found is None or not any(found.groups()):
        return None
    days, hours, minutes, seconds = (int(part or 0) for part in found.groups())
    return ((days * 24 + hours) * 60 + minutes) * 60 + seconds


def step_seconds(stamps: Iterable[Any]) -> int | None:
    """The most common step between stamps that follow one another, in seconds; None with fewer than two.

    It looks at the time of day alone, whatever the order of day and month; one time on several days is a day's step.

    >>> step_seconds(["11/2/2026 11:58 PM", "11/2/2026 11:59 PM", "11/3/2026 12:00 AM"])
    60
    """
    distinct = list(dict.fromkeys(stamps))
    times = [_second_of_day(stamp) for stamp in distinct]
    known = [time for time in times if time is not None]
    if len(known) < 2 or len(known) < len(times):
        return None
    steps = Counter((later - earlier) % _DAY or _DAY for earlier, later in pairwise(known))
    return min(steps, key=lambda step: (-steps[step], step))


def _second_of_day(stamp: Any) -> int | None:
    if isinstance(stamp, int):
        return stamp % _DAY
    found = _TIME_OF_DAY.search(stamp) if isinstance(stamp, str) else None
    if found is None:
        return None
    hour = int(found[1])
    if found[4]:
        hour = hour % 12 + (12 if found[4].casefold() == "pm" else 0)
    return (hour * 60 + int(found[2])) * 60 + int(found[3] or 0)


def coarse(seconds: int, found: str, source: str, ask: str) -> list[Problem]:
    """The problem of bins that are too long to size from."""
    if seconds <= COARSEST_SECONDS:
        return []
    expected = f"bins of a minute (at most {COARSEST_SECONDS // 60}): longer ones hide the peaks; ask again {ask}"
    return [Problem("interval", found or f"{seconds:,} seconds", expected, source=source)]
