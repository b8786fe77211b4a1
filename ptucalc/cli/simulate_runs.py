"""What `ptucalc simulate` does with its flags: calls read or made, simulated, shown."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Protocol, TypeVar

from ptucalc import __version__
from ptucalc.arrivals import shortest_duration_us, synthetic_trace
from ptucalc.call_groups import CallGroup, groups_of_log, groups_of_workloads
from ptucalc.call_trace import MICROSECONDS_PER_MINUTE, CallTrace
from ptucalc.cli.log_flags import CheckedFlags, LogFlags
from ptucalc.cli.log_runs import read_flagged_log
from ptucalc.cli.simulate_flags import CheckedSimulation, SimulateFlags
from ptucalc.cli.view import View
from ptucalc.errors import BadInput, Problem
from ptucalc.log_models import ModelFinder
from ptucalc.log_result import By
from ptucalc.read.catalog import load_catalog
from ptucalc.read.fast_engine import engine_for
from ptucalc.read.standard_limits import load_standard_limits
from ptucalc.read.telling import is_log, stdin_is_log
from ptucalc.request_log import LogSource
from ptucalc.resolving import Resolver
from ptucalc.rounding import Grid
from ptucalc.simulation_analysis import Asked, Facts, analyse_calls
from ptucalc.simulation_report import ROW_COLUMNS, SimulationReport, Synthetic
from ptucalc.sizing_result import SizingResult
from ptucalc.spill_mix import Clock, Money
from ptucalc.workload import Workload

if TYPE_CHECKING:
    from ptucalc.route_report import RouteReport

__all__ = ["show_simulation"]

_Report = TypeVar("_Report", covariant=True)

HOUR_US = 60 * MICROSECONDS_PER_MINUTE
"""So long calls are made up for, unless told otherwise or a profile lasts longer."""


def show_simulation(flags: SimulateFlags, view: View) -> int:
    """Read the log or make calls, simulate them, show it. Raises BadInput with all that is wrong."""
    advise = True if view.verbose else None
    checked = CheckedSimulation.of(flags, advise=False if view.quiet else advise)
    found: SimulationReport | RouteReport
    if flags.route is None:
        found = report = _report(flags, checked, view, analyse_calls)
        if report.answered or view.shape == "json":
            from ptucalc.report.simulate_blocks import simulate_blocks

            blocks = simulate_blocks(report, verbose=view.verbose, quiet=view.quiet)
            rows = (tuple(row.values()) for row in report.rows())
            view.write(report.to_dict() if view.shape == "json" else {}, blocks, ROW_COLUMNS, rows)
    else:
        found = _show_route(flags, checked, view, flags.route)
    if not found.answered:
        from ptucalc.cli.failing import failed
        from ptucalc.cli.simulate import FLAGS

        return failed(BadInput(list(dict.fromkeys(found.problems))), "table", flags=FLAGS)
    return 0


def _show_route(flags: SimulateFlags, checked: CheckedSimulation, view: View, file: str) -> RouteReport:
    """Send the calls along the route of a file, and show what came of them."""
    from ptucalc.read.route import RouteFile, read_route_file
    from ptucalc.report.route_blocks import route_blocks
    from ptucalc.route_analysis import analyse_route
    from ptucalc.route_report import ROW_COLUMNS as COLUMNS_OF_ROUTE

    read: RouteFile | None = None
    try:
        read = read_route_file(Path(file), load_catalog(*flags.log.catalogs))
    except BadInput as error:
        if not checked.problems:
            raise
        checked.problems.extend(error.problems)
    together = flags
    if _reads_log(flags):  # all its calls go along the one route
        together = flags._replace(log=flags.log._replace(by="none"))

    def analyse(
        groups: Sequence[CallGroup],
        asked: Asked,
        facts: Facts,
        *,
        source: LogSource | None,
        synthetic: Synthetic | None,
        by: By,
        clock: Clock,
        mean_calls: bool = False,
    ) -> RouteReport:
        assert read is not None  # else there were problems
        found = analyse_route(
            groups, read.route, asked, facts, source=source, synthetic=synthetic, clock=clock, mean_calls=mean_calls
        )
        return replace(found, problems=tuple(map(read.placed, found.problems)))

    try:
        report = _report(together, checked, view, analyse)
    except BadInput as error:
        told = [
            each._replace(field="model", found="") if (each.field, each.found) == ("by", "none") else each
            for each in error.problems
        ]
        raise BadInput(told, uncounted=error.uncounted, lines=error.lines) from None
    if report.answered or view.shape == "json":
        blocks = route_blocks(report, verbose=view.verbose, quiet=view.quiet) if report.answered else iter(())
        rows = (tuple(row.values()) for row in report.rows())
        view.write(report.to_dict() if view.shape == "json" else {}, blocks, COLUMNS_OF_ROUTE, rows)
    return report


class Analyse(Protocol[_Report]):
    """What is done with the calls."""

    def __call__(
        self,
        groups: Sequence[CallGroup],
        asked: Asked,
        facts: Facts,
        *,
        source: LogSource | None,
        synthetic: Synthetic | None,
        by: By,
        clock: Clock,
        mean_calls: bool = False,
    ) -> _Report: ...


def _report(flags: SimulateFlags, checked: CheckedSimulation, view: View, analyse: Analyse[_Report]) -> _Report:
    if _reads_log(flags):
        return _of_log(flags, checked, view, analyse)
    return _of_workloads(flags, checked, view, analyse)


def _reads_log(flags: SimulateFlags) -> bool:
    files = flags.log.files
    if len(files) == 1:
        return stdin_is_log() if files[0] == "-" else is_log(files[0])
    return bool(files)


def _facts(flags: SimulateFlags, checked: CheckedSimulation) -> Facts:
    return Facts(
        catalog=load_catalog(*flags.log.catalogs),
        money=Money(checked.money.prices, checked.money.discount, checked.money.terms),
        limits=load_standard_limits(),
        engine_for=engine_for,
        version=__version__,
        today=date.today(),
    )


def _of_log(flags: SimulateFlags, checked: CheckedSimulation, view: View, analyse: Analyse[_Report]) -> _Report:
    problems = [
        Problem(field, "beside a log", "left out: the log says which calls there were")
        for field, _ in flags.of_workloads()
    ]
    read_here = flags.log._replace(sku=checked.deployment_type.value, output_weight=None)  # not to be told twice
    facts = _facts(flags, checked)
    resolver = Resolver(facts.catalog, (checked.deployment_type,))
    wrong = [*resolver.bad_place(flags.log.region), *_bad_model(flags.log, resolver)]
    of_log = CheckedFlags.of(read_here, [*problems, *wrong, *checked.problems])
    with read_flagged_log(flags.log, of_log, view, calls=True) as log:
        finder = ModelFinder(
            resolver,
            log.profiles,
            model=flags.log.model,
            model_version=flags.log.model_version,
            map_model=of_log.models,
            output_weight=checked.asked.output_weight,
        )
        groups = groups_of_log(
            log.profiles,
            finder.serving(),
            log.trace,
            by=of_log.by,
            deployment_type=checked.deployment_type,
            region=flags.log.region,
        )
        source = log.source
    return analyse(
        groups,
        checked.asked,
        facts,
        source=source,
        synthetic=None,
        by=of_log.by,
        clock=Clock.of_log(source),
    )


def _bad_model(flags: LogFlags, resolver: Resolver) -> Sequence[Problem]:
    """What is wrong with the model for all calls, before the log is read."""
    weight = Fraction(1) if flags.output_weight else None  # whether it is one is told with the other flags
    try:
        ModelFinder(resolver, (), model=flags.model, model_version=flags.model_version, output_weight=weight)
    except BadInput as error:
        return error.problems
    return ()


def _of_workloads(flags: SimulateFlags, checked: CheckedSimulation, view: View, analyse: Analyse[_Report]) -> _Report:
    problems = [
        Problem(flag, "without a log", "left out: it says how a log is read") for flag in flags.of_logs()
    ] + checked.problems
    sized = _sized(flags, problems, view)
    workloads = [each.workload for each in sized.workloads]
    duration = checked.duration_us or max(HOUR_US, shortest_duration_us(workloads))

    def trace_of(members: Sequence[Workload]) -> CallTrace:
        made = synthetic_trace(members, duration_us=duration, arrivals=checked.arrivals)
        if not len(made):
            expected = "long enough for a call to arrive (or fewer calls in a burst: --burst-calls; another --seed)"
            raise BadInput([Problem("duration", flags.duration or "1h", expected)])
        return made

    groups = groups_of_workloads(sized, checked.deployment_type, trace_of)
    return analyse(
        groups,
        checked.asked,
        _facts(flags, checked),
        source=None,
        synthetic=Synthetic(checked.arrivals, duration),
        by="deployment",
        clock=Clock(0, Grid(1, 1).round_up(duration, MICROSECONDS_PER_MINUTE), duration),
        mean_calls=True,
    )


def _sized(flags: SimulateFlags, problems: list[Problem], view: View) -> SizingResult:
    """The workloads of a file, or that of the flags, for their models and deployments."""
    from ptucalc.cli.cost_runs import profile_of
    from ptucalc.cli.sizing_runs import check_file, make_sizer, sized_call, sized_file

    log = flags.log
    if not log.files:
        sizer, more = make_sizer(sku="all", headroom=None, catalogs=log.catalogs)
        call = {"model": log.model, "model_version": log.model_version, **flags.call}
        if any(value is not None for value in call.values()):
            call |= {"region": log.region, "output_weight": log.output_weight}
        everything = [*problems, *more]
        profile = profile_of(flags.profile, everything)
        return sized_call(sizer, call, everything, command="simulate", profile=profile)
    from ptucalc.batch import FileSizing
    from ptucalc.read.workloads import WorkloadFile

    given = {"model": log.model, "model_version": log.model_version, **flags.call, "profile": flags.profile}
    problems += [
        Problem(field, "beside a file", "left out: the rows of the file say that")
        for field, value in given.items()
        if value is not None
    ]
    with WorkloadFile.open(log.files[0]) as rows:
        sizer, more = make_sizer(sku="all", headroom=None, catalogs=log.catalogs)
        sizing = FileSizing(rows, sizer, region=log.region, output_weight=log.output_weight)
        check_file(sizing, view, [*problems, *more], skip_bad=log.skip_bad)
        return sized_file(sizing, view)
