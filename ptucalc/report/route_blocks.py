"""Calls along a route as blocks: what was served and what not, backend by backend, what it costs, notes."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction

from ptucalc.catalog import Unknown
from ptucalc.errors import visible
from ptucalc.report.blocks import Block, Cell, Column, Headline, Remark, Table, percent_text
from ptucalc.report.currency import Currency
from ptucalc.report.log_blocks import recognition, window_text
from ptucalc.report.simulate_blocks import seconds_or_longer
from ptucalc.report.simulate_words import count_text, seconds_text, share_text, wait_text
from ptucalc.route_report import RoutedBackend, RouteReport
from ptucalc.route_run import RouteRun
from ptucalc.router import FailureReason
from ptucalc.routing import Provisioned, Retry, Standard, WaitWhere

__all__ = ["route_blocks"]

SECOND_US = 1_000_000

_NO_USE = (Fraction(0), Fraction(0))

REASONS = {
    FailureReason.THROTTLED: "refused (429)",
    FailureReason.TOO_LONG: "with too long a prompt (400)",
    FailureReason.DOWN: "backend down (503)",
    FailureReason.NONE_IN_ROTATION: "no backend in rotation",
}


def route_blocks(report: RouteReport, *, verbose: bool = False, quiet: bool = False) -> Iterator[Block]:
    """The report of a route that calls were sent along."""
    run = report.run
    assert run is not None
    if report.source is not None:
        yield Headline(count_text(run.requests, "request"), window_text(report.source))
        if not quiet:
            yield from recognition(report.source)
    yield Headline(_title(report), _setting(report, run))
    yield Remark("Answer", _answer(run), "")
    yield _backends(report, run)
    yield _costs(report)
    if quiet:
        return
    yield Remark("Tokens", _tokens(run))
    if verbose:
        yield from _how(report, run)
    rates, prices = " + ".join(report.catalog_editions), " + ".join(report.price_editions)
    yield Remark(
        "Rates",
        f"{rates}, as of {report.catalog_as_of}, oldest source checked on {report.oldest_check}; prices {prices}, as of "
        f"{report.prices_as_of}.",
    )
    for note in report.notes:
        yield Remark("Note", visible(note.message), "warn")


def _title(report: RouteReport) -> str:
    group = report.group
    model = f"{group.model_name} {group.model_version or ''}".rstrip()
    return f"{visible(model)} along {count_text(len(report.backends), 'backend')}"


def _setting(report: RouteReport, run: RouteRun) -> str:
    parts = []
    if report.synthetic is not None:
        kind = report.synthetic.arrivals.kind.value
        length = seconds_or_longer(report.synthetic.duration_us)
        parts += [count_text(run.requests, "request"), f"{kind} arrivals over {length}"]
    return " · ".join([*parts, *_policy(run.route.retry)])


def _policy(retry: Retry) -> Iterator[str]:
    tries = "1 try" if retry.attempts_per_backend == 1 else f"{retry.attempts_per_backend:,} tries"
    tries += " at each backend" + (f", {retry.attempts:,} in all" if retry.attempts else "")
    if retry.wait is WaitWhere.NEVER:
        yield f"{tries}, no waits"
    else:
        where = "at the backend that refused" if retry.wait is WaitWhere.HERE else "when none is left"
        longest = "" if retry.longest_wait_ms is None else f", at most {wait_text(retry.longest_wait_ms)} in all"
        yield f"{tries}, waits {where}{longest}"
    if retry.trip_on_retry_after:
        yield "a 429 takes a backend out of rotation for its Retry-After"
    if retry.trip_when_down_ms is not None:
        yield f"a 503 for {seconds_text(Fraction(retry.trip_when_down_ms, 1000))}"


def _answer(run: RouteRun) -> str:
    shares = ", ".join(
        f"{share_text(run.share(each.served))} by {visible(each.backend.name)}" for each in run.backends if each.served
    )
    text = f"{share_text(run.share(run.served))} of {count_text(run.requests, 'request')} served"
    text += f": {shares}" if shares else ""
    if not run.failed:
        return f"{text}; none failed{_waits(run)}."
    why = ", ".join(f"{count:,} {REASONS[reason]}" for reason, count in run.failed_by.items() if count)
    return f"{text}; {run.failed:,} failed ({share_text(run.share(run.failed))}): {why}{_waits(run)}."


def _waits(run: RouteRun) -> str:
    waits = run.wait_ms
    if not waits.max:
        return ""
    return f"; waits p99 {wait_text(waits.p99)}, at most {wait_text(waits.max)}"


def _what(each: RoutedBackend) -> str:
    """The deployment in a few words."""
    backend = each.run.backend
    place = f"{each.deployment_type.label}{f', {visible(each.region)}' if each.region else ''}"
    if isinstance(backend, Provisioned):
        return f"{backend.ptu:,} PTU {place}"
    limits = [f"{limit:,} {name}" for limit, name in ((backend.tpm, "TPM"), (backend.rpm, "RPM")) if limit is not None]
    return f"Standard {place}" + (f", {', '.join(limits)}" if limits else "")


def _backends(report: RouteReport, run: RouteRun) -> Table:
    down = any(each.responses_503 for each in run.backends)
    long = any(each.responses_400 for each in run.backends)
    table = Table(
        [
            Column("Backend", folds=True),
            Column("What", folds=True, optional=True),
            Column("Priority", right=True, optional=True),
            Column("Tries", right=True),
            Column("Served", right=True),
            Column("Share", right=True),
            Column("429s", right=True),
            *([Column("400s", right=True, optional=True)] if long else []),
            *([Column("503s", right=True)] if down else []),
            *([Column("Mean use", right=True, optional=True)] if run.of_kind(Provisioned) else []),
            *([Column("p99 use", right=True, optional=True)] if run.of_kind(Provisioned) else []),
            *([Column("Tokens a month", right=True)] if run.of_kind(Standard) else []),
        ]
    )
    for each in report.backends:
        done, use = each.run, each.run.utilization
        weight = f" × {done.backend.weight:,}" if done.backend.weight > 1 else ""
        cells = [
            Cell(visible(each.name), "bold"),
            Cell(_what(each)),
            Cell(f"{done.backend.priority:,}{weight}"),
            Cell(f"{done.tries:,}"),
            Cell(f"{done.served:,}"),
            Cell(share_text(run.share(done.served))),
            Cell(f"{done.responses_429:,}", "warn" if done.responses_429 else ""),
            *([Cell(f"{done.responses_400:,}")] if long else []),
            *([Cell(f"{done.responses_503:,}", "warn" if done.responses_503 else "")] if down else []),
        ]
        if run.of_kind(Provisioned):
            cells += [Cell("—" if use is None else percent_text(part)) for part in (use or _NO_USE)[:2]]
        if run.of_kind(Standard):
            cells.append(Cell("—" if isinstance(done.backend, Provisioned) else _money(each.tokens_usd)))
        table.rows.append(cells)
    failed = [
        Cell("Failed"),
        Cell(""),
        Cell(""),
        Cell(""),
        Cell(f"{run.failed:,}"),
        Cell(share_text(run.share(run.failed))),
    ]
    table.totals = [*failed, *(Cell("") for _ in table.columns[len(failed) :])] if run.failed else None
    return table


def _money(amount: Fraction | Unknown) -> str:
    return "unknown" if isinstance(amount, Unknown) else Currency().text(amount)


def _costs(report: RouteReport) -> Table:
    """What all of it costs a month, by the term of the PTU."""
    table = Table(
        [
            Column("PTU paid"),
            Column("PTU a month", right=True),
            Column("Tokens a month", right=True),
            Column("A month", right=True),
        ]
    )
    for cost in report.costs:
        total = cost.monthly_usd
        table.rows.append(
            [
                Cell(cost.term.value if cost.term else "no PTU"),
                Cell(_money(cost.fixed_usd) if cost.term else "—"),
                Cell(_money(cost.tokens_usd)),
                Cell(_money(total), "warn" if isinstance(total, Unknown) else "bold"),
            ]
        )
    return table


def _tokens(run: RouteRun) -> str:
    whole, lost = run.tokens, run.tokens_failed
    text = f"{sum(whole[:3]):,} in ({whole.cached:,} of them cached) and {whole.output:,} out"
    if any(lost):
        text += f"; of requests that failed {sum(lost[:3]):,} in and {lost.output:,} out"
    return f"{text}."


def _how(report: RouteReport, run: RouteRun) -> Iterator[Remark]:
    text = (
        "a call goes to the lowest priority number that has a backend in rotation, among those of one number at random by "
        f"weight (seed {run.route.seed:,}); refused, it goes on to a backend that it may still try. PTU admit by the leaky "
        "bucket, Standard by its tokens and calls of the clock's minute and window, which refused tries count in too."
    )
    yield Remark("How", text)
    for each in report.backends:
        spans = ", ".join(seconds_or_longer(outage.to_us - outage.from_us) for outage in each.run.backend.down)
        if spans:
            yield Remark("Down", f"{visible(each.name)}: {spans}.")
