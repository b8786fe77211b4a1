"""A measured log as workloads: what `--save` writes, and what `size` and `cost` take a log as."""

from __future__ import annotations

from collections.abc import Mapping

from ptucalc.demand_profile import DemandProfile
from ptucalc.exact import Exact
from ptucalc.log_minutes import MAXIMUM
from ptucalc.log_result import LogDemand
from ptucalc.request_log import Stream
from ptucalc.workload import LoadProfile, Workload

__all__ = ["workloads_of"]


def workloads_of(
    result: LogDemand, profiles: Mapping[Stream, DemandProfile], *, output_weight: Exact | None = None
) -> list[Workload]:
    """A workload for every deployment and model that could be sized, with its minutes, at the result's percentile.

    `profiles` are those of the log that the result is of. Calls with prompts over the model's limit on PTU are among
    the minutes: they are told apart again when the workload is sized. By deployment, each is a deployment of its own;
    by model (or for all), deployments of one model share one. One that is idle at the percentile is to be sized at its
    maximum. `output_weight` is the one that the result was made with.
    """
    found = []
    taken: set[str] = set()
    for entry in result.entries:
        if entry.model is None or not entry.parts:
            continue
        for part in entry.parts:
            profile = DemandProfile.merged([profiles[stream] for stream in part.streams])
            name = part.deployment or entry.name
            busy = part.minutes().at(entry.percentile) > 0
            while name in taken:
                name += " (2)"
            taken.add(name)
            found.append(
                Workload(
                    name=name,
                    model=entry.model.name,
                    model_version=entry.model_version,
                    region=entry.region,
                    deployment=name if result.by == "deployment" and len(result.entries) > 1 else None,
                    output_weight=None if entry.model.weights.output is None else output_weight,
                    profile=LoadProfile.from_demand(profile, entry.percentile if busy else MAXIMUM),
                )
            )
    return found
