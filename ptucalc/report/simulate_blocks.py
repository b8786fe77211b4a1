"""A simulation as blocks: the answer, size by size, the worst day, what spills and costs, what would help, notes."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction

from ptucalc.advice import smallest_size
from ptucalc.catalog import Unknown
from ptucalc.errors import visible
from ptucalc.report.blocks import Block, Cell, Column, Headline, Remark, Table, percent_text
from ptucalc.report.currency import Currency
from ptucalc.report.log_blocks import recognition, window_text
from ptucalc.report.log_words import named
from ptucalc.report.simulate_parts import advice_blocks, mix_blocks, standard_blocks
from ptucalc.report.simulate_pictures import day_picture, sizes_picture
from ptucalc.report.simulate_words import count_text, listed, ptu_or_none, seconds_text, share_text, wait_text
from ptucalc.simulated_runs import SimulationRun
from ptucalc.simulation_report import SimulatedDeployment, SimulationReport, chosen_run
from ptucalc.simulation_result import SimulationResult

__all__ = ["simulate_blocks"]

ALL_IN_FULL = 3
"""Up to so many deployments are all shown in full; of more, the one with most requests is."""

FULL = Fraction(1)


def simulate_blocks(report: SimulationReport, *, verbose: bool = False, quiet: bool = False) -> Iterator[Block]:
    """The report. Of more than three deployments only the one with most requests is shown in full, unless `verbose`."""
    done = [each for each in report.deployments if each.result is not None]
    if report.source is not None:
        requests = sum(len(each.group.trace) for each in report.deployments)
        yield Headline(count_text(requests, "request"), window_text(report.source))
        if not quiet:
            yield from recognition(report.source)
    if len(report.deployments) > 1:
        yield _summary(report)
    shown = done if verbose or len(done) <= ALL_IN_FULL else done[:1]
    for each in shown:
        yield from _deployment(each, report, verbose=verbose, quiet=quiet)
    for each in report.deployments:
        for problem in each.problems:
            yield Remark("Left out", f"{named(each.name)}: expected {visible(problem.expected)}.", "warn")
    if quiet:
        return
    if len(shown) < len(done):
        yield Remark("More", f"{named(done[0].name)} has most requests of {len(done):,}; -v shows all of them in full.")
    yield from _sources(report, [each.name for each in shown])


def _sources(report: SimulationReport, names: list[str]) -> Iterator[Remark]:
    rates = " + ".join(report.catalog_editions)
    prices = " + ".join(report.price_editions)
    yield Remark(
        "Rates",
        f"{rates}, as of {report.catalog_as_of}, oldest source checked on {report.oldest_check}; prices {prices}, as of "
        f"{report.prices_as_of}.",
    )
    others = 0
    for note in report.notes:
        if not note.about or note.about in names:
            about = f"{named(note.about)}: " if note.about and len(names) > 1 else ""
            yield Remark("Note", about + visible(note.message), "warn")
        else:
            others += 1
    if others:
        yield Remark("Note", f"{count_text(others, 'more note')} on the other deployments: -v.", "warn")


def _summary(report: SimulationReport) -> Table:
    """Every deployment in a line."""
    target = _share_of_target(report)
    table = Table(
        [
            Column("Deployment", folds=True),
            Column("Model"),
            Column("Requests", right=True, optional=True),
            Column(target, right=True),
            Column("Shown", right=True, optional=True),
            Column("429s then", right=True),
        ]
    )
    for each in report.deployments:
        result = each.result
        cells = [Cell(named(each.name)), Cell(visible(each.group.model_name)), Cell(f"{len(each.group.trace):,}")]
        if result is None:
            cells = [*(cell._replace(style="warn") for cell in cells), *(Cell("—") for _ in range(3))]
        else:
            run = chosen_run(result)
            cells += [
                Cell(ptu_or_none(smallest_size(result)), "bold"),
                Cell(f"{run.ptu:,} PTU"),
                Cell(share_text(run.throttled_share), _style(run, result)),
            ]
        table.rows.append(cells)
    return table


def _share_of_target(report: SimulationReport) -> str:
    for each in report.deployments:
        if each.result is not None and each.result.target is not None:
            return f"PTU for {share_text(each.result.target.share)}"
    return "PTU for none"


def _deployment(found: SimulatedDeployment, report: SimulationReport, *, verbose: bool, quiet: bool) -> Iterator[Block]:
    result = found.result
    assert result is not None and found.worst_day is not None and found.alert is not None
    yield Headline(_title(found), _setting(found, result, report))
    yield Remark("Answer", _answer(found, result, report), "")
    yield from _sizes_that_do(found, result)
    yield _runs(found, result)
    if quiet:
        return
    yield _windows(result)
    yield from day_picture(found, found.worst_day)
    yield from sizes_picture(result)
    yield from mix_blocks(found, result)
    yield from standard_blocks(found)
    yield from advice_blocks(found, result)
    if verbose:
        yield Remark("How", _how(found, result))


def _title(found: SimulatedDeployment) -> str:
    group = found.group
    model = f"{group.model_name} {group.model_version or ''}".rstrip()
    name = named(group.name)
    own = "" if name.casefold() in (group.model_name.casefold(), model.casefold()) else f"{name}: "
    return f"{own}{model} {group.deployment_type.label}"


def _setting(found: SimulatedDeployment, result: SimulationResult, report: SimulationReport) -> str:
    parts = []
    if report.source is None or len(report.deployments) > 1:
        parts.append(count_text(result.requests, "request"))
    if report.synthetic is not None:
        kind = report.synthetic.arrivals.kind.value
        parts.append(f"{kind} arrivals over {seconds_or_longer(report.synthetic.duration_us)}")
    parts.append(f"a bucket of {seconds_text(result.window_seconds)}")
    after = {"none": "a 429 fails"}.get(result.policy.value, result.policy.value.replace("-", " "))
    if result.policy.retries:
        after += f", {result.max_retries:,} further tries"
    return " · ".join([*parts, f"policy: {after}"])


def seconds_or_longer(microseconds: int) -> str:
    """A duration in the largest unit that it is whole in."""
    for unit, each in (("day", 86_400), ("hour", 3600), ("minute", 60)):
        if microseconds % (each * 1_000_000) == 0:
            return count_text(microseconds // (each * 1_000_000), unit)
    return seconds_text(Fraction(microseconds, 1_000_000))


def _answer(found: SimulatedDeployment, result: SimulationResult, report: SimulationReport) -> str:
    """What the chosen size would have refused, and what became of it."""
    run = chosen_run(result)
    would = "would have refused" if report.synthetic is None else "would refuse"
    if not run.throttled_429:
        text = f"{run.ptu:,} PTU {would} none of {count_text(run.requests, 'request')}"
        if run.over_prompt_limit:
            text += f" with a 429; {run.over_prompt_limit:,} have prompts that PTU do not take"
        return text + "."
    text = (
        f"{run.ptu:,} PTU {would} {run.throttled_429:,} of {count_text(run.requests, 'request')} "
        f"({share_text(run.throttled_share)}), in {run.throttled_minutes:,} of {count_text(found.clock.minutes, 'minute')}"
    )
    return f"{text}; {_outcome(found, run, result)}."


def _outcome(found: SimulatedDeployment, run: SimulationRun, result: SimulationResult) -> str:
    lost = run.spilled + run.failed
    if not result.policy.retries:
        if not run.spilled:
            return f"{lost:,} fail"
        return f"{lost:,} spill over as whole calls, for {_spilled_text(found, run)} a month"
    waits = f"waits are up to {wait_text(run.wait_ms.max)}"
    if not lost:
        return f"all of them get through when they try again, {waits}"
    rest = f"{lost:,} still fail"
    if run.spilled:
        rest = f"{lost:,} still spill over, for {_spilled_text(found, run)} a month"
    return f"after {count_text(result.max_retries, 'further try').replace('trys', 'tries')} {rest}, {waits}"


def _spilled_text(found: SimulatedDeployment, run: SimulationRun) -> str:
    amount = found.spilled_usd(run)
    return "an unknown price" if isinstance(amount, Unknown) else Currency().text(amount)


def _sizes_that_do(found: SimulatedDeployment, result: SimulationResult) -> Iterator[Remark]:
    """The smallest size for the target, said truthfully, and the one from which on there is no 429."""
    target, first = result.target, result.first_without_429
    kind = found.group.deployment_type.label
    if target is not None:
        share = share_text(target.share)
        if isinstance(target.smallest_ptu, Unknown):
            yield Remark(
                "Target",
                f"no {kind} size that was looked at keeps 429s to {share}: {target.smallest_ptu.reason}.",
                "warn",
            )
        else:
            text = (
                f"{target.smallest_ptu:,} PTU is the smallest {kind} size with 429s in at most {share} of the requests"
            )
            every = target.all_larger_meet
            if isinstance(every, Unknown):
                text += f"; whether every larger one is too is not known ({every.reason})"
            elif every:
                text += "; every larger one keeps to it too"
            else:
                text += f"; larger ones that do not keep to it: {listed(target.exceptions)} PTU"
            yield Remark("Target", text + ".", "")
    if not result.sweep:
        return
    if isinstance(first, Unknown):
        yield Remark("No 429s", f"{first.reason}.", "warn")
    else:
        yield Remark("No 429s", f"from {first:,} PTU on, the smallest {kind} size that meets none.", "")


def _style(run: SimulationRun, result: SimulationResult) -> str:
    if result.target is not None and run.throttled_share > result.target.share:
        return "over"
    return "warn" if run.throttled_429 else ""


def _runs(found: SimulatedDeployment, result: SimulationResult) -> Table:
    policy = result.policy
    table = Table(
        [
            Column("PTU", right=True),
            Column("Mean use", right=True),
            Column("p99 use", right=True, optional=True),
            Column("429s", right=True),
            Column("429 minutes", right=True, optional=True),
            Column("Got through", right=True),
            *([Column("p99 wait", right=True, optional=True)] if policy.retries else []),
            *([Column("Longest wait", right=True)] if policy.retries else []),
            *([Column("Spilled", right=True)] if policy.spills else []),
            *([Column("A month", right=True, optional=True)] if policy.spills else []),
        ]
    )
    chosen = chosen_run(result)
    for run in sorted(result.runs, key=lambda each: each.ptu):
        is_chosen = run is chosen
        use, waits = run.utilization, run.wait_ms
        style = _style(run, result)
        cells = [
            Cell(f"{'● ' if is_chosen and len(result.runs) > 1 else ''}{run.ptu:,}", "bold" if is_chosen else ""),
            Cell(percent_text(use.mean)),
            Cell(percent_text(use.p99), "warn" if use.p99 >= FULL else ""),
            Cell(share_text(run.throttled_share), style),
            Cell(f"{run.throttled_minutes:,}"),
            Cell(share_text(Fraction(run.served, run.requests))),
        ]
        if policy.retries:
            cells += [Cell(wait_text(waits.p99)), Cell(wait_text(waits.max))]
        if policy.spills:
            cells += [
                Cell(share_text(Fraction(run.spilled, run.requests))),
                Cell(_spilled_text(found, run) if run.spilled else "—"),
            ]
        table.rows.append(cells)
    return table


def _windows(result: SimulationResult) -> Table:
    """The chosen size at other depths of the bucket."""
    run = chosen_run(result)
    lost = "Spilled" if result.policy.spills else "Failed"
    table = Table(
        [
            Column(f"If {run.ptu:,} PTU hold"),
            Column("429s", right=True),
            Column("429 minutes", right=True),
            Column(lost, right=True),
        ]
    )
    for window in run.windows:
        share = Fraction(window.throttled_429, run.requests)
        own = "bold" if window.window_seconds == result.window_seconds else ""
        gone = Fraction(window.spilled + window.failed, run.requests)
        table.rows.append(
            [
                Cell(f"{seconds_text(window.window_seconds)} of drain", own),
                Cell(share_text(share), "warn" if window.throttled_429 else ""),
                Cell(f"{window.throttled_minutes:,}"),
                Cell(share_text(gone)),
            ]
        )
    return table


def _how(found: SimulatedDeployment, result: SimulationResult) -> str:
    model, run = found.group.model, chosen_run(result)
    assert model is not None and not isinstance(model.tpm_per_ptu, Unknown)
    tpm = model.tpm_per_ptu
    drain = Fraction(run.ptu * tpm, 60)
    return (
        f"{run.ptu:,} PTU drain {run.ptu:,} × {tpm:,} ÷ 60 = {float(drain):,.0f} weighted tokens per second and hold "
        f"{seconds_text(result.window_seconds)} of that, {float(drain * result.window_seconds):,.0f}; a call below that level is "
        "let in with its estimate, at or above it gets a 429; when it ends the estimate becomes what it really weighed. "
        f"{'Compiled' if result.compiled else 'Plain Python'}, exact either way."
    )
