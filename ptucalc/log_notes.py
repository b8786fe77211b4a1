"""The remarks on a log and on the demand it shows. What a reader found in it is a table here: code to message."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from fractions import Fraction
from itertools import pairwise

from ptucalc.demand_profile import DemandProfile
from ptucalc.log_minutes import PERCENTILES, Percentile
from ptucalc.log_result import LogEntry
from ptucalc.request_log import Finding, LogSource
from ptucalc.results import Note

__all__ = [
    "GAP_MINUTES",
    "GAP_SHARE",
    "MESSAGES",
    "long_gaps",
    "message_of",
    "note_of_unsized",
    "notes_of_entry",
    "notes_of_log",
]

GAP_MINUTES = 180
"""Between calls, so many idle minutes may as well be a hole in the export; our own rule of thumb."""

GAP_SHARE = Fraction(1, 100)
"""Long gaps are worth a note from this share of the minutes on: then the p99 moves if they are holes."""

MOST_NAMED = 10
"""A note names so many entries and counts the rest."""

P99 = next(each for each in PERCENTILES if each.name == "p99")

MESSAGES: Mapping[str, str] = {
    # the same call more than once, or not a call of this demand at all
    "duplicate_rows": "{rows} repeated an id{detail}: each call counts once",
    "identical_rows": "{rows} equal another in every value, and rows have no id{detail}: each counts as a call; if the "
    "export repeats rows, the sizes are too large",
    "dedupe_window": "too many ids to remember them all{detail}: repeats further apart were not looked for",
    "batch_traffic": "{rows} are batch calls{detail}: batches do not run on PTU and their times are those of the "
    "answers; size from interactive calls only",
    "own_cache_hits": "{rows} were answered from the gateway's own cache{detail} and never reached Azure: left out",
    "other_statuses": "{rows} failed for other reasons than throttling{detail} and hold no tokens: left out",
    "spilled_added_back": "{rows} had spilled over to a standard deployment{detail}: added back to the PTU deployment's "
    "demand",
    "no_usage": "{rows} say nothing of tokens{detail}: left out, so the demand may be higher",
    "repeated_sums": "{rows} sum up calls that have rows of their own{detail}: left out",
    # tokens
    "excludes_cached": "input tokens of {rows} leave the cached ones out{detail}: they were added, so that input means "
    "the whole prompt",
    "reasoning_counted_twice": "in {rows} the total holds reasoning tokens apart from the output{detail}: reasoning is "
    "part of the output and counts once",
    "reasoning_added": "output tokens of {rows} leave reasoning out{detail}: it was added",
    "cached_above_input": "{rows} have more cached tokens than input tokens{detail}: left out",
    "images": "{rows} hold images{detail}: they count by the input tokens that the log gives, which may leave them out",
    "wrong_metric_name": "the log names a metric that Azure does not have{detail}: output tokens are in GeneratedTokens",
    "rates_not_counts": "{rows} hold rates over a sliding window, not counts{detail}: they overlap, so that sums of them "
    "mean nothing; the highest are right",
    "averages": "{rows} are averages per sample, not sums per minute{detail}: export with the aggregation Total",
    # time
    "clock_skew": "times of {rows} do not fit the others{detail}: a row in the wrong minute can raise or flatten the "
    "peak; check the clocks of the sources",
    "mixed_time_zones": "time stamps are of several time zones{detail}: each was read with its own, minutes are UTC",
    "local_time": "times are of somebody's own time zone{detail}: read as UTC; sizes do not change with it, hours of the "
    "week do, and clocks that were changed fold or tear an hour",
    "no_time_zone": "time stamps name no time zone{detail}: read as UTC; sizes do not change with it, hours of the week do",
    "hourly_bins": "{rows} are sums over longer than five minutes{detail}: spread evenly over their minutes, which hides "
    "the peak, so the sizes are too small; export with a grain of one minute (PT1M)",
    "response_times": "times are those of the answers, not of the calls{detail}: minutes may be late by a call's length",
    "whole_minutes": "all time stamps are on whole minutes{detail}: read as sums per minute",
    "leap_second": "{rows} are in a leap second{detail}: they count in the minute it ends",
    # what the export leaves out
    "top_10_split": "the chart was split into its top series only{detail}: totals may be short; raise the limit of the "
    "split to 50 or export each deployment",
    "no_deployment_dimension": "the export does not tell deployments apart{detail}: all of the account is one; right only "
    "where it has one model",
    "row_cap": "the export has exactly as many rows as its tool allows{detail}: it may be cut off; export shorter spans "
    "and give all files",
    "incomplete_gzip": "a compressed file breaks off{detail}: what could be read counts, the rest is missing",
    "incomplete_file": "a file breaks off in the middle of a row{detail}: what could be read counts",
    "growing_file": "a file grew while it was read{detail}: what was there at the start counts",
    "long_lines": "{rows} are too long to be rows of a log{detail}: left out",
    "invalid_utf8": "{rows} hold bytes that are not UTF-8{detail}: read with replacement characters; names may differ",
    "unparsed_rows": "{rows} could not be read{detail}: left out",
    "no_requests": "the log does not say how many calls there were{detail}: sizes follow from the tokens alone",
}
"""By code of a finding: what it means for the numbers, and what to do. {rows} becomes "1 row" or "14 rows", {detail} the
finding's detail in brackets. A code that is not here is shown in words."""


