"""The load of a deployment over a month: how long it is how high, and how much of it exceeds a capacity.

Exact, but for the overflow of a mix that changes so often that no common denominator stays short: see `FINE`.

Nothing here knows prices or models: a `Timeline` holds call rates, and sums over it are taken per call.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from itertools import accumulate
from math import gcd, lcm
from operator import mul
from typing import Generic, TypeVar

from ptucalc.workload import HOURS_PER_MONTH, LoadProfile, Workload

__all__ = ["Overflow", "Timeline", "average_rate", "common_axis", "timeline_of", "together"]

_Value = TypeVar("_Value")

EXACT_BITS = 4096
"""Up to this length of the common denominator the overflow of a changing mix is summed exactly."""

FINE = 1 << 256
"""Beyond it, each term is cut off after so many parts of a token or dollar: for any month less than 10^-60 of one."""


@dataclass(frozen=True)
class Timeline:
    """Stretches of time in which every workload's rate stays the same.

    `shares` are how long each lasts, in parts of their sum; `rates` hold for each stretch the requests per minute of
    every workload, times `scale`.
    """

    shares: tuple[int, ...]
    rates: tuple[tuple[int, ...], ...]
    scale: int

    @cached_property
    def whole(self) -> int:
        """The sum of the shares: all the time."""
        return sum(self.shares)

    @cached_property
    def _columns(self) -> list[tuple[int, ...]]:
        """The rates of each workload."""
        return list(zip(*self.rates, strict=True))

    @cached_property
    def _sums(self) -> list[int]:
        """The rates of each workload, summed over the time."""
        return [sum(map(mul, self.shares, column)) for column in self._columns]

    def totals(self, per_call: Sequence[Fraction]) -> tuple[list[int], int]:
        """What the calls of each stretch add up to per minute, for so much per call of each workload.

        Integers, and the denominator that they have in common.
        """
        each, common = _scaled(per_call)
        totals: list[int] | None = None
        for amount, column in zip(each, self._columns, strict=True):
            if not amount:
                continue
            if totals is None:
                totals = [rate * amount for rate in column]
            else:
                totals = [total + rate * amount for total, rate in zip(totals, column, strict=True)]
        return totals or [0] * len(self.rates), common * self.scale

    def mean(self, per_call: Sequence[Fraction]) -> Fraction:
        """The average per minute over all the time."""
        each, common = _scaled(per_call)
        return Fraction(sum(map(mul, each, self._sums)), self.whole * common * self.scale)

    def peak(self, per_call: Sequence[Fraction]) -> Fraction:
        """The largest value per minute of any stretch."""
        totals, common = self.totals(per_call)
        return Fraction(max(totals), common)


def _scaled(values: Sequence[Fraction]) -> tuple[list[int], int]:
    """The values as integers, and the denominator that they have in common."""
    common = lcm(*(value.denominator for value in values))
    return [value.numerator * (common // value.denominator) for value in values], common


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
    found = []
    for cut in cuts:
        rates = [rate * (finer // scale) for rate in known.at(cut)]
        for index, steps in others.items():
            rates[index] = int(steps.at(cut) * finer)
        found.append(tuple(rates))
    return Timeline(_lengths(cuts), tuple(found), finer)


def _lengths(cuts: Sequence[Fraction]) -> tuple[int, ...]:
    """How long each stretch lasts that ends at one of these shares of the time, as integers."""
    common = lcm(*(cut.denominator for cut in cuts))
    ends = [int(cut * common) for cut in cuts]
    return tuple(end - before for before, end in zip([0, *ends], ends, strict=False))


def together(parts: Sequence[tuple[Timeline, Sequence[Fraction]]]) -> Timeline:
    """Loads whose times cannot be laid side by side, as one: each is busiest when the others are, so peaks coincide.

    With each goes what its calls weigh. The workloads of the result are theirs, one after the other.
    """
    if len(parts) == 1:
        return parts[0][0]
    scale = lcm(*(timeline.scale for timeline, _ in parts))
    finer = [[_times(rates, scale // timeline.scale) for rates in timeline.rates] for timeline, _ in parts]
    changing = [index for index, rates in enumerate(finer) if len(rates) > 1]
    if len(changing) <= 1:
        shares = parts[changing[0]][0].shares if changing else (1,)
        columns = [rates if index in changing else rates * len(shares) for index, rates in enumerate(finer)]
        return Timeline(shares, tuple(sum(rows, ()) for rows in zip(*columns, strict=True)), scale)
    steps = []
    for (timeline, per_call), rates in zip(parts, finer, strict=True):
        weighted, _ = timeline.totals(per_call)
        ordered = sorted(range(len(rates)), key=weighted.__getitem__, reverse=True)
        steps.append(_Steps([(Fraction(timeline.shares[index], timeline.whole), rates[index]) for index in ordered]))
    cuts = sorted(set().union(*(each.ends for each in steps)))
    return Timeline(_lengths(cuts), tuple(sum((each.at(cut) for each in steps), ()) for cut in cuts), scale)


def _times(rates: tuple[int, ...], by: int) -> tuple[int, ...]:
    return rates if by == 1 else tuple(rate * by for rate in rates)


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
    Where there is no capacity at all, everything spills, calls of no weight too; `always` spills whatever the capacity.
    Sorted stretches and running sums make an answer cost one look-up, whatever the number of minutes.
    """

    def __init__(
        self,
        timeline: Timeline,
        weight_per_call: Sequence[Fraction],
        amount_per_call: Sequence[Fraction],
        *,
        like: Overflow | None = None,
        always: Fraction = Fraction(0),  # immutable
    ) -> None:
        """`like` is an overflow of something else of the same calls, whose sorted stretches serve again.

        `always` is so much per minute that no capacity serves.
        """
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
        own = timeline.whole * common * fine
        self.denominator = lcm(own, always.denominator)
        self._times = self.denominator // own
        self._always = int(always * self.denominator)

    def top(self, capacity: int) -> int:
        """The overflow per minute, in parts of `denominator`, over a capacity in weighted tokens per minute."""
        limit = capacity * self._unit
        first = (
            bisect_right(self._weighted, limit) if capacity else 0
        )  # without PTU all calls spill, weightless ones too
        over = self._amounts[first] * self._fine - limit * self._per_weighted[first]
        return over * self._times + self._always

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
