"""The load of a deployment over a month: how long it is how high, and how much of it exceeds a capacity.

Exact, but for the overflow of a mix that changes so often that no common denominator stays short: see `FINE`.

Nothing here knows prices or models: a `Timeline` holds call rates, and sums over it are taken per call.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import Counter
from collections.abc import Mapping, Sequence
from fractions import Fraction
from itertools import accumulate
from math import gcd, lcm
from typing import Generic, NamedTuple, TypeVar

from ptucalc.workload import HOURS_PER_MONTH, LoadProfile, Workload

__all__ = ["Overflow", "Timeline", "average_rate", "common_axis", "timeline_of"]

_Value = TypeVar("_Value")

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
        totals = [0] * len(self.rates)
        for value, column in zip(per_call, zip(*self.rates, strict=True), strict=True):
            each = int(value * common)
            totals = [total + rate * each for total, rate in zip(totals, column, strict=True)]
        return totals, common * self.scale

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


def common_axis(workloads: Sequence[Workload]) -> tuple[str, int] | None:
    """The time along which the workloads of a deployment are added: that of the first that has one."""
    return next((axis for w in workloads if w.profile and (axis := w.profile.axis)), None)


def timeline_of(
    workloads: Sequence[Workload], weight_per_call: Sequence[Fraction], *, at_peak: bool = False
) -> Timeline:
    """The load of workloads that share a deployment.

    Hourly profiles (or minutes) are added moment by moment, as sizing adds them. Profiles that do not say when (levels)
    are taken to be busiest when the rest is, so that peaks coincide; steady workloads run all the time at their average
    (or `at_peak`, at their peak rate).
    """
    axis = common_axis(workloads)
    length = axis[1] if axis else 1
    columns: list[tuple[Sequence[int], int]] = []
    loose = {}
    for index, workload in enumerate(workloads):
        profile = workload.profile
        if profile is None:
            rate = workload.requests_per_minute if at_peak else average_rate(workload)
            columns.append(([rate.numerator] * length, rate.denominator))
        elif axis and profile.axis == axis:
            columns.append(profile.scaled)
        else:
            loose[index] = _spread(profile)
            columns.append(([0] * length, 1))
    scale = lcm(*(each for _, each in columns))
    scaled = [rates if each == scale else [rate * (scale // each) for rate in rates] for rates, each in columns]
    stretches: dict[tuple[int, ...], int]
    if len(scaled) == 1:
        stretches = {(rate,): count for rate, count in Counter(scaled[0]).items()}
    else:
        stretches = Counter(zip(*scaled, strict=True))
    if loose:
        return _laid_along(stretches, scale, loose, weight_per_call)
    return Timeline(tuple(stretches.values()), tuple(stretches), scale)


def _spread(profile: LoadProfile) -> list[tuple[Fraction, Fraction]]:
    """(share of the time, rate), the highest rate first."""
    levels = profile.levels or tuple((Fraction(1, len(profile.timed)), rate) for rate in profile.timed)
    return sorted(((part, rate) for part, rate in levels if part), key=lambda level: -level[1])


def _laid_along(
    stretches: Mapping[tuple[int, ...], int],
    scale: int,
    loose: Mapping[int, list[tuple[Fraction, Fraction]]],
    weight_per_call: Sequence[Fraction],
) -> Timeline:
    """The stretches, the busiest first, with the workloads of unknown times added, their highest rates first."""
    finer = lcm(scale, *(rate.denominator for levels in loose.values() for _, rate in levels))

    def weighted(rates: tuple[int, ...]) -> Fraction:
        return sum(map(Fraction.__mul__, weight_per_call, map(Fraction, rates)), Fraction(0))

    ordered = sorted(stretches, key=weighted, reverse=True)
    whole = sum(stretches.values())
    known = _Steps([(Fraction(stretches[rates], whole), rates) for rates in ordered])
    others = {index: _Steps(levels) for index, levels in loose.items()}
    cuts = sorted(set(known.ends).union(*(steps.ends for steps in others.values())))
    common = lcm(*(cut.denominator for cut in cuts))
    shares, found, before = [], [], Fraction(0)
    for cut in cuts:
        rates = [rate * (finer // scale) for rate in known.at(cut)]
        for index, steps in others.items():
            rates[index] = int(steps.at(cut) * finer)
        shares.append(int((cut - before) * common))
        found.append(tuple(rates))
        before = cut
    return Timeline(tuple(shares), tuple(found), finer)


class _Steps(Generic[_Value]):
    """Values that each hold for a share of the time, one after the other; asked for with growing ends."""

    def __init__(self, parts: Sequence[tuple[Fraction, _Value]]) -> None:
        self.ends = list(accumulate(share for share, _ in parts))
        self._values = [value for _, value in parts]
        self._index = 0

    def at(self, end: Fraction) -> _Value:
        """The value of the step that reaches at least up to `end`."""
        while self.ends[self._index] < end:
            self._index += 1
        return self._values[self._index]


class Overflow:
    """How much of something exceeds a capacity, averaged over the time, if every workload spills the same share.

    In a stretch of weighted demand w over a capacity C, the share 1 - C / w spills: of tokens, calls and money alike.
    Where there is no capacity at all, everything spills, calls of no weight too.
    Sorted stretches and running sums make an answer cost one look-up, whatever the number of minutes.
    """

    def __init__(
        self,
        timeline: Timeline,
        weight_per_call: Sequence[Fraction],
        amount_per_call: Sequence[Fraction],
        *,
        like: Overflow | None = None,
    ) -> None:
        """`like` is an overflow of something else of the same calls, whose sorted stretches serve again."""
        if like is None:
            weighted, self._unit = timeline.totals(weight_per_call)
            self._order = sorted(range(len(weighted)), key=weighted.__getitem__)
            self._weighted = [weighted[index] for index in self._order]
        else:
            self._unit, self._order, self._weighted = like._unit, like._order, like._weighted
        each, common = timeline.totals(amount_per_call)
        amounts = [each[index] * timeline.shares[index] for index in self._order]
        self._fine = fine = _common_denominator(self._weighted, amounts)
        per_weighted = [amount * fine // w if w else 0 for w, amount in zip(self._weighted, amounts, strict=True)]
        self._amounts = _from_the_top(amounts)
        self._per_weighted = _from_the_top(per_weighted)
        self.denominator = timeline.whole * common * fine

    def top(self, capacity: int) -> int:
        """The overflow per minute, in parts of `denominator`, over a capacity in weighted tokens per minute."""
        limit = capacity * self._unit
        first = (
            bisect_right(self._weighted, limit) if capacity else 0
        )  # without PTU all calls spill, weightless ones too
        return self._amounts[first] * self._fine - limit * self._per_weighted[first]

    def over(self, capacity: int) -> Fraction:
        """The overflow per minute over a capacity in weighted tokens per minute."""
        return Fraction(self.top(capacity), self.denominator)


def _from_the_top(values: Sequence[int]) -> list[int]:
    """At each index the sum of the values from there on."""
    return list(accumulate(reversed(values), initial=0))[::-1]


def _common_denominator(weighted: Sequence[int], amounts: Sequence[int]) -> int:
    """What the amounts per weighted token have as a common denominator; a fine enough one where that gets long."""
    common = 1
    for w, amount in zip(weighted, amounts, strict=True):
        if w and common * amount % w:
            common = lcm(common, w // gcd(w, amount))
            if common.bit_length() > EXACT_BITS:
                return FINE
    return common
