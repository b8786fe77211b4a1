"""Small logs made by hand, as a reader would hand them over. Nothing here was ever measured."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fractions import Fraction
from typing import Any

from ptucalc.catalog import Catalog, TokenWeights
from ptucalc.demand_profile import DemandProfile, MinuteSums
from ptucalc.log_demand import analyse
from ptucalc.log_result import LogDemand
from ptucalc.request_log import LogSource, Stream, WindowMaxima

from .invented import TODAY, a_catalog

MONDAY = 4 * 24 * 60
"""Monday 5 January 1970 00:00 UTC in minutes since 1970."""


def a_source(**given: Any) -> LogSource:
    """Plain requests with cached tokens known, of one file."""
    plain: dict[str, Any] = {
        "formats": ("invented",),
        "files": ("log.csv",),
        "rows": 10,
        "rows_used": 10,
        "skipped": {},
        "columns": {"input_tokens": "in"},
        "grain": "request",
        "bucket_seconds": None,
        "first": MONDAY * 60_000_000,
        "last": (MONDAY + 1) * 60_000_000 + 500_000,
        "relative_clock": False,
        "time_zone": "UTC",
        "cached_known": True,
        "step_us": 1,
    }
    return LogSource(**{**plain, **given})


def sums(
    minute: int,
    requests: int = 1,
    uncached: int = 0,
    cached: int = 0,
    written: int = 0,
    output: int = 0,
    *,
    unsized: int = 0,
    band: int = 0,
) -> MinuteSums:
    """One minute's sums."""
    return MinuteSums(minute, band, requests, unsized, uncached, cached, written, output)


def a_profile(
    *rows: MinuteSums, length: int = 10, start: int | None = MONDAY, thresholds: tuple[int, ...] = (), scale: int = 1
) -> DemandProfile:
    """These minutes of so many."""
    return DemandProfile(start, length, thresholds, tuple(sorted(rows)), scale)


def ramp(*thousands: int, **given: Any) -> DemandProfile:
    """Minutes of one call each, of so many thousand input tokens: with Alder's weights so many PTU. 0 is idle."""
    rows = [sums(minute, 1, 1000 * each) for minute, each in enumerate(thousands) if each]
    return a_profile(*rows, **{"length": len(thousands), **given})


class HandMadeLog:
    """A log without a reader: it answers every question about windows with the same numbers, and remembers the questions."""

    def __init__(self, profiles: Mapping[Any, DemandProfile], source: LogSource | None = None) -> None:
        """`profiles` by (deployment, model)."""
        self.profiles = {Stream(*key): profile for key, profile in profiles.items()}
        self.source = source or a_source()
        self.asked: list[Sequence[Mapping[Stream, Mapping[int, TokenWeights]]]] = []

    def window_maxima(self, weights: Sequence[Mapping[Stream, Mapping[int, TokenWeights]]]) -> list[WindowMaxima]:
        self.asked.append(weights)
        return [WindowMaxima(Fraction(60 + i), Fraction(10 + i), None, "too coarse") for i in range(len(weights))]


def analysed(
    profiles: Mapping[Any, DemandProfile] | HandMadeLog, catalog: Catalog | None = None, **given: Any
) -> LogDemand:
    """The demand of these profiles by (deployment, model), with the catalog of Alder unless given."""
    log = profiles if isinstance(profiles, HandMadeLog) else HandMadeLog(profiles)
    return analyse(log, catalog=catalog or a_catalog(), **{"version": "0", "today": TODAY, **given})


def codes(result: LogDemand) -> list[str]:
    """Codes of all notes."""
    return [note.code for note in result.notes]
