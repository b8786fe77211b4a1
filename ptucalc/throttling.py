"""The share of requests that meet a 429 on the deployments of a plan: the calls of a log, or calls made up from the plan."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from fractions import Fraction
from typing import NamedTuple

from ptucalc.arrivals import Arrivals, shortest_duration_us, synthetic_trace
from ptucalc.bucket_engine import Engine
from ptucalc.call_trace import CallTrace
from ptucalc.catalog import Catalog, Unknown
from ptucalc.demand_profile import DemandProfile
from ptucalc.errors import BadInput
from ptucalc.log_models import Served, servable_bands
from ptucalc.purchase import Purchase
from ptucalc.request_log import Stream
from ptucalc.simulation import simulate
from ptucalc.workload import Workload

__all__ = ["Matched", "Throttled", "made_up", "matched_streams", "of_log"]

HOUR_US = 3_600_000_000

HOURS_MADE_UP = 24
"""So long are the calls that are made up, where they are not too many: in one hour the share of 429s is luck."""

MOST_MADE_UP = 2_000_000
"""So many calls are made up for a check; more take a while, and are for `ptucalc simulate`."""


class Throttled(NamedTuple):
    """The 429 share of a deployment, Unknown with the reason where it was not simulated; `how` says what of."""

    share: Fraction | Unknown
    requests: int = 0
    how: str = ""


class Matched(NamedTuple):
    """Streams of a log by the plan's deployment that would serve them, and those that none does, with the reason."""

    streams: Mapping[str, tuple[Stream, ...]]
    left: tuple[tuple[Stream, str], ...]


def matched_streams(bought: Sequence[Purchase], serving: Mapping[Stream, Served]) -> Matched:
    """Each stream goes to the deployment of its name, if that is of its model, or else to the only one of its model."""
    found: dict[str, list[Stream]] = {}
    left: list[tuple[Stream, str]] = []
    for stream, served in serving.items():
        if served.model is None:
            reason = served.problem.expected if served.problem else "its model is not known"
            left.append((stream, f"{reason} (-m or --map-model says which)"))
            continue
        name = served.model.name
        same = [each for each in bought if each.model == name]
        named = [each for each in same if stream.deployment and each.name.casefold() == stream.deployment.casefold()]
        if len(named or same) == 1:
            found.setdefault((named or same)[0].name, []).append(stream)
        elif same:
            left.append((stream, f"the plan has {len(same)} deployments of {name}, none of that name"))
        else:
            left.append((stream, f"the plan has no deployment of {name}"))
    return Matched({name: tuple(streams) for name, streams in found.items()}, tuple(left))


def of_log(
    bought: Sequence[Purchase],
    workloads: Mapping[str, Sequence[Workload]],
    profiles: Mapping[Stream, DemandProfile],
    serving: Mapping[Stream, Served],
    trace_of: Callable[..., CallTrace],
    *,
    catalog: Catalog,
    engine_for: Callable[[int, int, int], Engine],
    how: str,
) -> tuple[dict[str, Throttled], Matched]:
    """Every deployment with the calls of a log that it would serve; `trace_of` makes the trace of some streams."""
    matched = matched_streams(bought, serving)
    found = {}
    for each in bought:
        streams = matched.streams.get(each.name)
        if not streams:
            found[each.name] = Throttled(Unknown("the log has no calls for it"))
            continue
        model = serving[streams[0]].model
        assert model is not None
        if any(profiles[stream].unsized for stream in streams):  # they are the mean of the calls that PTU take
            trace = trace_of(streams, servable_bands(model, profiles[streams[0]].thresholds))
        else:
            trace = trace_of(streams)
        found[each.name] = _throttled(each, workloads[each.name], trace, catalog, engine_for, how)
    return found, matched


def made_up(
    bought: Sequence[Purchase],
    workloads: Mapping[str, Sequence[Workload]],
    requests_per_month: Mapping[str, Fraction],
    *,
    hours_per_month: int,
    catalog: Catalog,
    engine_for: Callable[[int, int, int], Engine],
) -> dict[str, Throttled]:
    """Every deployment with calls made up from its workloads, as `ptucalc simulate PLAN` makes them up.

    A day of them, or as many hours as MOST_MADE_UP allows, but no less than the profiles need to be gone through once.
    """
    found = {}
    for each in bought:
        duration = max(HOUR_US, shortest_duration_us(workloads[each.name]))
        calls_per_hour = requests_per_month[each.name] / hours_per_month
        hours = min(HOURS_MADE_UP, MOST_MADE_UP // calls_per_hour if calls_per_hour else HOURS_MADE_UP)
        duration = max(duration, hours * HOUR_US)
        calls = calls_per_hour * duration / HOUR_US
        if calls > MOST_MADE_UP:
            reason = f"about {int(calls):,} calls would have to be made up: --log FILE, or ptucalc simulate"
            found[each.name] = Throttled(Unknown(reason))
            continue
        arrivals = Arrivals()
        try:
            trace = synthetic_trace(workloads[each.name], duration_us=duration, arrivals=arrivals)
        except BadInput as error:
            found[each.name] = Throttled(Unknown("; ".join(map(str, error.problems))))
            continue
        how = f"{_hours(duration)} h of mean calls made up ({arrivals.kind.value} arrivals, seed {arrivals.seed}); --log FILE takes real ones"
        found[each.name] = _throttled(each, workloads[each.name], trace, catalog, engine_for, how)
    return found


def _hours(duration_us: int) -> str:
    """Hours with one decimal at most."""
    tenths = duration_us * 10 // HOUR_US
    return f"{tenths // 10:,}" + (f".{tenths % 10}" if tenths % 10 else "")


def _throttled(
    bought: Purchase,
    workloads: Sequence[Workload],
    trace: CallTrace,
    catalog: Catalog,
    engine_for: Callable[[int, int, int], Engine],
    how: str,
) -> Throttled:
    """The share of one deployment's calls that meet a 429, without retries. Unknown where it cannot be simulated."""
    if not len(trace):
        return Throttled(Unknown("there are no calls for it"))
    model, _ = catalog.find(bought.model)
    weights = {workload.output_weight for workload in workloads}
    if len(weights) > 1 and isinstance(model.weights.output, Unknown):
        return Throttled(Unknown("its workloads give different output weights"))
    weight = weights.pop() if len(weights) == 1 and model.weights.output is not None else None
    try:
        result = simulate(
            trace,
            model,
            deployment_type=bought.deployment_type,
            ptu=[bought.ptu],
            output_weight=weight,
            largest_ptu=catalog.largest_deployment_ptu,
            engine=engine_for(len(trace), 0, 1),
        )
    except BadInput as error:
        return Throttled(Unknown("; ".join(problem.expected for problem in error.problems)))
    (run,) = result.runs
    return Throttled(run.throttled_share, len(trace), how)
