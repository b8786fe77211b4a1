"""What `ptucalc report` makes of a log: its demand, sizes at a percentile, costs minute by minute, the 429s at sizes."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date
from typing import Any

from ptucalc import __version__
from ptucalc.api import size_log
from ptucalc.call_groups import CallGroup, groups_of_log
from ptucalc.catalog import DeploymentType
from ptucalc.cli.log_flags import CheckedFlags
from ptucalc.cli.log_runs import read_flagged_log, unanswered
from ptucalc.cli.report_flags import ReportFlags, day_of
from ptucalc.cli.simulate_flags import CheckedSimulation
from ptucalc.cli.view import View, remark
from ptucalc.errors import Problem
from ptucalc.headlines import headlines
from ptucalc.log_models import ModelFinder
from ptucalc.log_result import By, LogDemand
from ptucalc.measured_workloads import named_for_workloads, workloads_of
from ptucalc.read.catalog import load_catalog
from ptucalc.read.fast_engine import engine_for
from ptucalc.read.logs import RequestLog
from ptucalc.read.standard_limits import load_standard_limits
from ptucalc.report_assembly import report_document
from ptucalc.report_times import minute_timelines
from ptucalc.resolving import Resolver
from ptucalc.simulation_analysis import Asked, Facts, analyse_calls
from ptucalc.simulation_report import SimulatedDeployment, SimulationReport
from ptucalc.sizing import Sizer
from ptucalc.sizing_result import SizingResult
from ptucalc.spill_mix import Clock
from ptucalc.spill_mix import Money as SpillMoney
from ptucalc.what_if_sizes import WhatIfSizes

__all__ = ["document_of_log"]

MOST_SIMULATED = 20
"""So many deployments of a log are simulated at most, those with most calls."""


def document_of_log(flags: ReportFlags, view: View, problems: list[Problem]) -> Mapping[str, Any]:
    """The report of a log. Raises BadInput with all that is wrong.

    A log whose rows are sums of minutes is not simulated.
    """
    from ptucalc.cli.report_runs import money_of, parts_of_sizes

    log_flags = flags.simulated.log
    money = money_of(flags)
    plain = flags.simulated._replace(prices=(), discount=None, term="all", log=log_flags._replace(sku="global"))
    simulation = CheckedSimulation.of(plain, advise=None)
    told_twice = ("output_weight",)  # told with the flags of the log
    wrong = [*problems, *money.problems, *(p for p in simulation.problems if p.field not in told_twice)]
    checked = CheckedFlags.of(log_flags, wrong)
    catalog = load_catalog(*log_flags.catalogs)
    with read_flagged_log(log_flags, checked, view, calls=True) as log:
        demand = size_log(
            log,
            model=log_flags.model,
            model_version=log_flags.model_version,
            map_model=checked.models,
            by=checked.by,
            percentile=log_flags.percentile,
            catalog=catalog,
            sku=[kind.value for kind in checked.deployment_types],
            region=log_flags.region,
            headroom="0" if log_flags.headroom is None else log_flags.headroom,
            output_weight=log_flags.output_weight,
        )
        if not demand.answered:
            raise unanswered(demand)
        demand, names = named_for_workloads(demand)
        sizer = Sizer(Resolver(catalog, checked.deployment_types), demand.headroom)
        parts = parts_of_sizes(_sized(demand, log, sizer, log_flags.output_weight), sizer, money)
        logs = demand.to_dict()
        first = headlines(size=parts["size"], cost=parts["cost"], logs=logs, simulate=None)
        lines = {line["deployment"]: line for line in first}
        report = None
        if log.source.grain == "request":
            facts = Facts(
                catalog=catalog,
                money=SpillMoney(money.prices, money.discount, money.terms),
                limits=load_standard_limits(),
                engine_for=engine_for,
                version=__version__,
                today=date.today(),
            )
            groups = _groups(flags, log, checked, lines, sizer.resolver, simulation.asked, names)
            report = _simulated(groups, simulation.asked, facts, log, lines, checked.by)
        else:
            remark("the rows are sums of minutes, not calls: nothing was simulated", view)
    simulated = () if report is None else report.deployments
    parts["what_if"] = [_with_points(each, simulated) for each in parts["what_if"]]
    return report_document(
        version=__version__,
        source=_source_of(demand),
        title=flags.title,
        made_on=day_of(flags.date, date.today()),
        logs=logs,
        simulate=None if report is None else report.to_dict(),
        timelines=minute_timelines(simulated),
        **parts,
    )


def _sized(demand: LogDemand, log: RequestLog, sizer: Sizer, output_weight: str | None) -> SizingResult:
    """The log's workloads, each entry of the demand a deployment of that name."""
    names = [entry.name for entry in demand.entries if entry.model is not None for _ in entry.parts]
    workloads = workloads_of(demand, log.profiles, output_weight=output_weight)
    placed = [replace(each, deployment=name) for each, name in zip(workloads, names, strict=True)]
    keys = [sizer.add(workload).key for workload in placed]
    return sizer.result([sizer.size(w) for w in placed], keys, version=__version__, today=date.today())


