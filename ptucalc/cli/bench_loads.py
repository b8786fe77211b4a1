"""From the flags of `ptucalc bench` to a load: at a rate, rising, one after another, or the calls of a file."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

from ptucalc.arrivals import Arrivals, synthetic_trace
from ptucalc.bench_samples import planned_usage, weighted
from ptucalc.bench_schedule import Closed, Load, Ramp, Timed
from ptucalc.call_trace import MICROSECONDS_PER_MINUTE, CallTrace
from ptucalc.catalog import Catalog, Model, TokenWeights, Unknown, UnknownModel
from ptucalc.cli.bench_flags import BenchFlags, CheckedBench
from ptucalc.cli.log_flags import CheckedFlags
from ptucalc.cli.log_runs import read_flagged_log
from ptucalc.cli.view import View
from ptucalc.errors import BadInput, Problem
from ptucalc.read.telling import is_log, stdin_is_log
from ptucalc.read.workloads import read_workloads
from ptucalc.workload import Workload

__all__ = ["SATURATING", "MadeLoad", "load_of"]

SATURATING = Fraction(3, 2)
"""A calibration asks for so much of what the catalog says: enough to fill a bucket of any depth in twice its time."""


MOST_PLANNED = 5_000_000
"""More calls than this are not made by one client."""


class MadeLoad:
    """A load with its kind in words, where its calls are from, and its rate where it has one."""

    def __init__(self, load: Load, kind: str, calls_from: str, rpm: Fraction | None = None) -> None:
        self.load, self.kind, self.calls_from, self.rpm = load, kind, calls_from, rpm


def load_of(
    flags: BenchFlags,
    checked: CheckedBench,
    model: Model,
    weights: TokenWeights,
    catalog: Catalog,
    view: View,
    *,
    cache_minimum: int,
) -> MadeLoad:
    """The load that the flags ask for. Raises BadInput. The prompt cache keeps prompts of `cache_minimum` tokens and more."""
    files = flags.log.files
    if files:
        named = stdin_is_log() if files[0] == "-" else is_log(files[0])
        return (
            _of_log(flags, checked, view) if named or len(files) > 1 else _of_workloads(flags, checked, model, catalog)
        )
    if checked.concurrency is not None:
        closed = Closed(size=checked.size, concurrency=checked.concurrency, duration_us=checked.duration_us)
        return MadeLoad(closed, "concurrency", checked.calls_from)
    if checked.ramp is not None:
        low, high, by = checked.ramp
        ramp = Ramp(size=checked.size, from_rpm=low, to_rpm=high, by_rpm=by, step_us=checked.step_us)
        return MadeLoad(ramp, "ramp", checked.calls_from)
    rpm = checked.rpm or _saturating_rpm(checked, model, weights, cache_minimum)
    calls = Workload(
        model=model.name,
        requests_per_minute=rpm,
        input_tokens=checked.size.input_tokens,
        output_tokens=checked.size.output_tokens,
        cached_input_tokens=checked.size.shared_tokens,
    )
    return MadeLoad(_timed([calls], checked), "rate", checked.calls_from, rpm)


def _saturating_rpm(checked: CheckedBench, model: Model, weights: TokenWeights, cache_minimum: int) -> Fraction:
    """Requests per minute of `SATURATING` times what the catalog says that the deployment serves. Raises BadInput."""
    each = weighted(model, weights, planned_usage(model, checked.size, cache_minimum=cache_minimum))
    if isinstance(model.tpm_per_ptu, Unknown) or isinstance(each, Unknown) or not each:
        expected = "a rate that saturates it: nothing is published to work one out from"
        raise BadInput([Problem("requests_per_minute", "", expected)])
    return SATURATING * model.tpm_per_ptu * (checked.ptu or 1) / each


def _timed(workloads: Sequence[Workload], checked: CheckedBench) -> Timed:
    rate = sum((workload.requests_per_minute for workload in workloads), Fraction(0))
    calls_planned = rate * checked.duration_us / MICROSECONDS_PER_MINUTE
    if calls_planned > MOST_PLANNED:
        expected = f"a time in which at most {MOST_PLANNED:,} calls start (here: {int(calls_planned):,})"
        raise BadInput([Problem("duration", f"{checked.duration_us / 1e6:g} s", expected)])
    calls = synthetic_trace(
        workloads, duration_us=checked.duration_us, arrivals=Arrivals(kind=checked.arrivals, seed=checked.seed or 0)
    )
    if not len(calls):
        raise BadInput([Problem("duration", f"{checked.duration_us / 1e6:g} s", "long enough for a call to be made")])
    return Timed(calls=calls, duration_us=checked.duration_us, from_zero=True)


def _of_workloads(flags: BenchFlags, checked: CheckedBench, model: Model, catalog: Catalog) -> MadeLoad:
    """The workloads of a file at their peaks, all at once."""
    path = flags.log.files[0]
    found = read_workloads(path)
    names = [workload.name or f"row-{i}" for i, workload in enumerate(found, start=1)]
    problems = [
        Problem("only", name, f"a workload of the file: {', '.join(names[:10])}")
        for name in flags.only
        if name not in names
    ]
    chosen = [w for w, name in zip(found, names, strict=True) if not flags.only or name in flags.only]
    others = sorted({w.model for w in chosen if not _is(w.model, model, catalog)})
    if others and not problems:
        expected = f"workloads of {model.name} only, which the deployment serves (--only NAME chooses)"
        problems.append(Problem("file", ", ".join(others), expected, source=path))
    if problems:
        raise BadInput(problems)
    peaks = [
        Workload(
            name=w.name,
            model=w.model,
            requests_per_minute=w.requests_per_minute,
            input_tokens=w.input_tokens,
            output_tokens=w.output_tokens,
            cache_ratio=w.cache_ratio,
            image_input_tokens=w.image_input_tokens,
            image_output_tokens=w.image_output_tokens,
        )
        for w in chosen
    ]
    what = chosen[0].name or path if len(chosen) == 1 else f"{len(chosen):,} workloads"
    return MadeLoad(_timed(peaks, checked), "workloads", what, sum((w.requests_per_minute for w in peaks), Fraction(0)))


def _is(name: str, model: Model, catalog: Catalog) -> bool:
    try:
        return catalog.find(name)[0].name == model.name
    except UnknownModel:
        return False


def _of_log(flags: BenchFlags, checked: CheckedBench, view: View) -> MadeLoad:
    """The calls of a log, at their times from the first on."""
    with read_flagged_log(flags.log, CheckedFlags.of(flags.log, []), view, calls=True) as log:
        chosen = [s for s in log.profiles if not flags.only or {s.deployment, s.model} & set(flags.only)]
        if not chosen:
            known = ", ".join(sorted({s.deployment or s.model for s in log.profiles})[:10])
            raise BadInput([Problem("only", ", ".join(flags.only), f"deployments of the log: {known}")])
        trace: CallTrace = log.trace(chosen)
    load = Timed(calls=trace, duration_us=checked.duration_us, speed=checked.speed)
    return MadeLoad(load, "replay", f"{len(trace):,} calls of a log")
