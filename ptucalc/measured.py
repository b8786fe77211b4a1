"""A workload that a log measured, as one model sees it: which calls PTU serve, what they weigh, minute by minute."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import cached_property
from typing import NamedTuple

from ptucalc.catalog import Model, TokenWeights
from ptucalc.demand_profile import TEXT_CLASSES, DemandProfile, MeanCall, band_of
from ptucalc.errors import BadInput, Problem
from ptucalc.log_minutes import MAXIMUM, Percentile, WeightedMinutes
from ptucalc.resolving import Resolved, Resolver
from ptucalc.rounding import nearest_rank
from ptucalc.workload import Workload, mean_call_values

__all__ = ["MeasuredCalls", "Settled", "SideBySide", "settle", "side_by_side"]

SAME_TIME = Fraction(9, 10)
"""Logs are of the same time where they have this share of their minutes in common; what one lacks of it was idle."""


@dataclass(frozen=True, eq=False)
class MeasuredCalls:
    """The calls of a log for one model. `weights` are by band: today's, then those of the model's earlier rates.

    `served` are those that PTU serve, `refused` those with prompts over the model's limit. Calls of the `long` bands
    count as long context.
    """

    served: DemandProfile
    refused: DemandProfile
    long: frozenset[int]
    percentile: Percentile
    weights: tuple[Mapping[int, TokenWeights], ...]

    @cached_property
    def call(self) -> MeanCall:
        """The average call of those that PTU serve; throttled calls of unknown size are taken to be like it."""
        mean = self.served.mean_call()
        assert mean is not None  # `settle` has made sure
        return mean

    @cached_property
    def _minutes(self) -> list[WeightedMinutes]:
        return [WeightedMinutes(self.served.start, *self.served.weighted(weights)) for weights in self.weights]

    def minutes(self, rate_index: int = 0) -> WeightedMinutes:
        """Weighted tokens of every minute, at today's rate or at one of the earlier ones."""
        return self._minutes[rate_index]

    @property
    def together(self) -> SideBySide:
        """These calls alone, as they are added to others."""
        return SideBySide((self,))

    @cached_property
    def call_weights(self) -> TokenWeights:
        """What a token of each class weighs on average: between the weights of the bands, where these differ.

        So the mean call at these weights weighs what the calls weigh on average, exactly.
        """
        weights = self.weights[0]
        first = next(iter(weights.values()))
        if all(other == first for other in weights.values()):
            return first
        averages = {}
        for index, token_class in enumerate(TEXT_CLASSES):
            tokens, weighted = 0, Fraction(0)
            for row in self.served.rows:
                count, weight = row.tokens[index], weights[row.band].of(token_class)
                tokens += count
                weighted += count * weight if isinstance(weight, Fraction) else 0
            if tokens:
                averages[token_class.value] = weighted / tokens
        return replace(first, **averages)


class SideBySide(NamedTuple):
    """Logs of the same time, added minute by minute. The highest of their percentiles counts."""

    members: tuple[MeasuredCalls, ...]

    @property
    def percentile(self) -> Percentile:
        """The percentile of the minutes that they are sized at."""
        return max((each.percentile for each in self.members), key=lambda percentile: percentile.share)

    @property
    def window(self) -> tuple[int | None, int]:
        """First minute and number of minutes, from the first of any to the last of all; before and after, one is idle."""
        start, end = _window(self.members)
        return (None if self.members[0].served.start is None else start), end - start

    def shift(self, member: MeasuredCalls) -> int:
        """How many minutes after the first a member begins."""
        return (member.served.start or 0) - _window(self.members)[0]

    def minutes(self, rate_index: int = 0) -> WeightedMinutes:
        """Weighted tokens of every minute."""
        start, length = self.window
        padded = []
        for each in self.members:
            own, before = each.minutes(rate_index), self.shift(each)
            if len(own.tops) < length:
                tops = [*([0] * before), *own.tops, *([0] * (length - before - len(own.tops)))]
                own = WeightedMinutes(start, tops, own.unit)
            padded.append(own)
        return padded[0] if len(padded) == 1 else WeightedMinutes.added(padded)

    def peak(self, rate_index: int = 0, *, at_maximum: bool = False) -> tuple[Fraction, Fraction]:
        """Weighted TPM at the percentile (or of the busiest minute), and so many requests a minute of the mean call."""
        minutes, requests = self.minutes(rate_index), sum(each.served.requests for each in self.members)
        percentile = MAXIMUM if at_maximum else self.percentile
        weighted = minutes.at(percentile)
        whole = Fraction(sum(minutes.tops), minutes.unit)
        return weighted, weighted * requests / whole if whole else self._rate(percentile)

    def _rate(self, percentile: Percentile) -> Fraction:
        """Requests per minute at the percentile, for calls that weigh nothing."""
        length = self.window[1]
        counts = [Fraction(0)] * length
        for each in self.members:
            shift = self.shift(each)
            for minute, count in enumerate(each.served.requests_per_minute()):
                counts[minute + shift] += count
        ranked = sorted(range(length), key=counts.__getitem__)
        return counts[nearest_rank(ranked, percentile.share)]


