"""Calls that one deployment takes: those of a log by deployment and model, those of workloads by where they run."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

from ptucalc.call_trace import CallTrace
from ptucalc.catalog import DeploymentType, Model
from ptucalc.demand_profile import DemandProfile
from ptucalc.errors import BadInput, Problem
from ptucalc.log_models import Served, servable_bands
from ptucalc.log_result import By
from ptucalc.request_log import Stream
from ptucalc.sizing_result import SizingResult
from ptucalc.workload import Workload

__all__ = ["CallGroup", "groups_of_log", "groups_of_workloads"]


class CallGroup(NamedTuple):
    """Calls to simulate together, on one deployment of one model.

    `model` is None where the catalog has none of the name that the log gives (`model_name`); `problem` says so, and what
    to do. `name` is what reports call the group; no other has it.
    """

    name: str
    deployments: tuple[str, ...]
    model: Model | None
    model_name: str
    model_version: str | None
    region: str | None
    deployment_type: DeploymentType
    trace: CallTrace
    profile: DemandProfile | None = None
    """The minutes of the calls, where a log has them; else they follow from the trace."""
    problem: Problem | None = None


def groups_of_log(
    profiles: Mapping[Stream, DemandProfile],
    serving: Mapping[Stream, Served],
    trace_of: Callable[..., CallTrace],
    *,
    by: By,
    deployment_type: DeploymentType,
    region: str | None,
) -> list[CallGroup]:
    """The streams of a log put together by deployment and model, by model, or all of them; most calls first.

    `trace_of` makes the trace of some streams; it is also told which bands of prompt sizes make the mean call, where
    there are calls of unknown size. Streams whose model is not known stay alone, and come last. Raises BadInput where all are wanted together but are not of one model.
    """
    if by == "none":
        _check_one_model(serving)
    together: dict[object, list[Stream]] = {}
    for stream in profiles:
        model = serving[stream].model
        key: object = stream if model is None else (stream.deployment if by == "deployment" else "", model.name)
        together.setdefault(key, []).append(stream)
    found = [
        _group(streams, [serving[each] for each in streams], deployment_type, region)._replace(
            trace=_trace(streams, profiles, serving, trace_of),
            profile=DemandProfile.merged([profiles[each] for each in streams]),
        )
        for streams in together.values()
    ]
    named = [group._replace(name=_plain_name(group, by)) for group in found]
    return sorted(_told_apart(named), key=lambda group: (group.model is None, -len(group.trace), group.name))


def _trace(
    streams: Sequence[Stream],
    profiles: Mapping[Stream, DemandProfile],
    serving: Mapping[Stream, Served],
    trace_of: Callable[..., CallTrace],
) -> CallTrace:
    """The calls; those of unknown size are the mean of the calls that PTU take, as in the minutes."""
    model, thresholds = serving[streams[0]].model, profiles[streams[0]].thresholds
    if model is None or not any(profiles[stream].unsized for stream in streams):
        return trace_of(streams)
    return trace_of(streams, servable_bands(model, thresholds))


def _check_one_model(serving: Mapping[Stream, Served]) -> None:
    models = sorted({served.model.name for served in serving.values() if served.model is not None})
    unknown = any(served.model is None for served in serving.values())
    if len(models) > 1 or unknown:
        also = " and calls whose model is not known" if unknown and models else ""
        held = f"the log holds {', '.join(models[:10])}{also}" if models else "what the log holds is of no known model"
        raise BadInput([Problem("by", "none", f"one model for all calls (-m MODEL); {held}")])


def _group(
    streams: Sequence[Stream],
    several: Sequence[Served],
    deployment_type: DeploymentType,
    region: str | None,
) -> CallGroup:
    versions = {served.version for served in several}
    served = several[0]
    name = served.model.name if served.model else next((stream.model for stream in streams if stream.model), "")
    problem = served.problem if served.model is None else None
    if problem is not None:
        deployment = streams[0].deployment
        this = f"--map-model {deployment}=MODEL simulates this deployment as that model, " if deployment else ""
        expected = f"{problem.expected}; {this}-m MODEL simulates everything as that model"
        where = f"deployment {deployment}, {problem.field}" if deployment else problem.field
        problem = problem._replace(expected=expected, label=where)
    return CallGroup(
        name="",
        deployments=tuple(dict.fromkeys(stream.deployment for stream in streams)),
        model=served.model,
        model_name=name,
        model_version=versions.pop() if len(versions) == 1 else None,
        region=region,
        deployment_type=deployment_type,
        trace=CallTrace.of(()),
        problem=problem,
    )


def _plain_name(group: CallGroup, by: By) -> str:
    if group.model is not None and by != "deployment":
        return group.model_name if by == "model" else "all calls"
    return group.deployments[0] or group.model_name or "all calls"


def _told_apart(groups: Sequence[CallGroup]) -> list[CallGroup]:
    """The groups with their models behind names that several have, and numbers where that is not enough."""
    names = [group.name for group in groups]
    found: list[CallGroup] = []
    taken: set[str] = set()
    for group in groups:
        name = group.name
        if names.count(name) > 1 and group.model_name != name:
            name = f"{name} ({group.model_name})"
        number, unique = 2, name
        while unique in taken:
            unique, number = f"{name} ({number})", number + 1
        taken.add(unique)
        found.append(group._replace(name=unique))
    return found


def groups_of_workloads(
    sized: SizingResult, deployment_type: DeploymentType, trace_of: Callable[[Sequence[Workload]], CallTrace]
) -> list[CallGroup]:
    """The workloads of each deployment with the calls that `trace_of` makes for them.

    A deployment's own type wins over `deployment_type`. Raises BadInput with every deployment's problems.
    """
    members: dict[str, list[Workload]] = {}
    for workload, name in zip(sized.workloads, sized.deployment_of, strict=True):
        members.setdefault(name, []).append(workload.workload)
    found: list[CallGroup] = []
    problems: list[Problem] = []
    for deployment in sized.deployments:
        try:
            trace = trace_of(members[deployment.name])
        except BadInput as error:
            problems += error.problems
            continue
        found.append(
            CallGroup(
                name=deployment.name,
                deployments=(deployment.name,),
                model=deployment.model,
                model_name=deployment.model.name,
                model_version=deployment.model_version,
                region=deployment.region,
                deployment_type=deployment.deployment_type or deployment_type,
                trace=trace,
            )
        )
    if problems:
        raise BadInput(list(dict.fromkeys(problems)))
    return found
