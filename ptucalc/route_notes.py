"""The remarks on calls along a route: what was assumed, and what a reader of the numbers must know."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from fractions import Fraction

from ptucalc.catalog import Unknown
from ptucalc.results import Note, json_number
from ptucalc.route_report import RoutedBackend, RouteReport
from ptucalc.route_run import RouteRun
from ptucalc.routing import Provisioned, Standard
from ptucalc.simulate_notes import MESSAGES as OF_SIMULATIONS
from ptucalc.simulate_notes import notes_of_report
from ptucalc.standard_limits import RpmWindow

__all__ = ["MESSAGES", "notes_of_route"]

SECOND_US = 1_000_000

MESSAGES: Mapping[str, str] = {
    "route_bucket_depth": "how much a bucket holds is not published: {windows} s of what the PTU drain are assumed",
    "route_failover": "a refused try takes {failover}, and the gateway learns that a backend is full or down only from its "
    "answer; how long calls take at a backend is not looked at",
    "route_down": "{name} is down for {span}: tries get HTTP 503, calls that run when it begins end as they would have{paid}",
    "route_unlimited": "{name} has no limits here: it takes every call",
    "route_retry_after": "a 429 of Standard is taken to last until the minute or window that refused the call is over: its "
    "Retry-After is not published",
    "route_rpm_unknown": "{name}: how many RPM come with its TPM is not known ({reason}): only tokens are checked",
    "route_other_model": "{name} serves {model}: its calls are taken to have the same tokens as those to {own}",
    "route_whole_calls": "{name}: its {rpm} RPM are checked over {seconds} s, which take whole calls, {calls} in each: {most} a minute at most",
    "route_never_tried": "{name} was never tried",
    "route_unpriced": "what {name} costs is not known: {reason}",
    "route_prompt_limit": "{count} tries at {name} got HTTP 400: the prompts are over the {limit} tokens that {model} takes on PTU",
}
"""By code."""


def _note(code: str, **values: object) -> Note:
    return Note(code, (MESSAGES.get(code) or OF_SIMULATIONS[code]).format_map(values) + ".")


def notes_of_route(report: RouteReport, mean_calls: bool) -> Iterator[Note]:
    """The remarks on a route that calls were sent along."""
    run = report.run
    assert run is not None
    buckets = [each.backend.window_us for each in run.backends if isinstance(each.backend, Provisioned)]
    if buckets:
        windows = " and ".join(f"{float(Fraction(us, SECOND_US)):g}" for us in sorted(set(buckets)))
        yield _note("route_bucket_depth", windows=windows)
    failover = f"{run.route.failover_ms:,} ms" if run.route.failover_ms else "no time (failover_ms)"
    yield _note("route_failover", failover=failover)
    for note in notes_of_report(report.source, report.synthetic, Fraction(1), mean_calls):
        if note.code != "bucket_depth_assumed":
            yield note
    yield from _about_calls(report, run)
    for each in report.backends:
        yield from _about_backend(each, report)
    standard = [each for each in run.of_kind(Standard) if each.responses_429]
    if standard and (run.route.retry.trip_on_retry_after or run.wait_ms.max):
        yield _note("route_retry_after")


def _about_calls(report: RouteReport, run: RouteRun) -> Iterator[Note]:
    requests = f"{run.requests:,}"
    if run.without_max_tokens:
        count, assumed = f"{run.without_max_tokens:,}", run.assumed_max_tokens
        if assumed is None:
            yield _note("no_max_tokens", count=count, requests=requests)
        else:
            yield _note("assumed_max_tokens", count=count, requests=requests, assumed=f"{assumed:,}")
    provisioned = next((each.backend for each in run.of_kind(Provisioned)), None)
    if provisioned is not None and provisioned.model is not None and run.without_duration:
        target, count = provisioned.model.latency_target, f"{run.without_duration:,}"
        if isinstance(target, Unknown):
            yield _note("no_duration", count=count, requests=requests)
        else:
            yield _note("duration_at_target", count=count, requests=requests, target=f"{target.tokens_per_second:,}")


def _about_backend(each: RoutedBackend, report: RouteReport) -> Iterator[Note]:
    backend, name = each.run.backend, each.name
    model = backend.model
    assert model is not None
    if report.group.model is not None and model.name != report.group.model.name:
        yield _note("route_other_model", name=name, model=model.name, own=report.group.model.name)
    if each.availability is not None and each.availability.available is None:
        yield _note("availability_unknown", reason=f"{name}: {each.availability.reason}")
    grid = model.offer(each.deployment_type).grid
    if isinstance(backend, Provisioned) and each.legal is False and grid is not None:
        above = grid.round_up(backend.ptu, 1)
        below = max(grid.up_to(backend.ptu), default=None)
        nearest = f"the smallest is {above:,}" if below is None else f"the nearest are {below:,} and {above:,}"
        yield _note("off_grid", ptu=f"{name}: {backend.ptu:,}", kind=each.deployment_type.label, nearest=nearest)
    if backend.down:
        seconds = Fraction(sum(outage.to_us - outage.from_us for outage in backend.down), SECOND_US)
        paid = "; its PTU are paid for all the same" if isinstance(backend, Provisioned) else ""
        yield _note("route_down", name=name, span=f"{float(seconds / 60):,g} minutes", paid=paid)
    if isinstance(backend, Standard) and backend.tpm is None and backend.rpm is None:
        yield _note("route_unlimited", name=name)
    if isinstance(backend, Standard) and backend.rpm is not None:
        window = RpmWindow.of(backend.rpm, backend.rpm_window_seconds)
        if window.calls_per_minute < backend.rpm:
            most = f"{json_number(window.calls_per_minute):,}"
            values = {"rpm": f"{backend.rpm:,}", "calls": f"{window.calls:,}", "most": most}
            yield _note("route_whole_calls", name=name, seconds=backend.rpm_window_seconds, **values)
    if each.unit_reason:
        yield _note("route_rpm_unknown", name=name, reason=each.unit_reason)
    if each.run.responses_400:
        limit = f"{model.prompt_limit_tokens:,}"
        yield _note("route_prompt_limit", name=name, count=f"{each.run.responses_400:,}", limit=limit, model=model.name)
    if not each.run.tries:
        yield _note("route_never_tried", name=name)
    unknown = [price for price in (*each.fixed_usd.values(), each.tokens_usd) if isinstance(price, Unknown)]
    for price in unknown:
        yield _note("route_unpriced", name=name, reason=price.reason)