def _window(members: Sequence[MeasuredCalls]) -> tuple[int, int]:
    starts = [each.served.start or 0 for each in members]
    ends = [start + each.served.length for start, each in zip(starts, members, strict=True)]
    return min(starts), max(ends)


def side_by_side(several: Sequence[MeasuredCalls]) -> list[SideBySide]:
    """The logs that can be added minute by minute, together: those of (nearly) the same time by the calendar.

    Logs of a relative clock are of the same time where they are equally long. The first log says what time it is.
    """
    found: list[SideBySide] = []
    for each in several:
        for index, group in enumerate(found):
            if _same_time(group, each):
                found[index] = SideBySide((*group.members, each))
                break
        else:
            found.append(SideBySide((each,)))
    return found


def _same_time(group: SideBySide, other: MeasuredCalls) -> bool:
    one, two = group.members[0].served, other.served
    if one.start is None or two.start is None:
        return one.start is two.start and one.length == two.length
    begin, end = max(one.start, two.start), min(one.start + one.length, two.start + two.length)
    first, last = _window((*group.members, other))
    return end - begin >= SAME_TIME * (last - first)


class Settled(NamedTuple):
    """A measured workload for the model that serves it: its mean call and rate, what it weighs."""

    workload: Workload
    found: Resolved
    calls: MeasuredCalls
    weighted: tuple[int, int]


def settle(workload: Workload, resolver: Resolver) -> Settled:
    """Find the model, tell the calls that it serves from those it refuses, and take the percentile of the minutes.

    The workload's call is then the mean one of those served, its rate what weighs so much:
    requests per minute = weighted TPM at the percentile / weight of the mean call. Raises BadInput.
    """
    profile = workload.profile
    assert profile is not None and profile.demand is not None and profile.percentile is not None
    found = resolver.resolve(_call_of(workload, 0))
    demand = profile.demand
    problems = list(_unseparated(found.model, demand))
    if problems:
        raise BadInput(problems)
    used = sorted({row.band for row in demand.rows} | {0})
    limit, long = found.model.prompt_limit_tokens, found.model.long_context
    edges = {band: demand.thresholds[band - 1] + 1 if band else 0 for band in used}  # the shortest prompt of each
    bands = [band for band in used if limit is None or edges[band] <= limit]
    served = demand.only(bands)
    mean = served.mean_call()
    if mean is None:
        expected = f"minutes with calls of known size that {found.model.name} serves on PTU"
        over = "" if limit is None else f": all prompts are over {limit:,} tokens"
        raise BadInput([Problem("profile", f"{float(demand.requests):,.0f} calls{over}", expected)])
    today = {band: resolver.resolve(_call_of(workload, edges[band])).weights for band in bands}
    earlier = [dict.fromkeys(bands, weights) for weights in found.earlier]
    calls = MeasuredCalls(
        served,
        demand.only([band for band in used if band not in bands]),
        frozenset(band for band in used if long is not None and edges[band] > long.over_input_tokens),
        profile.percentile,
        (today, *earlier),
    )
    resolver.resolve(workload.with_call(mean_call_values(*mean), Fraction(1)))  # has each class of tokens a weight?
    weighted, rate = calls.together.peak()
    if not rate:
        busy = sum(1 for count in served.requests_per_minute() if count)
        share = float(Fraction(busy, served.length))
        expected = (
            f"a percentile with calls: {busy:,} of the {served.length:,} minutes ({share:.2%}) have some; max has"
        )
        raise BadInput([Problem("profile.percentile", profile.percentile.name, expected)])
    settled = workload.with_call(mean_call_values(*mean), rate)
    return Settled(settled, found._replace(weights=calls.call_weights), calls, weighted.as_integer_ratio())


def _call_of(workload: Workload, input_tokens: int) -> Workload:
    """A call of this size to the workload's model, to ask what it weighs."""
    kept = ("model", "model_version", "region", "deployment_type", "output_weight")
    fields = {field: getattr(workload, field) for field in kept}
    return Workload.from_fields({**fields, "requests_per_minute": 1, "input_tokens": input_tokens, "output_tokens": 0})


def _unseparated(model: Model, demand: DemandProfile) -> Iterator[Problem]:
    """Limits of the model that the minutes do not tell prompts apart by, though they may hold some on both sides."""
    long = model.long_context
    limits = (model.prompt_limit_tokens, None if long is None else long.over_input_tokens)
    filled = {row.band for row in demand.rows if row.requests}
    for limit in limits:
        if limit is not None and limit not in demand.thresholds and band_of(limit, demand.thresholds) in filled:
            known = ", ".join(f"{each:,}" for each in demand.thresholds) or "no length"
            expected = (
                f"minutes that tell prompts over {limit:,} tokens apart, for {model.name}: run ptucalc logs again"
            )
            yield Problem("profile", f"prompts told apart at {known}", expected)
