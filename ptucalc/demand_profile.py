"""Demand as a log shows it: tokens of every clock minute by class. It knows no model; weights come afterwards."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from math import lcm
from operator import lt
from typing import NamedTuple

from ptucalc.catalog import TokenClass, TokenWeights

__all__ = ["TEXT_CLASSES", "DemandProfile", "MeanCall", "MinuteSums", "band_of"]

TEXT_CLASSES = (TokenClass.INPUT, TokenClass.CACHED_INPUT, TokenClass.CACHE_WRITE, TokenClass.OUTPUT)
"""The classes that the token sums of a minute are kept by, in the order of `MinuteSums`."""


def band_of(input_tokens: int, thresholds: Sequence[int]) -> int:
    """Which band a call's prompt falls in: how many of the thresholds it exceeds.

    >>> [band_of(tokens, (1000, 2000)) for tokens in (1000, 1001, 2001)]
    [0, 1, 2]
    """
    return sum(input_tokens > threshold for threshold in thresholds)


class MinuteSums(NamedTuple):
    """What happened in one minute, to calls of one band of prompt sizes. Tokens are sums over the calls.

    `minute` counts from the first minute of the profile; `uncached` input tokens exclude `cached` and `written` ones;
    `unsized` are throttled calls (429) whose tokens nobody knows, `requests` all others.
    """

    minute: int
    band: int
    requests: int
    unsized: int
    uncached: int
    cached: int
    written: int
    output: int

    @property
    def tokens(self) -> tuple[int, int, int, int]:
        """Tokens by class: uncached input, cached input, written to the cache, output."""
        return self.uncached, self.cached, self.written, self.output


class MeanCall(NamedTuple):
    """Tokens by class, each an exact fraction: of the average call, or of several calls together."""

    uncached: Fraction
    cached: Fraction
    written: Fraction
    output: Fraction

    @property
    def input(self) -> Fraction:
        """All prompt tokens, cached ones included."""
        return self.uncached + self.cached + self.written


@dataclass(frozen=True)
class DemandProfile:
    """The minutes of a log. Minutes without a row are idle: they count as 0.

    `start` is the first minute, in whole minutes since 1970-01-01 00:00 UTC, or None where the log's clock is relative;
    `length` the number of minutes from the first to the last, idle ones included. `rows` are sorted by minute and band;
    their counts and tokens are in parts of 1/`scale` (buckets of several minutes are spread evenly). Calls with prompts
    over so many of the `thresholds` are in the band of that number.
    """

    start: int | None
    length: int
    thresholds: tuple[int, ...]
    rows: tuple[MinuteSums, ...]
    scale: int = 1

    def __post_init__(self) -> None:
        if self.length < 1 or self.scale < 1:
            raise ValueError("a profile has at least one minute, and a scale of at least 1")
        if list(self.thresholds) != sorted(set(self.thresholds)):
            raise ValueError("thresholds ascend")
        bands = 1 + max((row[1] for row in self.rows), default=0)
        keys = [row[0] * bands + row[1] for row in self.rows]
        within = not keys or (self.rows[0].minute >= 0 and self.rows[-1].minute < self.length)
        if not within or not all(map(lt, keys, keys[1:])):
            raise ValueError("rows are sorted by minute and band, each pair once, within the length")
        if min(map(min, self.rows), default=0) < 0:
            raise ValueError("counts and tokens are 0 or more")

    @cached_property
    def requests(self) -> Fraction:
        """All calls, throttled ones included."""
        return Fraction(sum(row.requests + row.unsized for row in self.rows), self.scale)

    @cached_property
    def unsized(self) -> Fraction:
        """Throttled calls whose tokens are not known; demand counts them as the mean call."""
        return Fraction(sum(row.unsized for row in self.rows), self.scale)

    @cached_property
    def sized(self) -> Fraction:
        """Calls whose tokens are known."""
        return self.requests - self.unsized

    @cached_property
    def _sums(self) -> tuple[int, ...]:
        """Each column of the rows added up, in the order of `MinuteSums`."""
        return tuple(map(sum, zip(*self.rows, strict=True))) or (0,) * len(MinuteSums._fields)

    def tokens(self) -> MeanCall:
        """All tokens by class, of the calls of known size."""
        return MeanCall(*(Fraction(total, self.scale) for total in self._sums[4:]))

    def mean_call(self, bands: Iterable[int] | None = None) -> MeanCall | None:
        """The average call of known size, of all bands or some; None where there is no such call."""
        chosen = None if bands is None else set(bands)
        rows = [row for row in self.rows if chosen is None or row.band in chosen]
        calls = sum(row.requests for row in rows)
        if not calls:
            return None
        sums = [sum(column) for column in zip(*(row.tokens for row in rows), strict=True)]
        return MeanCall(*(Fraction(total, calls) for total in sums))

    def requests_per_minute(self) -> list[Fraction]:
        """Calls of each minute, throttled ones included, idle minutes as 0."""
        return [Fraction(count, self.scale) for count in self.column("requests", "unsized")]

    def column(self, *names: str) -> list[int]:
        """One column of `MinuteSums` (or several, added) of each minute, idle ones as 0, in parts of 1/`scale`."""
        places = [MinuteSums._fields.index(name) for name in names]
        totals = [0] * self.length
        for place in places:
            for row in self.rows:
                totals[row[0]] += row[place]
        return totals

    def only(self, bands: Iterable[int]) -> DemandProfile:
        """The same minutes with the calls of these bands only. Throttled calls of unknown size are in band 0."""
        chosen = set(bands)
        rows = tuple(row for row in self.rows if row.band in chosen)
        return DemandProfile(self.start, self.length, self.thresholds, rows, self.scale)

    def weighted(self, weights: Mapping[int, TokenWeights]) -> tuple[list[int], int]:
        """Weighted tokens of each minute, as integers over one denominator; idle minutes are 0.

        `weights` are those of each band that may occur. Weighted TPM = sum over classes of tokens x weight, as for a
        workload; a throttled call of unknown size weighs what the calls of known size weigh on average. Where there are
        only calls of unknown size, they weigh 0: whoever asks has said so.
        """
        scaled = {band: weight.scaled for band, weight in weights.items()}
        common = lcm(*(scale for _, scale in scaled.values()))
        factors = {band: tuple(each * (common // scale) for each in top[:4]) for band, (top, scale) in scaled.items()}
        totals, unsized = [0] * self.length, [0] * self.length
        for row in self.rows:
            one, two, three, four = factors[row.band]
            totals[row.minute] += row.uncached * one + row.cached * two + row.written * three + row.output * four
            unsized[row.minute] += row.unsized
        calls = sum(row.requests for row in self.rows)
        if not calls or not any(unsized):
            return totals, common * self.scale
        whole = sum(totals)
        filled = [total * calls + count * whole for total, count in zip(totals, unsized, strict=True)]
        return filled, common * self.scale * calls

    @classmethod
    def merged(cls, profiles: Sequence[DemandProfile]) -> DemandProfile:
        """Several profiles of one log added minute by minute, from the first minute of any to the last of all.

        Raises ValueError where clocks (or thresholds) differ: a relative clock cannot be laid beside a calendar.
        """
        if len({profile.thresholds for profile in profiles}) != 1:
            raise ValueError("profiles of the same thresholds add up")
        if len({profile.start is None for profile in profiles}) != 1:
            raise ValueError("a relative clock cannot be laid beside a calendar")
        starts = [profile.start or 0 for profile in profiles]
        first = min(starts)
        scale = lcm(*(profile.scale for profile in profiles))
        sums: dict[tuple[int, int], list[int]] = {}
        for profile, start in zip(profiles, starts, strict=True):
            by, shift = scale // profile.scale, start - first
            for row in profile.rows:
                total = sums.setdefault((row.minute + shift, row.band), [0] * 6)
                for index, value in enumerate(row[2:]):
                    total[index] += value * by
        length = max(start - first + profile.length for profile, start in zip(profiles, starts, strict=True))
        rows = tuple(MinuteSums(minute, band, *total) for (minute, band), total in sorted(sums.items()))
        start_of_all = None if profiles[0].start is None else first
        return cls(start_of_all, length, profiles[0].thresholds, rows, scale)
