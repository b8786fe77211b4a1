"""The leaky bucket, call by call, in whole numbers: plain Python, which compiles as it stands and then answers the same.

    the level drains by `drain` each microsecond, down to 0
    a call that finds level >= capacity gets a 429, and nothing is added; else its estimate is added
    when a call completes, the level changes by actual - estimate (`delta`), down to 0 at most

At equal times: completions, in the order of their calls; then new arrivals, in their order; then retries, in the order
of their calls. Source of the rule: Microsoft's page on getting started with provisioned deployments (leaky bucket).

Levels, drains and capacities are in a unit in which all of them are whole numbers (`bucket_load` chooses it). Columns are
lists; compiled they are arrays, and numbers have 64 bits: who calls makes sure that this is enough. Only loops,
arithmetic and indexing may stand here, and functions of this module.
"""

from __future__ import annotations

from typing import Any, NamedTuple

__all__ = [
    "Calls",
    "Completions",
    "Events",
    "Lanes",
    "Tried",
    "Weighed",
    "Weighing",
    "count_lanes",
    "most_in_flight",
    "replay",
    "sum_chosen",
    "weigh",
]

MINUTE_US = 60_000_000
WHOLE_MS = 1000


class Weighing(NamedTuple):
    """What a call weighs: weights of uncached, cached, written and output tokens, in parts of a common denominator.

    The `long_` ones are those of prompts over `long_over` tokens; over `prompt_limit` a prompt is refused.
    `assumed_max_tokens` is -1 for none, `tokens_per_second` 0 where there is no target.
    """

    uncached: int
    cached: int
    written: int
    output: int
    long_uncached: int
    long_cached: int
    long_written: int
    long_output: int
    long_over: int
    prompt_limit: int
    assumed_max_tokens: int
    tokens_per_second: int


class Weighed(NamedTuple):
    """Columns that `weigh` fills: weighted tokens added at arrival, and by completion; microseconds; 0 or 1 twice."""

    estimate: Any
    delta: Any
    duration: Any
    over_limit: Any
    long_context: Any


class Calls(NamedTuple):
    """The calls that a bucket meets: when they arrive after `origin`, what they weigh, their tokens (a row of each)."""

    arrival: Any
    origin: int
    estimate: Any
    delta: Any
    tokens: Any


class Completions(NamedTuple):
    """Completions that change the level, in order: when, and of which call. Columns and rows to work with: `slots`
    says where a call's row of `fits` is while it runs, `free` which rows are, all but the first at the beginning."""

    finish: Any
    call: Any
    slots: Any
    fits: Any
    free: Any


class Lanes(NamedTuple):
    """Buckets side by side, and what is counted of each: calls served, their tokens (a row per column), minutes with a
    429. `unit` is one weighted token, `most_elapsed` a time in which any of them empties."""

    unit: Any
    most_elapsed: int
    drain: Any
    capacity: Any
    level: Any
    served: Any
    before: Any
    tokens_served: Any
    throttled_minutes: Any


class Events(NamedTuple):
    """Times and calls that wait their turn, in two heaps: completions and retries."""

    finish: Any
    finish_call: Any
    retry: Any
    retry_call: Any


class Tried(NamedTuple):
    """What became of each call (served: 0 or 1; its 429s; milliseconds waited) and of each minute.

    `levels` are twice the sums over the minute of the level, in microseconds of drain (rounded down) x microseconds.
    """

    served: Any
    refusals: Any
    wait_ms: Any
    levels: Any
    responses_429: Any


