"""Rows of a log that are all written alike, byte by byte: plain Python, which compiles as it stands and answers the same.

A row is text that never changes (`literals`: delimiters, the line end) with a value between each two of them. Whatever is not
exactly so ends the scan: it is for another reader. Rows that are plainly calls (`Plain`) are told from the rest, about
which `log_sql` decides, and are added up by minute. Only loops, arithmetic and indexing may stand here.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from ptucalc.read.log_sql import LARGEST_KEPT
from ptucalc.read.log_store import BACK_MINUTES

__all__ = [
    "ABSENT",
    "CLOCK",
    "KINDS",
    "MISSING",
    "TOTALS",
    "Names",
    "Plain",
    "Rows",
    "Template",
    "scan_rows",
    "sum_minutes",
    "sum_seconds",
]

TEXT, TIME, COUNT, NAME = range(4)
KINDS = {"text": TEXT, "time": TIME, "count": COUNT, "name": NAME}
"""What a value is: text that nobody asks for; a time, a count of tokens, a name."""

MISSING = -1
"""The count of an empty cell."""

ABSENT = -1
"""The place of a count that the log does not have."""

TOTALS = ("rows", "input", "output", "whole_minutes", "with_cached", "cached_told", "cached_untold")
"""What `sum_minutes` adds up over all rows: tokens; rows on a whole minute, with cached tokens, with a count of them, without
one though other input is there."""

CLOCK = ("calls", "back", "first_us", "last_us")
"""What `scan_rows` tells of sound calls, plain ones and those with a longer prompt: how many there are, how many are over
BACK_MINUTES earlier than the one before, and the times of the first and of the last one, as they stand there."""

MINUTE_US = 60_000_000
SECOND_US = 1_000_000
BACK_US = BACK_MINUTES * MINUTE_US
SUMS = 5
LONGEST_COUNT = 18
"""Digits that surely fit into 64 bits, in which compiled code counts on past the end without a word."""
DAY_SECONDS = 86_400


class Template(NamedTuple):
    """How a row is written: for each value its kind and the column that it goes to.

    Before each value, and after the last one, stands a literal of at most 8 bytes: a word of which `masks` tells the bytes
    that count, and how long it is. `next_bytes` are the first bytes of the literals after each value. Times have `digits`
    digits after a point, or none and no point. A count may be left out.
    """

    kinds: Any
    columns: Any
    literals: Any
    masks: Any
    lengths: Any
    next_bytes: Any
    digits: int


class Names(NamedTuple):
    """Names by column: those of column n are from `first[n]` to `first[n + 1]`; name m is the words from `at[m]` to
    `at[m + 1]`, of which `masks` tells the bytes that count, and `lengths[m]` bytes long."""

    words: Any
    masks: Any
    at: Any
    lengths: Any
    first: Any


class Rows(NamedTuple):
    """What was read: row r of count column c is at c * capacity + r, and so are names, as numbers among those of their column.

    Times are microseconds since 1970.
    """

    times: Any
    counts: Any
    names: Any
    capacity: int


class Plain(NamedTuple):
    """Where each count stands among the counts, or ABSENT; the time from which on, and before which, calls are wanted; and the
    longest prompt of a plain one.

    A row is plainly a call where its input and output are known, and not both 0, the cached and written tokens are part of
    the input and the reasoning tokens of the output, and the total, if told, is input + output.
    """

    input: int
    output: int
    cached: int
    written: int
    reasoning: int
    total: int
    since_us: int
    until_us: int
    longest: int


def scan_rows(
    data: Any,
    words: Any,
    start: int,
    stop: int,
    template: Template,
    names: Names,
    plain: Plain,
    rows: Rows,
    others: Rows,
    clock: Any,
) -> tuple[int, int, int]:
    """Read the rows that begin from `start` on and before `stop`: plain calls into `rows`, all others into `others`.

    Returns how many of each, and where the scan ended: before `stop` where a row is not as the template says, or there is
    no room for it. `data` goes on past `stop` to the end of the last row, and then with zero bytes: at least 8 more than the
    longest literal, name or time has. `clock` is CLOCK. `words[n]` is the 8 bytes from `data[n]` on as one number.
    """
    kinds, columns, digits = template.kinds, template.columns, template.digits
    literals, literal_masks, literal_lengths = template.literals, template.masks, template.lengths
    next_bytes, capacity = template.next_bytes, rows.capacity
    values = len(kinds)
    last_seen = [0] * (names.first[len(names.first) - 1] + 1)  # beside each name, and in the first column
    day_read, day_seconds = 0, 0
    time_at, minute_seconds = 0, 0
    at = start
    count, odd = 0, 0
    calls, back, before_us = 0, 0, 0
    while at < stop and count < capacity and odd < others.capacity:
        p = at
        beside = 0
        for value in range(values + 1):
            if words[p] & literal_masks[value] != literals[value]:
                return count, odd, at
            p += literal_lengths[value]
            if value == values:
                break
            kind = kinds[value]
            if kind == COUNT:
                first = p
                number = 0
                digit = data[p] - 48
                while 0 <= digit <= 9:
                    number = number * 10 + digit
                    p += 1
                    digit = data[p] - 48
                if number > LARGEST_KEPT or p > first + LONGEST_COUNT:
                    return count, odd, at
                if p == first:
                    number = MISSING
                rows.counts[columns[value] * capacity + count] = number
            elif kind == NAME:
                column = columns[value]
                low, high = names.first[column], names.first[column + 1]
                name = low + last_seen[beside]
                tried = low
                while tried < high:
                    word, end = names.at[name], names.at[name + 1]
                    q = p
                    while word < end and words[q] & names.masks[word] == names.words[word]:
                        word += 1
                        q += 8
                    if word == end and data[p + names.lengths[name]] == next_bytes[value]:
                        break
                    name += 1
                    if name == high:
                        name = low
                    tried += 1
                if tried == high:
                    return count, odd, at
                p += names.lengths[name]
                last_seen[beside] = name - low
                beside = name + 1
                rows.names[column * capacity + count] = name - low
            elif kind == TIME:
                # 2026-11-02T09:00:00, which is 19 bytes long; mostly it is the minute of the row before
                if words[p] != words[time_at] or words[p + 8] != words[time_at + 8] or time_at == 0:
                    if data[p + 4] != 45 or data[p + 7] != 45 or data[p + 13] != 58:
                        return count, odd, at
                    if data[p + 10] != 84 and data[p + 10] != 32:
                        return count, odd, at
                    for place in (0, 1, 2, 3, 5, 6, 8, 9, 11, 12, 14, 15):
                        if data[p + place] < 48 or data[p + place] > 57:
                            return count, odd, at
                    year = data[p] * 1000 + data[p + 1] * 100 + data[p + 2] * 10 + data[p + 3] - 53328
                    month = data[p + 5] * 10 + data[p + 6] - 528
                    day = data[p + 8] * 10 + data[p + 9] - 528
                    hour = data[p + 11] * 10 + data[p + 12] - 528
                    minute = data[p + 14] * 10 + data[p + 15] - 528
                    if (year * 100 + month) * 100 + day != day_read:
                        if year < 1970 or year > 2199 or month < 1 or month > 12 or day < 1:
                            return count, odd, at
                        leap = (year % 4 == 0 and year % 100 != 0) or year % 400 == 0
                        length = 31
                        if month == 2:
                            length = 29 if leap else 28
                        elif month == 4 or month == 6 or month == 9 or month == 11:
                            length = 30
                        if day > length:
                            return count, odd, at
                        day_read = (year * 100 + month) * 100 + day
                        # days from 1970-01-01, the year beginning in March (Hinnant, "chrono-compatible date algorithms")
                        shifted = year - 1 if month < 3 else year
                        era = shifted // 400
                        in_era = shifted - era * 400
                        in_year = (153 * (month + 9 if month < 3 else month - 3) + 2) // 5 + day - 1
                        days = era * 146097 + in_era * 365 + in_era // 4 - in_era // 100 + in_year - 719468
                        day_seconds = days * DAY_SECONDS
                    if hour > 23 or minute > 59:
                        return count, odd, at
                    minute_seconds = day_seconds + hour * 3600 + minute * 60
                time_at = p
                tens, ones = data[p + 17] - 48, data[p + 18] - 48
                if data[p + 16] != 58 or tens < 0 or tens > 5 or ones < 0 or ones > 9:
                    return count, odd, at
                second = tens * 10 + ones
                p += 19
                fraction = 0
                if digits > 0:
                    if data[p] != 46:
                        return count, odd, at
                    p += 1
                    for _ in range(digits):
                        digit = data[p] - 48
                        if digit < 0 or digit > 9:
                            return count, odd, at
                        fraction = fraction * 10 + digit
                        p += 1
                    for _ in range(6 - digits):
                        fraction *= 10
                rows.times[count] = (minute_seconds + second) * 1_000_000 + fraction
            else:
                byte = data[p]
                while byte != next_bytes[value]:
                    if byte < 32 or byte > 126 or byte == 34 or byte == 92:
                        return count, odd, at
                    p += 1
                    byte = data[p]
        at = p
        given = rows.counts[plain.input * capacity + count]
        made = rows.counts[plain.output * capacity + count]
        cached, written, reasoning, total = 0, 0, 0, given + made
        if plain.cached != ABSENT:
            cached = max(0, rows.counts[plain.cached * capacity + count])
        if plain.written != ABSENT:
            written = max(0, rows.counts[plain.written * capacity + count])
        if plain.reasoning != ABSENT:
            reasoning = max(0, rows.counts[plain.reasoning * capacity + count])
        if plain.total != ABSENT and rows.counts[plain.total * capacity + count] != MISSING:
            total = rows.counts[plain.total * capacity + count]
        known = given >= 0 and made >= 0 and given + made > 0 and total == given + made
        time = rows.times[count]
        sound = known and cached + written <= given and reasoning <= made and plain.since_us <= time < plain.until_us
        if sound:
            if calls == 0:
                clock[2] = time
            elif time < before_us - BACK_US:
                back += 1
            before_us = time
            calls += 1
        if sound and given <= plain.longest:
            count += 1
        else:
            others.times[odd] = rows.times[count]
            for value in range(values):
                place = columns[value]
                if kinds[value] == COUNT:
                    others.counts[place * others.capacity + odd] = rows.counts[place * capacity + count]
                elif kinds[value] == NAME:
                    others.names[place * others.capacity + odd] = rows.names[place * capacity + count]
            odd += 1
    clock[0], clock[1], clock[3] = calls, back, before_us
    return count, odd, at


def sum_minutes(
    count: int, rows: Rows, plain: Plain, names: Names, first_minute: int, minutes: int, sums: Any, totals: Any
) -> None:
    """Add up `count` plain calls, all of them in so many minutes from the first one on.

    `totals` are TOTALS. Calls in minute m of stream s are at (s * minutes + m) * 5: requests, uncached, cached, written and
    output tokens; the stream is the number of the first name times how many second names there are, and so on.
    """
    capacity = rows.capacity
    for row in range(count):
        time = rows.times[row]
        stream = 0
        for column in range(len(names.first) - 1):
            stream = stream * (names.first[column + 1] - names.first[column]) + rows.names[column * capacity + row]
        given = rows.counts[plain.input * capacity + row]
        made = rows.counts[plain.output * capacity + row]
        cached, written = MISSING, 0
        if plain.cached != ABSENT:
            cached = rows.counts[plain.cached * capacity + row]
        told = cached != MISSING
        cached = max(0, cached)
        if plain.written != ABSENT:
            written = max(0, rows.counts[plain.written * capacity + row])
        place = (stream * minutes + time // MINUTE_US - first_minute) * SUMS
        sums[place] += 1
        sums[place + 1] += given - cached - written
        sums[place + 2] += cached
        sums[place + 3] += written
        sums[place + 4] += made
        totals[0] += 1
        totals[1] += given
        totals[2] += made
        totals[3] += time % MINUTE_US == 0
        totals[4] += cached > 0
        totals[5] += told
        totals[6] += not told and given - written > 0


def sum_seconds(
    count: int, rows: Rows, names: Names, groups: Any, factors: Any, first_second: int, seconds: int, sums: Any
) -> None:
    """Add up what `count` calls weigh, all of them in so many seconds from the first one on.

    `groups` tells the group of each stream (numbered as in `sum_minutes`), or ABSENT; a call weighs its first counts, 0 for an
    unknown one, times the factors of its stream. Second s of group g is at g * seconds + s.
    """
    capacity = rows.capacity
    counts = len(factors) // len(groups)
    for row in range(count):
        stream = 0
        for column in range(len(names.first) - 1):
            stream = stream * (names.first[column + 1] - names.first[column]) + rows.names[column * capacity + row]
        group = groups[stream]
        if group != ABSENT:
            weight = 0
            for column in range(counts):
                weight += max(0, rows.counts[column * capacity + row]) * factors[stream * counts + column]
            sums[group * seconds + rows.times[row] // SECOND_US - first_second] += weight