def _counted(count: int | Fraction, one: str) -> str:
    whole = f"{float(count):,.1f}".removesuffix(".0") if isinstance(count, Fraction) else f"{count:,}"
    return f"{whole} {one}" + ("" if count == 1 else "s")


def message_of(finding: Finding) -> str:
    """What a finding means, in words."""
    template = MESSAGES.get(finding.code)
    detail = f" ({finding.detail})" if finding.detail else ""
    rows = _counted(finding.rows, "row")
    if template is None:
        template = f"{finding.code.replace('_', ' ')}{{detail}}" + (": {rows}" if finding.rows else "")
    return template.replace("{rows}", rows).replace("{detail}", detail) + "."


def notes_of_log(
    source: LogSource, profiles: Iterable[DemandProfile], percentile: Percentile, by_prompt_size: bool
) -> Iterator[Note]:
    """The remarks on the log as a whole. `by_prompt_size` says that a model's limit on prompts is near the mean one."""
    listed = list(profiles)
    for finding in source.findings:
        yield Note(finding.code, message_of(finding))
    if source.skipped:
        reasons = ", ".join(f"{reason}: {count:,}" for reason, count in source.skipped.items())
        yield Note(
            "skipped_rows", f"{sum(source.skipped.values()):,} of {source.rows:,} rows were not used ({reasons})."
        )
    if not source.verified:
        message = (
            "no source confirms the layout of this format: check the columns used, and the sums, against your bill."
        )
        yield Note("unverified_format", message)
    if not source.cached_known:
        message = (
            "the log does not say which input tokens came from the prompt cache: all count in full, so the sizes are an "
            "upper bound."
        )
        yield Note("cached_unknown", message)
    yield from _about_time(source)
    length = max((profile.length for profile in listed), default=0)
    yield from _about_length(length, percentile)
    yield from _about_gaps(listed, length)
    if by_prompt_size:
        message = (
            "the log holds sums, not single prompts: those over a model's limit on PTU, or in long context, could not be "
            "told apart."
        )
        yield Note("prompt_sizes_unknown", message)


def _about_time(source: LogSource) -> Iterator[Note]:
    step = source.step_us
    if source.grain == "bucket":
        each = source.bucket_seconds
        length = "" if each is None else f" over {each:,} seconds"
        message = (
            f"rows are sums{length}, not calls: bursts within them cannot be seen, and bursts are what meets a 429; "
            "leave headroom (--headroom 15%)."
        )
        yield Note("bucketed", message)
    elif step is not None and step > 1_000_000:
        message = (
            f"time stamps come in steps of {float(Fraction(step, 1_000_000)):g} seconds: bursts shorter than that cannot "
            "be seen."
        )
        yield Note("coarse_times", message)
    if source.relative_clock:
        message = "times count from the start of the log: which day or hour of the week a peak falls on is not known."
        yield Note("relative_clock", message)


