"""What a change of the calls would save: the same trace, changed, replayed again; from numbers only.

- max_tokens lowered to the p99 of the outputs; calls whose own output is longer keep theirs, so that nothing is cut off.
- 10 more of 100 prompt tokens from the cache, as far as a call has uncached ones.
- Calls that can wait: all calls of each clock minute (or hour) spaced evenly in it. What of them really can wait the trace
  does not say, so this is the most that smoothing can save.
"""

from __future__ import annotations

from array import array
from collections.abc import Callable, Iterator
from dataclasses import replace
from fractions import Fraction
from itertools import groupby
from typing import Literal, NamedTuple

from ptucalc.call_trace import MICROSECONDS_PER_MINUTE, CallTrace, Column, holds_any
from ptucalc.catalog import Unknown
from ptucalc.rounding import nearest_rank
from ptucalc.simulation_result import SimulationResult

__all__ = ["Advice", "Change", "advice", "evenly_within", "more_cached", "smallest_size", "with_lower_max_tokens"]

P99 = Fraction(99, 100)
MORE_CACHED = Fraction(10, 100)
MINUTE, HOUR = 1, 60

Code = Literal["max_tokens", "cache_ratio", "smooth_minute", "smooth_hour"]


class Change(NamedTuple):
    """One change: the share of 429s at `ptu` and the smallest size, before and after.

    `value` is the new max_tokens, the share of prompt tokens that more are cached, or the minutes calls are spread over.
    """

    code: Code
    value: int | Fraction
    ptu: int
    throttled_share_before: Fraction
    throttled_share_after: Fraction
    smallest_ptu_before: int | Unknown
    smallest_ptu_after: int | Unknown

    @property
    def saved_ptu(self) -> int | None:
        """What the smallest size shrinks by; negative where it grows; None where one is not known."""
        before, after = self.smallest_ptu_before, self.smallest_ptu_after
        return None if isinstance(before, Unknown) or isinstance(after, Unknown) else before - after


class Advice(NamedTuple):
    """The changes that were tried, and why others were not."""

    changes: tuple[Change, ...]
    not_tried: tuple[tuple[Code, str], ...] = ()


Again = Callable[[CallTrace, int | None], SimulationResult]
"""Replays another trace as the first was, at one size and over the sizes, with this assumed max_tokens."""


def smallest_size(result: SimulationResult) -> int | Unknown:
    """The smallest legal size that keeps to the target; without a target, that meets no 429."""
    return result.first_without_429 if result.target is None else result.target.smallest_ptu


def advice(trace: CallTrace, result: SimulationResult, ptu: int, again: Again) -> Advice:
    """Try each change that the trace has numbers for."""
    before = result.run(ptu).throttled_share
    changes, not_tried = [], []

    def tried(code: Code, value: int | Fraction, changed: CallTrace, assumed: int | None) -> None:
        found = again(changed, assumed)
        after = found.run(ptu).throttled_share
        changes.append(Change(code, value, ptu, before, after, smallest_size(result), smallest_size(found)))

    assumed = result.assumed_max_tokens
    lower = _lower_max_tokens(trace, assumed)
    if isinstance(lower, Unknown):
        not_tried.append((_MAX_TOKENS, lower.reason))
    else:
        changed = with_lower_max_tokens(trace, lower, assumed)
        tried(_MAX_TOKENS, lower, changed, None if assumed is None else min(assumed, lower))
    if holds_any(trace.uncached):
        tried("cache_ratio", MORE_CACHED, more_cached(trace, MORE_CACHED), assumed)
    else:
        not_tried.append(("cache_ratio", "all prompt tokens come from the cache"))
    tried("smooth_minute", MINUTE, evenly_within(trace, MINUTE), assumed)
    if trace.minutes > 1:
        tried("smooth_hour", HOUR, evenly_within(trace, HOUR), assumed)
    return Advice(tuple(changes), tuple(not_tried))


_MAX_TOKENS: Code = "max_tokens"


def _lower_max_tokens(trace: CallTrace, assumed: int | None) -> int | Unknown:
    """The p99 of the outputs, where some call asks for more; else why there is nothing to lower."""
    asked = max(trace.max_tokens, default=-1) if trace.max_tokens is not None else -1
    if asked < 0 and assumed is None:
        return Unknown("no call says a max_tokens, so each was estimated at its own output, which nothing can lower")
    unsaid = trace.max_tokens is None or min(trace.max_tokens) < 0
    largest = max(asked, assumed if assumed is not None and unsaid else -1)
    p99 = max(1, int(nearest_rank(sorted(_plain(trace.output)), P99)))
    if largest <= p99:
        return Unknown(f"max_tokens is {largest:,} at most, and the p99 of the outputs {p99:,}")
    return p99


def with_lower_max_tokens(trace: CallTrace, most: int, assumed: int | None = None) -> CallTrace:
    """The calls with a max_tokens of at most so many, except those whose output is longer: they keep theirs.

    Calls that say none stay so; but where `assumed` stood in for it, those of longer output now say that.
    """
    outputs = _plain(trace.output)
    asked = [-1] * len(outputs) if trace.max_tokens is None else _plain(trace.max_tokens)
    lowered = array("q")
    for own, output in zip(asked, outputs, strict=True):
        if own < 0:
            lowered.append(assumed if assumed is not None and output > most else -1)
        else:
            lowered.append(own if output > most else min(own, most))
    return replace(trace, max_tokens=lowered)


def more_cached(trace: CallTrace, more: Fraction) -> CallTrace:
    """The calls with so much more of their prompt tokens from the cache, as far as they are uncached now.

    Whole tokens: of each call the part of a token that is left out is dropped.
    """
    uncached, cached = array("q"), array("q")
    for plain, hit, written in zip(_plain(trace.uncached), _plain(trace.cached), _plain(trace.written), strict=True):
        moved = min(plain, (plain + hit + written) * more.numerator // more.denominator)
        uncached.append(plain - moved)
        cached.append(hit + moved)
    return replace(trace, uncached=uncached, cached=cached)


def evenly_within(trace: CallTrace, minutes: int) -> CallTrace:
    """The calls of each clock stretch of so many minutes, spaced evenly in it, in their order.

    The first and the last stretch are only as long as the trace's whole minutes in them.
    """
    length = minutes * MICROSECONDS_PER_MINUTE
    start = trace.first_minute * MICROSECONDS_PER_MINUTE
    end = start + trace.minutes * MICROSECONDS_PER_MINUTE
    spaced = array("q", _spaced(_plain(trace.arrival_us), length, start, end))
    return replace(trace, arrival_us=spaced)


def _spaced(arrivals: list[int], length: int, start: int, end: int) -> Iterator[int]:
    for number, calls in groupby(arrivals, key=lambda at: at // length):
        count = sum(1 for _ in calls)
        first, after = max(start, number * length), min(end, (number + 1) * length)
        yield from (first + (2 * place + 1) * (after - first) // (2 * count) for place in range(count))


def _plain(column: Column) -> list[int]:
    found: list[int] = column.tolist() if hasattr(column, "tolist") else list(column)
    return found
