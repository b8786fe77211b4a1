"""What a log was found to hold, before any model is known: where it is from, its streams, what looks wrong with it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from typing import NamedTuple, Protocol

from ptucalc.catalog import TokenWeights
from ptucalc.demand_profile import DemandProfile

__all__ = ["Finding", "LogSource", "MeasuredLog", "Stream", "WindowMaxima"]


class Stream(NamedTuple):
    """The calls that a log gives one deployment and model name; empty where the log does not say."""

    deployment: str
    model: str


class Finding(NamedTuple):
    """Something in a log that a reader of the numbers must know: a code, how many rows, and more about it.

    `detail` is for the message: a column, a metric's name, an example. `rows` is 0 where it is about no rows.
    """

    code: str
    rows: int
    detail: str = ""


@dataclass(frozen=True)
class LogSource:
    """What was recognised: the one line that says how a log was understood.

    `rows` is how many records were read, `rows_used` how many of them became demand, `skipped` the rest by reason.
    `first` and `last` are microseconds since 1970-01-01 UTC, or since the start where the clock is relative. `grain` is
    "request" or "bucket"; `bucket_seconds` the length of a bucket; `step_us` the finest step between two time stamps
    (None with fewer than two). `columns` says which column or key each value was read from.
    """

    formats: tuple[str, ...]
    files: tuple[str, ...]
    rows: int
    rows_used: int
    skipped: Mapping[str, int]
    columns: Mapping[str, str]
    grain: str
    bucket_seconds: int | None
    first: int
    last: int
    relative_clock: bool
    time_zone: str
    cached_known: bool
    step_us: int | None
    ids: str = ""
    """How duplicates were looked for, in words; empty where rows carry no id."""
    verified: bool = True
    """False where no source confirms this format's layout."""
    findings: tuple[Finding, ...] = field(default=())


class WindowMaxima(NamedTuple):
    """The largest weighted tokens of any sliding window, scaled to a minute; None where the log cannot show it.

    `why` says, for a window that is None, what is missing.
    """

    sliding_60s: Fraction | None
    burst_10s: Fraction | None
    burst_1s: Fraction | None
    why: str = ""


class MeasuredLog(Protocol):
    """A log that was read: profiles by stream, and its busiest windows for given weights."""

    @property
    def source(self) -> LogSource:
        """How the log was understood."""

    @property
    def profiles(self) -> Mapping[Stream, DemandProfile]:
        """The minutes of every stream, all from the same first minute and of the same length."""

    def window_maxima(self, weights: Sequence[Mapping[Stream, Mapping[int, TokenWeights]]]) -> list[WindowMaxima]:
        """For each group of streams (weights by band of each stream) its busiest windows, throttled calls included."""
