"""A measured log as workloads: what `--save` writes, and what `size` and `cost` take a log as."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from unicodedata import category

from ptucalc.demand_profile import DemandProfile
from ptucalc.exact import Exact
from ptucalc.log_minutes import MAXIMUM
from ptucalc.log_result import LogDemand
from ptucalc.request_log import Stream
from ptucalc.results import Note
from ptucalc.workload import LONGEST_NAME, TURNS_TEXT_AROUND, LoadProfile, Workload

__all__ = ["named_for_workloads", "workload_names", "workloads_of"]

NOT_IN_NAMES = ("Cc", "Zl", "Zp", "Cs")
LONGEST_CUT = 180
"""A longer name keeps so many characters, so that a number still fits behind them."""


def workload_names(names: Iterable[str]) -> dict[str, str]:
    """A name that a workload can have for each of the names of a log: a log may call a deployment anything.

    What is too long is cut (…), characters that a workload's name must not hold are replaced. Names that differ still do:
    those that can stay as they are do, others get a number.

    >>> workload_names(["chat", "a" * 300, "a" * 301])["a" * 301][-6:]
    'a… (2)'
    """
    distinct = list(dict.fromkeys(names))
    fit = {name: _fit(name) for name in distinct}
    taken = {name for name in distinct if fit[name] == name}
    for name in distinct:
        if fit[name] != name:
            number, unique = 2, fit[name]
            while unique in taken:
                unique, number = f"{fit[name]} ({number})", number + 1
            taken.add(unique)
            fit[name] = unique
    return fit


def _fit(name: str) -> str:
    text = "".join("\ufffd" if category(c) in NOT_IN_NAMES or c in TURNS_TEXT_AROUND else c for c in name).strip()
    if len(text) > LONGEST_NAME:
        text = f"{text[:LONGEST_CUT].rstrip()}…"
    return text or "unnamed"


def named_for_workloads(result: LogDemand) -> tuple[LogDemand, dict[str, str]]:
    """The result with its entries (and the notes about them) under names that workloads can have; old name to new."""
    names = workload_names(entry.name for entry in result.entries)

    def about(notes: Iterable[Note]) -> tuple[Note, ...]:
        return tuple(note._replace(about=names.get(note.about, note.about)) for note in notes)

    entries = tuple(replace(e, name=names[e.name], notes=about(e.notes)) for e in result.entries)
    return replace(result, entries=entries, notes=about(result.notes)), names


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
    names = workload_names(part.deployment or entry.name for entry in result.entries for part in entry.parts)
    for entry in result.entries:
        if entry.model is None or not entry.parts:
            continue
        for part in entry.parts:
            profile = DemandProfile.merged([profiles[stream] for stream in part.streams])
            name = names[part.deployment or entry.name]
            busy = part.minutes().at(entry.percentile) > 0
            number, unique = 2, name
            while unique in taken:
                unique, number = f"{name[:LONGEST_CUT]} ({number})", number + 1
            name = unique
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
