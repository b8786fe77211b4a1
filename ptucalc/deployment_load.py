"""The calls of a deployment over the time: their tokens by class, their weight, their pay-as-you-go price."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from functools import cached_property
from typing import NamedTuple

from ptucalc.catalog import CLASSES, TokenClass, Unknown
from ptucalc.load import Timeline, timeline_of
from ptucalc.prices import MINUTES_PER_MONTH, TokenPrices
from ptucalc.results import SizedWorkload

__all__ = ["MILLION", "DeploymentLoad", "Stream", "Tokens"]

MILLION = 10**6

Tokens = tuple[Fraction, ...]
"""Tokens of one call by class, in the order of `TokenClass`."""


class Stream(NamedTuple):
    """A workload's calls as money sees them."""

    sized: SizedWorkload
    tokens: Tokens

    @classmethod
    def of(cls, sized: SizedWorkload) -> Stream:
        """The average call of a sized workload."""
        rate, demand = sized.workload.requests_per_minute, sized.demand
        return cls(sized, tuple(Fraction(tokens, demand.scale) / rate for tokens in demand.per_minute))

    @property
    def long_context(self) -> bool:
        """Whether the calls are billed at long-context prices."""
        long = self.sized.model.long_context
        return long is not None and self.sized.workload.input_tokens > long.over_input_tokens

    def weight(self, tokens: Tokens) -> Fraction:
        """Weighted tokens of a call with these tokens."""
        scaled, scale = self.sized.weights.scaled
        return sum((count * each for count, each in zip(tokens, scaled, strict=True)), Fraction(0)) / scale

    def usd(self, tokens: Tokens, prices: TokenPrices) -> Fraction | Unknown:
        """Pay-as-you-go dollars of a call with these tokens."""
        total = Fraction(0)
        for token_class, count in zip(CLASSES, tokens, strict=True):
            price = prices.usd_per_1m[token_class] if count else Fraction(0)
            if isinstance(price, Unknown):
                return price
            total += count * price
        return total / MILLION


class DeploymentLoad:
    """The calls of a deployment over the time."""

    def __init__(self, streams: Sequence[Stream]) -> None:
        self.streams = streams
        self.tokens = [stream.tokens for stream in streams]
        self.weights = [stream.weight(stream.tokens) for stream in streams]
        workloads = [stream.sized.workload for stream in streams]
        self.average_only = any(w.average_requests_per_minute is not None for w in workloads)
        self.timeline: Timeline = timeline_of(workloads, self.weights)
        self.peak_timeline = self.timeline
        if self.average_only:
            self.peak_timeline = timeline_of(workloads, self.weights, at_peak=True)
        self.mean_weighted = self.timeline.mean(self.weights)

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
        return self.timeline.mean([Fraction(1)] * len(self.streams)) * MINUTES_PER_MONTH
