"""Parts of a simulation's report: the cheapest PTU + spillover, Standard limits, what changes of the calls would save."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction

from ptucalc.advice import Change
from ptucalc.catalog import Unknown
from ptucalc.report.blocks import Block, Cell, Column, Remark, Table, amount_text, percent_text
from ptucalc.report.currency import Currency
from ptucalc.report.simulate_words import count_text, ptu_or_none, share_text, wait_text
from ptucalc.simulation_report import SimulatedDeployment
from ptucalc.simulation_result import SimulationResult
from ptucalc.spill_mix import Priced
from ptucalc.standard_limits import StandardSimulation
from ptucalc.standard_quota import Pacing, QuotaNeeded
from ptucalc.standard_spill import StandardCheck
from ptucalc.standard_tiers import CapacityUnit, StandardLimit

__all__ = ["advice_blocks", "mix_blocks", "standard_blocks"]

MONEY = Currency()


def mix_blocks(found: SimulatedDeployment, result: SimulationResult) -> Iterator[Block]:
    """The cheapest mix per term: whole calls that spill, beside the minutes of `cost`; and why they differ."""
    priced = [mix for mix in found.mixes if mix.calls or mix.minutes]
    if not priced:
        reasons = dict.fromkeys(mix.reason for mix in found.mixes)
        yield Remark("Cost", f"no mix of PTU and spillover is known: {'; '.join(reasons)}.", "warn")
        return
    table = Table(
        [
            Column("Cheapest mix"),
            Column("Whole calls", right=True),
            Column("Spill", right=True, optional=True),
            Column("A month", right=True),
            Column("By the minute", right=True),
            Column("Spill", right=True, optional=True),
            Column("A month", right=True),
        ]
    )
    for mix in found.mixes:
        table.rows.append([Cell(mix.term.value), *_priced(mix.calls), *_priced(mix.minutes)])
    yield table
    for reason in dict.fromkeys(mix.reason for mix in found.mixes if mix.reason):
        yield Remark("Unknown", f"{reason}.", "warn")
    yield from _why(found, result)


def _priced(priced: Priced | None) -> list[Cell]:
    if priced is None:
        return [Cell("unknown", "warn"), Cell("—"), Cell("—")]
    size = f"{priced.ptu:,} PTU" if priced.ptu else "no PTU"
    return [Cell(size, "bold"), Cell(MONEY.text(priced.spilled_usd)), Cell(MONEY.text(priced.monthly_usd))]


def _why(found: SimulatedDeployment, result: SimulationResult) -> Iterator[Remark]:
    """Why whole calls and minutes differ, at a size that the minutes would choose."""
    mix = next((m for m in found.mixes if m.minutes and m.minutes.ptu and m.whole_calls_spilled_usd is not None), None)
    if mix is None or mix.minutes is None or mix.whole_calls_spilled_usd is None:
        return
    calls, minutes = mix.whole_calls_spilled_usd, mix.minutes.spilled_usd
    at = f"at {mix.minutes.ptu:,} PTU whole calls spill {MONEY.text(calls)} a month, minute averages {MONEY.text(minutes)}"
    if MONEY.text(calls) == MONEY.text(minutes):
        why = "here minutes tell nearly all"
    elif calls > minutes:
        why = "a burst within a minute meets 429s though the minute as a whole fits, and a call spills whole"
    else:
        why = "what one minute has too much the bucket carries into the next, which minute averages spill"
    yield Remark("Why", f"{at}: {why}.", "")


def standard_blocks(found: SimulatedDeployment) -> Iterator[Block]:
    """What a Standard deployment does with the calls: the limits given, the quota to ask for, the published limits."""
    check = found.standard
    if check is None:
        return
    which = "all calls" if check.ptu is None else f"what {check.ptu:,} PTU spill"
    if not check.requests or check.needed is None:
        yield Remark("Standard", f"{check.ptu or 0:,} PTU spill no call, so no Standard limit is reached.", "")
        return
    if check.checked is not None:
        yield from _checked(check, check.checked, which)
    yield Remark("Quota", f"{_needed(check, check.needed, which)}", "")
    yield from _published(check)


def _checked(check: StandardCheck, done: StandardSimulation, which: str) -> Iterator[Block]:
    table = Table(
        [
            Column("Standard quota"),
            Column("Requests", right=True, optional=True),
            Column("429s", right=True),
            Column("Over TPM", right=True, optional=True),
            Column("Over RPM", right=True, optional=True),
            Column("429 minutes", right=True, optional=True),
        ]
    )

    def row(name: str, each: StandardSimulation) -> None:
        style = "warn" if each.refused else ""
        texts = [name, f"{each.requests:,}", share_text(each.refused_share)]
        texts += [f"{each.refused_by_tpm:,}", f"{each.refused_by_rpm:,}", f"{each.refused_minutes:,}"]
        table.rows.append([Cell(text, style if index == 2 else "") for index, text in enumerate(texts)])

    row(f"one deployment, {_limits(done)}", done)
    if check.split is not None and not isinstance(check.split, Unknown):
        for part in check.split.parts:
            row(f"one of two, {_limits(part)}", part)
    yield table
    text = f"{which}: {done.refused:,} of {count_text(done.requests, 'request')} ({share_text(done.refused_share)}) would be refused"
    if not done.refused:
        text = f"{which}: the limits refuse none of {count_text(done.requests, 'request')}"
    window = "" if done.window is None else f"; RPM over {check.asked.window_seconds} s{_whole_calls(done)}"
    follow = " (those that come with the TPM)" if check.rpm_from_tpm else ""
    twice = f"; {done.refused_by_both:,} are over both" if done.refused_by_both else ""
    yield Remark("Standard", f"{text}{twice}{window}{follow}.", "warn" if done.refused else "")
    if check.split is not None and not isinstance(check.split, Unknown):
        split = f"{check.split.refused:,} ({share_text(check.split.refused_share)})"
        yield Remark("Split", f"on two deployments that take calls in turn, half the quota each: {split} refused.", "")
    elif isinstance(check.split, Unknown):
        yield Remark("Split", f"not looked at: {check.split.reason}.")
    if isinstance(check.pace, Pacing):
        what = "TPM" if check.pace.binding == "tokens" else "RPM"
        size = f"{amount_text(check.mean_tokens or 0, 0)} tokens counted"
        gap = wait_text(Fraction(check.pace.gap_us, 1000))
        yield Remark(
            "Pacing",
            f"one call every {gap} is what the limits take on average ({what} decides; the mean call: {size}); a run of "
            "larger calls needs longer gaps.",
            "",
        )
    elif isinstance(check.pace, Unknown):
        yield Remark("Pacing", f"none is slow enough: expected {check.pace.reason}.", "warn")


def _whole_calls(done: StandardSimulation) -> str:
    """What RPM let pass that are no whole calls a window."""
    window = done.window
    if window is None or done.rpm is None or window.calls_per_minute == done.rpm:
        return ""
    return f", {count_text(window.calls, 'whole call')} in each: {amount_text(window.calls_per_minute, 0)} a minute at most"


def _limits(done: StandardSimulation) -> str:
    parts = [] if done.tpm is None else [f"{done.tpm:,} TPM"]
    parts += [] if done.rpm is None else [f"{amount_text(done.rpm, 0)} RPM"]
    return ", ".join(parts)


def _needed(check: StandardCheck, needed: QuotaNeeded, which: str) -> str:
    target = (
        f"at most {share_text(needed.target)} of {which} is refused" if needed.target else f"none of {which} is refused"
    )
    window = f"RPM over {check.asked.window_seconds} s"
    if isinstance(needed.quota, Unknown):
        return (
            f"it takes {needed.tpm:,} TPM and {needed.rpm:,} RPM so that {target} ({window}); how many RPM come with the TPM is "
            f"not known: {needed.quota.reason}."
        )
    quota = needed.quota
    binding = {"tokens": "its tokens decide", "calls": "its requests decide", "both": "tokens and requests decide"}
    return f"ask for {quota.tpm:,} TPM ({quota.rpm:,} RPM come with it) so that {target}; {binding[quota.binding]} ({window})."


def _published(check: StandardCheck) -> Iterator[Remark]:
    if isinstance(check.published, Unknown):
        yield Remark("Tiers", f"{check.published.reason}.")
        return
    first, last = check.published[0], check.published[-1]
    text = f"published for this model: {_tier(first)}"
    if last is not first:
        text += f", up to {_tier(last)}"
    if check.enough_in is not None:
        text += f"; {check.enough_in.tier_name} holds what is needed"
    elif check.needed is not None and isinstance(check.unit, CapacityUnit):
        text += "; none that was read holds what is needed"
    yield Remark("Tiers", text + ".")


def _tier(limit: StandardLimit) -> str:
    tpm = "TPM not known" if isinstance(limit.tpm, Unknown) else f"{limit.tpm:,} TPM"
    rpm = f"{limit.printed_calls} RPM" if limit.per_seconds == 60 else f"{limit.printed_calls} requests"
    return f"{limit.tier_name} {tpm}, {rpm}"


def advice_blocks(found: SimulatedDeployment, result: SimulationResult) -> Iterator[Block]:
    """What changes would save, and the alert to set."""
    advice, alert = found.advice, found.alert
    if isinstance(advice, Unknown):
        yield Remark("What if", f"{advice.reason}.")
    elif advice is not None:
        if advice.changes:
            ptu = advice.changes[0].ptu
            goal = "no 429" if result.target is None else f"{share_text(result.target.share)}"
            table = Table(
                [
                    Column("What if", folds=True),
                    Column(f"429s at {ptu:,} PTU", right=True),
                    Column(f"PTU for {goal}", right=True),
                    Column("Saves", right=True, optional=True),
                ]
            )
            first = advice.changes[0]
            before = (share_text(first.throttled_share_before), ptu_or_none(first.smallest_ptu_before))
            table.rows.append([Cell("as it is", "dim"), *(Cell(text, "dim") for text in before), Cell("")])
            table.rows += [_change(each) for each in advice.changes]
            yield table
        for _, reason in advice.not_tried:
            yield Remark("Not tried", f"{reason}.")
    if alert is not None and found.chosen is not None:
        text = (
            f"an alert on a mean utilization over {percent_text(alert.over)} in {alert.minutes} minutes would go off in "
            f"{alert.windows_over:,} of {count_text(alert.windows, 'window')} ({share_text(alert.share)}) at {found.chosen.ptu:,} PTU"
        )
        yield Remark("Alert", text + ".", "")


def _change(change: Change) -> list[Cell]:
    value = change.value
    what = {
        "max_tokens": f"max_tokens of {amount_text(value, 0)}, the p99 of the outputs",
        "cache_ratio": f"{percent_text(Fraction(value))} more of the prompt from the cache",
        "smooth_minute": "all calls spread evenly over their minute",
        "smooth_hour": "all calls spread evenly over their hour",
    }[change.code]
    saved = change.saved_ptu
    saves = "" if saved is None else f"{saved:,} PTU" if saved >= 0 else f"{-saved:,} PTU more"
    return [
        Cell(what),
        Cell(share_text(change.throttled_share_after)),
        Cell(ptu_or_none(change.smallest_ptu_after), "bold"),
        Cell(saves),
    ]