def _groups(
    flags: ReportFlags,
    log: RequestLog,
    checked: CheckedFlags,
    lines: Mapping[str, Mapping[str, Any]],
    resolver: Resolver,
    asked: Asked,
    names: Mapping[str, str],
) -> list[CallGroup]:
    """The calls of each deployment, on the type that its headline shows."""
    given = flags.simulated.log
    finder = ModelFinder(
        resolver,
        log.profiles,
        model=given.model,
        model_version=given.model_version,
        map_model=checked.models,
        output_weight=asked.output_weight,
    )
    first = checked.deployment_types[0]
    groups = groups_of_log(
        log.profiles, finder.serving(), log.trace, by=checked.by, deployment_type=first, region=given.region
    )
    shown = {name: line["deployment_type"] for name, line in lines.items() if line["deployment_type"]}
    return [
        group._replace(name=name, deployment_type=DeploymentType(shown.get(name, first.value)))
        for group in groups[:MOST_SIMULATED]
        for name in [names.get(group.name, group.name)]
    ]


def _simulated(
    groups: Sequence[CallGroup],
    asked: Asked,
    facts: Facts,
    log: RequestLog,
    lines: Mapping[str, Mapping[str, Any]],
    by: By,
) -> SimulationReport:
    """Every deployment at its own sizes, as one report."""
    clock = Clock.of_log(log.source)
    found = [
        analyse_calls(
            [group],
            replace(asked, ptu=_candidates(asked, lines.get(group.name))),
            facts,
            source=log.source,
            synthetic=None,
            by=by,
            clock=clock,
        )
        for group in groups
    ]
    return replace(
        found[0],
        oldest_check=min(each.oldest_check for each in found),
        deployments=tuple(deployment for each in found for deployment in each.deployments),
        notes=tuple(dict.fromkeys(note for each in found for note in each.notes)),
        problems=tuple(problem for each in found for problem in each.problems),
    )


def _candidates(asked: Asked, line: Mapping[str, Any] | None) -> tuple[int, ...]:
    """The sizes to simulate: those asked for, else the one it is sized to and the cheapest mix; with a target any."""
    if asked.ptu or asked.target_429 is not None or line is None:
        return asked.ptu
    mix = line["cheapest"]["ptu"] if line["cheapest"] else 0
    return tuple(dict.fromkeys(ptu for ptu in (line["size_ptu"], mix) if ptu))


def _with_points(what_if: WhatIfSizes, simulated: Sequence[SimulatedDeployment]) -> dict[str, Any]:
    """A deployment's sizes with what the simulation of its calls says of them; the bucket is the same on every type."""
    for deployment in simulated:
        if deployment.name == what_if.cost.name and deployment.result is not None:
            return what_if.to_dict({point.ptu: point for point in deployment.result.sweep})
    return what_if.to_dict()


def _source_of(demand: LogDemand) -> dict[str, Any]:
    source, count = demand.source, len(demand.entries)
    names = [os.path.basename(path) or path for path in source.files]
    several = f"{count:,} deployments" if count > 1 else demand.entries[0].name
    text = f"{', '.join(names)}: {source.rows_used:,} of {source.rows:,} rows, {several}"
    return {"kind": "log", "names": names, "text": text}
