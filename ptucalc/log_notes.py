"""The remarks on a log and on the demand it shows. What a reader found in it is a table here: code to message."""

from __future__ import annotations

import re
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
    "identical_rows": "{rows} equal another in time, deployment and all tokens, without an id to tell them apart{detail}: "
    "each counts as a call; if the export repeats rows, the sizes are too large",
    "agent_spans": "{rows} sum up calls that have rows of their own{detail}: left out",
    "other_spans": "{rows} are not calls of a model{detail}: left out",
    "batch_rows": "{rows} are batch calls{detail}: batches do not run on PTU, so the sizes are too large by them",
    "other_statuses": "{rows} failed for other reasons than throttling{detail}: they are no demand",
    "spilled_requests": "{count} calls spilled over{detail}: they count; their tokens do where the export has those of the "
    "standard deployment too",
    "spilled_added_back": "{rows} had spilled over from a PTU deployment{detail}: their demand counts for it where the row "
    "names it, else for the deployment that the row names (--by model adds them up)",
    "repeated_hour": "{rows} may be of the hour that clocks show twice in autumn{detail}: taken for the first time round, "
    "which can double that hour; export with UTC times",
    # tokens
    "excludes_cached": "input tokens leave the cached ones out{detail}: in {rows} they were added, so that input is the "
    "whole prompt",
    "reasoning_added": "output tokens leave reasoning out{detail}: in {rows} it was added",
    "reasoning_counted_twice": "in {rows} the total counts reasoning beside the output{detail}: reasoning is part of the "
    "output, and counts once here",
    "cached_missing": "{rows} do not say how many tokens came from the cache{detail}: none counts as cached there, so the "
    "sizes are an upper bound",
    "wrong_metric_name": "{rows} are of a metric that Azure does not have{detail}: output tokens are in GeneratedTokens",
    "no_output_tokens": "{rows} have input but no output tokens{detail}: the export may miss some; their metric is "
    "GeneratedTokens",
    "output_from_share": "in {rows} output is the share of the total that was given{detail}: the sizes are as good as it",
    "output_from_total": "in {rows} output is the total less the input{detail}",
    "input_from_total": "in {rows} input is the total less the output{detail}",
    "active_above_total": "in {rows} more tokens are active than there are in total{detail}: none counts as cached there",
    "rates_not_counts": "{rows} hold rates of a sliding minute, not counts{detail}: of each clock minute the last one counts",
    "requests_unknown": "{rows} have tokens but no number of calls{detail}: sizes follow from the tokens alone; rates, and "
    "what is said of the mean call, are off",
    # time
    "clock_skew": "{rows} are more than {text} minutes earlier than the row before: where several machines write one log "
    "their clocks may differ, and a call in the wrong minute can raise or flatten the peak",
    "mixed_time_zones": "time stamps are of several time zones{detail}: each was read with its own, minutes are UTC",
    "local_time": "times are of somebody's own time zone{detail}: read as UTC; sizes do not change with it, hours of the "
    "week do (--time-zone says which)",
    "coarse_buckets": "each row is a sum over {text} seconds: spread evenly over its minutes, which hides the peak within "
    "them, so the sizes may be too small; export with a grain of one minute (PT1M)",
    "bucket_length_assumed": "rows do not show how long they last: taken for {text} seconds, the safe side (--bucket-seconds "
    "says it)",
    "whole_minutes": "all time stamps are on whole minutes{detail}: read as sums per minute, not as calls",
    # what the export leaves out
    "top_10_split": "exactly {count} series{detail}, which is where the portal cuts a split chart off: totals may be "
    "short; raise its limit or export each deployment",
    "not_split": "{count} points are not split by deployment as the tokens are{detail}: left out",
    "empty_deployment": "{rows} name no deployment{detail}: shown as one of its own",
    "no_deployment_dimension": "the export does not tell deployments apart{detail}: right only where the account has one "
    "model",
    "several_accounts": "the export holds several accounts{detail}: added up, though each has its own deployments",
    "empty_buckets": "{rows} are empty{detail}: idle time",
    "file_twice": "{text} of the files were given more than once: each is read once",
    "file_changed": "a file changed while it was read{detail}: what was there at the start counts; run again when it rests",
    "format_warning": "{text}",
}
"""By code of a finding: what it means for the numbers, and what to do. {rows} becomes "1 row" or "14 rows", {count} the
bare number, {detail} the finding's detail in brackets, {text} the detail itself. A code that is not here is shown in
words."""


SINGULAR = {
    "are": "is",
    "do": "does",
    "equal": "equals",
    "have": "has",
    "hold": "holds",
    "name": "names",
    "sum": "sums",
}
"""Verbs after {rows}, where it is one."""


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
    filled = {"rows": rows, "count": f"{finding.rows:,}", "detail": detail, "text": finding.detail}
    if finding.rows == 1:
        template = re.sub(r"(?<=\{rows\} )\w+", lambda verb: SINGULAR.get(verb[0], verb[0]), template)
    return re.sub(r"\{(rows|count|detail|text)\}", lambda blank: filled[blank[1]], template) + "."


def notes_of_log(
    source: LogSource, profiles: Iterable[DemandProfile], percentile: Percentile, by_prompt_size: bool
) -> Iterator[Note]:
    """The remarks on the log as a whole. `by_prompt_size` says that a model's limit on prompts is near the mean one."""
    listed = list(profiles)
    for finding in source.findings:
        yield Note(finding.code, message_of(finding))
    if source.skipped:
        reasons = ", ".join(f"{reason.replace('_', ' ')}: {count:,}" for reason, count in source.skipped.items())
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
        yield Note("not_sized", f"{calls} not sized: {listed}{more}.")


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
                f"{float(weighted.mean):,.{0 if weighted.mean >= 10 else 2}f} weighted TPM): the demand comes in few minutes, or in bins longer than a "
                "minute; size at the maximum (--percentile max)."
            )
            yield Note("p99_below_mean", message, name)
