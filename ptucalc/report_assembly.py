"""The documents of a size, a cost, a log, a simulation put together as one report, and what a reader looks at first."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from typing import TYPE_CHECKING, Any, Final, cast

from ptucalc.headlines import headlines, sizes_shown, total_of

if TYPE_CHECKING:
    from ptucalc.report_documents import ReportDocument

__all__ = ["PARTS", "SCHEMA", "report_document", "titled"]

SCHEMA: Final = "ptucalc.report/1"

PARTS: Final = ("size", "cost", "logs", "simulate")
"""The documents that a report may hold; each is also one of its own, of schema ptucalc.PART/1."""

Data = Mapping[str, Any]


def report_document(
    *,
    version: str,
    source: Data,
    title: str | None = None,
    made_on: date | None = None,
    size: Data | None = None,
    cost: Data | None = None,
    logs: Data | None = None,
    simulate: Data | None = None,
    what_if: Iterable[Data] = (),
    working: Iterable[Data] = (),
    pooled: Iterable[Data] = (),
    rates: Iterable[Data] = (),
    sources: Iterable[Data] | None = None,
    hour_of_week: Iterable[Data] = (),
    timelines: Iterable[Data] = (),
) -> ReportDocument:
    """The report as JSON data (schema ptucalc.report/1) of at least one part.

    `title` None makes one of the deployments' names. `hour_of_week` is of profiles; that of a log is taken from `logs`.
    Without `sources` those that `cost` names are told.
    """
    parts = [part for part in (size, cost, logs, simulate) if part is not None]
    first = list(headlines(size=size, cost=cost, logs=logs, simulate=simulate))
    checked = [part["oldest_check"] for part in parts if "oldest_check" in part]
    priced = [part["prices_as_of"] for part in parts if "prices_as_of" in part]
    found = {
        "schema": SCHEMA,
        "version": version,
        "catalog_as_of": parts[0]["catalog_as_of"],
        "oldest_check": min(checked, default=None),
        "prices_as_of": priced[0] if priced else None,
        "title": title if title is not None else titled([line["deployment"] for line in first], source["names"]),
        "made_on": None if made_on is None else made_on.isoformat(),
        "source": dict(source),
        "headlines": first,
        "total": total_of(cost),
        "sizes_shown": sizes_shown(first),
        "size": size,
        "cost": cost,
        "logs": _without_folders(logs),
        "simulate": _without_folders(simulate),
        "what_if": list(what_if),
        "working": list(working),
        "pooled": list(pooled),
        "rates": list(rates),
        "sources": _price_sources(cost) if sources is None else list(sources),
        "hour_of_week": [*_hours_of_log(logs), *hour_of_week],
        "timelines": list(timelines),
        "notes": _notes(parts),
    }
    return cast("ReportDocument", found)


def titled(deployments: Sequence[str], names: Sequence[str]) -> str:
    """A title of what the report is of.

    >>> titled(["support-chat"], ["workloads.csv"]), titled(["a", "b"], ["workloads.csv"])
    ('PTU plan: support-chat', 'PTU plan: workloads.csv, 2 deployments')
    """
    if len(deployments) == 1:
        return f"PTU plan: {deployments[0]}"
    of = f"{', '.join(names)}, " if names else ""
    return f"PTU plan: {of}{len(deployments):,} deployments"


def _without_folders(part: Data | None) -> Data | None:
    """A report is handed over: it names the files that it is of, not the folders that they lie in."""
    if part is None or part["source"] is None:
        return part
    source = part["source"]
    names = [path.replace("\\", "/").rsplit("/", 1)[-1] or path for path in source["files"]]
    return {**part, "source": {**source, "files": names}}


def _hours_of_log(logs: Data | None) -> list[dict[str, Any]]:
    return [
        {"deployment": each["name"], "model": each["model"], "basis": "log", "ptu": each["hour_of_week_ptu"]}
        for each in (logs["by_deployment"] if logs else ())
        if each["hour_of_week_ptu"] is not None
    ]


def _price_sources(cost: Data | None) -> list[dict[str, str]]:
    """As much as a saved comparison of costs says of its sources."""
    listed = cost["price_sources"] if cost else ()
    return [{"kind": "prices", **each, "where": "", "published": ""} for each in listed]


def _notes(parts: Sequence[Data]) -> list[Data]:
    """Those of all parts, each once."""
    found = {(note["code"], note["message"], note["about"]): note for part in parts for note in part["notes"]}
    return list(found.values())
