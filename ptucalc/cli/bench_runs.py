"""What `ptucalc bench` does with its flags: said what it may send, sent, measured, shown."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime
from fractions import Fraction
from functools import partial
from itertools import islice

from ptucalc import __version__
from ptucalc.bench_calibrating import calibrate
from ptucalc.bench_calibration import Calibration
from ptucalc.bench_data import ROW_COLUMNS, bench_document, bench_rows
from ptucalc.bench_notes import notes_of_bench
from ptucalc.bench_result import BenchResult, Figures, Setting, Step, figures_of
from ptucalc.bench_samples import weighted
from ptucalc.bench_schedule import Ramp
from ptucalc.catalog import Unknown
from ptucalc.cli.bench_flags import BenchFlags, CheckedBench
from ptucalc.cli.bench_live import LiveLine
from ptucalc.cli.bench_ready import Ready, make_ready
from ptucalc.cli.view import View, remark
from ptucalc.errors import BadInput, Problem, visible
from ptucalc.measure.run import Limits
from ptucalc.measure.session import Session, play
from ptucalc.report.bench_blocks import bench_blocks, budget_line

__all__ = ["show_bench"]

INTERRUPTED = 130


def show_bench(flags: BenchFlags, view: View) -> int:
    """Say what may be sent, send it, show what was measured. Raises BadInput with all that is wrong, before anything is sent.

    The exit code is 0; 2 where no call was served, or no overlay could be written; 130 after Ctrl-C (with the figures of
    what was sent).
    """
    checked = CheckedBench.of(flags)
    ready = make_ready(flags, checked, view)
    if flags.dry_run or ready.target is None:
        _show(_nothing_sent(flags, checked, ready), view)
        return 0
    print(f"Sends  {visible(budget_line(ready.budget))}", file=sys.stderr)
    if flags.calibrate:
        print("       and saturates the deployment: its other callers meet 429s meanwhile", file=sys.stderr)
    live = LiveLine(ready.made.load, view)
    started = datetime.now(UTC).replace(microsecond=0).isoformat().replace("+00:00", "Z")
    try:
        session = play(
            ready.made.load,
            Limits(requests=checked.max_requests, at_once=checked.at_once),
            ready.target,
            ready.prompts,
            max_retries=checked.retries,
            timeout_us=checked.timeout_us,
            warm_up_us=checked.warm_up_us,
            watch=live.watch,
            tick=live.show if live.wanted else None,
        )
    finally:
        live.clear()
    result = _measured(flags, checked, ready, session, started)
    _show(result, view)
    return _code(result, flags, view)


def _code(result: BenchResult, flags: BenchFlags, view: View) -> int:
    """The exit code; the overlay is written where it was asked for and the measurement supports one."""
    problems: list[Problem] = []
    if flags.save_catalog is not None:
        problems += _save(result, flags, view)
    if result.stopped_by != "interrupt":
        problems += _none_served(result)
    if problems:
        from ptucalc.cli.bench import FLAGS
        from ptucalc.cli.failing import failed

        failed(BadInput(problems), "table", flags=FLAGS)
    return INTERRUPTED if result.stopped_by == "interrupt" else 2 if problems else 0


def _none_served(result: BenchResult) -> Iterator[Problem]:
    """Why nothing was measured, where no call was served."""
    figures = result.figures
    if figures is None or figures.served or figures.finished.calls:
        return
    if figures.failures:
        first = figures.failures[0]
        yield Problem("endpoint", f"{first.kind}: {first.example}", "a deployment that serves calls")
    elif figures.throttled:
        expected = "one that serves calls: a lower rate, smaller calls, or more PTU or quota"
        yield Problem("endpoint", f"a 429 to all of {figures.requests:,} calls", expected)
    elif result.stopped_by == "errors":
        yield Problem(
            "endpoint", "every call failed in the warm-up", "a deployment that serves calls (--warm-up 0 says more)"
        )
    else:
        yield Problem("duration", "no call was served after the warm-up", "a longer one, or less --warm-up")


def _setting(flags: BenchFlags, checked: CheckedBench, ready: Ready) -> Setting:
    load = ready.made.load
    sizes = [call.size for call in islice(load.planned(), 1 if load.concurrency else checked.max_requests)]
    mean = [Fraction(sum(values), len(sizes)) for values in zip(*sizes, strict=True)]
    return Setting(
        model=ready.model.name,
        model_version=ready.version,
        wire=checked.wire.value,
        api_version=ready.target.api_version if ready.target else flags.api_version,
        stream=flags.stream,
        load=ready.made.kind,
        calls_from=ready.made.calls_from,
        input_tokens=mean[0],
        shared_tokens=mean[1],
        output_tokens=mean[2],
        requests_per_minute=ready.made.rpm,
        concurrency=load.concurrency,
        duration_us=load.duration_us,
        warm_up_us=checked.warm_up_us,
        policy="retry" if checked.retries or flags.policy == "retry" else "none",
        max_retries=checked.retries,
        most_requests=checked.max_requests,
        at_once=checked.at_once,
        timeout_us=checked.timeout_us,
        seed=ready.prompts.seed,
    )


def _nothing_sent(flags: BenchFlags, checked: CheckedBench, ready: Ready) -> BenchResult:
    """What is said before anything is sent."""
    prices = ready.prices
    return BenchResult(
        version=__version__,
        catalog_as_of=ready.catalog.as_of.isoformat(),
        editions=ready.catalog.editions,
        prices_as_of=prices.as_of.isoformat(),
        price_editions=prices.editions,
        price_region=checked.region or prices.default_region,
        setting=_setting(flags, checked, ready),
        budget=ready.budget,
        stopped_by="dry-run",
        started=None,
        figures=None,
        steps=(),
        utilization=Unknown("nothing was sent"),
        calibration=None,
        notes=(),
    )


def _measured(flags: BenchFlags, checked: CheckedBench, ready: Ready, session: Session, started: str) -> BenchResult:
    """The figures of what was played."""
    played = session.played
    samples, until_us = played.samples, played.until_us
    model, weights = ready.model, ready.weights

    def figures(start: int, end: int) -> Figures:
        weigh = partial(weighted, model, weights, cache_minimum=ready.cache.minimum_tokens)
        return figures_of(samples, from_us=start, until_us=end, weigh=weigh)

    calibration: Calibration | None = None
    if flags.calibrate and checked.ptu is not None:
        calibration = calibrate(
            samples,
            model=model,
            weights=weights,
            ptu=checked.ptu,
            window_seconds=checked.window,
            cache_minimum=ready.cache.minimum_tokens,
        )
    nothing = _nothing_sent(flags, checked, ready)
    whole = figures(checked.warm_up_us, until_us)
    notes = notes_of_bench(
        nothing.setting,
        whole,
        played.stopped_by,
        cache=ready.cache,
        calibration=calibration,
        held_back=played.held_back,
    )
    load = ready.made.load
    stretches = load.stretches(checked.warm_up_us, until_us) if isinstance(load, Ramp) else ()
    return replace(
        nothing,
        stopped_by=played.stopped_by,
        held_back=played.held_back,
        started=started,
        figures=whole,
        steps=tuple(Step(rate, figures(start, end)) for rate, start, end in stretches),
        utilization=session.utilization,
        calibration=calibration,
        notes=tuple(notes),
    )


def _show(result: BenchResult, view: View) -> None:
    document = bench_document(result) if view.shape == "json" else {}
    blocks = bench_blocks(result, verbose=view.verbose, quiet=view.quiet)
    view.write(document, blocks, ROW_COLUMNS, (tuple(row.values()) for row in bench_rows(result)))


def _save(result: BenchResult, flags: BenchFlags, view: View) -> list[Problem]:
    """Writes the overlay, never over a file; what is in the way of it."""
    from ptucalc import exact
    from ptucalc.report.measured_catalog import measured_catalog_text

    path = flags.save_catalog or ""
    weight = None if flags.output_weight is None else exact.weight(flags.output_weight)
    try:
        text = measured_catalog_text(result, date.today(), output_weight=weight)
        with open(path, "x", encoding="utf-8") as file:
            file.write(text)
    except ValueError as error:
        return [Problem("save_catalog", path, f"a measurement that supports a rate ({error}); nothing was written")]
    except FileExistsError:
        return [Problem("save_catalog", path, "a new file: none is overwritten")]
    except OSError as error:
        return [Problem("save_catalog", path, f"a file that can be written ({error.strerror})")]
    remark(f"Wrote {path}: ptucalc size --catalog {path}", view)
    return []
