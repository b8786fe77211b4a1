"""When a benchmark's calls start, and how large they are: at a rate, at a rate that rises, as a log has them, or one after another.

A rate is an open loop: calls start on time whether or not earlier ones were answered, and what a call waits for a slow
client counts as its latency, from when it was to start. A loop that waits for answers before it asks again would leave out
the very calls that a slow service delays (coordinated omission); `Closed` is such a loop, for those who mean concurrency.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from itertools import count, islice
from typing import NamedTuple, TypeAlias

from ptucalc.call_trace import MICROSECONDS_PER_MINUTE, CallTrace
from ptucalc.rounding import Grid

__all__ = ["SHAPES", "CallSize", "Closed", "Load", "Planned", "Ramp", "Timed", "arrivals_in"]


class CallSize(NamedTuple):
    """Tokens of a call: its prompt, how many of them it shares with other calls, and the most it may write."""

    input_tokens: int
    shared_tokens: int
    output_tokens: int


SHAPES = {"balanced": CallSize(500, 0, 500), "context": CallSize(2000, 0, 200), "generation": CallSize(500, 0, 1000)}
"""Shapes by name; those of Microsoft's archived azure-openai-benchmark, so that figures can be compared."""


class Planned(NamedTuple):
    """A call to come: its number, when it starts (microseconds from the beginning; None: at once), its size and step."""

    number: int
    at_us: int | None
    size: CallSize
    step: int = 0


def arrivals_in(rate: Fraction, length_us: int) -> int:
    """Calls that start in a time at so many per minute, evenly, the first at its beginning: those before its end.

    >>> arrivals_in(Fraction(60), 10_000_000), arrivals_in(Fraction(90), 1_000_000), arrivals_in(Fraction(1), 1)
    (10, 2, 1)
    """
    return Grid(1, 1).round_up(rate.numerator * length_us, rate.denominator * MICROSECONDS_PER_MINUTE)


def _start(number: int, rate: Fraction) -> int:
    """Microseconds from the beginning at which the call starts: number x the gap, floored to a microsecond."""
    return number * MICROSECONDS_PER_MINUTE * rate.denominator // rate.numerator


@dataclass(frozen=True, kw_only=True)
class Timed:
    """Calls at the times of a trace, made up at a rate or read from a log, from the first call on.

    `speed` 2 plays them in half the time. Only calls that start before `duration_us`. The calls' cached tokens are
    shared ones, and what a call wrote is its limit.
    """

    kind = "timed"
    calls: CallTrace
    duration_us: int
    speed: Fraction = Fraction(1)  # immutable
    from_zero: bool = False
    """Whether the trace's clock is that of the benchmark; else its first call starts at once."""
    concurrency = None

    def planned(self) -> Iterator[Planned]:
        """The calls in order."""
        trace = self.calls
        first = 0 if self.from_zero or not len(trace) else int(trace.arrival_us[0])
        for number, at in enumerate(trace.arrival_us):
            start = (int(at) - first) * self.speed.denominator // self.speed.numerator
            if start >= self.duration_us:
                return
            cached = int(trace.cached[number])
            prompt = int(trace.uncached[number]) + cached + int(trace.written[number])
            yield Planned(number, start, CallSize(prompt, cached, max(1, int(trace.output[number]))))


@dataclass(frozen=True, kw_only=True)
class Ramp:
    """Calls at a rate that rises step by step, each step so long, until one meets a 429 or the last is done."""

    kind = "ramp"
    size: CallSize
    from_rpm: Fraction
    to_rpm: Fraction
    by_rpm: Fraction
    step_us: int
    concurrency = None

    def __post_init__(self) -> None:
        if not 0 < self.from_rpm <= self.to_rpm or self.by_rpm <= 0 or self.step_us < 1:
            raise ValueError("a ramp rises from a rate over 0 by steps over 0, each of some time")

    @property
    def rates(self) -> tuple[Fraction, ...]:
        """The rate of each step, in requests per minute."""
        return tuple(islice((self.from_rpm + i * self.by_rpm for i in count()), int(self._further) + 1))

    @property
    def _further(self) -> Fraction:
        return (self.to_rpm - self.from_rpm) / self.by_rpm

    @property
    def duration_us(self) -> int:
        """How long all steps last."""
        return len(self.rates) * self.step_us

    def stretches(self, from_us: int, until_us: int) -> Iterator[tuple[Fraction, int, int]]:
        """Of each step that lies in a time its rate, and from when to when it does."""
        for step, rate in enumerate(self.rates):
            start, end = max(step * self.step_us, from_us), min((step + 1) * self.step_us, until_us)
            if start < end:
                yield rate, start, end

    def planned(self) -> Iterator[Planned]:
        """The calls in order, evenly spaced within a step."""
        number = 0
        for step, rate in enumerate(self.rates):
            for of_step in range(arrivals_in(rate, self.step_us)):
                yield Planned(number, step * self.step_us + _start(of_step, rate), self.size, step)
                number += 1


@dataclass(frozen=True, kw_only=True)
class Closed:
    """So many callers at once, each of which calls again when it is answered, for a time."""

    kind = "concurrency"
    size: CallSize
    concurrency: int
    duration_us: int

    def planned(self) -> Iterator[Planned]:
        """The calls, without end."""
        return (Planned(number, None, self.size) for number in count())


Load: TypeAlias = Timed | Ramp | Closed