def weigh(
    uncached: Any,
    cached: Any,
    written: Any,
    output: Any,
    max_tokens: Any,
    duration_us: Any,
    rule: Weighing,
    weighed: Weighed,
) -> tuple[int, int]:
    """What every call adds at arrival and at completion, and how long it takes.

    estimate = weight of the prompt + output weight x max_tokens (else the assumed ones, else the actual output).
    Duration: as given, else output / latency target, else 0. `max_tokens` and `duration_us` are empty where no call
    says. Returns how many calls say no max_tokens, and how many no duration.
    """
    guessed, unknown = 0, 0
    for i in range(len(uncached)):
        prompt = uncached[i] + cached[i] + written[i]
        if prompt > rule.long_over:
            weight = rule.long_output
            base = uncached[i] * rule.long_uncached + cached[i] * rule.long_cached + written[i] * rule.long_written
            weighed.long_context[i] = 1
        else:
            weight = rule.output
            base = uncached[i] * rule.uncached + cached[i] * rule.cached + written[i] * rule.written
        if prompt > rule.prompt_limit:
            weighed.over_limit[i] = 1
        expected = output[i]
        if len(max_tokens) > 0 and max_tokens[i] >= 0:
            expected = max_tokens[i]
        else:
            guessed += 1
            if rule.assumed_max_tokens >= 0:
                expected = rule.assumed_max_tokens
        weighed.estimate[i] = base + weight * expected
        weighed.delta[i] = weight * (output[i] - expected)
        if len(duration_us) > 0 and duration_us[i] >= 0:
            weighed.duration[i] = duration_us[i]
        else:
            unknown += 1
            if rule.tokens_per_second > 0:
                weighed.duration[i] = output[i] * 1_000_000 // rule.tokens_per_second
    return guessed, unknown


def most_in_flight(calls: Calls, completions: Completions) -> int:
    """How many calls whose completion changes the level run at once, at most."""
    running, most, done = 0, 0, 0
    for i in range(len(calls.arrival)):
        if calls.delta[i] != 0:
            t = calls.arrival[i] - calls.origin
            while done < len(completions.finish) and completions.finish[done] < t:
                done += 1
                running -= 1
            running += 1
            most = max(most, running)
    return most


def count_lanes(calls: Calls, completions: Completions, lanes: Lanes) -> None:
    """Replay the calls, which try once, on every bucket at the same time; the sums are in `lanes` afterwards."""
    arrival, origin, estimate, delta, tokens = calls.arrival, calls.origin, calls.estimate, calls.delta, calls.tokens
    finish, finish_call, slots = completions.finish, completions.call, completions.slots
    all_fits, free = completions.fits, completions.free
    drain, capacity, level, served = lanes.drain, lanes.capacity, lanes.level, lanes.served
    before, throttled_minutes = lanes.before, lanes.throttled_minutes
    count, finishes, classes = len(level), len(finish), len(lanes.tokens_served)
    done, last, minute_end, in_minute, free_rows = 0, 0, 0, 0, len(free)
    for i in range(len(arrival)):
        now = arrival[i] - origin
        if now >= minute_end:
            for lane in range(count):
                if served[lane] - before[lane] != in_minute:
                    throttled_minutes[lane] += 1
                before[lane] = served[lane]
            in_minute = 0
            minute_end = now - now % MINUTE_US + MINUTE_US
        in_minute += 1
        while done < finishes and finish[done] <= now and finish_call[done] < i:
            call = finish_call[done]
            elapsed = min(finish[done] - last, lanes.most_elapsed)
            last = finish[done]
            change = delta[call] * lanes.unit
            row = slots[call]
            fits = all_fits[row]
            for lane in range(count):
                left = level[lane] - elapsed * drain[lane]
                left = left if left > 0 else 0
                level[lane] = left + change * fits[lane]  # below 0 it is 0 at the next event, before anything is added
            free[free_rows] = row
            free_rows += 1
            done += 1
        elapsed = min(now - last, lanes.most_elapsed)
        last = now
        row = 0
        if delta[i] != 0:
            free_rows -= 1
            row = free[free_rows]
            slots[i] = row
        fits = all_fits[row]
        cost = estimate[i] * lanes.unit
        for lane in range(count):
            left = level[lane] - elapsed * drain[lane]
            left = left if left > 0 else 0
            fits[lane] = 1 if left < capacity[lane] else 0
            level[lane] = left + cost if left < capacity[lane] else left
        for lane in range(count):
            served[lane] += fits[lane]
        for column in range(classes):
            held = tokens[i][column]
            if held != 0:
                sums = lanes.tokens_served[column]
                for lane in range(count):
                    sums[lane] += fits[lane] * held
    for lane in range(count):
        if served[lane] - before[lane] != in_minute:
            throttled_minutes[lane] += 1


