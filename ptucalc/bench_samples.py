"""What became of each call of a benchmark, as the client saw it, and statistics of such measurements."""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum
from fractions import Fraction
from typing import NamedTuple

from ptucalc.bench_schedule import Planned
from ptucalc.catalog import CLASSES, Model, TokenClass, TokenWeights, Unknown
from ptucalc.rounding import nearest_rank

__all__ = ["Outcome", "Refusal", "Sample", "Spread", "Usage", "weighted"]


class Outcome(StrEnum):
    """How a call ended; every call ends in one of these. UNFINISHED ones were under way when the benchmark was stopped."""

    SERVED = "served"
    THROTTLED = "throttled"
    FAILED = "failed"
    UNFINISHED = "unfinished"


class Refusal(NamedTuple):
    """One 429: when the request was sent and when the answer was there, and the wait it named (None: none)."""

    sent_us: int
    answered_us: int
    retry_after_ms: int | None


class Usage(NamedTuple):
    """Tokens that the service counted for a call; `cached` are part of `input`."""

    input: int
    cached: int
    output: int


class Sample(NamedTuple):
    """One call. Times are microseconds from the beginning of the benchmark.

    `intended_us` is when it was to start; `sent_us` when its last try was sent. `first_token_us` and `last_token_us` are
    None where no text was streamed, `usage` where the service gave none. `error` is the kind of a failure, `detail` its
    message. `spilled`: another deployment served it.
    """

    planned: Planned
    outcome: Outcome
    intended_us: int
    sent_us: int
    finished_us: int
    first_token_us: int | None = None
    last_token_us: int | None = None
    usage: Usage | None = None
    refusals: tuple[Refusal, ...] = ()
    error: str = ""
    detail: str = ""
    spilled: bool = False

    @property
    def tries(self) -> int:
        """Requests that were sent for it."""
        return len(self.refusals) + (self.outcome is not Outcome.THROTTLED)

    @property
    def end_to_end_us(self) -> int:
        """From when the call was to start to its last byte."""
        return self.finished_us - self.intended_us

    @property
    def to_first_token_us(self) -> int | None:
        """From when the call was to start to its first text; None where no text was streamed."""
        return None if self.first_token_us is None else self.first_token_us - self.intended_us

    @property
    def between_tokens_us(self) -> Fraction | None:
        """Mean time between two tokens: first text to last, over the output tokens after the first. None if not known.

        A part of the stream may hold several tokens, so parts are not counted; Azure Monitor normalizes alike.
        """
        first, last, usage = self.first_token_us, self.last_token_us, self.usage
        if first is None or last is None or usage is None or usage.output < 2:
            return None
        return Fraction(last - first, usage.output - 1)


class Spread(NamedTuple):
    """Statistics of so many `values`, in their unit: exact mean, percentiles by nearest rank; None without any."""

    values: int
    mean: Fraction | None = None
    p50: Fraction | None = None
    p95: Fraction | None = None
    p99: Fraction | None = None
    max: Fraction | None = None

    @classmethod
    def of(cls, values: Iterable[Fraction | int], *, per: int = 1) -> Spread:
        """Of these values, each divided by `per`.

        >>> Spread.of([3000, 1000, 2000], per=1000)[:3]
        (3, Fraction(2, 1), Fraction(2, 1))
        """
        ranked = sorted(values)
        if not ranked:
            return cls(0)
        rank = range(len(ranked))
        p50, p95, p99 = (Fraction(ranked[nearest_rank(rank, Fraction(percent, 100))]) / per for percent in (50, 95, 99))
        return cls(len(ranked), Fraction(sum(ranked)) / (len(ranked) * per), p50, p95, p99, Fraction(ranked[-1]) / per)


def weighted(model: Model, weights: TokenWeights, usage: Usage) -> Fraction | Unknown:
    """Weighted tokens of a call: of uncached input, cached input and output, each times its weight.

    The long-context weights hold where the model has such and the prompt is that long; `weights` are the usual ones.
    What is written to the cache is not in the usage, and weighs as plain input here.
    """
    at = weights if model.weights_for(usage.input) is model.weights else model.weights_for(usage.input)
    total = Fraction(0)
    counts = {
        TokenClass.INPUT: usage.input - usage.cached,
        TokenClass.CACHED_INPUT: usage.cached,
        TokenClass.OUTPUT: usage.output,
    }
    for token_class in CLASSES:
        count = counts.get(token_class, 0)
        if not count:
            continue
        weight = at.of(token_class)
        if not isinstance(weight, Fraction):
            reason = weight.reason if weight else "there is none"
            return Unknown(f"{model.name} has no weight for {token_class.label} tokens: {reason}")
        total += count * weight
    return total
