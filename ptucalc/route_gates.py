"""What lets calls in at each backend of a route, one by one: the leaky bucket, and the counters of Standard limits.

The bucket's rule is that of `bucket_kernel`, whose functions weigh the calls and drain the level; `admission` counts.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from heapq import heappop, heappush
from typing import NamedTuple, Protocol

from ptucalc.admission import ArrivingCall, CounterAdmission, Refused
from ptucalc.bucket_kernel import MINUTE_US, Weighed, Weighing, drained, weigh
from ptucalc.bucket_load import Units
from ptucalc.call_trace import CallTrace
from ptucalc.rounding import Grid, nearest_rank
from ptucalc.router import Answer
from ptucalc.simulated_runs import Utilization

__all__ = ["BucketGate", "CounterGate", "Gate", "WeighedCalls"]

MILLISECOND_US = 1000
P99 = Fraction(99, 100)
_WHOLE = Grid(1, 1)
_SERVED, _TOO_LONG = Answer.served(), Answer.too_long()


class Gate(Protocol):
    """Lets a call in, or says why not. It is asked in order of time."""

    def answer(self, now_us: int, place: int) -> Answer:
        """What the call at this place of the trace gets now."""


class WeighedCalls(NamedTuple):
    """What the calls of a trace weigh on a model, in parts of `scale`, and how many of them do not say some number."""

    weighed: Weighed
    scale: int
    without_max_tokens: int
    without_duration: int

    @classmethod
    def of(cls, trace: CallTrace, rule: Weighing, scale: int) -> WeighedCalls:
        """By a rule of `weighing_of`."""
        length = len(trace)
        prompt = (_plain(trace.uncached), _plain(trace.cached), _plain(trace.written))
        output, most, lasting = _plain(trace.output), _plain(trace.max_tokens), _plain(trace.duration_us)
        weighed = Weighed(*([0] * length for _ in Weighed._fields))
        guessed, unknown = weigh(*prompt, output, most, lasting, rule, weighed)
        return cls(weighed, scale, guessed, unknown)


def _plain(column: Sequence[int] | None) -> list[int]:
    """As Python's whole numbers; empty for a column that is not there."""
    if column is None:
        return []
    found: list[int] = column.tolist() if hasattr(column, "tolist") else list(column)
    return found


class BucketGate:
    """A bucket of so many PTU, asked call by call."""

    def __init__(
        self, calls: WeighedCalls, *, ptu: int, tpm_per_ptu: int, window_us: int, first_minute: int, minutes: int
    ) -> None:
        """Minutes are those whose mean level is kept."""
        self._weighed = calls.weighed
        units = Units.of([ptu], tpm_per_ptu, calls.scale)
        self._unit, (self._drain,) = units.unit, units.drains
        self._capacity, self._window_us = self._drain * window_us, window_us
        self._origin, self._minutes = first_minute * MINUTE_US, minutes
        self._level, self._last = 0, 0
        self._levels = [0] * minutes
        self._running: list[tuple[int, int]] = []
        """Calls that were let in and whose end changes the level: when they end, and their places."""

    def _flow(self, until: int) -> None:
        """Drain up to a time after the origin, completions on the way and at that time included."""
        running = self._running
        while running and running[0][0] <= until:
            finish, place = heappop(running)
            self._level = drained(self._level, self._drain, self._last, finish, self._levels, self._minutes)
            self._last = finish
            self._level = max(self._level + self._weighed.delta[place] * self._unit, 0)
        self._level = drained(self._level, self._drain, self._last, until, self._levels, self._minutes)
        self._last = until

    def answer(self, now_us: int, place: int) -> Answer:
        """400 for a prompt over the limit, 429 at a full bucket, or else the call is let in."""
        if self._weighed.over_limit[place]:
            return _TOO_LONG
        now = now_us - self._origin
        self._flow(now)
        if self._level < self._capacity:
            self._level += self._weighed.estimate[place] * self._unit
            if self._weighed.delta[place]:
                heappush(self._running, (now + self._weighed.duration[place], place))
            return _SERVED
        milliseconds = max(1, _WHOLE.round_up(self._level - self._capacity, self._drain * MILLISECOND_US))
        return Answer.throttled(milliseconds * MILLISECOND_US)

    def utilization(self) -> Utilization:
        """Level over capacity, averaged over each minute; afterwards no call is asked about."""
        end = self._minutes * MINUTE_US
        if self._last < end:
            self._flow(end)
        ranked, scale = sorted(self._levels), 2 * MINUTE_US * self._window_us
        return Utilization(
            Fraction(sum(ranked), len(ranked) * scale),
            Fraction(nearest_rank(ranked, P99), scale),
            Fraction(ranked[-1], scale),
        )


class CounterGate:
    """Limits of tokens and calls per minute, asked call by call. Minutes and windows are those of the clock."""

    def __init__(self, tokens: Sequence[int], *, tpm: int | None, rpm: int | None, window_seconds: int) -> None:
        """`tokens` are what each call of the trace counts (`estimated_tokens`)."""
        self._tokens = tokens
        self._counters = CounterAdmission(tpm=tpm, rpm=rpm, window_seconds=window_seconds)

    def answer(self, now_us: int, place: int) -> Answer:
        """429 for a call over a limit, which counts too, or else the call is let in."""
        counted = ArrivingCall(self._tokens[place], 0, max_tokens=0)  # all that it counts is known
        verdict = self._counters.arrive(now_us, counted)
        return Answer.throttled(verdict.retry_after_us) if isinstance(verdict, Refused) else _SERVED
