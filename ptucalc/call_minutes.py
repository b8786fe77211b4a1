"""The calls of a trace by clock minute: as demand, so that `cost` can price the same calls minute by minute."""

from __future__ import annotations

from collections.abc import Sequence

from ptucalc.call_trace import MICROSECONDS_PER_MINUTE, CallTrace, Column
from ptucalc.demand_profile import DemandProfile, MinuteSums, band_of

__all__ = ["demand_of"]

_TOKENS = ("uncached", "cached", "written", "output")


def demand_of(trace: CallTrace, thresholds: Sequence[int], *, first_minute: int, minutes: int) -> DemandProfile:
    """The sums of every clock minute, those of prompts over each of the thresholds apart.

    Minutes go from `first_minute` on; calls outside of them are a ValueError.
    """
    columns = [_plain(getattr(trace, name)) for name in _TOKENS]
    sums: dict[tuple[int, int], list[int]] = {}
    limits = tuple(thresholds)
    for at, uncached, cached, written, output in zip(_plain(trace.arrival_us), *columns, strict=True):
        key = (at // MICROSECONDS_PER_MINUTE - first_minute, band_of(uncached + cached + written, limits))
        total = sums.get(key)
        if total is None:
            total = sums[key] = [0, 0, 0, 0, 0, 0]
        total[0] += 1
        total[2] += uncached
        total[3] += cached
        total[4] += written
        total[5] += output
    rows = tuple(MinuteSums(minute, band, *total) for (minute, band), total in sorted(sums.items()))
    return DemandProfile(None if trace.relative_clock else first_minute, minutes, limits, rows)


def _plain(column: Column) -> list[int]:
    """The column as Python's whole numbers, whose sums never overflow."""
    found: list[int] = column.tolist() if hasattr(column, "tolist") else list(column)
    return found
