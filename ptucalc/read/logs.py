"""`read_log`: request logs and metric exports to minutes by stream, and what was understood of them."""

from __future__ import annotations

import os
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from fractions import Fraction
from itertools import pairwise
from pathlib import Path
from types import TracebackType
from typing import Any, Literal

from ptucalc.call_trace import CallTrace
from ptucalc.catalog import TokenWeights
from ptucalc.demand_profile import DemandProfile, MinuteSums
from ptucalc.errors import BadInput, Problem
from ptucalc.log_formats import FormatBook
from ptucalc.log_records import Place
from ptucalc.read.log_canonical import value_at
from ptucalc.read.log_choices import Batch, Choices, window_of
from ptucalc.read.log_files import LogFile, open_log
from ptucalc.read.log_loading import Loader
from ptucalc.read.log_sql import (
    CACHED,
    CACHED_ABOVE_INPUT,
    INPUT_ADDED,
    NEGATIVE,
    NO_TIME,
    NO_TOKENS,
    REASONING_ABOVE_OUTPUT,
    REASONING_ADDED,
    REASONING_INSIDE,
    REASONS,
    SPILLED,
    UNREADABLE_NUMBER,
    UNREADABLE_ROW,
    UNREADABLE_TIME,
    UNSIZED,
    USED,
)
from ptucalc.read.log_store import BACK_MINUTES, CallStore, Progress
from ptucalc.read.log_windows import busiest_windows
from ptucalc.request_log import Finding, LogSource, Stream, WindowMaxima
from ptucalc.results import utc_minute
from ptucalc.time_zones import DAY, zone_spans

__all__ = ["RequestLog", "read_log"]

MOST_UNREADABLE = Fraction(1, 100)
"""A log with a larger share of rows that cannot be read is refused: what they hold is not known."""

UNREADABLE = (UNREADABLE_ROW, NO_TIME, UNREADABLE_TIME, UNREADABLE_NUMBER, NEGATIVE)
MINUTE_US = 60_000_000
SURELY_COARSE_SECONDS = 900
"""Rows that are all so far apart are no minutes."""

LONGEST_BUCKET_SECONDS = 300
"""Longer averages hide the peak: Azure's metrics have one-minute bins, and so has any useful export."""

FLAGGED = {
    INPUT_ADDED: "excludes_cached",
    REASONING_ADDED: "reasoning_added",
    REASONING_INSIDE: "reasoning_counted_twice",
    SPILLED: "spilled_added_back",
}


