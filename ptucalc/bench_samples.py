"""What became of each call of a benchmark, as the client saw it, and statistics of such measurements."""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum
from fractions import Fraction
from typing import NamedTuple

from ptucalc.bench_schedule import CallSize, Planned
from ptucalc.catalog import CLASSES, Model, TokenClass, TokenWeights, Unknown
from ptucalc.rounding import nearest_rank

__all__ = ["Outcome", "Refusal", "Sample", "Spread", "Usage", "planned_usage", "weighted", "writes_weigh"]


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
    """Tokens that the service counted for a call; `cached` are part of `input`, and so are those `written` to the cache.

    `written` is None where the service does not tell it.
    """

    input: int
    cached: int
    output: int
    written: int | None = None

    @classmethod
    def sum_of(cls, usages: Iterable[Usage]) -> Usage:
        """All of them together; `written` is None where one of them does not tell it.

        >>> Usage.sum_of([Usage(9, 4, 1, 2), Usage(1, 0, 1, 0)]), Usage.sum_of([Usage(9, 4, 1, 2), Usage(1, 0, 1)]).written
        (Usage(input=10, cached=4, output=2, written=2), None)
        """
        total = cls(0, 0, 0, 0)
        for usage in usages:
            written = None if total.written is None or usage.written is None else total.written + usage.written
            total = cls(total.input + usage.input, total.cached + usage.cached, total.output + usage.output, written)
        return total


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


def writes_weigh(weights: TokenWeights) -> bool:
    """Whether it matters how much of a prompt is written to the cache: writes weigh otherwise than plain input."""
    return isinstance(weights.cache_write, Fraction) and weights.cache_write != weights.input


def planned_usage(model: Model, size: CallSize, *, cache_minimum: int = 0) -> Usage:
    """The usage of a planned call if the cache serves all that it shares.

    Where writes have a weight of their own, all the rest of a prompt of `cache_minimum` tokens or more is written.
    """
    kept = size.input_tokens >= cache_minimum and writes_weigh(model.weights_for(size.input_tokens))
    written = size.input_tokens - size.shared_tokens if kept else 0
    return Usage(size.input_tokens, size.shared_tokens, size.output_tokens, written)


def weighted(model: Model, weights: TokenWeights, usage: Usage, *, cache_minimum: int = 0) -> Fraction | Unknown:
    """Weighted tokens of a call: of uncached input, cached input, cache writes and output, each times its weight.

    The long-context weights hold where the model has such and the prompt is that long; `weights` are the usual ones.
    Unknown where writes have a weight of their own, the service does not tell them, and the prompt has the
    `cache_minimum` tokens from which on the cache keeps it.
    """
    at = weights if model.weights_for(usage.input) is model.weights else model.weights_for(usage.input)
    total = Fraction(0)
    written = usage.written or 0
    if usage.written is None and writes_weigh(at) and usage.input >= cache_minimum and usage.input > usage.cached:
        return Unknown(
            f"{model.name} weighs what is written to the prompt cache by a weight of its own, and the answers do not tell "
            "it (no cache_write_tokens in their usage)"
        )
    counts = {
        TokenClass.INPUT: usage.input - usage.cached - written,
        TokenClass.CACHED_INPUT: usage.cached,
        TokenClass.CACHE_WRITE: written,
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
