"""The load of a deployment over a month: how long it is how high, and how much of it exceeds a capacity. Exact.

Nothing here knows prices or models: a `Timeline` holds call rates, and sums over it are taken per call.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from fractions import Fraction
from itertools import accumulate
from math import gcd, lcm
from typing import NamedTuple

from ptucalc.prices import HOURS_PER_MONTH
from ptucalc.workload import Workload

__all__ = ["Overflow", "Timeline", "average_rate", "timeline_of"]

EXACT_BITS = 4096
"""Up to this length of the common denominator the overflow of a changing mix is summed exactly."""

FINE = 1 << 256
"""Beyond it, each term is cut off after so many parts of a token or dollar: for any month less than 10^-60 of one."""


class Timeline(NamedTuple):
    """Stretches of time in which every workload's rate stays the same.

    `shares` are how long each lasts, in parts of their sum; `rates` hold for each stretch the requests per minute of
    every workload, times `scale`.
    """

    shares: tuple[int, ...]
    rates: tuple[tuple[int, ...], ...]
    scale: int

    @property
    def whole(self) -> int:
        """The sum of the shares: all the time."""
        return sum(self.shares)

    def totals(self, per_call: Sequence[Fraction]) -> tuple[list[int], int]:
        """What the calls of each stretch add up to per minute, for so much per call of each workload.

        Integers, and the denominator that they have in common.
        """
        common = lcm(*(value.denominator for value in per_call))
        each = [int(value * common) for value in per_call]
        if len(each) == 1:
            return [rates[0] * each[0] for rates in self.rates], common * self.scale
        return [sum(map(int.__mul__, rates, each)) for rates in self.rates], common * self.scale

    def mean(self, per_call: Sequence[Fraction]) -> Fraction:
        """The average per minute over all the time."""
        totals, common = self.totals(per_call)
        return Fraction(sum(map(int.__mul__, self.shares, totals)), self.whole * common)

    def peak(self, per_call: Sequence[Fraction]) -> Fraction:
        """The largest value per minute of any stretch."""
        totals, common = self.totals(per_call)
        return Fraction(max(totals), common)


def average_rate(workload: Workload) -> Fraction:
    """Average requests per minute over a month of 730 hours.

    A given average counts for its hours (average x hours / 730); otherwise it follows from the profile, or is the rate.
    """
    average = workload.average_requests_per_minute
    if average is not None:
        hours = workload.hours_per_month
        return average if hours is None else average * hours / HOURS_PER_MONTH
    profile = workload.profile
    if profile is None:
        return workload.requests_per_minute
    if profile.levels:
        return sum((part * rate for part, rate in profile.levels), Fraction(0))
    return sum(profile.timed, Fraction(0)) / len(profile.timed)


def timeline_of(
    workloads: Sequence[Workload], weight_per_call: Sequence[Fraction], *, at_peak: bool = False
) -> Timeline:
    """The load of workloads that share a deployment.

    Hourly profiles (or minutes) are added moment by moment, as sizing adds them. Profiles that do not say when (levels)
    are taken to be busiest when the rest is, so that peaks coincide; steady workloads run all the time at their average
    (or `at_peak`, at their peak rate).
    """
    axis = next((len(w.profile.timed) for w in workloads if w.profile and w.profile.timed), 0)
    timed = [i for i, w in enumerate(workloads) if axis and w.profile and len(w.profile.timed) == axis]
    loose = [i for i, w in enumerate(workloads) if w.profile and i not in timed]
    steady = {
        i: w.requests_per_minute if at_peak else average_rate(w) for i, w in enumerate(workloads) if w.profile is None
    }
    columns = {i: profile.timed for i in timed if (profile := workloads[i].profile)}
    stretches = [
        (1, tuple(columns[i][t] if i in columns else steady.get(i, Fraction(0)) for i in range(len(workloads))))
        for t in range(axis or 1)
    ]
    if loose:
        spread = {i: _spread(workloads[i]) for i in loose}
        stretches = _laid_along(stretches, spread, weight_per_call)
    return _timeline(stretches)


def _timeline(stretches: Sequence[tuple[int, tuple[Fraction, ...]]]) -> Timeline:
    """Like stretches put together, rates as integers."""
    together: dict[tuple[Fraction, ...], int] = {}
    for share, rates in stretches:
        together[rates] = together.get(rates, 0) + share
    scale = lcm(*{rate.denominator for rates in together for rate in rates})
    scaled = tuple(tuple(rate.numerator * (scale // rate.denominator) for rate in each) for each in together)
    return Timeline(tuple(together.values()), scaled, scale)


def _spread(workload: Workload) -> list[tuple[Fraction, Fraction]]:
    """(share of the time, rate), the highest rate first."""
    profile = workload.profile
    assert profile
    levels = profile.levels or tuple((Fraction(1, len(profile.timed)), rate) for rate in profile.timed)
    return sorted(((part, rate) for part, rate in levels if part), key=lambda level: -level[1])


def _laid_along(
    stretches: Sequence[tuple[int, tuple[Fraction, ...]]],
    spread: dict[int, list[tuple[Fraction, Fraction]]],
    weight_per_call: Sequence[Fraction],
) -> list[tuple[int, tuple[Fraction, ...]]]:
    """The stretches, the busiest first, with the workloads of unknown times added, their highest rates first."""

    def weighted(stretch: tuple[int, tuple[Fraction, ...]]) -> Fraction:
        return sum((rate * weight for rate, weight in zip(stretch[1], weight_per_call, strict=True)), Fraction(0))

    ordered = sorted(stretches, key=weighted, reverse=True)
    whole = sum(share for share, _ in ordered)
    ends = {i: list(accumulate(part for part, _ in levels)) for i, levels in spread.items()}
    cuts = sorted({Fraction(end, whole) for end in accumulate(share for share, _ in ordered)}.union(*ends.values()))
    common = lcm(*(cut.denominator for cut in cuts))
    at, base, base_end = dict.fromkeys(spread, 0), 0, Fraction(ordered[0][0], whole)
    found, before = [], Fraction(0)
    for cut in cuts:
        if before >= base_end:
            base += 1
            base_end += Fraction(ordered[base][0], whole)
        rates = list(ordered[base][1])
        for i, levels in spread.items():
            if before >= ends[i][at[i]]:
                at[i] += 1
            rates[i] = levels[at[i]][1]
        found.append((int((cut - before) * common), tuple(rates)))
        before = cut
    return found


class Overflow:
    """How much of something exceeds a capacity, averaged over the time, if every workload spills the same share.

    In a stretch of weighted demand w over a capacity C, the share 1 - C / w spills: of tokens, calls and money alike.
    Sorted stretches and running sums make an answer cost one look-up, whatever the number of minutes.
    """

    def __init__(self, timeline: Timeline, weight_per_call: Sequence[Fraction], amount_per_call: Sequence[Fraction]):
        weighted, self._unit = timeline.totals(weight_per_call)
        amounts, common = timeline.totals(amount_per_call)
        rows = sorted(zip(weighted, amounts, timeline.shares, strict=True))
        self._weighted = [row[0] for row in rows]
        self._fine = _common_denominator(rows)
        fine = self._fine
        above = [(share * amount, share * amount * fine // w if w else 0) for w, amount, share in reversed(rows)]
        sums = list(accumulate(above, lambda one, other: (one[0] + other[0], one[1] + other[1]), initial=(0, 0)))
        self._sums = sums[::-1]  # at index i: over the rows from i on
        self.denominator = timeline.whole * common * fine

    def top(self, capacity: int) -> int:
        """The overflow per minute, in parts of `denominator`, over a capacity in weighted tokens per minute."""
        limit = capacity * self._unit
        amount, per_weighted = self._sums[bisect_right(self._weighted, limit)]
        return amount * self._fine - limit * per_weighted

    def over(self, capacity: int) -> Fraction:
        """The overflow per minute over a capacity in weighted tokens per minute."""
        return Fraction(self.top(capacity), self.denominator)


def _common_denominator(rows: Sequence[tuple[int, int, int]]) -> int:
    """What the amounts per weighted token have as a common denominator; a fine enough one where that gets long."""
    common = 1
    for denominator in {w // gcd(w, amount) for w, amount, _ in rows if w}:
        common = lcm(common, denominator)
        if common.bit_length() > EXACT_BITS:
            return FINE
    return common
