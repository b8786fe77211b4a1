"""A log that was read to demand and sizes: which model serves what, weighted minutes, percentiles, sizes at each.

A size at a percentile is that of the weighted minutes' nearest rank, idle minutes included:

    raw PTU = weighted TPM at the percentile / TPM per PTU;  requests per minute = that weighted TPM / weight of a call
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import date
from typing import Any

from ptucalc import exact
from ptucalc.catalog import Catalog, DeploymentType
from ptucalc.errors import BadInput, Problem
from ptucalc.exact import Exact
from ptucalc.log_entries import Analysis
from ptucalc.log_groups import calls_of, groups_of
from ptucalc.log_minutes import Percentile, parse_percentile
from ptucalc.log_models import ModelFinder, Weighing
from ptucalc.log_result import By, LogDemand
from ptucalc.request_log import MeasuredLog
from ptucalc.resolving import Resolver
from ptucalc.sizing import Sizer
from ptucalc.workload import READERS

__all__ = ["analyse"]


def analyse(
    log: MeasuredLog,
    *,
    catalog: Catalog,
    by: By = "deployment",
    model: str | None = None,
    model_version: str | None = None,
    map_model: Mapping[str, str] | None = None,
    percentile: Percentile | str = "p99",
    headroom: Exact = 0,
    output_weight: Exact | None = None,
    region: str | None = None,
    deployment_types: Sequence[DeploymentType] = tuple(DeploymentType),
    version: str,
    today: date,
) -> LogDemand:
    """The demand of every deployment (or model, or of all) and its sizes at each percentile.

    `model` sizes everything as that model, whatever rows name; `map_model` names the model of a deployment; else the
    row's model and then the deployment's name are looked up. What cannot be sized stays, with a reason. `version` is
    ptucalc's; `today` decides what is retired. Raises BadInput with every problem of these options; ValueError where the
    log was not read by `log_models.thresholds_of(catalog)`.
    """
    readers: dict[str, tuple[object, Callable[[Any], Any]]] = {
        "percentile": (percentile, _percentile),
        "headroom": (headroom, exact.headroom),
        "output_weight": (output_weight, exact.weight),
        "region": (region, READERS["region"]),
    }
    problems: list[Problem] = []
    read: dict[str, Any] = dict.fromkeys(readers)
    for name, (value, reader) in readers.items():
        try:
            read[name] = None if value is None else reader(value)
        except ValueError as error:
            problems.append(Problem(name, str(value), str(error)))
    resolver = Resolver(catalog, deployment_types)
    problems += resolver.bad_place(read["region"])
    weight = read["output_weight"]
    try:
        finder = ModelFinder(
            resolver, log.profiles, model=model, model_version=model_version, map_model=map_model, output_weight=weight
        )
    except BadInput as error:
        problems += error.problems
    if problems:
        raise BadInput(problems)
    calls = calls_of(log.profiles, finder.serving(), Weighing(resolver, read["region"], weight))
    groups = groups_of(calls, by)
    sizer = Sizer(resolver, read["headroom"])
    return Analysis(log, sizer, by, read["percentile"], read["region"], weight).result(groups, version, today)


def _percentile(given: Percentile | str) -> Percentile:
    return given if isinstance(given, Percentile) else parse_percentile(given)
