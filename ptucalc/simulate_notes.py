"""The remarks on a simulation. What there is to say is a table here: code to message."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from fractions import Fraction

from ptucalc.arrivals import ArrivalKind
from ptucalc.call_groups import CallGroup
from ptucalc.catalog import Availability, Unknown
from ptucalc.log_notes import message_of
from ptucalc.request_log import LogSource
from ptucalc.results import Note
from ptucalc.rounding import Grid
from ptucalc.simulation_report import SimulatedDeployment, Synthetic
from ptucalc.simulation_result import SimulationResult

__all__ = ["MESSAGES", "notes_of_deployment", "notes_of_report"]

SECOND_US = 1_000_000
MINUTE_US = 60 * SECOND_US
A_WEEK = 10_080
UNITS = {1440: "day", 60: "hour", 1: "minute"}
"""Words for so many minutes."""

MESSAGES: Mapping[str, str] = {
    # about the whole
    "bucket_depth_assumed": "how much the bucket holds is not published: {window} s of what the PTU drain are assumed, and the "
    "size shown is counted at other depths too",
    "coarse_times": "time stamps come in steps of {step} s: calls of one step arrive together here, so that more of them may be "
    "refused than really were",
    "cached_unknown": "the log does not say which input tokens came from the prompt cache: all count in full, which makes for "
    "too many 429s, as a rule",
    "skipped_rows": "{skipped} of {rows} rows were not used ({reasons})",
    "unverified_format": "no source confirms the layout of this format: check the columns used against your bill",
    "relative_clock": "times count from the start of the log: which day it was is not known",
    "synthetic": "the calls were made up ({how}): how bursty real traffic is only a log shows",
    "mean_calls": "every call is the mean one of its workload: real ones differ in size, which moves the number of 429s",
    "month_of_log": "amounts a month are those of {span} of calls, scaled to 730 hours{week}",
    # about a deployment
    "availability_unknown": "whether it can be deployed is not known: {reason}",
    "off_grid": "{ptu} PTU cannot be bought as {kind}: {nearest}",
    "no_max_tokens": "{count} of {requests} requests say no max_tokens: what they reserve at arrival is taken to be their own "
    "output, the best case (--assumed-max-tokens N reserves more)",
    "assumed_max_tokens": "{count} of {requests} requests say no max_tokens: {assumed} are assumed",
    "duration_at_target": "{count} of {requests} requests do not say how long they took: their output at the latency target of "
    "{target} tokens/s is taken for it",
    "no_duration": "{count} of {requests} requests do not say how long they took, and the model has no latency target: they are "
    "taken to end at once",
    "over_prompt_limit": "{count} of {requests} requests have prompts over the {limit} tokens that {model} takes on PTU: they "
    "{become} with HTTP 400, whatever the size, and are no 429s",
    "not_every_size": "{count} sizes from {first} to {last} PTU were looked at, not every one that can be bought",
    "cannot_spill": "{model} has no spillover on Azure: the application has to send these calls elsewhere itself",
    "spillover_unknown": "whether Azure spills over for {model} is not known ({reason})",
}
"""By code: what a reader of the numbers must know, and what to do."""


def _note(code: str, about: str = "", **values: object) -> Note:
    return Note(code, MESSAGES[code].format_map(values) + ".", about)


def notes_of_report(
    source: LogSource | None, synthetic: Synthetic | None, window: Fraction, mean_calls: bool
) -> Iterator[Note]:
    """The remarks on all of it."""
    yield _note("bucket_depth_assumed", window=f"{float(window):g}")
    yield _note("month_of_log", **_span(source, synthetic))
    if synthetic is not None:
        yield _note("synthetic", how=_how_made(synthetic))
    if mean_calls:
        yield _note("mean_calls")
    if source is None:
        return
    for finding in source.findings:
        yield Note(finding.code, message_of(finding))
    if source.skipped:
        reasons = ", ".join(f"{reason.replace('_', ' ')}: {count:,}" for reason, count in source.skipped.items())
        skipped = sum(source.skipped.values())
        yield _note("skipped_rows", skipped=f"{skipped:,}", rows=f"{source.rows:,}", reasons=reasons)
    if not source.verified:
        yield _note("unverified_format")
    if not source.cached_known:
        yield _note("cached_unknown")
    if source.step_us is not None and source.step_us > SECOND_US:
        yield _note("coarse_times", step=f"{float(Fraction(source.step_us, SECOND_US)):g}")
    if source.relative_clock:
        yield _note("relative_clock")


def _span(source: LogSource | None, synthetic: Synthetic | None) -> dict[str, str]:
    """How long the calls go on, in words, and what a week would show that they cannot."""
    if source is not None:
        minutes = source.last // MINUTE_US - source.first // MINUTE_US + 1
        week = "" if minutes >= A_WEEK else ": under a week shows no quiet weekend, nor a busy day"
    else:
        minutes = 0 if synthetic is None else Grid(1, 1).round_up(synthetic.duration_us, MINUTE_US)
        week = ""
    whole = next((size for size in UNITS if minutes >= 2 * size and not minutes % size), 1)
    amount = minutes // whole
    return {"span": f"{amount:,} {UNITS[whole]}{'' if amount == 1 else 's'}", "week": week}


def _how_made(synthetic: Synthetic) -> str:
    arrivals = synthetic.arrivals
    if arrivals.kind is ArrivalKind.UNIFORM:
        return "evenly spaced"
    how = "at random, each by itself"
    if arrivals.kind is ArrivalKind.BURSTY:
        length = f"{float(arrivals.burst_seconds):g} s"
        how = f"in bursts of {arrivals.calls_per_burst:,} within {length}, at random"
    return f"{how}, seed {arrivals.seed}"


def notes_of_deployment(found: SimulatedDeployment) -> Iterator[Note]:
    """The remarks on one deployment."""
    group, result = found.group, found.result
    yield from _about_place(group, found.availability)
    if result is None or group.model is None:
        return
    about, model = group.name, group.model
    requests = f"{result.requests:,}"
    grid = model.offer(group.deployment_type).grid
    for run in result.runs:
        if run.legal is False and grid is not None:
            nearest = _nearest(grid, run.ptu)
            kind = group.deployment_type.label
            yield _note("off_grid", about, ptu=f"{run.ptu:,}", kind=kind, nearest=nearest)
    if result.without_max_tokens:
        count, assumed = f"{result.without_max_tokens:,}", result.assumed_max_tokens
        if assumed is None:
            yield _note("no_max_tokens", about, count=count, requests=requests)
        else:
            yield _note("assumed_max_tokens", about, count=count, requests=requests, assumed=f"{assumed:,}")
    if result.without_duration:
        count, target = f"{result.without_duration:,}", result.latency_target_tps
        if target is None:
            yield _note("no_duration", about, count=count, requests=requests)
        else:
            yield _note("duration_at_target", about, count=count, requests=requests, target=f"{target:,}")
    run = result.runs[0]
    if run.over_prompt_limit:
        yield _note(
            "over_prompt_limit",
            about,
            count=f"{run.over_prompt_limit:,}",
            requests=requests,
            limit=f"{model.prompt_limit_tokens:,}",
            model=model.name,
            become="spill over" if result.policy.spills else "fail",
        )
    if result.sweep and not result.every_legal_size:
        first, last = result.sweep[0].ptu, result.sweep[-1].ptu
        yield _note("not_every_size", about, count=f"{len(result.sweep):,}", first=f"{first:,}", last=f"{last:,}")
    yield from _about_spillover(found, result)


def _about_place(group: CallGroup, availability: Availability) -> Iterator[Note]:
    if availability.available is None:
        yield _note("availability_unknown", group.name, reason=availability.reason)


def _about_spillover(found: SimulatedDeployment, result: SimulationResult) -> Iterator[Note]:
    model = found.group.model
    assert model is not None
    if not result.policy.spills:
        return
    if isinstance(model.spillover, Unknown):
        yield _note("spillover_unknown", found.name, model=model.name, reason=model.spillover.reason)
    elif not model.spillover:
        yield _note("cannot_spill", found.name, model=model.name)


def _nearest(grid: Grid, ptu: int) -> str:
    """The sizes below and above one that cannot be bought, in words."""
    above = grid.round_up(ptu, 1)
    below = max(grid.up_to(ptu), default=None)
    return f"the smallest is {above:,}" if below is None else f"the nearest are {below:,} and {above:,}"
