"""Which calls a Standard (pay-as-you-go) deployment refuses: limits of tokens (TPM) and of calls (RPM) per minute.

What is published: the estimate of a call at its arrival (prompt + max_tokens x best_of) is added to a running count that
is reset each minute, and once the count reaches the TPM limit, calls get 429 until the reset. RPM is checked over short
windows, typically 1 or 10 seconds: a call over what is expected in one gets 429 until the next (600 RPM over 1 second:
the 11th call). Failed requests count too. Source: Microsoft, "Manage Azure OpenAI quota".

How that is read here, where it leaves room:
- Every call that arrives counts in both counters, whatever its answer ("failed requests count too"). So the first call
  that does not fit is refused with all that follow in its minute or window.
- The call that would bring the count above the limit is refused itself; one that fills it exactly passes. By the letter
  the first call over the limit may still pass: a difference of at most one call a minute.
- Minutes and windows are those of the clock; `window_start="first-call"` lets them begin with the first call.
- A window lasts 1 or 10 seconds and takes the whole calls in RPM x seconds / 60, for a call above what is expected gets a
  429: 119 RPM over 1 second expect 1.98 calls, so the second one is refused, and 60 a minute are all that pass. More RPM
  then never refuse more, which windows stretched to whole calls (2 in 1.008 s) would not keep to. `RpmWindow.calls_per_minute`
  is what passes, and reports say it where it is less than the RPM; over 10 seconds it is less of a loss (114 of 119).
- Where that is less than one call, a window lasts as long as one call takes at that rate: 20 RPM over 1 second is one
  call in each 3 seconds.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from itertools import repeat
from operator import add
from typing import Literal, NamedTuple, TypeAlias

from ptucalc.call_trace import MICROSECONDS_PER_MINUTE, CallTrace, Column
from ptucalc.errors import BadInput, Problem

__all__ = [
    "RPM_WINDOWS_SECONDS",
    "CountedCalls",
    "Counting",
    "RpmWindow",
    "StandardSimulation",
    "WindowStart",
    "estimated_tokens",
    "judged",
    "limit_problems",
    "simulate_standard",
]

RPM_WINDOWS_SECONDS = (1, 10)
"""Over how long RPM is checked; which of the two a deployment has is not published."""

WindowStart: TypeAlias = Literal["clock", "first-call"]

OVER_TPM, OVER_RPM = 1, 2
"""What `verdicts` adds up: 0 is accepted, 3 is over both."""

_MICROSECONDS_PER_SECOND = 1_000_000


class RpmWindow(NamedTuple):
    """How a limit of calls per minute is checked: at most `calls` in each window of `numerator / denominator` us."""

    calls: int
    numerator: int
    denominator: int

    @classmethod
    def of(cls, rpm: int | Fraction, window_seconds: int) -> RpmWindow:
        """The window and its limit for so many calls per minute.

        >>> [(window.calls, window.seconds) for window in (RpmWindow.of(600, 1), RpmWindow.of(20, 10), RpmWindow.of(20, 1))]
        [(10, Fraction(1, 1)), (3, Fraction(10, 1)), (1, Fraction(3, 1))]
        """
        expected = Fraction(rpm) * window_seconds / 60
        calls = expected.numerator // expected.denominator
        if calls:
            return cls(calls, window_seconds * _MICROSECONDS_PER_SECOND, 1)
        return cls(1, *(MICROSECONDS_PER_MINUTE / Fraction(rpm)).as_integer_ratio())

    @property
    def seconds(self) -> Fraction:
        """How long a window lasts."""
        return Fraction(self.numerator, self.denominator * _MICROSECONDS_PER_SECOND)

    @property
    def calls_per_minute(self) -> Fraction:
        """How many calls pass in a minute of windows that are full; less than the RPM where these are no whole calls a window.

        >>> [RpmWindow.of(rpm, 1).calls_per_minute for rpm in (59, 60, 61, 119, 120)]
        [Fraction(59, 1), Fraction(60, 1), Fraction(60, 1), Fraction(60, 1), Fraction(120, 1)]
        """
        return 60 * self.calls / self.seconds


class Counting(NamedTuple):
    """How calls are counted: over which windows, from when on, and what a call without max_tokens is taken to ask for.

    `assumed_max_tokens` None takes the output that it turned out to have, which is the best case.
    """

    window_seconds: int = 1
    best_of: int = 1
    assumed_max_tokens: int | None = None
    window_start: WindowStart = "clock"


@dataclass(frozen=True, kw_only=True)
class StandardSimulation:
    """What limits of so many tokens (`tpm`) and calls (`rpm`) per minute refuse; None: no such limit was checked.

    `refused_by_tpm` and `refused_by_rpm` both count the calls `refused_by_both`. `refused_minutes` are those with a
    refused call, of the `minutes` from the first call to the last. `peak_estimated_tpm` is the largest sum of estimates
    of a minute, `peak_calls_per_window` the most calls of a `window`. `without_max_tokens` calls said no max_tokens.
    `verdicts` has for each call 0 (accepted), 1 (over TPM), 2 (over RPM) or 3 (over both).
    """

    tpm: int | None
    rpm: int | Fraction | None
    window: RpmWindow | None
    counting: Counting
    without_max_tokens: int
    requests: int
    refused_by_tpm: int
    refused_by_rpm: int
    refused_by_both: int
    refused_minutes: int
    minutes: int
    peak_estimated_tpm: int
    peak_calls_per_window: int | None
    verdicts: bytes = field(repr=False)

    @property
    def refused(self) -> int:
        """Calls that got a 429."""
        return self.refused_by_tpm + self.refused_by_rpm - self.refused_by_both

    @property
    def accepted(self) -> int:
        """Calls that were served."""
        return self.requests - self.refused

    @property
    def refused_share(self) -> Fraction:
        """The share of the calls that got a 429; 0 without calls."""
        return Fraction(self.refused, self.requests) if self.requests else Fraction(0)


def simulate_standard(
    trace: CallTrace,
    *,
    tpm: int | None = None,
    rpm: int | Fraction | None = None,
    window_seconds: int = 1,
    best_of: int = 1,
    assumed_max_tokens: int | None = None,
    window_start: WindowStart = "clock",
) -> StandardSimulation:
    """Replay calls against limits of tokens and calls per minute: which of them get a 429.

    No call is tried again. Raises BadInput for limits under 1, no limit at all, or a window that is not published.

    >>> from ptucalc.call_trace import Call
    >>> trace = CallTrace.of([Call(at * 90_000, 100, 20) for at in range(11)])  # 11 calls within a second
    >>> found = simulate_standard(trace, tpm=100_000, rpm=600)
    >>> found.refused, found.refused_by_rpm, found.peak_calls_per_window, found.peak_estimated_tpm
    (1, 1, 11, 1320)
    """
    counting = Counting(window_seconds, best_of, assumed_max_tokens, window_start)
    problems = limit_problems(counting, tpm=tpm, rpm=rpm, needs_limit=True)
    if problems:
        raise BadInput(problems)
    return judged(CountedCalls.of(trace, counting), tpm=tpm, rpm=rpm)


def limit_problems(
    counting: Counting, *, tpm: int | None = None, rpm: int | Fraction | None = None, needs_limit: bool = False
) -> list[Problem]:
    """Everything that is wrong with limits and how they are counted."""
    problems = []
    if needs_limit and tpm is None and rpm is None:
        problems.append(Problem("standard_tpm", "", "a limit of tokens or of requests per minute"))
    if tpm is not None and tpm < 1:
        problems.append(Problem("standard_tpm", str(tpm), "a whole number, 1 or more"))
    if rpm is not None and rpm <= 0:
        problems.append(Problem("standard_rpm", str(rpm), "a number over 0"))
    if counting.window_seconds not in RPM_WINDOWS_SECONDS:
        expected = f"{' or '.join(map(str, RPM_WINDOWS_SECONDS))} seconds, over which Azure checks RPM"
        problems.append(Problem("rpm_window", str(counting.window_seconds), expected))
    if counting.best_of < 1:
        problems.append(Problem("best_of", str(counting.best_of), "a whole number, 1 or more"))
    if counting.assumed_max_tokens is not None and counting.assumed_max_tokens < 0:
        problems.append(Problem("assumed_max_tokens", str(counting.assumed_max_tokens), "a whole number, 0 or more"))
    return problems


def estimated_tokens(trace: CallTrace, *, best_of: int = 1, assumed_max_tokens: int | None = None) -> list[int]:
    """What each call counts at its arrival: all its prompt tokens, cached ones too, and max_tokens x best_of.

    Without max_tokens: the assumed ones x best_of, or the actual output (of all its answers: not times best_of).
    """
    prompts = map(add, map(add, _plain(trace.uncached), _plain(trace.cached)), _plain(trace.written))
    outputs: Iterable[int]
    if trace.max_tokens is None:
        outputs = _plain(trace.output) if assumed_max_tokens is None else repeat(assumed_max_tokens * best_of)
    elif assumed_max_tokens is None:
        pairs = zip(_plain(trace.max_tokens), _plain(trace.output), strict=True)
        outputs = (output if most < 0 else most * best_of for most, output in pairs)
    else:
        assumed = assumed_max_tokens * best_of
        outputs = (assumed if most < 0 else most * best_of for most in _plain(trace.max_tokens))
    return list(map(add, prompts, outputs))


def _plain(column: Column) -> list[int]:
    """The column as Python's whole numbers, whose sums never overflow."""
    found: list[int] = column.tolist() if hasattr(column, "tolist") else list(column)
    return found