def _about_length(length: int, percentile: Percentile) -> Iterator[Note]:
    """Where all but the last rank are further from the top than the percentile: it is the maximum."""
    shown = {each.name: each for each in (P99, percentile)}
    small = [each.name for each in shown.values() if each.share < 1 and length * (1 - each.share) < 1]
    if small:
        which = " and ".join(small)
        message = f"the log has {_counted(length, 'minute')}: too few for {which} to be anything but the maximum."
        yield Note("few_minutes", message)


def long_gaps(profiles: Iterable[DemandProfile]) -> list[int]:
    """Lengths of the stretches of over GAP_MINUTES minutes without a call or token, between minutes with some."""
    busy = sorted({row.minute for profile in profiles for row in profile.rows if any(row[2:])})
    idle = (after - before - 1 for before, after in pairwise(busy))
    return [length for length in idle if length > GAP_MINUTES]


def _about_gaps(profiles: list[DemandProfile], length: int) -> Iterator[Note]:
    gaps = long_gaps(profiles)
    if not gaps or sum(gaps) <= GAP_SHARE * length:
        return
    share = Fraction(sum(gaps), length)
    message = (
        f"{_counted(len(gaps), 'gap')} of over {GAP_MINUTES // 60} hours without a call, "
        f"the longest of {max(gaps) / 60:.1f} hours, together {float(share):.0%} of the minutes: they count as idle. "
        "If the export has holes there, the mean and the percentiles are too low, the maximum is right."
    )
    yield Note("gaps", message)


def note_of_unsized(entries: Sequence[LogEntry]) -> Iterator[Note]:
    """One remark that names all that could not be sized."""
    unsized = [entry for entry in entries if entry.reason is not None]
    if unsized:
        listed = "; ".join(f"{entry.name}: {entry.reason.reason}" for entry in unsized[:MOST_NAMED] if entry.reason)
        more = f"; and {len(unsized) - MOST_NAMED:,} more" if len(unsized) > MOST_NAMED else ""
        calls = _counted(sum((entry.requests for entry in unsized), Fraction(0)), "call")
        yield Note("not_sized", f"not sized, though there are {calls}: {listed}{more}.")


def notes_of_entry(entry: LogEntry) -> Iterator[Note]:
    """The remarks on the calls of one entry."""
    name = entry.name
    if entry.unservable_requests and entry.model is not None:
        message = (
            f"{name}: {_counted(entry.unservable_requests, 'call')} with prompts over the "
            f"{entry.model.prompt_limit_tokens or 0:,} tokens that {entry.model.name} takes on PTU "
            f"({float(entry.unservable_input_tokens):,.0f} input and {float(entry.unservable_output_tokens):,.0f} output "
            "tokens): they get HTTP 400 or spill over, and are not in the sizes."
        )
        yield Note("unservable_prompts", message, name)
    if entry.throttled_requests and entry.weighted_tpm is not None:
        throttled = _counted(entry.throttled_requests, "throttled call")
        if entry.weight_per_call is None:
            message = (
                f"{name}: {throttled} (429) of unknown size are not in the sizes: the log does not count its calls, "
            )
            message += "so that there is no mean call to take for them."
            yield Note("throttled_not_counted", message, name)
        else:
            message = f"{name}: {throttled} (429) of unknown size: counted as the mean call of their deployment."
            yield Note("throttled_imputed", message, name)
    weighted = entry.weighted_tpm
    if weighted is not None:
        p99 = weighted.at[P99.name]
        if p99 < weighted.mean:
            message = (
                f"{name}: p99 is below the mean ({float(p99):,.0f} against "
                f"{float(weighted.mean):,.0f} weighted TPM): the demand comes in few minutes, or in bins longer than a "
                "minute; size at the maximum (--percentile max)."
            )
            yield Note("p99_below_mean", message, name)