class RequestLog:
    """A log that was read; close it (or use it in a with statement), for it keeps calls for further questions, or reads a
    large table again for them.

    `source` says how it was understood, `profiles` are its minutes by stream, `window_maxima` its busiest windows.
    """

    def __init__(
        self,
        store: CallStore,
        source: LogSource,
        profiles: Mapping[Stream, DemandProfile],
        *,
        replayable: bool = False,
    ) -> None:
        self._store = store
        self._replayable = replayable
        self._source = source
        self._profiles = profiles

    def __enter__(self) -> RequestLog:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Forget the calls, and remove what was kept of them on disk."""
        self._store.close()

    @property
    def source(self) -> LogSource:
        """How the log was understood."""
        return self._source

    @property
    def profiles(self) -> Mapping[Stream, DemandProfile]:
        """The minutes of every stream, all from the same first minute and of the same length."""
        return self._profiles

    def window_maxima(self, weights: Sequence[Mapping[Stream, Mapping[int, TokenWeights]]]) -> list[WindowMaxima]:
        """For each group of streams (weights by band of each stream) its busiest windows, throttled calls included.

        Raises BadInput where the log is read again for it, and has changed.
        """
        if not weights:
            return []
        if self.source.grain == "bucket":
            why = "rows are sums of a minute, not calls"
            return [WindowMaxima(None, None, None, why)] * len(weights)
        return busiest_windows(self._store, weights, self.profiles, self.source.step_us)

    def trace(
        self, streams: Iterable[tuple[str, str]] | None = None, bands: Collection[int] | None = None
    ) -> CallTrace:
        """The calls of some streams (deployment and model; all, if not given) in order of arrival, for a log that was read
        with `calls`.

        A throttled call of unknown size is as large as the mean call of its deployment (of those `bands` of prompt sizes
        that its model takes; all, if not given), to the nearest token, as in the minutes. Raises BadInput where rows are buckets, and for a stream that there is not.
        """
        from ptucalc.read.log_traces import trace_of

        if not self._replayable:
            raise ValueError("the log was read without its calls: read_log(..., calls=True)")
        if self.source.grain == "bucket":
            expected = "a log with one row per call: what is refused within a minute cannot be seen from its sums"
            raise BadInput([Problem("file", "rows that are sums of a minute", expected, source=self.source.files[0])])
        chosen = list(self.profiles) if streams is None else [Stream(*stream) for stream in streams]
        unknown = [stream for stream in chosen if stream not in self.profiles]
        if unknown:
            found, known = (
                ", ".join(" · ".join(each) or "no name" for each in those) for those in (unknown, self.profiles)
            )
            raise BadInput([Problem("streams", found, f"streams of the log: {known}", source=self.source.files[0])])
        some = {stream: self.profiles[stream] for stream in chosen}
        return trace_of(self._store, some, self.source, every=len(some) == len(self.profiles), bands=bands)


def read_log(
    paths: str | Path | Sequence[str | Path],
    *,
    columns: Mapping[str, str] | None = None,
    date_order: Literal["mdy", "dmy"] | None = None,
    time_zone: str | None = None,
    since: str | None = None,
    until: str | None = None,
    bucket_seconds: int | None = None,
    input_excludes_cached: bool = False,
    output_excludes_reasoning: bool = False,
    output_share: Fraction | None = None,
    skip_bad: bool = False,
    calls: bool = False,
    windows: bool = False,
    thresholds: Sequence[int] | None = None,
    formats: FormatBook | None = None,
    progress: Progress | None = None,
) -> RequestLog:
    """Read request logs or metric exports: CSV, TSV, JSON, JSON lines (.gz too) or Parquet; "-" is standard input.

    Formats are recognised; `columns` maps canonical fields to columns where they are not. `date_order` ("mdy", "dmy")
    settles dates such as 2/11/2026, `time_zone` is that of stamps without one (UTC), `since` (included) and `until`
    (excluded) are times on the log's clock. `bucket_seconds` is how long the rows of a bucketed log are where that cannot
    be told; `output_share` the share of output where only total tokens are known. `thresholds` are the prompt sizes by
    which calls are kept apart (default: every limit in the catalog). `calls` keeps what `RequestLog.trace` needs; `windows` tells that
    `RequestLog.window_maxima` will be asked, so that a large table is not read a second time for it. Rows that cannot be
    read are counted by reason; more than one in a hundred, or cached tokens above the input, are refused unless `skip_bad`.
    Raises BadInput.
    """
    from ptucalc.read.log_formats import load_formats

    listed = [paths] if isinstance(paths, (str, Path)) else list(paths)
    if not listed:
        raise BadInput([Problem("file", "", "a log")])
    choices = Choices(
        columns or {},
        date_order,
        time_zone,
        since,
        until,
        input_excludes_cached,
        output_excludes_reasoning,
        output_share,
        calls,
        windows,
    )
    store = CallStore(progress)
    try:
        return _Reading(store, choices, formats or load_formats(), bucket_seconds, output_share, skip_bad).read(
            listed, tuple(thresholds) if thresholds is not None else _thresholds()
        )
    except BaseException:
        store.close()
        raise


def _thresholds() -> tuple[int, ...]:
    from ptucalc.log_models import thresholds_of
    from ptucalc.read.catalog import load_catalog

    return thresholds_of(load_catalog())


class _Reading:
    """One reading of some files, step by step."""

    def __init__(
        self,
        store: CallStore,
        choices: Choices,
        formats: FormatBook,
        bucket_seconds: int | None,
        output_share: Fraction | None,
        skip_bad: bool,
    ) -> None:
        self.store = store
        self.choices = choices
        self.formats = formats
        self.bucket_seconds = bucket_seconds
        self.output_share = output_share
        self.skip_bad = skip_bad
        self.findings: list[Finding] = []

    def read(self, paths: Sequence[str | Path], thresholds: tuple[int, ...]) -> RequestLog:
        from ptucalc.read.log_recognising import recognised_batches

        once = {str(path) if str(path) == "-" else os.path.realpath(path): path for path in reversed(paths)}
        if len(once) < len(paths):
            self.findings.append(Finding("file_twice", 0, f"{len(paths) - len(once):,}"))
        files = [open_log(path, self.store.folder, number) for number, path in enumerate(reversed(once.values()))]
        batches, found, lengths = recognised_batches(
            files, self.formats, self.store, given=self.choices.given, output_share=self.output_share
        )
        self.findings += found
        self.loader = Loader(self.store, self.choices, self.formats.parse_json, thresholds)
        for batch in batches:
            # of several files at once, the engine keeps no order
            for each in [batch._replace(files=(file,)) for file in batch.files] if self.choices.calls else [batch]:
                self.loader.load(each)
        ids = self.loader.finish()
        how = self.store.drop_duplicates() if ids else ""
        self.findings += [
            Finding("file_changed", 0, file.name) for file in files if file.name != "stdin" and file.changed()
        ]
        self._check_clocks(files)
        self.totals = self.store.totals()
        self.used = [self.totals[mark] for mark in (USED, UNSIZED) if mark in self.totals]
        tally = {mark: totals.rows for mark, totals in self.totals.items()}
        self._refuse(tally, batches)
        grain, bucket_us = self._grain(batches, lengths)
        profiles, first, last = self._profiles(thresholds, grain, bucket_us)
        relative = self.loader.layouts[0].relative
        skipped = self._skipped(tally)
        source = LogSource(
            formats=tuple(dict.fromkeys(batch.recognised.format.title for batch in batches)),
            files=tuple(file.name for file in files),
            rows=sum(tally.values()) + self.loader.unreadable,
            rows_used=tally.get(USED, 0) + tally.get(UNSIZED, 0),
            skipped=skipped,
            columns=_columns(batches, self.formats.parse_json),
            grain=grain,
            bucket_seconds=None if bucket_us is None else bucket_us // 1_000_000,
            first=first,
            last=last,
            relative_clock=relative,
            time_zone=self._time_zone(batches),
            cached_known=any("cached_input_tokens" in batch.recognised.places for batch in batches)
            and self._flagged(CACHED) > 0,
            step_us=None if grain == "bucket" else self.store.clock_step_us(),
            ids=how,
            verified=all(batch.recognised.format.verified for batch in batches),
        )
        source = replace(source, findings=tuple(self._lint(tally, source, batches)))
        return RequestLog(self.store, source, profiles, replayable=self.choices.calls)

    def _check_clocks(self, files: Sequence[LogFile]) -> None:
        """One clock for all files. Raises BadInput."""
        if len({layout.relative for layout in self.loader.layouts}) > 1:
            source = ", ".join(file.name for file in files)
            expected = "one clock: times of the calendar, or times from the start, in all files"
            raise BadInput([Problem("timestamp", "both kinds of times", expected, source=source)])

    def _skipped(self, tally: Mapping[int, int]) -> dict[str, int]:
        named = {**REASONS, **self.loader.reasons}
        found = {named[mark]: count for mark, count in sorted(tally.items()) if mark not in (USED, UNSIZED)}
        if self.loader.unreadable:
            found["unreadable_row"] = found.get("unreadable_row", 0) + self.loader.unreadable
        return found

    def _refuse(self, tally: Mapping[int, int], batches: Sequence[Batch]) -> None:
        """What would mislead. Raises BadInput."""
        source = ", ".join(dict.fromkeys(file.name for batch in batches for file in batch.files))
        skipped = self._skipped(tally)
        calls = (
            sum(tally.values()) + self.loader.unreadable - sum(skipped.get(r, 0) for r in self.loader.reasons.values())
        )
        unreadable = {REASONS[mark]: skipped[REASONS[mark]] for mark in UNREADABLE if REASONS[mark] in skipped}
        problems = []
        count = sum(unreadable.values())
        if not self.skip_bad:
            if count > MOST_UNREADABLE * calls:
                why = ", ".join(f"{each.replace('_', ' ')}: {rows:,}" for each, rows in unreadable.items())
                expected = (
                    f"at most 1 % of rows that cannot be read ({why}); --skip-bad leaves them out{self._example()}"
                )
                problems.append(Problem("rows", f"{count:,} of {calls:,}", expected))
            missing = skipped.get(REASONS[NO_TOKENS], 0)
            if missing > MOST_UNREADABLE * calls:
                expected = (
                    "token counts on at least 99 % of the calls: what the others weigh is not known (streamed calls carry "
                    "usage only with stream_options include_usage); --skip-bad leaves them out, and demand is then too low"
                )
                problems.append(Problem("token counts", f"none on {missing:,} of {calls:,} calls", expected))
            above = skipped.get(REASONS[CACHED_ABOVE_INPUT], 0)
            if above:
                expected = (
                    "cached tokens that are part of the input tokens; if the input excludes them, as some tools log it: "
                    "--input-excludes-cached; --skip-bad leaves those rows out"
                )
                problems.append(
                    Problem(
                        "cached_input_tokens",
                        f"more than the input on {_rows(above)}",
                        expected,
                    )
                )
            beside = skipped.get(REASONS[REASONING_ABOVE_OUTPUT], 0)
            if beside:
                expected = (
                    "reasoning tokens that are part of the output tokens; if the output leaves them out: "
                    "--output-excludes-reasoning; --skip-bad leaves those rows out"
                )
                problems.append(Problem("reasoning_tokens", f"more than the output on {_rows(beside)}", expected))
        if not tally.get(USED, 0) and not problems:
            why = ", ".join(f"{each.replace('_', ' ')}: {rows:,}" for each, rows in skipped.items()) or "no rows"
            if tally.get(UNSIZED, 0):
                why = f"{tally[UNSIZED]:,} throttled calls, whose tokens nobody knows"
            expected = "calls with input and output tokens"
            if self.choices.since or self.choices.until:
                known = [
                    us for totals in self.totals.values() for us in (totals.first_us, totals.last_us) if us is not None
                ]
                if known and not self.loader.layouts[0].relative:
                    times = " to ".join(utc_minute(each // MINUTE_US) for each in (min(known), max(known)))
                    expected += f" in the window; the log is from {times}"
            problems.append(Problem("file", why, expected))
        if problems:
            raise BadInput([problem.at(source=source) for problem in problems])
        sized = self.totals[USED]
        if sized.input_tokens and not sized.output_tokens:
            name = self.formats.metrics["output_tokens"][0]
            expected = f"output tokens: they weigh most (in Azure Monitor the metric is {name})"
            raise BadInput([Problem("output_tokens", "0 on every row", expected, source=source)])

    def _example(self) -> str:
        first = []
        for table, made, *_ in self.loader.tables:
            view = made[0][0] == "view"
            if not view:
                rows = self.store.run(f"select min(rowid) + 1 from {table} where mark in {UNREADABLE}")
                first += [f"; the first of them is record {rows[0][0]:,}"] if rows[0][0] else []
            if not view and self.store.run(f"select 1 from (describe {table}) where column_name = 't_text'"):
                rows = self.store.run(
                    f"select t_text from {table} where mark = {UNREADABLE_TIME} and t_text is not null limit 1"
                )
                if rows:
                    what = f"; a time that is none: {rows[0][0][:40]}, expected {self.loader.layouts[-1].expected}"
                    return what + "".join(first[:1])
        return "".join(first[:1])

    def _grain(
        self, batches: Sequence[Batch], lengths: Sequence[int]
    ) -> tuple[Literal["request", "bucket"], int | None]:
        """Whether rows are calls or buckets, and how long a bucket is, in microseconds. Raises BadInput."""
        kinds = {batch.recognised.format.kind != "requests" for batch in batches}
        source = ", ".join(dict.fromkeys(file.name for batch in batches for file in batch.files))
        if len(kinds) > 1:
            found, expected = "calls and buckets together", "one grain: logs of calls, or metrics, but not both at once"
            raise BadInput([Problem("file", found, expected, source=source)])
        step, regular = None, False
        if True in kinds or self._on_whole_minutes():
            step, regular = self.store.step_of_rows_us()
        if kinds == {False}:
            if step is None or step % MINUTE_US:
                if self.bucket_seconds:
                    expected = "left out: each row is a call"
                    raise BadInput([Problem("bucket_seconds", str(self.bucket_seconds), expected)])
                return "request", None
            self.findings.append(Finding("whole_minutes", self.totals[USED].rows))
        told = [self.bucket_seconds] if self.bucket_seconds else sorted({*lengths, *self.store.told_seconds()})
        if len(told) > 1:
            lengths_told = " and ".join(map(str, told))
            raise BadInput([Problem("bucket_seconds", lengths_told, "buckets of one length", source=source)])
        if told:
            length = told[0] * 1_000_000
        elif step is not None and (step <= MINUTE_US or regular or step >= SURELY_COARSE_SECONDS * 1_000_000):
            length = step
        else:  # minutes with idle ones left out look like this too, and that is the safe side
            length = MINUTE_US
            self.findings.append(Finding("bucket_length_assumed", 0, "60"))
        if length > LONGEST_BUCKET_SECONDS * 1_000_000 or (length > MINUTE_US and length % MINUTE_US):
            seconds = length // 1_000_000
            expected = (
                f"buckets of a minute (at most {LONGEST_BUCKET_SECONDS} s): longer averages hide the peak; export with a "
                "grain of PT1M (or say how long a row's bucket is: --bucket-seconds 60)"
            )
            raise BadInput([Problem("bucket_seconds", f"{seconds:,} s between rows", expected, source=source)])
        if length > MINUTE_US:
            self.findings.append(Finding("coarse_buckets", 0, str(length // 1_000_000)))
        return "bucket", length

    def _on_whole_minutes(self) -> bool:
        """Whether every call, of enough to tell, begins on a whole minute."""
        if self.loader.layouts[0].relative or any(totals.whole_minutes < totals.rows for totals in self.used):
            return False
        (stamps,) = self.store.run(
            f"select approx_count_distinct(us) from {self.store.calls} where mark in ({USED}, {UNSIZED})"
        )[0]
        return bool(stamps > 2)

    def _profiles(
        self, thresholds: tuple[int, ...], grain: str, bucket_us: int | None
    ) -> tuple[dict[Stream, DemandProfile], int, int]:
        first = min(totals.first_us for totals in self.used if totals.first_us is not None)
        last = max(totals.last_us for totals in self.used if totals.last_us is not None)
        parts = max(1, (bucket_us or 0) // MINUTE_US)
        last_us = last + (bucket_us or 1) - 1
        since, until = self._window()
        start = (first if since is None else since) // MINUTE_US
        end = (last_us if until is None else until - 1) // MINUTE_US
        length = end - start + 1
        relative = self.loader.layouts[0].relative
        profiles = {
            stream: DemandProfile(
                None if relative else start, length, thresholds, tuple(_spread(rows, parts, length)), parts
            )
            for stream, rows in self.store.minutes(thresholds, start).items()
        }
        return profiles, (first if since is None else since), (last_us if until is None else until - 1)

    def _window(self) -> tuple[int | None, int | None]:
        return window_of(self.choices, self.loader.layouts[0])

    def _time_zone(self, batches: Sequence[Batch]) -> str:
        if self.loader.layouts[0].relative:
            return "relative"
        zones = {layout.zone for layout in self.loader.layouts if layout.naive}
        return (
            ", ".join(sorted(zones)) + " (assumed)"
            if zones and not self.choices.time_zone
            else ", ".join(sorted(zones)) or "UTC"
        )

    def _repeated_hours(self, source: LogSource) -> Iterator[Finding]:
        """Calls in an hour that clocks of the zone of naive stamps show twice."""
        zones = {layout.zone for layout in self.loader.layouts if layout.naive and layout.zone != "UTC"}
        for zone in sorted(zones):
            spans = zone_spans(source.first - DAY, source.last + DAY, zone)
            for span, after in pairwise(spans):
                if span.repeated and span.offset_us is not None:
                    start, end = span.start - span.offset_us, after.start - span.offset_us
                    rows = self.store.run(
                        f"select count(*) from {self.store.calls} where mark in ({USED}, {UNSIZED}) and us >= {start} and us < {end}"
                    )
                    if rows[0][0]:
                        yield Finding("repeated_hour", int(rows[0][0]), zone)

    def _flagged(self, flag: int) -> int:
        return sum(totals.flagged[flag] for totals in self.used)

    def _lint(self, tally: Mapping[int, int], source: LogSource, batches: Sequence[Batch]) -> Iterator[Finding]:
        yield from self.findings
        for flag, code in FLAGGED.items():
            count = self._flagged(flag)
            if flag == INPUT_ADDED and any(batch.recognised.format.input_excludes_cached for batch in batches):
                count = self.totals[USED].with_cached
            if count:
                yield Finding(code, count)
        for batch in batches:
            found = batch.recognised
            if found.places["input_tokens"] == found.places["output_tokens"]:
                yield Finding("output_from_share", tally.get(USED, 0))
            if found.format.warning:
                yield Finding("format_warning", 0, found.format.warning)
            if found.time_tag == "local" and not self.choices.time_zone:
                yield Finding("local_time", 0)
        yield from self._repeated_hours(source)
        if len(self.loader.zones) > 1:
            yield Finding("mixed_time_zones", 0, ", ".join(sorted(zone or "none" for zone in self.loader.zones)))
        if self.loader.back > len(source.files):  # where one file ends and the next begins is no skew
            yield Finding("clock_skew", self.loader.back, str(BACK_MINUTES))
        if duplicates := source.skipped.get("duplicate"):
            yield Finding("duplicate_rows", duplicates, source.ids)
        if not source.ids:
            same, how = self.store.identical(source.rows_used)
            if same:
                yield Finding("identical_rows", same, how)
        if source.cached_known:
            missing = self.totals[USED].cached_untold
            if missing:
                yield Finding("cached_missing", missing)
        if source.grain == "bucket":
            unknown = self.totals[USED].without_requests
            if unknown:
                yield Finding("requests_unknown", unknown)


def _spread(rows: list[MinuteSums], parts: int, length: int) -> list[MinuteSums]:
    """The rows of buckets that begin in a minute and last for so many, minute by minute, within the length."""
    if parts == 1 and rows[0].minute >= 0 and rows[-1].minute < length:
        return rows
    sums: dict[tuple[int, int], list[int]] = {}
    for minute, band, *counts in rows:
        for at in range(max(minute, 0), min(minute + parts, length)):
            kept = sums.setdefault((at, band), [0] * len(counts))
            for index, count in enumerate(counts):
                kept[index] += count
    return [MinuteSums(minute, band, *counts) for (minute, band), counts in sorted(sums.items())]


def _rows(count: int) -> str:
    return f"{count:,} {'row' if count == 1 else 'rows'}"


def _columns(batches: Sequence[Batch], parse_json: Callable[[str], Any]) -> dict[str, str]:
    found: dict[str, str] = {}
    for batch in batches:
        for name, places in batch.recognised.places.items():
            shown = [place for place in places if _holds_any(batch, place, parse_json)]
            if shown:
                found.setdefault(name, str(shown[0]))
    return found


def _holds_any(batch: Batch, place: Place, parse_json: Callable[[str], Any]) -> bool:
    """Whether a place is a column of the table, or holds a value in any of the first JSON records."""
    return not place.steps or any(
        value_at(record, [place], parse_json) is not None for file in batch.files for record in file.head
    )