class CountedCalls:
    """Calls as the counters see them, in order of arrival."""

    def __init__(
        self,
        arrival_us: Sequence[int],
        tokens: Sequence[int],
        unsaid: Sequence[bool],
        counting: Counting,
        start_us: int,
    ) -> None:
        """`tokens` are the estimates; `unsaid` tells who gave no max_tokens; minutes are counted from `start_us`."""
        self._arrival_us, self._tokens, self._unsaid, self._start_us = arrival_us, tokens, unsaid, start_us
        self.counting = counting
        self.minutes = [(at - start_us) // MICROSECONDS_PER_MINUTE for at in arrival_us]
        self.running_tokens = _running(self.minutes, tokens)
        """For each call, what its minute's token count is with it."""

    @classmethod
    def of(cls, trace: CallTrace, counting: Counting) -> CountedCalls:
        """The calls of a trace."""
        arrivals = _plain(trace.arrival_us)
        tokens = estimated_tokens(trace, best_of=counting.best_of, assumed_max_tokens=counting.assumed_max_tokens)
        most = trace.max_tokens
        unsaid = [True] * len(trace) if most is None else [each < 0 for each in _plain(most)]
        start = arrivals[0] if counting.window_start == "first-call" and arrivals else 0
        return cls(arrivals, tokens, unsaid, counting, start)

    def __len__(self) -> int:
        return len(self._arrival_us)

    @property
    def without_max_tokens(self) -> int:
        """How many calls said no max_tokens."""
        return sum(self._unsaid)

    def places(self, window: RpmWindow) -> list[int]:
        """For each call, which one of its window it is, from 1."""
        start, top, bottom = self._start_us, window.numerator, window.denominator
        if bottom == 1:
            return _running(((at - start) // top for at in self._arrival_us), repeat(1))
        return _running(((at - start) * bottom // top for at in self._arrival_us), repeat(1))

    def in_turn(self, index: int, of: int) -> CountedCalls:
        """The calls of one of several deployments that take the calls in turn. Their windows begin together."""
        turn = slice(index, None, of)
        return CountedCalls(
            self._arrival_us[turn], self._tokens[turn], self._unsaid[turn], self.counting, self._start_us
        )


def judged(calls: CountedCalls, *, tpm: int | None, rpm: int | Fraction | None) -> StandardSimulation:
    """The verdict on each call, and their sums."""
    window, most = None, None
    verdicts = bytes(len(calls))
    if tpm is not None:
        verdicts = bytes([OVER_TPM if tokens > tpm else 0 for tokens in calls.running_tokens])
    if rpm is not None:
        window = RpmWindow.of(rpm, calls.counting.window_seconds)
        places, limit = calls.places(window), window.calls
        verdicts = bytes([by + OVER_RPM if place > limit else by for place, by in zip(places, verdicts, strict=True)])
        most = max(places, default=0)
    times = Counter(verdicts)
    both = times[OVER_TPM + OVER_RPM]
    return StandardSimulation(
        tpm=tpm,
        rpm=rpm,
        window=window,
        counting=calls.counting,
        without_max_tokens=calls.without_max_tokens,
        requests=len(calls),
        refused_by_tpm=times[OVER_TPM] + both,
        refused_by_rpm=times[OVER_RPM] + both,
        refused_by_both=both,
        refused_minutes=len({minute for minute, by in zip(calls.minutes, verdicts, strict=True) if by}),
        minutes=calls.minutes[-1] - calls.minutes[0] + 1 if len(calls) else 0,
        peak_estimated_tpm=max(calls.running_tokens, default=0),
        peak_calls_per_window=most,
        verdicts=verdicts,
    )


def _running(windows: Iterable[int], amounts: Iterable[int]) -> list[int]:
    """For each call, the sum of the amounts of its window up to it. Windows ascend."""
    found = []
    current, total = None, 0
    for window, amount in zip(windows, amounts, strict=False):  # amounts may repeat for ever
        if window != current:
            current, total = window, 0
        total += amount
        found.append(total)
    return found
