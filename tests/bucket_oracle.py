"""The 429 simulator a second time, as the rule is written: events in a heap, levels as fractions of weighted tokens.

It shares nothing with the package: no scaling, no tricks. Slow, for small traces.
"""

from __future__ import annotations

import heapq
from fractions import Fraction
from typing import NamedTuple

COMPLETION, ARRIVAL, RETRY = range(3)
MINUTE = 60_000_000


class OracleCall(NamedTuple):
    """Microseconds since the clock began, weighted tokens estimated and actual, microseconds that the call takes."""

    arrival: int
    estimate: Fraction
    actual: Fraction
    duration: int


class Answer(NamedTuple):
    """For each call served or not, its 429s, what it waited; for each minute of arrivals its 429s and mean level."""

    served: list[bool]
    refusals: list[int]
    wait_ms: list[int]
    throttled_minutes: int
    minute_429: list[int]
    mean_level: list[Fraction]


def replayed(calls: list[OracleCall], tokens_per_minute: Fraction, window_us: int, tries: int) -> Answer:
    """The bucket with this drain and so many microseconds of it as capacity; calls try at most so often."""
    drain = Fraction(tokens_per_minute) / MINUTE
    capacity = drain * window_us
    queue = [(call.arrival, ARRIVAL, number) for number, call in enumerate(calls)]
    heapq.heapify(queue)
    served, refusals, waits = [False] * len(calls), [0] * len(calls), [0] * len(calls)
    first = calls[0].arrival // MINUTE
    minutes = calls[-1].arrival // MINUTE - first + 1
    counts: dict[int, int] = {}
    areas = [Fraction(0)] * minutes
    level, then = Fraction(0), first * MINUTE

    def flow(until: int) -> None:
        """Drain, and add the area under the level to the minutes, piece by piece."""
        nonlocal level, then
        while then < until:
            end = min(until, (then // MINUTE + 1) * MINUTE)
            left = level - drain * (end - then)
            if left >= 0:
                area = (level + left) / 2 * (end - then)
            else:
                area = level * (level / drain) / 2
                left = Fraction(0)
            place = then // MINUTE - first
            if place < minutes:
                areas[place] += area
            level, then = left, end

    while queue:
        now, kind, number = heapq.heappop(queue)
        flow(now)
        call = calls[number]
        if kind == COMPLETION:
            level = max(Fraction(0), level + call.actual - call.estimate)
        elif level < capacity:
            served[number] = True
            level += call.estimate
            heapq.heappush(queue, (now + call.duration, COMPLETION, number))
        else:
            refusals[number] += 1
            counts[now // MINUTE - first] = counts.get(now // MINUTE - first, 0) + 1
            if refusals[number] < tries:
                milliseconds = (level - capacity) / drain / 1000
                wait = max(1, -(-milliseconds.numerator // milliseconds.denominator))
                waits[number] += wait
                heapq.heappush(queue, (now + 1000 * wait, RETRY, number))
    flow(max(then, (first + minutes) * MINUTE))
    return Answer(
        served, refusals, waits, len(counts), [counts.get(m, 0) for m in range(minutes)], [a / MINUTE for a in areas]
    )
