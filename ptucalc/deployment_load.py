"""The calls of a deployment over the time: their tokens by class, their weight, their pay-as-you-go price."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from fractions import Fraction
from functools import cached_property
from math import lcm
from typing import TYPE_CHECKING, NamedTuple

from ptucalc.catalog import CLASSES, TokenClass, Unknown
from ptucalc.load import Overflow, Timeline, timeline_of, together
from ptucalc.prices import MINUTES_PER_MONTH, TokenPrices
from ptucalc.results import SizedWorkload

if TYPE_CHECKING:
    from ptucalc.measured_load import Column

__all__ = ["AROUND", "DeploymentLoad", "Stream", "Tokens"]


AROUND = Fraction(1, 5)
"""What-ifs change one thing by this share, up and down."""

Tokens = tuple[Fraction, ...]
"""Tokens of one call by class, in the order of `TokenClass`."""


class Stream(NamedTuple):
    """A workload's calls as money sees them; of a measured workload one column of what its minutes hold."""

    sized: SizedWorkload
    tokens: Tokens
    column: Column | None = None

    @classmethod
    def of(cls, sized: SizedWorkload) -> Stream:
        """The average call of a sized workload."""
        rate, demand = sized.workload.requests_per_minute, sized.demand
        return cls(sized, tuple(Fraction(tokens, demand.scale) / rate for tokens in demand.per_minute))

    @property
    def long_context(self) -> bool:
        """Whether the calls are billed at long-context prices."""
        if self.column is not None:
            return self.column.long_context
        long = self.sized.model.long_context
        return long is not None and self.sized.workload.input_tokens > long.over_input_tokens

    @property
    def refused(self) -> bool:
        """Whether PTU refuse these calls: then all of them are billed per token, whatever the size."""
        return self.column is not None and self.column.weights is None and any(self.tokens)

    @property
    def calls(self) -> int:
        """How many calls one of the stream is: none, where it counts single tokens."""
        return 1 if self.column is None else self.column.calls

    def weight(self, tokens: Tokens) -> Fraction:
        """Weighted tokens of a call with these tokens, as far as PTU serve it."""
        weights = self.sized.weights if self.column is None else self.column.weights
        if weights is None:
            return Fraction(0)
        scaled, scale = weights.scaled
        return sum((count * each for count, each in zip(tokens, scaled, strict=True)), Fraction(0)) / scale

    def usd(self, tokens: Tokens, prices: TokenPrices) -> Fraction | Unknown:
        """Pay-as-you-go dollars of a call with these tokens."""
        return prices.usd(zip(CLASSES, tokens, strict=True))


class DeploymentLoad:
    """The calls of a deployment over the time."""

    def __init__(self, streams: Sequence[Stream]) -> None:
        """`streams` has one for each workload; those of measured workloads are taken apart into their columns."""
        usual = [stream for stream in streams if stream.sized.measured is None]
        workloads = [stream.sized.workload for stream in usual]
        weights = [stream.weight(stream.tokens) for stream in usual]
        parts = []
        if usual:
            parts.append((timeline_of(workloads, weights), weights))
        self.streams = usual
        self.average_only = any(w.average_requests_per_minute is not None for w in workloads)
        measured = [stream for stream in streams if stream.sized.measured is not None]
        for columns, timeline in _measured(measured) if measured else ():
            parts.append((timeline, [stream.weight(stream.tokens) for stream in columns]))
            self.streams = [*self.streams, *columns]
        self.tokens = [stream.tokens for stream in self.streams]
        self.weights = [weight for _, weights in parts for weight in weights]
        self.timeline: Timeline = together(parts)
        self.peak_timeline = self.timeline
        if self.average_only:
            parts[0] = (timeline_of(workloads, weights, at_peak=True), weights)
            self.peak_timeline = together(parts)
        self.mean_weighted = self.timeline.mean(self.weights)

    @cached_property
    def some_refused(self) -> bool:
        """Whether PTU refuse some of the calls."""
        return any(stream.refused for stream in self.streams)

    def refused_mean(self, per_call: Sequence[Fraction]) -> Fraction:
        """The average per minute of the calls that PTU refuse."""
        if not self.some_refused:
            return Fraction(0)
        return self.timeline.mean(
            [each if s.refused else Fraction(0) for s, each in zip(self.streams, per_call, strict=True)]
        )

    def served_only(self, per_call: Sequence[Fraction]) -> list[Fraction]:
        """So much per call of the streams that PTU serve, and nothing of the others."""
        if not self.some_refused:
            return list(per_call)
        return [Fraction(0) if s.refused else each for s, each in zip(self.streams, per_call, strict=True)]

    def overflow(self, per_call: Sequence[Fraction], weights: Sequence[Fraction] | None = None) -> Overflow:
        """So much per call over a capacity, with what no capacity serves; `weights` of the calls, if not their own."""
        served, refused = self.served_only(per_call), self.refused_mean(per_call)
        if weights is not None:
            return Overflow(self.timeline, weights, served, always=refused)
        return Overflow(self.timeline, self.weights, served, like=self.spilled_weighted, always=refused)

    @cached_property
    def spilled_weighted(self) -> Overflow:
        """Weighted tokens over a capacity."""
        return Overflow(self.timeline, self.weights, self.weights)

    @cached_property
    def spilled_tokens(self) -> dict[TokenClass, Overflow]:
        """Tokens of each class over a capacity."""
        return {token_class: self.overflow(each) for token_class, each in self.by_class.items()}

    @cached_property
    def by_class(self) -> dict[TokenClass, list[Fraction]]:
        """Tokens per call of every workload, for each class that has some."""
        found = {c: [tokens[i] for tokens in self.tokens] for i, c in enumerate(CLASSES)}
        return {token_class: counts for token_class, counts in found.items() if any(counts)}

    @cached_property
    def tokens_per_month(self) -> dict[TokenClass, Fraction]:
        """Tokens of a month by class."""
        return {c: self.timeline.mean(counts) * MINUTES_PER_MONTH for c, counts in self.by_class.items()}

    @cached_property
    def requests_per_month(self) -> Fraction:
        """Calls of a month."""
        return self.timeline.mean([Fraction(stream.calls) for stream in self.streams]) * MINUTES_PER_MONTH


def _measured(streams: Sequence[Stream]) -> Iterator[tuple[list[Stream], Timeline]]:
    """What logs hold: those of the same time minute by minute, then the calls that PTU refuse, evenly over the time."""
    from ptucalc.measured import side_by_side
    from ptucalc.measured_load import columns_of, refused_columns

    by_calls: dict[int, list[Stream]] = {}
    for stream in streams:
        by_calls.setdefault(id(stream.sized.measured), []).append(stream)
    listed = [stream.sized.measured for stream in streams if stream.sized.measured is not None]
    for group in side_by_side(listed):
        whose = [by_calls[id(calls)].pop(0) for calls in group.members]
        columns, timeline = columns_of(group, AROUND)
        yield [Stream(whose[c.member].sized, c.tokens, c) for c in columns], timeline
        refused, rates = refused_columns(group)
        if refused:
            scale = lcm(*(rate.denominator for rate in rates))
            steady = Timeline((1,), (tuple(int(rate * scale) for rate in rates),), scale)
            yield [Stream(whose[c.member].sized, c.tokens, c) for c in refused], steady
