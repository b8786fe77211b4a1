"""What Standard (pay-as-you-go) quota to ask for, what splitting it over deployments does, and how to pace calls.

All by the rules of `standard_limits`, whose reading of what is published applies here too.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise
from typing import Literal, NamedTuple

from ptucalc.call_trace import MICROSECONDS_PER_MINUTE, CallTrace
from ptucalc.catalog import Unknown
from ptucalc.errors import BadInput, Problem
from ptucalc.rounding import Grid, nearest_rank
from ptucalc.standard_limits import (
    CountedCalls,
    Counting,
    RpmWindow,
    StandardSimulation,
    WindowStart,
    judged,
    limit_problems,
)
from ptucalc.standard_tiers import TPM_STEP, CapacityUnit

__all__ = ["Pacing", "Quota", "QuotaNeeded", "QuotaSplit", "pacing", "quota_needed", "split_quota"]

_WHOLE = Grid(1, 1)


class Quota(NamedTuple):
    """A quota to ask for, in units of which each brings so many tokens and calls per minute.

    `binding` is the limit that keeps a unit less from being enough: "tokens", "calls", or "both" (each of them, or only
    the two together). `refused` calls are left.
    """

    units: int
    tpm: int
    rpm: int
    binding: Literal["tokens", "calls", "both"]
    refused: int


@dataclass(frozen=True, kw_only=True)
class QuotaNeeded:
    """The smallest limits that refuse at most the `target` share of the calls; every larger one keeps to it too.

    `tpm` is what the tokens alone need, in whole steps of quota, `rpm` what the calls alone need. `quota` covers both
    at once, where it is known how many calls come with how many tokens.
    """

    target: Fraction
    requests: int
    counting: Counting
    tpm: int
    rpm: int
    quota: Quota | Unknown


@dataclass(frozen=True, kw_only=True)
class QuotaSplit:
    """A quota on one deployment, and on several that take calls in turn."""

    whole: StandardSimulation
    parts: tuple[StandardSimulation, ...]

    @property
    def refused(self) -> int:
        """Calls that get a 429 from one of the parts."""
        return sum(part.refused for part in self.parts)

    @property
    def refused_share(self) -> Fraction:
        """The share of the calls that get a 429 from one of the parts; 0 without calls."""
        return Fraction(self.refused, self.whole.requests) if self.whole.requests else Fraction(0)


class Pacing(NamedTuple):
    """The smallest steady gap between calls that stays under a limit, rounded up to a microsecond."""

    gap_us: int
    binding: Literal["tokens", "calls"]

    @property
    def calls_per_minute(self) -> Fraction:
        """How many calls that are in a minute."""
        return Fraction(MICROSECONDS_PER_MINUTE, self.gap_us)


def quota_needed(
    trace: CallTrace,
    *,
    unit: CapacityUnit | Unknown,
    target: Fraction = Fraction(0),  # immutable
    window_seconds: int = 1,
    best_of: int = 1,
    assumed_max_tokens: int | None = None,
    window_start: WindowStart = "clock",
) -> QuotaNeeded:
    """The smallest quota with which at most a share of the calls is refused: none, unless a `target` is given.

    `unit` is what the model's quota comes in (`StandardLimits.capacity_unit`). Raises BadInput for a trace without
    calls, a target that is no share under 1, and for what `simulate_standard` refuses.
    """
    counting = Counting(window_seconds, best_of, assumed_max_tokens, window_start)
    problems = limit_problems(counting)
    if not len(trace):
        problems.append(Problem("trace", "0 calls", "at least one call"))
    if not 0 <= target < 1:
        problems.append(Problem("target_429", str(target), "a share of the calls, 0 or more and under 1"))
    if problems:
        raise BadInput(problems)
    search = _Search(CountedCalls.of(trace, counting), target)
    step = unit.tpm if isinstance(unit, CapacityUnit) else TPM_STEP
    return QuotaNeeded(
        target=target,
        requests=len(trace),
        counting=counting,
        tpm=Grid(step, step).round_up(search.tokens(target), 1),
        rpm=search.rpm(target),
        quota=search.quota(unit) if isinstance(unit, CapacityUnit) else unit,
    )


class _Search:
    """Looks for the smallest limits that refuse at most a share of the calls."""

    def __init__(self, calls: CountedCalls, target: Fraction) -> None:
        self._calls, self._target = calls, target
        self._seconds = calls.counting.window_seconds
        self._whole_window = _WHOLE.round_up(60, self._seconds)
        """From this many RPM on a window takes a call or more, lasts as long as it is said to, and more RPM never refuse more."""
        self._places = calls.places(RpmWindow.of(self._whole_window, self._seconds))

    def tokens(self, target: Fraction) -> int:
        """The smallest TPM that refuses at most this share: all but that share of the running counts fit."""
        return nearest_rank(sorted(self._calls.running_tokens), 1 - target)

    def rpm(self, target: Fraction) -> int:
        """The smallest whole RPM from which on at most this share is refused."""
        calls = nearest_rank(sorted(self._places), 1 - target)
        rpm = _WHOLE.round_up(60 * calls, self._seconds)
        if calls == 1:
            while rpm > 1 and self._within(self._refused(None, rpm - 1), target):
                rpm -= 1
        return rpm

    def quota(self, unit: CapacityUnit) -> Quota:
        """The fewest units from which on at most the target share is refused."""
        by_tokens = _WHOLE.round_up(self.tokens(self._target), unit.tpm)
        none_refused = max(
            _WHOLE.round_up(self.tokens(Fraction(0)), unit.tpm), _WHOLE.round_up(self.rpm(Fraction(0)), unit.rpm)
        )
        ordered_from = _WHOLE.round_up(self._whole_window, unit.rpm)
        low, high = max(by_tokens, min(ordered_from, none_refused)), none_refused
        while low < high:
            middle = (low + high) // 2
            if self._enough(unit, middle):
                high = middle
            else:
                low = middle + 1
        while low > by_tokens and self._enough(unit, low - 1):
            low -= 1
        few_calls = low == 1 or not self._within(self._refused(None, unit.rpm * (low - 1)), self._target)
        binding: Literal["tokens", "calls", "both"] = "both"
        if few_calls != (low == by_tokens):
            binding = "calls" if few_calls else "tokens"
        tpm, rpm = unit.tpm * low, unit.rpm * low
        return Quota(low, tpm, rpm, binding, self._refused(tpm, rpm))

    def _enough(self, unit: CapacityUnit, units: int) -> bool:
        return self._within(self._refused(unit.tpm * units, unit.rpm * units), self._target)

    def _within(self, refused: int, target: Fraction) -> bool:
        return refused * target.denominator <= target.numerator * len(self._calls)

    def _refused(self, tpm: int | None, rpm: int) -> int:
        window = RpmWindow.of(rpm, self._seconds)
        places = self._places if rpm >= self._whole_window else self._calls.places(window)
        limit = window.calls
        if tpm is None:
            return sum(place > limit for place in places)
        pairs = zip(self._calls.running_tokens, places, strict=True)
        return sum(tokens > tpm or place > limit for tokens, place in pairs)


def split_quota(
    trace: CallTrace,
    *,
    tpm: int,
    rpm: int | Fraction,
    deployments: int = 2,
    window_seconds: int = 1,
    best_of: int = 1,
    assumed_max_tokens: int | None = None,
    window_start: WindowStart = "clock",
) -> QuotaSplit:
    """What a quota refuses on one deployment, and spread over several that take the calls in turn.

    The TPM are spread in whole steps of quota as evenly as these allow, the RPM in proportion: their sums stay the same
    (240,000 TPM: one deployment, or two of 120,000). A part cannot lend another what it does not use, and the whole
    calls that a short window takes are rounded down in each. Raises BadInput for a quota that is no whole steps, at
    least one for each deployment.
    """
    counting = Counting(window_seconds, best_of, assumed_max_tokens, window_start)
    problems = limit_problems(counting, tpm=tpm, rpm=rpm)
    if tpm % TPM_STEP:
        problems.append(Problem("standard_tpm", str(tpm), f"whole steps of {TPM_STEP:,} TPM, to split it"))
    most = max(1, tpm // TPM_STEP)
    if not 1 <= deployments <= most:
        expected = f"1 to {most:,}: each deployment has at least {TPM_STEP:,} TPM"
        problems.append(Problem("deployments", str(deployments), expected))
    if problems:
        raise BadInput(problems)
    calls = CountedCalls.of(trace, counting)
    ends = [tpm // TPM_STEP * index // deployments for index in range(deployments + 1)]
    shares = [TPM_STEP * (end - before) for before, end in pairwise(ends)]
    return QuotaSplit(
        whole=judged(calls, tpm=tpm, rpm=rpm),
        parts=tuple(
            judged(calls.in_turn(index, deployments), tpm=share, rpm=rpm * Fraction(share, tpm))
            for index, share in enumerate(shares)
        ),
    )


def pacing(
    *,
    tpm: int | None = None,
    rpm: int | Fraction | None = None,
    window_seconds: int = 1,
    tokens_per_call: int | Fraction | None = None,
) -> Pacing:
    """The smallest steady gap between calls with which no limit refuses one, wherever minutes and windows begin.

    Gap for RPM = length of a window / whole calls that it takes; for TPM = 60 s / whole calls of `tokens_per_call` (the
    estimate of a call: prompt + max_tokens x best_of) in the limit. Raises BadInput where no gap is long enough because
    one call is over the limit.

    >>> pacing(rpm=20).gap_us, pacing(tpm=6000, tokens_per_call=2500).gap_us
    (3000000, 30000000)
    """
    problems = limit_problems(Counting(window_seconds), tpm=tpm, rpm=rpm, needs_limit=True)
    if tpm is not None:
        if tokens_per_call is None or tokens_per_call <= 0:
            found = "" if tokens_per_call is None else str(tokens_per_call)
            problems.append(Problem("tokens_per_call", found, "the tokens that a call counts, over 0, to pace by TPM"))
        elif tokens_per_call > tpm >= 1:
            expected = f"at most the limit of {tpm:,} TPM: a larger call is always refused"
            problems.append(Problem("tokens_per_call", str(tokens_per_call), expected))
    if problems:
        raise BadInput(problems)
    gaps: list[Pacing] = []
    if rpm is not None:
        window = RpmWindow.of(rpm, window_seconds)
        gaps.append(Pacing(_WHOLE.round_up(window.numerator, window.denominator * window.calls), "calls"))
    if tpm is not None and tokens_per_call is not None:
        in_a_minute = Fraction(tpm) / tokens_per_call
        calls = in_a_minute.numerator // in_a_minute.denominator
        gaps.append(Pacing(_WHOLE.round_up(MICROSECONDS_PER_MINUTE, calls), "tokens"))
    return max(gaps, key=lambda each: each.gap_us)
