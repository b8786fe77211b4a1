"""One number of PTU in a simulation: which calls it served, refused and spilled."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from fractions import Fraction
from typing import NamedTuple

from ptucalc.call_trace import MICROSECONDS_PER_MINUTE
from ptucalc.catalog import Unknown

__all__ = [
    "CallTokens",
    "MinuteSeries",
    "Policy",
    "Replay",
    "SimulationRun",
    "SweepPoint",
    "Target",
    "TokenSums",
    "Utilization",
    "Waits",
    "WindowPoint",
]


class Policy(StrEnum):
    """What becomes of a call that meets a 429."""

    NONE = "none"
    RETRY = "retry"
    SPILLOVER = "spillover"
    RETRY_THEN_SPILLOVER = "retry-then-spillover"

    @property
    def retries(self) -> bool:
        """Whether the call waits and tries again."""
        return self in (Policy.RETRY, Policy.RETRY_THEN_SPILLOVER)

    @property
    def spills(self) -> bool:
        """Whether a call that PTU do not serve goes to a Standard deployment, the whole of it; otherwise it fails."""
        return self in (Policy.SPILLOVER, Policy.RETRY_THEN_SPILLOVER)


class CallTokens(NamedTuple):
    """Tokens by class."""

    uncached: int = 0
    cached: int = 0
    written: int = 0
    output: int = 0

    def plus(self, other: CallTokens) -> CallTokens:
        """Both together."""
        return CallTokens(*(a + b for a, b in zip(self, other, strict=True)))

    def minus(self, other: CallTokens) -> CallTokens:
        """These without the others."""
        return CallTokens(*(a - b for a, b in zip(self, other, strict=True)))


class TokenSums(NamedTuple):
    """Tokens by class; those of calls whose prompt is over the model's long-context threshold, billed so, apart."""

    usual: CallTokens = CallTokens()
    long_context: CallTokens = CallTokens()

    @property
    def total(self) -> CallTokens:
        """All of them."""
        return self.usual.plus(self.long_context)

    def plus(self, other: TokenSums) -> TokenSums:
        """Both together."""
        return TokenSums(self.usual.plus(other.usual), self.long_context.plus(other.long_context))

    def minus(self, other: TokenSums) -> TokenSums:
        """These without the others."""
        return TokenSums(self.usual.minus(other.usual), self.long_context.minus(other.long_context))


class Utilization(NamedTuple):
    """Level of the bucket over its capacity, averaged over each clock minute: 1 is 100 %. It can be over 1.

    `p99` is the nearest rank over the minutes; idle minutes count as 0.
    """

    mean: Fraction
    p99: Fraction
    max: Fraction


class Waits(NamedTuple):
    """Milliseconds that retries add, over all requests: most wait 0. `p99` is the nearest rank.

    A request that fails or spills after its last try has waited too.
    """

    mean: Fraction
    p99: int
    max: int


@dataclass(frozen=True, eq=False)
class MinuteSeries:
    """Minute by minute, from the clock minute of the first arrival to that of the last.

    `levels` are the mean levels, in parts of `scale` of the capacity; `responses_429` the 429s of each minute. A 429 that
    a retry met after the last minute is in no minute, but is in the run's sums.
    """

    first_minute: int
    levels: Sequence[int] = field(repr=False)
    scale: int
    responses_429: Sequence[int] = field(repr=False)

    def __len__(self) -> int:
        return len(self.levels)

    @property
    def utilization(self) -> list[float]:
        """Mean utilization of each minute, for a picture; 1 is 100 %."""
        return [level / self.scale for level in self.levels]

    def start_us(self, index: int) -> int:
        """When a minute begins, in microseconds since 1970 or since the start of a relative clock."""
        return (self.first_minute + index) * MICROSECONDS_PER_MINUTE


class WindowPoint(NamedTuple):
    """The same run with a bucket of another depth: what the unpublished depth decides."""

    window_seconds: Fraction
    throttled_429: int
    throttled_minutes: int
    spilled: int
    failed: int


class Replay(NamedTuple):
    """What became of every call of the trace, in its order.

    `outcome`: 0 served, 1 spilled or failed after a 429, 2 spilled or failed for the length of its prompt. `tries_429`
    counts the 429s that it met, `wait_ms` adds up what it waited: it was served, or left, at arrival + wait.
    """

    outcome: Sequence[int]
    tries_429: Sequence[int]
    wait_ms: Sequence[int]


@dataclass(frozen=True, kw_only=True)
class SimulationRun:
    """One number of PTU, in detail.

    requests = served + spilled + failed, in calls and in tokens. `throttled_429` counts requests that met at least one
    429, `responses_429` the 429s themselves, `throttled_minutes` clock minutes with at least one. `over_prompt_limit` of
    the requests are spilled (else failed) because PTU refuse prompts of their length (HTTP 400); they meet no 429.
    """

    ptu: int
    legal: bool | None
    """Whether a deployment of this many PTU can be bought; None where no sizes are published."""
    window_seconds: Fraction
    requests: int
    served: int
    spilled: int
    failed: int
    throttled_429: int
    responses_429: int
    over_prompt_limit: int
    throttled_minutes: int
    tokens_served: TokenSums
    tokens_spilled: TokenSums
    tokens_failed: TokenSums
    utilization: Utilization
    wait_ms: Waits
    minutes: MinuteSeries = field(repr=False)
    windows: tuple[WindowPoint, ...]
    """This many PTU at other windows, this one among them."""
    replay: Replay | None = field(default=None, repr=False, compare=False)
    """Call by call, where it was asked for."""

    @property
    def throttled_share(self) -> Fraction:
        """Requests that met a 429, of all requests."""
        return Fraction(self.throttled_429, self.requests) if self.requests else Fraction(0)


class SweepPoint(NamedTuple):
    """One of many sizes, counted only. `tokens_refused` are those of the calls that were not served."""

    ptu: int
    requests: int
    throttled_429: int
    refused: int
    """Calls that were not served: spilled or failed, those over the prompt limit included."""
    throttled_minutes: int
    tokens_refused: TokenSums

    @property
    def throttled_share(self) -> Fraction:
        """Requests that met a 429, of all requests."""
        return Fraction(self.throttled_429, self.requests) if self.requests else Fraction(0)


class Target(NamedTuple):
    """A share of requests that may meet a 429, and the smallest size that keeps to it, of the sizes looked at.

    The share is not monotone in PTU, so `exceptions` are larger sizes that do not keep to it. `all_larger_meet` is
    Unknown where not every larger size was looked at and they are not proven to either.
    """

    share: Fraction
    smallest_ptu: int | Unknown
    all_larger_meet: bool | Unknown
    exceptions: tuple[int, ...]
