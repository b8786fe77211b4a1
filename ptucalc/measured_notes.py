"""The remarks on workloads that logs measured: what a percentile leaves out, how far a log goes, what is not in a size."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from fractions import Fraction

from ptucalc.measured import MeasuredCalls, SideBySide
from ptucalc.pooling import Pooled
from ptucalc.results import Note, SizedDeployment, SizedWorkload

__all__ = ["cost_notes_of_logs", "size_notes_of_logs"]

MINUTES_PER_HOUR = 60
MINUTES_PER_DAY = 1440
A_WEEK = 7 * MINUTES_PER_DAY
NAMES_SHOWN = 6


def size_notes_of_logs(pool: Pooled, deployment: SizedDeployment) -> Iterator[Note]:
    """Every note on the measured workloads of a deployment."""
    about, groups = deployment.name, pool.logs
    names = {id(calls): name for name, calls in pool.measured}
    for group in groups:
        whose = _named(names[id(calls)] for calls in group.members)
        yield Note("measured", f"{whose}: {_what_exceeds(group)}", about)
        yield from _about_windows(group, whose, about)
        percentiles = sorted({each.percentile for each in group.members}, key=lambda each: each.share)
        if len(percentiles) > 1:
            listed = " and ".join(each.name for each in percentiles)
            message = f"{whose}: they ask for {listed} of their minutes; added up, the highest counts."
            yield Note("percentiles_differ", message, about)
    if len(groups) > 1 or (groups and len(pool.measured) < deployment.workload_count):
        apart = _named(names[id(calls)] for group in groups for calls in group.members)
        message = (
            f"{apart}: their minutes cannot all be laid beside those of the other workloads of {about} (other times, or no "
            "log): their peaks are added as if they coincided."
        )
        yield Note("logs_apart", message, about)
    yield from _about_calls(pool, about)


def _what_exceeds(group: SideBySide) -> str:
    minutes, percentile = group.minutes(), group.percentile
    highest, length = minutes.maximum, len(minutes.tops)
    at = minutes.at(percentile)
    exceed = sum(1 for top in minutes.tops if top > at * minutes.unit)
    sized = f"sized at {percentile.name} of {length:,} minutes of a log, idle ones included"
    if not exceed:
        if percentile.share == 1:
            return f"sized for the busiest of {length:,} minutes of a log."
        why = "as of so few minutes it must be" if length * (1 - percentile.share) < 1 else "which others reach too"
        return f"{sized}: that is the busiest minute, {why}."
    more = f"{exceed:,} minute{'s' if exceed > 1 else ''} ({_percent(Fraction(exceed, length))})"
    times = f"the busiest {float(highest / at):.2f} times as much" if at else "at it all are idle"
    return f"{sized}: {more} have more tokens, {times}; what the size does not hold of them spills or meets a 429."


def _about_windows(group: SideBySide, whose: str, about: str) -> Iterator[Note]:
    start, length = group.window
    if any((each.served.start, each.served.length) != (start, length) for each in group.members):
        message = f"{whose}: their logs do not begin and end together; where one has no minute it is taken to be idle."
        yield Note("windows_differ", message, about)


def _about_calls(pool: Pooled, about: str) -> Iterator[Note]:
    throttled = {name: calls.served.unsized for name, calls in pool.measured if calls.served.unsized}
    if throttled:
        message = (
            f"{_named(throttled)}: {_count(sum(throttled.values(), Fraction(0)))} throttled calls (429) of unknown size are in the "
            "demand, each as the mean call."
        )
        yield Note("throttled_counted", message, about)
    refused = {name: calls for name, calls in pool.measured if calls.refused.requests}
    if refused:
        count = sum((calls.refused.requests for calls in refused.values()), Fraction(0))
        whole = count + sum((calls.served.requests for calls in refused.values()), Fraction(0))
        message = (
            f"{_named(refused)}: {_count(count)} calls ({_percent(count / whole)}) have prompts over the "
            f"{pool.model.prompt_limit_tokens or 0:,} tokens that {pool.model.name} takes on PTU (HTTP 400, or they spill "
            "over): they are not in these sizes."
        )
        yield Note("over_prompt_limit", message, about)


def cost_notes_of_logs(
    sized: Sequence[SizedDeployment], workloads: Mapping[str, Sequence[SizedWorkload]]
) -> tuple[Note, ...]:
    """What a reader of the costs of measured workloads must know; `workloads` are those of each deployment by name."""
    notes: list[Note] = []
    for deployment in sized:
        calls = {each.name: each.measured for each in workloads[deployment.name] if each.measured is not None}
        if calls:
            notes += _about_month(calls, deployment.name)
            notes += _about_maximum(deployment)
            refused = [name for name, each in calls.items() if each.refused.requests]
            if refused:
                message = (
                    f"{_named(refused)}: calls with prompts that PTU refuse are billed pay-as-you-go in every way to buy, as "
                    "spillover."
                )
                notes.append(Note("refused_are_billed", message, deployment.name))
    return tuple(notes)


def _about_month(calls: Mapping[str, MeasuredCalls], about: str) -> Iterator[Note]:
    shortest = min(each.served.length for each in calls.values())
    message = f"{_named(calls)}: the minutes of the log ({_length(shortest)}) stand for a month of 730 hours"
    message += "; under a week shows no quiet weekend, nor a busy day." if shortest < A_WEEK else "."
    yield Note("log_stands_for_month", message, about)


def _about_maximum(deployment: SizedDeployment) -> Iterator[Note]:
    peak = deployment.at_maximum
    sizes = [
        f"{size.ptu:,} PTU {size.deployment_type.label} rather than {deployment.sizes[kind].ptu or 0:,}"
        for kind, size in peak.sizes.items()
        if size.ptu is not None and size.ptu != deployment.sizes[kind].ptu
    ]
    if sizes:
        message = (
            f"{deployment.name}: full PTU here cover the busiest minute of the log ({', '.join(sizes)} at the percentile); "
            "what smaller sizes cost with their spillover is on the curve of the mix."
        )
        yield Note("full_ptu_is_maximum", message, deployment.name)


def _named(names: Iterable[str]) -> str:
    listed = list(names)
    more = len(listed) - NAMES_SHOWN
    return ", ".join(listed[:NAMES_SHOWN]) + (f" and {more:,} more" if more > 0 else "")


def _count(value: Fraction) -> str:
    return f"{value.numerator:,}" if value.denominator == 1 else f"{float(value):,.1f}"


def _percent(share: Fraction) -> str:
    return f"{float(share):.1%}" if share >= Fraction(1, 1000) else "under 0.1%"


def _length(minutes: int) -> str:
    """57 minutes, 5.5 hours, 31 days."""
    for unit, length in (("day", MINUTES_PER_DAY), ("hour", MINUTES_PER_HOUR)):
        if minutes >= 2 * length:
            return f"{float(Fraction(minutes, length)):,.3g} {unit}s"
    return f"{minutes:,} minute{'s' if minutes > 1 else ''}"
