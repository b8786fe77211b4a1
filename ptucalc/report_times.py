"""The load and the 429s along the time, as reports draw them: hours of the week, minutes of a simulation."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from fractions import Fraction
from typing import Any

from ptucalc.results import SizedWorkload, json_number, number, utc_minute
from ptucalc.rounding import Grid
from ptucalc.simulated_runs import MinuteSeries
from ptucalc.simulation_report import SimulatedDeployment
from ptucalc.sizing_result import SizingResult

__all__ = ["MOST_VALUES", "hours_of_profiles", "minute_timelines"]

MOST_VALUES = 10_080
"""So many values a timeline has at most: the minutes of a week."""

MOST_TIMELINES = 6
"""So many runs are told minute by minute at most: those that were chosen come first."""

DECIMALS = 3


def hours_of_profiles(sized: SizingResult) -> Iterator[dict[str, Any]]:
    """Raw PTU of each hour of the week, as JSON data, for every deployment whose workloads say when they run.

    Workloads without a profile are added at their average rate. A deployment has none where a load is known by levels,
    by an average beside a peak, or by minutes.
    """
    members: dict[str, list[SizedWorkload]] = {}
    for workload, name in zip(sized.workloads, sized.deployment_of, strict=True):
        members.setdefault(name, []).append(workload)
    for deployment in sized.deployments:
        hours = _hours(members[deployment.name])
        if hours is not None:
            tpm = next(iter(deployment.sizes.values())).tpm_per_ptu
            yield {
                "deployment": deployment.name,
                "model": deployment.model.name,
                "basis": "profile",
                "ptu": [json_number(weighted / tpm) for weighted in hours],
            }


def _hours(members: Sequence[SizedWorkload]) -> list[Fraction] | None:
    """Weighted TPM of each hour of the week; None where the profiles do not say it."""
    profiles = [each.workload.profile for each in members]
    if all(profile is None for profile in profiles):
        return None
    totals: list[Fraction] | None = None
    for each, profile in zip(members, profiles, strict=True):
        per_call = each.weighted_tpm / each.workload.requests_per_minute
        if profile is None:
            if each.workload.average_requests_per_minute is not None:
                return None
            rates: Sequence[Fraction] = (each.workload.requests_per_minute,) * HOURS_PER_WEEK
        elif profile.hourly:
            rates = profile.timed
        else:
            return None
        added = [rate * per_call for rate in rates]
        totals = added if totals is None else [a + b for a, b in zip(totals, added, strict=True)]
    return totals


HOURS_PER_WEEK = 168


def minute_timelines(deployments: Sequence[SimulatedDeployment]) -> Iterator[dict[str, Any]]:
    """Every simulated run minute by minute, as JSON data: the chosen run of each deployment, then the others."""
    runs = [(each, run) for each in deployments if each.result is not None for run in each.result.runs]
    chosen = {id(each.chosen) for each in deployments if each.result is not None}
    runs.sort(key=lambda pair: id(pair[1]) not in chosen)
    for each, run in runs[:MOST_TIMELINES]:
        series, trace = run.minutes, each.group.trace
        step = Grid(1, 1).round_up(len(series), MOST_VALUES)
        start = None if trace.relative_clock else utc_minute(series.first_minute)
        yield {
            "deployment": each.name,
            "model": each.group.model_name,
            "deployment_type": each.group.deployment_type.value,
            "ptu": run.ptu,
            "chosen": id(run) in chosen,
            "start": start,
            "minutes": len(series),
            "step_minutes": step,
            "utilization": list(_highest(series, step)),
            "responses_429": [sum(part) for part in _parts(series.responses_429, step)],
        }


def _highest(series: MinuteSeries, step: int) -> Iterator[int | float]:
    """Of each step the highest minute, to a tenth of a percent: it is for a picture."""
    parts = 10**DECIMALS
    for levels in _parts(series.levels, step):
        top = 2 * max(levels) * parts + series.scale
        yield number(top // (2 * series.scale), parts)


def _parts(values: Sequence[int], step: int) -> Iterator[list[int]]:
    for start in range(0, len(values), step):
        yield [int(value) for value in values[start : start + step]]
