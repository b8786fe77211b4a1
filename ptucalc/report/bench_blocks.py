"""A benchmark as blocks: latencies, rates, 429s, errors, the steps of a ramp, what a PTU serves."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction

from ptucalc.bench_budget import Budget
from ptucalc.bench_calibration import Bounds, Calibration
from ptucalc.bench_result import BenchResult, Figures, Setting
from ptucalc.bench_samples import Spread
from ptucalc.catalog import Unknown
from ptucalc.errors import visible
from ptucalc.report.blocks import Block, Cell, Column, Headline, Remark, Table, amount_text, percent_text
from ptucalc.rounding import Grid

__all__ = ["bench_blocks", "budget_line"]

_LOADS = {
    "rate": "at a rate",
    "concurrency": "one after another",
    "ramp": "at a rising rate",
    "replay": "as in the log",
    "workloads": "as the workloads say",
}

_VERDICTS = {
    "agrees": "the catalog's rate agrees",
    "lower": "lower than the catalog's rate",
    "higher": "higher than the catalog's rate",
    "open": "too little to compare with the catalog's rate",
}


def budget_line(budget: Budget) -> str:
    """What is sent at most, for before it starts."""
    calls = "1 request" if budget.requests == 1 else f"{budget.requests:,} requests"
    tokens = f"{budget.input_tokens:,} input and {budget.output_tokens:,} output tokens"
    if isinstance(budget.usd, Unknown):
        price = f"price not known: {budget.usd.reason}"
    else:
        price = f"${_money(budget.usd)} on pay-as-you-go; nothing beyond the PTU on a provisioned deployment"
    time = duration_text(budget.duration_us)
    return f"at most {calls} in {time}, {tokens} ({price})"


def bench_blocks(result: BenchResult, *, verbose: bool = False, quiet: bool = False) -> Iterator[Block]:
    """The report."""
    setting, figures = result.setting, result.figures
    yield Headline(visible(setting.model), _asked(setting))
    if figures is None:
        yield Remark("Sends", budget_line(result.budget), "")
    else:
        yield _latencies(figures)
        yield Remark("Calls", _calls(figures), "")
        yield Remark("Rates", _rates(figures), "")
        if figures.responses_429:
            yield Remark("429s", _refusals(figures), "warn")
        for failure in figures.failures:
            text = f"{failure.calls:,} x {failure.kind}: {visible(failure.example)}"
            yield Remark("Errors" if failure is figures.failures[0] else "", text, "warn")
        if result.steps:
            yield _steps(result)
            yield Remark("Onset", _onset(result), "")
        if not isinstance(result.utilization, Unknown):
            seen = result.utilization
            yield Remark("Used", _used(seen), "")
        elif verbose:
            yield Remark("Used", result.utilization.reason)
    if result.calibration is not None:
        yield from _calibrated(result.calibration, verbose=verbose)
    if quiet:
        return
    if figures is not None:
        yield Remark("How", _how(setting))
    if verbose:
        yield Remark("Sends", budget_line(result.budget))
    for note in result.notes:
        yield Remark("Note", visible(note.message), "warn")


def _used(seen: Spread) -> str:
    assert seen.mean is not None and seen.max is not None
    minutes = (
        "in the one whole clock minute" if seen.values == 1 else f"in the mean of {seen.values:,} whole clock minutes"
    )
    most = "" if seen.values == 1 else f", {percent_text(seen.max)} in the highest"
    return f"{percent_text(seen.mean)} {minutes}{most}, as the emulator tells"


def duration_text(microseconds: int) -> str:
    """A time for people: 45 s, 1 min 30 s, 5 min."""
    whole = Fraction(microseconds, 1_000_000)
    minutes, seconds = divmod(whole, 60)
    if not minutes:
        return f"{amount_text(seconds)} s"
    return f"{minutes:,} min" + (f" {amount_text(seconds)} s" if seconds else "")


def _money(usd: Fraction) -> str:
    """At most so much: rounded up to a cent."""
    dollars, cents = divmod(Grid(1, 1).round_up(usd.numerator * 100, usd.denominator), 100)
    return f"{dollars:,}.{cents:02}"


def _asked(setting: Setting) -> str:
    parts = [visible(setting.calls_from)]
    parts.append(f"{amount_text(setting.input_tokens)} in / {amount_text(setting.output_tokens)} out")
    if setting.requests_per_minute is not None:
        parts.append(f"{amount_text(setting.requests_per_minute)} requests/min")
    elif setting.concurrency is not None:
        parts.append(f"{setting.concurrency:,} at once")
    else:
        parts.append(_LOADS[setting.load])
    parts.append(f"for {duration_text(setting.duration_us)}")
    return " · ".join(parts)


def _latencies(figures: Figures) -> Table:
    stats = ("mean", "p50", "p95", "p99", "max")
    titles = [Column("Served calls")] + [
        Column(name if name.startswith("p") else name.capitalize(), right=True) for name in stats
    ]
    table = Table(titles)
    rows = (
        ("First token", figures.to_first_token),
        ("Between tokens", figures.between_tokens),
        ("End to end", figures.end_to_end),
    )
    for name, spread in rows:
        table.rows.append([Cell(name), *(Cell(time_text(getattr(spread, stat))) for stat in stats)])
    return table


def time_text(milliseconds: Fraction | None) -> str:
    """Milliseconds for people: 8.3 ms, 921 ms, 12.4 s; "-" for none."""
    if milliseconds is None:
        return "-"
    if milliseconds >= 10_000:
        return f"{amount_text(milliseconds / 1000, 1)} s"
    return f"{amount_text(milliseconds, 1 if milliseconds < 100 else 0)} ms"


def _calls(figures: Figures) -> str:
    parts = [f"{figures.served:,} of {figures.requests:,} served"]
    parts += [f"{figures.throttled:,} refused (429)"] if figures.throttled else []
    parts += [f"{figures.failed:,} failed"] if figures.failed else []
    parts += [f"{figures.unfinished:,} not finished"] if figures.unfinished else []
    return ", ".join(parts) + f", in {duration_text(figures.length_us)}"


def _rates(figures: Figures) -> str:
    parts = [f"{amount_text(figures.per_minute(figures.finished.calls))} requests/min"]
    tokens = figures.finished.tokens
    if tokens is not None:
        of_input = [("cached", tokens.cached), ("written to the cache", tokens.written or 0)]
        shares = ", ".join(f"{percent_text(Fraction(some, tokens.input))} {what}" for what, some in of_input if some)
        parts.append(f"{amount_text(figures.per_minute(tokens.input), 0)} input{f' ({shares})' if shares else ''}")
        parts.append(f"{amount_text(figures.per_minute(tokens.output), 0)} output tokens/min")
    weighted = figures.weighted_tpm
    if isinstance(weighted, Unknown):
        parts.append(f"weighted TPM not known: {weighted.reason}")
    else:
        parts.append(f"{amount_text(weighted, 0)} weighted TPM")
    return ", ".join(parts)


def _refusals(figures: Figures) -> str:
    met = f"{figures.met_429:,} calls ({percent_text(figures.share_429)}) met {figures.responses_429:,}"
    waits = figures.retry_after
    if waits.values:
        met += f"; retry-after {time_text(waits.p50)} (p50), {time_text(waits.max)} (max)"
    return met


def _steps(result: BenchResult) -> Table:
    table = Table(
        [
            Column("Requests/min", right=True),
            Column("Served", right=True),
            Column("429s", right=True),
            Column("Failed", right=True, optional=True),
            Column("Weighted TPM", right=True),
            Column("First token p50", right=True, optional=True),
            Column("End to end p50", right=True),
            Column("p99", right=True),
        ]
    )
    for step in result.steps:
        figures = step.figures
        weighted = figures.weighted_tpm
        cells = (
            amount_text(step.requests_per_minute),
            f"{figures.served:,}",
            f"{figures.responses_429:,}",
            f"{figures.failed:,}",
            "-" if isinstance(weighted, Unknown) else amount_text(weighted, 0),
            time_text(figures.to_first_token.p50),
            time_text(figures.end_to_end.p50),
            time_text(figures.end_to_end.p99),
        )
        table.rows.append(
            [Cell(text, "warn" if figures.responses_429 and at == 2 else "") for at, text in enumerate(cells)]
        )
    return table


def _onset(result: BenchResult) -> str:
    before, first = result.onset
    if first is None:
        return "no step met a 429"
    less = "the first step" if before is None else f"no 429 at {amount_text(before)} requests/min"
    return f"429s at {amount_text(first)} requests/min ({less})"


def _calibrated(calibration: Calibration, *, verbose: bool) -> Iterator[Block]:
    low, high = calibration.at_least_tpm_per_ptu, calibration.at_most_tpm_per_ptu
    at_least = "" if isinstance(low, Unknown) else f"at least {amount_text(low, 0)}"
    at_most = "" if isinstance(high, Unknown) else f"at most {amount_text(high, 0)}"
    found = " and ".join(filter(None, (at_least, at_most)))
    known = calibration.catalog_tpm_per_ptu
    catalog = "the catalog has none" if isinstance(known, Unknown) else f"catalog: {known:,}"
    text = f"{found or 'nothing known'} weighted TPM per PTU ({catalog}): {_VERDICTS[calibration.verdict]}"
    yield Remark("A PTU", text, "bold" if calibration.verdict == "agrees" else "warn")
    bounds = calibration.bounds
    if isinstance(bounds, Unknown):
        if not isinstance(low, Unknown):
            yield Remark("", f"if the bucket holds at most {amount_text(calibration.window_seconds)} s of drain")
    elif verbose:
        yield Remark("", _rests_on(bounds))


def _rests_on(bounds: Bounds) -> str:
    return (
        f"from {bounds.refusals:,} 429s over {duration_text(bounds.span_us)}, the furthest apart "
        f"{amount_text(Fraction(bounds.largest_gap_us, 10**6), 2)} s (the bucket must hold more); a decision may be "
        f"{time_text(Fraction(bounds.slack_us, 1000))} off; the largest call is estimated at "
        f"{amount_text(bounds.largest_estimate, 0)} weighted tokens"
    )


def _how(setting: Setting) -> str:
    parts = [f"{setting.wire} wire form, {'streamed' if setting.stream else 'not streamed'}"]
    parts.append(f"warm-up of {duration_text(setting.warm_up_us)} left out" if setting.warm_up_us else "no warm-up")
    share = setting.shared_tokens
    mean = " in the mean" if setting.load in ("replay", "workloads") else ""
    parts.append(f"prompts share {amount_text(share)} tokens{mean}" if share else "no two prompts begin alike")
    parts.append(f"up to {setting.max_retries} further tries" if setting.policy == "retry" else "no retries")
    parts.append(f"times from when a call was to start; --seed {setting.seed}")
    return ", ".join(parts)