def replay(
    calls: Calls, duration: Any, unit: int, drain: int, capacity: int, max_retries: int, events: Events, tried: Tried
) -> tuple[int, int]:
    """Replay the calls on one bucket; a call that gets a 429 waits as long as it says, and tries again.

    retry_after = (level - capacity) / drain, rounded up to the next millisecond, at least 1 ms. Returns the number of
    429s and of the minutes with one.
    """
    arrival, origin, estimate, delta = calls.arrival, calls.origin, calls.estimate, calls.delta
    finish, finish_call, retry, retry_call = events.finish, events.finish_call, events.retry, events.retry_call
    served, refusals, wait_ms = tried.served, tried.refusals, tried.wait_ms
    levels, minutes, count = tried.levels, len(tried.levels), len(arrival)
    per_ms = drain * WHOLE_MS
    running, waiting, arrived = 0, 0, 0
    level, last, now, call = 0, 0, 0, 0
    responses, throttled_minutes, throttled_minute = 0, 0, -1
    while arrived < count or running > 0 or waiting > 0:
        # what is next: 0 a completion, 1 an arrival, 2 a retry
        kind = 1
        if arrived < count:
            now = arrival[arrived] - origin
            if waiting > 0 and retry[0] < now:
                kind, now = 2, retry[0]
        elif waiting > 0:
            kind, now = 2, retry[0]
        else:
            kind, now = 0, finish[0]
        if running > 0 and finish[0] <= now:
            kind, now = 0, finish[0]

        level = drained(level, drain, last, now, levels, minutes)
        last = now
        if kind == 0:
            call = finish_call[0]
            _pop(finish, finish_call, running)
            running -= 1
            level = max(level + delta[call] * unit, 0)
            continue
        if kind == 1:
            call = arrived
            arrived += 1
        else:
            call = retry_call[0]
            _pop(retry, retry_call, waiting)
            waiting -= 1
        if level < capacity:
            served[call] = 1
            level += estimate[call] * unit
            if delta[call] != 0:
                _push(finish, finish_call, running, now + duration[call], call)
                running += 1
            continue
        refusals[call] += 1
        responses += 1
        minute = now // MINUTE_US
        if minute != throttled_minute:
            throttled_minutes += 1
            throttled_minute = minute
        if minute < minutes:
            tried.responses_429[minute] += 1
        if refusals[call] <= max_retries:
            over = level - capacity
            wait = over // per_ms  # rounded up here, not in rounding.py: compiled code calls nothing outside
            if wait * per_ms < over or wait == 0:
                wait += 1
            wait_ms[call] += wait
            _push(retry, retry_call, waiting, now + wait * WHOLE_MS, call)
            waiting += 1
    if last < minutes * MINUTE_US:
        drained(level, drain, last, minutes * MINUTE_US, levels, minutes)
    return responses, throttled_minutes


def drained(level: int, drain: int, start: int, end: int, levels: Any, minutes: int) -> int:
    """The level at `end`; what it was in between is added to the minutes."""
    while start < end and level > 0:
        minute = start // MINUTE_US
        until = min(end, (minute + 1) * MINUTE_US) if minute < minutes else end
        elapsed = until - start
        lasts = level // drain
        if minute < minutes:
            levels[minute] += (2 * lasts - elapsed) * elapsed if elapsed <= lasts else lasts * lasts
        level = level - elapsed * drain if elapsed <= lasts else 0
        start = until
    return level


def _push(times: Any, calls: Any, size: int, time: int, call: int) -> None:
    """Put an event into a heap that is ordered by time, then by call."""
    place = size
    while place > 0:
        above = (place - 1) >> 1
        if times[above] < time or (times[above] == time and calls[above] < call):
            break
        times[place], calls[place] = times[above], calls[above]
        place = above
    times[place], calls[place] = time, call


def _pop(times: Any, calls: Any, size: int) -> None:
    """Take the first event out of a heap."""
    size -= 1
    time, call = times[size], calls[size]
    place, below = 0, 1
    while below < size:
        other = below + 1
        if other < size and (
            times[other] < times[below] or (times[other] == times[below] and calls[other] < calls[below])
        ):
            below = other
        if time < times[below] or (time == times[below] and call < calls[below]):
            break
        times[place], calls[place] = times[below], calls[below]
        place, below = below, 2 * below + 1
    times[place], calls[place] = time, call


def sum_chosen(chosen: Any, tokens: Any, sums: Any) -> None:
    """Add up each column of the tokens of the calls that are chosen (1, not 0)."""
    for i in range(len(chosen)):
        if chosen[i] != 0:
            for column in range(len(sums)):
                sums[column] += tokens[i][column]
