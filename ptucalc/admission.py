"""Whether a deployment lets a call in, asked call by call with a clock handed in: what an emulator and a gateway need.

The rules are those of `simulate`: the leaky bucket of `bucket_kernel` (its weights, units and drain are used as they
stand) and the counters of `standard_limits`. Tests prove the answers equal, call by call. What is added is what a replay
does not need: a Standard deployment's Retry-After lasts until every limit that refused the call begins anew, and what a
limit has left is told.
"""

from __future__ import annotations

from collections import defaultdict
from fractions import Fraction
from typing import NamedTuple, TypeAlias

from ptucalc.bucket_kernel import MINUTE_US, WHOLE_MS, drained
from ptucalc.bucket_load import Units, weighing_of
from ptucalc.call_trace import Call, CallTrace
from ptucalc.catalog import Model, Unknown
from ptucalc.errors import BadInput, Problem
from ptucalc.rounding import Grid
from ptucalc.standard_limits import Counting, RpmWindow, limit_problems

__all__ = [
    "Admitted",
    "ArrivingCall",
    "BucketAdmission",
    "CounterAdmission",
    "Left",
    "Refused",
    "Rejected",
    "Verdict",
]

USUAL_WINDOW_US = 60_000_000
KEPT_MINUTES = 24 * 60
"""Of so many minutes the mean level is kept, so that memory stays bounded."""

_ALWAYS = 2**62
_WHOLE = Grid(1, 1)


class ArrivingCall(NamedTuple):
    """A call as it arrives: its prompt by class, the output it will have, the `max_tokens` it asked for (None: none).

    `uncached`, `cached` and `written` (to the cache) are the prompt's tokens, each in exactly one of them. `output`
    counts at arrival only where the call says no `max_tokens` and none are assumed.
    """

    uncached: int
    output: int
    cached: int = 0
    written: int = 0
    max_tokens: int | None = None

    @property
    def prompt(self) -> int:
        """All tokens of the prompt."""
        return self.uncached + self.cached + self.written


class Admitted(NamedTuple):
    """The call is let in. `complete` takes this back, to put the true output in the place of the `expected` one.

    `output_weight` is the weight of a token of it, in the bucket's own unit; 0 where nothing is corrected.
    """

    expected: int = 0
    output_weight: int = 0


class Refused(NamedTuple):
    """HTTP 429, and when to come back: whole milliseconds, in microseconds."""

    retry_after_us: int


class Rejected(NamedTuple):
    """HTTP 400: PTU of the model take no prompt of more than so many tokens."""

    prompt_limit: int


Verdict: TypeAlias = Admitted | Refused | Rejected


class BucketAdmission:
    """The leaky bucket of a provisioned deployment. Times are microseconds since 1970, and never go back."""

    def __init__(
        self,
        model: Model,
        *,
        ptu: int,
        window_us: int = USUAL_WINDOW_US,
        assumed_max_tokens: int | None = None,
        output_weight: Fraction | None = None,
        kept_minutes: int = KEPT_MINUTES,
    ) -> None:
        """A bucket that holds what `ptu` PTU drain in `window_us`.

        Raises BadInput for a model without published PTU numbers, or whose output has no known weight.
        """
        tpm = model.tpm_per_ptu
        if isinstance(tpm, Unknown):
            raise BadInput([Problem("model", model.name, f"a model with published PTU numbers ({tpm.reason})")])
        has_writes = int(model.weights.cache_write is not None)
        has_cache = int(model.weights.cached_input is not None)
        every_class = CallTrace.of([Call(0, 1, 1, cached=has_cache, written=has_writes)])
        self._rule, scale = weighing_of(
            model, every_class, output_weight=output_weight, assumed_max_tokens=assumed_max_tokens
        )
        units = Units.of([ptu], tpm, scale)
        self._unit, (self._drain,) = units.unit, units.drains
        self.ptu, self.window_us = ptu, window_us
        self.capacity = self._drain * window_us
        self.level, self._last = 0, -1
        """What the bucket held at the last event, in its own unit, as `capacity` is."""
        self._levels: defaultdict[int, int] = defaultdict(int)
        self._kept_minutes = kept_minutes
        self.refused = 0
        """How many times it said 429."""

    def arrive(self, now_us: int, call: ArrivingCall) -> Verdict:
        """What the call gets now: 400 for a prompt over the limit, 429 at a full bucket, or else it is let in."""
        rule = self._rule
        uncached, output, cached, written, most = call
        prompt = uncached + cached + written
        if prompt > rule.prompt_limit:
            return Rejected(rule.prompt_limit)
        self._flow(now_us)
        over = self.level - self.capacity
        if over >= 0:
            self.refused += 1
            return Refused(max(1, _WHOLE.round_up(over, self._drain * WHOLE_MS)) * WHOLE_MS)
        if most is None:
            most = output if rule.assumed_max_tokens < 0 else rule.assumed_max_tokens
        if prompt > rule.long_over:
            weight = rule.long_output
            cost = uncached * rule.long_uncached + cached * rule.long_cached + written * rule.long_written
        else:
            weight = rule.output
            cost = uncached * rule.uncached + cached * rule.cached + written * rule.written
        self.level += (cost + weight * most) * self._unit
        return Admitted(most, weight * self._unit)

    def complete(self, now_us: int, admitted: Admitted, output: int) -> None:
        """The call has ended with so many output tokens: the estimate is corrected, up or down, to 0 at most."""
        if output != admitted.expected:
            self._flow(now_us)
            self.level = max(self.level + admitted.output_weight * (output - admitted.expected), 0)

    def utilization(self, now_us: int) -> Fraction:
        """Level over capacity at this moment; over 1 where estimates went beyond it."""
        self._flow(now_us)
        return Fraction(self.level, self.capacity)

    def minute_utilization(self, minute: int, from_us: int = 0, now_us: int = _ALWAYS) -> Fraction:
        """Level over capacity, averaged over a minute since 1970, or over the part of it between these times.

        The level is known as far as `utilization` has moved it on.
        """
        begin, end = minute * MINUTE_US, (minute + 1) * MINUTE_US
        passed = max(1, min(end, now_us) - max(begin, from_us))
        return Fraction(self._levels.get(minute, 0), 2 * passed * self.window_us)

    def _flow(self, now_us: int) -> None:
        """Drain up to this time."""
        last = self._last
        if now_us < last:
            raise ValueError(f"time goes back from {last} to {now_us}")
        if self.level:
            self.level = drained(self.level, self._drain, last, now_us, self._levels, _ALWAYS)
            if len(self._levels) > 2 * self._kept_minutes:
                oldest = now_us // MINUTE_US - self._kept_minutes
                for minute in [each for each in self._levels if each < oldest]:
                    del self._levels[minute]
        self._last = now_us


