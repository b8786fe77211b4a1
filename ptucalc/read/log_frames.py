"""Request logs that are frames already (pandas, polars, DuckDB, PySpark, pyarrow): their minutes, reduced where they are.

Only sums of minutes are collected. The rules are those of log files.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise
from math import gcd
from typing import Any

from ptucalc.catalog import TokenWeights
from ptucalc.demand_profile import DemandProfile, MinuteSums
from ptucalc.errors import BadInput, Problem
from ptucalc.read.log_frame_columns import columns_of
from ptucalc.read.log_frame_sums import COUNTS, Sums, collected, reduced
from ptucalc.read.log_frame_times import MINUTE_US, Clock, clock_of
from ptucalc.read.log_sql import (
    CACHED_ABOVE_INPUT,
    LARGEST,
    NEGATIVE,
    NO_TIME,
    NO_TOKENS,
    REASONS,
    UNREADABLE_NUMBER,
    UNREADABLE_TIME,
    UNSIZED,
    USED,
)
from ptucalc.request_log import Finding, LogSource, Stream, WindowMaxima
from ptucalc.time_zones import zone_of

__all__ = ["FrameLog", "profile_frame"]

MOST_MISSING = Fraction(1, 100)
"""A frame with a larger share of rows without time or tokens is refused: what they hold is not known."""


@dataclass(frozen=True)
class FrameLog:
    """A frame that was read: how it was understood, and its minutes by stream. It is not kept."""

    source: LogSource
    profiles: Mapping[Stream, DemandProfile]

    @classmethod
    def of(
        cls,
        frame: Any,
        *,
        columns: Mapping[str, str] | None = None,
        thresholds: Sequence[int] | None = None,
        time_zone: str = "UTC",
    ) -> FrameLog:
        """The minutes of a frame, as `profile_frame` reads them, with what was understood and left out."""
        return _read(frame, columns or {}, thresholds, time_zone)

    def window_maxima(self, weights: Sequence[Mapping[Stream, Mapping[int, TokenWeights]]]) -> list[WindowMaxima]:
        """For each group of streams: nothing, because only minutes are collected from a frame."""
        return [WindowMaxima(None, None, None, "frames are reduced to minutes")] * len(weights)


def profile_frame(
    frame: Any,
    *,
    columns: Mapping[str, str] | None = None,
    thresholds: Sequence[int] | None = None,
    time_zone: str = "UTC",
) -> Mapping[Stream, DemandProfile]:
    """The minutes of a frame of calls by deployment and model, all of the same first minute and length.

    The frame is anything that Narwhals supports: pandas, polars (eager or lazy), pyarrow, a DuckDB relation, a PySpark
    frame; one row per call. `columns` maps canonical names (timestamp, input_tokens, output_tokens, cached_input_tokens,
    cache_write_tokens, deployment, model, status) to the frame's own; others are found by their usual names. Times are
    dates with time (those without a zone, and text without one, are in `time_zone`), ISO 8601 text, or numbers whose
    size tells their unit. `thresholds` are the prompt sizes by which calls are kept apart (default: every limit in the
    bundled catalog). Rows are not compared for duplicates.

    Throttled calls (429) without tokens are counted as of unknown size; other failed calls without tokens are left out;
    so are rows without time or tokens, up to 1 % of them. `FrameLog.of` gives the counts. Raises BadInput for more of
    them, for cached tokens above the input, negative or fractional counts, no output tokens at all, and for columns
    that are not there.
    """
    return FrameLog.of(frame, columns=columns, thresholds=thresholds, time_zone=time_zone).profiles


def _read(frame: Any, given: Mapping[str, str], thresholds: Sequence[int] | None, time_zone: str) -> FrameLog:
    import narwhals as nw

    zone_of(time_zone)
    if thresholds is None:
        from ptucalc.log_models import thresholds_of
        from ptucalc.read.catalog import load_catalog

        thresholds = thresholds_of(load_catalog())
    limits = tuple(sorted(set(thresholds)))
    lazy = nw.from_native(frame).lazy()
    schema = lazy.collect_schema()
    columns = columns_of(schema, given, counts=COUNTS)
    lazy = lazy.select(nw.col(column).alias(f"f_{name}") for name, column in columns.items())
    clock = clock_of(lazy, schema[columns["timestamp"]], time_zone)
    dtypes = {name: schema[column] for name, column in columns.items()}
    sums = list(collected(reduced(lazy, clock, dtypes, limits), clock))
    tally = Counter[int]()
    for each in sums:
        tally[each.mark] += each.rows
    _refuse(tally, sums, columns)
    used = [each for each in sums if each.mark in (USED, UNSIZED)]
    grain, findings = _grain(used, clock)
    profiles = _profiles(used, limits, relative=clock.relative)
    first = next(iter(profiles.values()))
    start = first.start if first.start is not None else min(each.minute or 0 for each in used)
    source = LogSource(
        formats=(f"{str(lazy.implementation).lower()} frame",),
        files=(),
        rows=sum(tally.values()),
        rows_used=tally[USED] + tally[UNSIZED],
        skipped={REASONS[mark]: count for mark, count in sorted(tally.items()) if mark in REASONS},
        columns=columns,
        grain=grain,
        bucket_seconds=60 if grain == "bucket" else None,
        first=start * MINUTE_US,
        last=(start + first.length) * MINUTE_US - 1,
        relative_clock=clock.relative,
        time_zone=time_zone,
        cached_known=any(each.with_cached for each in used),
        step_us=None,
        findings=findings,
    )
    return FrameLog(source, profiles)


def _refuse(tally: Mapping[int, int], sums: Sequence[Sums], columns: Mapping[str, str]) -> None:
    """What would mislead. Raises BadInput."""
    total = sum(tally.values())
    problems = []

    def bad(mark: int, field: str, found: str, expected: str) -> None:
        if count := tally.get(mark, 0):
            label = columns.get(field, field)
            problems.append(Problem(field, f"{found} {count:,} of {total:,} rows", expected, label=label))

    bad(NEGATIVE, "token counts", "below 0 on", "counts of 0 or more")
    bad(UNREADABLE_NUMBER, "token counts", f"fractions or over {LARGEST:,} on", "whole numbers")
    above = "cached and written tokens that are part of the input tokens; add them to the input if it excludes them"
    bad(CACHED_ABOVE_INPUT, "cached_input_tokens", "more than the input on", above)
    if tally.get(NO_TIME, 0) + tally.get(UNREADABLE_TIME, 0) > MOST_MISSING * total:
        when = "a time on at least 99 % of the rows: a date-time column, ISO 8601 text, or a number since 1970 or the start"
        bad(NO_TIME, "timestamp", "none on", when)
        bad(UNREADABLE_TIME, "timestamp", "unreadable on", when)
    if tally.get(NO_TOKENS, 0) > MOST_MISSING * total:
        bad(NO_TOKENS, "token counts", "none on", "token counts on at least 99 % of the calls")
    if not problems and not tally.get(USED, 0):
        why = ", ".join(
            f"{REASONS.get(mark, 'throttled').replace('_', ' ')}: {n:,}" for mark, n in sorted(tally.items())
        )
        problems.append(Problem("frame", why or "no rows", "calls with input and output tokens"))
    if not problems and not any(each.tokens[3] for each in sums) and any(sum(each.tokens) for each in sums):
        problems.append(Problem("output_tokens", "0 on every row", "output tokens: they weigh most"))
    if problems:
        raise BadInput(problems)


def _grain(used: Sequence[Sums], clock: Clock) -> tuple[str, tuple[Finding, ...]]:
    """Whether rows are calls, or sums of minutes: then every time is a whole minute. Raises BadInput for longer sums."""
    rows = sum(each.rows for each in used)
    minutes = sorted({each.minute for each in used if each.minute is not None})
    if clock.relative or len(minutes) <= 2 or sum(each.on_minute for each in used) < rows:
        return "request", ()
    step = gcd(*(after - before for before, after in pairwise(minutes)))
    if step > 1:
        expected = "one row per call, or per minute: longer sums hide the peak"
        raise BadInput([Problem("timestamp", f"every time a multiple of {step:,} minutes", expected)])
    return "bucket", (Finding("whole_minutes", rows),)


def _profiles(used: Sequence[Sums], limits: tuple[int, ...], *, relative: bool) -> dict[Stream, DemandProfile]:
    minutes = [each.minute for each in used if each.minute is not None]
    start = min(minutes)
    length = max(minutes) - start + 1
    found: dict[Stream, dict[tuple[int, int], list[int]]] = {}
    for each in used:
        assert each.minute is not None
        band = each.band if each.mark == USED else 0
        counts = (each.rows, 0) if each.mark == USED else (0, each.rows)
        sums = found.setdefault(each.stream, {}).setdefault((each.minute - start, band), [0] * 6)
        for index, value in enumerate((*counts, *each.tokens)):
            sums[index] += value
    return {
        stream: DemandProfile(
            None if relative else start,
            length,
            limits,
            tuple(MinuteSums(*key, *sums) for key, sums in sorted(found[stream].items())),
        )
        for stream in sorted(found)
    }
