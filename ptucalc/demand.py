"""Demand: tokens per minute by token class, exact. It knows no model."""

from __future__ import annotations

from fractions import Fraction
from math import gcd, lcm
from operator import mul
from typing import NamedTuple

from ptucalc.catalog import CLASSES, TokenClass, TokenWeights
from ptucalc.workload import Workload

__all__ = ["Demand"]


class Demand(NamedTuple):
    """Tokens per minute of each class, in the order of `TokenClass`, as integers over one denominator (`scale`)."""

    per_minute: tuple[int, ...]
    scale: int

    @classmethod
    def of(cls, workload: Workload) -> Demand:
        """Demand of a workload in its peak minute.

        Input tokens split into cached, written and uncached by the two ratios; every token is in exactly one class.
        """
        tokens, output = workload.input_tokens, workload.output_tokens
        if not (isinstance(tokens, int) and isinstance(output, int)):
            return cls._of_mean_call(workload)
        rate, cached, written = workload.requests_per_minute, workload.cache_ratio, workload.cache_write_ratio
        top, parts = rate.numerator, cached.denominator * written.denominator
        hit = tokens * cached.numerator * written.denominator
        write = tokens * written.numerator * cached.denominator
        whole = top * parts
        return cls(
            (
                top * (tokens * parts - hit - write),
                top * hit,
                top * write,
                whole * output,
                whole * workload.image_input_tokens,
                whole * workload.image_output_tokens,
            ),
            rate.denominator * parts,
        )

    @classmethod
    def _of_mean_call(cls, workload: Workload) -> Demand:
        """The same for the average of several calls, of a log or of prompts, which may have a fraction of a token."""
        rate, tokens = workload.requests_per_minute, Fraction(workload.input_tokens)
        cached, written = tokens * workload.cache_ratio, tokens * workload.cache_write_ratio
        output, images = Fraction(workload.output_tokens), (workload.image_input_tokens, workload.image_output_tokens)
        each = [rate * count for count in (tokens - cached - written, cached, written, output, *images)]
        scale = lcm(*(value.denominator for value in each))
        return cls(tuple(int(value * scale) for value in each), scale)

    def weighted(self, weights: TokenWeights) -> tuple[int, int]:
        """Weighted tokens per minute, as numerator and denominator, in lowest terms.

        Weighted TPM = sum over classes of tokens per minute x weight. A class that has no known weight counts 0:
        whoever asks has made sure that it holds no tokens. Source of the weights: the catalog.
        """
        scaled, scale = weights.scaled
        top, bottom = sum(map(mul, self.per_minute, scaled)), self.scale * scale
        if bottom == 1:
            return top, 1
        shared = gcd(top, bottom)
        return top // shared, bottom // shared

    def tokens_per_minute(self, token_class: TokenClass) -> Fraction:
        """Tokens per minute of one class."""
        return Fraction(self.per_minute[CLASSES.index(token_class)], self.scale)