class Left(NamedTuple):
    """What the limits of a deployment have left: tokens of the minute, calls of the window, and how long until each
    begins anew, in microseconds. None: no such limit."""

    tokens: int | None
    tokens_reset_us: int
    calls: int | None
    calls_reset_us: int


class CounterAdmission:
    """The limits of a Standard deployment. Minutes and windows are those of the clock; every call counts, refused ones too."""

    def __init__(
        self,
        *,
        tpm: int | None = None,
        rpm: int | None = None,
        window_seconds: int = 1,
        assumed_max_tokens: int | None = None,
    ) -> None:
        """None is no such limit; with neither, every call is let in. Raises BadInput for limits under 1."""
        counting = Counting(window_seconds, assumed_max_tokens=assumed_max_tokens)
        if problems := limit_problems(counting, tpm=tpm, rpm=rpm):
            raise BadInput(problems)
        self.tpm, self.rpm = tpm, rpm
        self.window = None if rpm is None else RpmWindow.of(rpm, window_seconds)
        self._assumed = assumed_max_tokens
        self._minute, self._tokens = -1, 0
        self._place, self._calls = -1, 0
        self.refused = 0
        """How many times it said 429."""

    def arrive(self, now_us: int, call: ArrivingCall, *, best_of: int = 1) -> Admitted | Refused:
        """What the call gets now. It counts in either case: its prompt, cached tokens too, and max_tokens x best_of."""
        self._begin(now_us)
        most = call.max_tokens if call.max_tokens is not None else self._assumed
        self._tokens += call.prompt + (call.output if most is None else most * best_of)
        self._calls += 1
        milliseconds = 0
        if self.tpm is not None and self._tokens > self.tpm:
            milliseconds = _WHOLE.round_up((self._minute + 1) * MINUTE_US - now_us, WHOLE_MS)
        if self.window is not None and self._calls > self.window.calls:
            _, top, bottom = self.window
            left = _WHOLE.round_up((self._place + 1) * top - now_us * bottom, bottom * WHOLE_MS)
            milliseconds = max(milliseconds, left)
        if milliseconds:
            self.refused += 1
            return Refused(milliseconds * WHOLE_MS)
        return Admitted()

    def left(self, now_us: int) -> Left:
        """What is left now."""
        self._begin(now_us)
        tokens = calls = None
        calls_reset = 0
        if self.tpm is not None:
            tokens = max(0, self.tpm - self._tokens)
        if self.window is not None:
            _, top, bottom = self.window
            calls = max(0, self.window.calls - self._calls)
            calls_reset = _WHOLE.round_up((self._place + 1) * top - now_us * bottom, bottom)
        return Left(tokens, (self._minute + 1) * MINUTE_US - now_us, calls, calls_reset)

    def _begin(self, now_us: int) -> None:
        """Begin the minute and the window of this time, where they are new."""
        minute = now_us // MINUTE_US
        if minute != self._minute:
            self._minute, self._tokens = minute, 0
        if self.window is not None:
            _, top, bottom = self.window
            place = now_us * bottom // top
            if place != self._place:
                self._place, self._calls = place, 0
